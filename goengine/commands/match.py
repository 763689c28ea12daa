"""`goengine match`: many games between two engines, and what they say about who is stronger.

With a folder to keep them in (match_folder.py), a match that was killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnncore.system.command_line import DONE, INTERRUPTED
from goengine.clock import gtp_settings
from goengine.match.contest import Contest, MatchGame, Referee, Terms, engine_referee, own_referee
from goengine.match.entrants import SETTINGS, Entrant, OwnEntrant, make_entrant
from goengine.match.folder import MatchError, MatchFolder, Result
from goengine.match.openings import OpeningSource, corner_openings, policy_openings, sgf_openings
from goengine.match.sequential_test import SequentialTest, in_order
from goengine.options import board_size, count, finite, not_negative, rule_set, seed
from goengine.players.policy_player import PolicyPlayer
from goengine.players.warmup import warm_board, warm_playouts
from goengine.rules import RULES, format_points, get_rules
from goengine.statistics import format_elo, format_share

log = logging.getLogger(__name__)

OPENING_MOVES = 4


def points(results: Sequence[Result], entrant: int) -> float:
    """Return the games that an entrant won, a draw as half, one without a result as nothing."""
    worth = {entrant: 1.0, None: 0.5}
    return sum(worth.get(r.winner, 0.0) for r in results if r.counts)


def _standing(results: Sequence[Result]) -> tuple[float, int]:
    """Return A's points and the games that a test may look at; half a point without a result."""
    return in_order({r.game: points([r], 0) if r.counts else 0.5 for r in results})


def report(results: Sequence[Result], names: Sequence[str], conditions: str) -> str:
    """Return the table of a match: wins with interval, Elo, colours, time, ends, failures."""
    if not results:
        return f"{names[0]} against {names[1]}: no game was finished"
    counted = [r for r in results if r.counts]
    games = f"{len(results)} game{'s' if len(results) > 1 else ''}"
    if len(counted) < len(results):
        games += f", {len(results) - len(counted)} without a result"
    lines = [f"{names[0]} (A) against {names[1]} (B): {games}, {conditions}"]
    for entrant, letter in enumerate("AB"):
        own = points(counted, entrant)
        black = [r for r in counted if r.black == entrant]
        white = [r for r in counted if r.black != entrant]
        moves = sum(r.chosen[entrant] for r in results)
        used = sum(r.seconds[entrant] for r in results)
        lines.append(
            f"{letter}  won {own:g}: {format_share(own, len(counted))}, "
            f"Elo {format_elo(own, len(counted))}; "
            f"as Black {points(black, entrant):g}/{len(black)}, "
            f"as White {points(white, entrant):g}/{len(white)}; "
            f"{used / max(1, moves):.3f} s a move"
        )
    ends = Counter(r.reason.split(":")[0].split(" move ")[0] for r in results)
    lines.append("ended by " + ", ".join(f"{reason} {n}" for reason, n in ends.most_common()))
    lines.append(f"mean length {sum(r.turns for r in results) / len(results):.0f} moves")
    for r in results:
        if not r.counts:
            lines.append(f"game {r.game + 1}: {r.reason}")
        elif r.reason.startswith(("illegal", "failure", "time")):
            loser = "?" if r.winner is None else names[1 - r.winner]
            lines.append(f"game {r.game + 1}: {loser} lost by {r.reason}")
    return "\n".join(lines)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine match`."""
    entrant = "NAME[,visits=200,...], policy[:NAME,temperature=0.2,...], rank:8k, random, 'gtp:...'"
    parser.add_argument("a", metavar="A", help=f"first engine: {entrant}; settings: {SETTINGS}")
    parser.add_argument("b", metavar="B", help="second engine, likewise")
    parser.add_argument("--games", type=count, default=100, help="number of games (100)")
    parser.add_argument("--size", type=board_size, default=19, help="board size (19)")
    parser.add_argument(
        "--rules", type=rule_set, default="chinese", help=f"{', '.join(RULES)} (chinese)"
    )
    parser.add_argument("--komi", type=finite, help="komi (what the rules say)")
    parser.add_argument(
        "--time", type=int, nargs=3, default=(0, 0, 0), metavar=("MAIN", "PERIOD", "STONES"),
        help="seconds, as in GTP time_settings; games are then played one by one (no limit)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="for games and results; resumes a match"
    )
    parser.add_argument(
        "--openings", default="corners", metavar="KIND|FILE",
        help="corners, policy, none or an SGF file: how games begin (corners)",
    )  # fmt: skip
    parser.add_argument(
        "--opening-moves", type=int, default=OPENING_MOVES,
        help="moves of an opening; corners: at most 4 (4)",
    )  # fmt: skip
    parser.add_argument(
        "--move-cap", type=count,
        help="moves after which a game is counted (twice the points of the board)",
    )  # fmt: skip
    parser.add_argument("--batch", type=count, default=16, help="games at once, own players (16)")
    parser.add_argument(
        "--parallel", type=count, default=1, help="copies of GTP engines at once (1)"
    )
    parser.add_argument(
        "--timeout", type=not_negative, default=120.0, help="seconds for a GTP answer (120)"
    )
    parser.add_argument(
        "--referee", metavar="COMMAND", help="GTP command line that counts the games (playouts)"
    )
    parser.add_argument("--seed", type=seed, default=1, help="seed of openings and players (1)")
    parser.add_argument(
        "--sprt", type=not_negative, nargs=2, metavar=("LOW", "HIGH"),
        help="stop as soon as it is clear whether A wins at most LOW or at least HIGH percent",
    )  # fmt: skip
    parser.add_argument("--names", nargs=2, metavar=("A", "B"), help="names for the report")


def _openings(args: argparse.Namespace, entrants: Sequence[Entrant]) -> OpeningSource:
    """Return the openings that the arguments ask for."""
    size, moves = args.size, args.opening_moves
    if moves < 0:
        raise MatchError(f"openings of {moves} moves are not possible: use 0 or more")
    if args.openings == "none":
        return lambda number: ()
    if args.openings == "corners":
        return corner_openings(size, moves, seed=args.seed)
    if args.openings == "policy":
        for one in entrants:
            if isinstance(one, OwnEntrant) and isinstance(one.player, PolicyPlayer):
                return policy_openings(one.player, size, moves, seed=args.seed)
        raise MatchError("openings by policy need a policy player in the match: use corners")
    rules = get_rules(args.rules)
    return sgf_openings(Path(args.openings), size, moves, rules=rules, seed=args.seed)


def _terms(args: argparse.Namespace) -> Terms:
    """Return what the arguments say that both entrants agree on."""
    rules = get_rules(args.rules)
    komi = rules.komi if args.komi is None else args.komi
    cap = 2 * args.size**2 if args.move_cap is None else args.move_cap
    return Terms(args.size, rules, komi, args.seed, cap, gtp_settings(*args.time))


def _kept(args: argparse.Namespace, terms: Terms) -> dict[str, Any]:
    """Return the settings that must stay the same while a match goes on."""
    names = ("a", "b", "size", "openings", "opening_moves", "seed", "referee")
    settings = {name: getattr(args, name) for name in names}
    settings |= {"rules": terms.rules.name, "komi": terms.komi, "move_cap": terms.move_cap}
    return settings | {"time": list(args.time)}


def run(args: argparse.Namespace) -> int:
    """Play or continue a match and print its table."""
    terms = _terms(args)
    test = SequentialTest(args.sprt[0] / 100, args.sprt[1] / 100) if args.sprt else None
    warm_board()
    warm_playouts()
    pairs: list[tuple[Entrant, Entrant]] = []
    try:
        for _ in range(args.parallel):
            pairs.append(_pair(args, pairs))
        names = args.names or [entrant.name for entrant in pairs[0]]
        referee: Referee = own_referee(args.seed)
        if args.referee:
            referee = engine_referee(args.referee, timeout=args.timeout)
        openings = _openings(args, pairs[0])
        contests = [
            Contest(pair, terms, openings=openings, referee=referee, batch=_batch(args, pair))
            for pair in pairs
        ]
        # Only what could begin leaves its settings in the folder.
        folder = MatchFolder(args.out, _kept(args, terms)) if args.out else None
        results = folder.results() if folder else []
        played, whole = _play(contests, results, args.games, names, folder, test)
        results += played
    finally:
        for pair in pairs:
            for entrant in pair:
                entrant.close()
    board = f"{terms.size}x{terms.size}, {terms.rules.name}, komi {format_points(terms.komi)}"
    time_given = ", time " + " ".join(map(str, args.time)) if _timed(args) else ""
    print(report(results, names, f"{board}, openings {args.openings}{time_given}"))
    if test:
        print(test.sentence(*_standing(results)))
    return DONE if whole else INTERRUPTED


def _timed(args: argparse.Namespace) -> bool:
    """Tell whether a clock limits the games."""
    return gtp_settings(*args.time).kind != "none"


def _batch(args: argparse.Namespace, pair: tuple[Entrant, Entrant]) -> int:
    """Return how many games are played at once: one where a clock, or the time, limits a move."""
    return 1 if _timed(args) or any(entrant.lone for entrant in pair) else args.batch


def _pair(
    args: argparse.Namespace, before: Sequence[tuple[Entrant, Entrant]]
) -> tuple[Entrant, Entrant]:
    """Return both entrants: those that can be shared are those of the pairs before."""
    shared = before[0] if before else (None, None)
    a, b = (
        one
        if one is not None and one.shared
        else make_entrant(text, timeout=args.timeout, clocked=_timed(args))
        for one, text in zip(shared, (args.a, args.b), strict=True)
    )
    return a, b


class MatchBar:
    """A progress bar that counts finished games and shows the moves of all of them beside."""

    def __init__(self, games: int, done: int) -> None:
        self._bar = tqdm(total=games, initial=done, unit="game", file=sys.stderr)
        self._lock = threading.Lock()
        self._moves = 0
        self._standing = ""
        self._drawn = time.monotonic()

    def moved(self, moves: int) -> None:
        """Count moves, from any thread; draw the bar again if that was not done for a second."""
        with self._lock:
            self._moves += moves
            if time.monotonic() - self._drawn >= 1:
                self._drawn = time.monotonic()
                self._write()
                self._bar.refresh()

    def finished(self, standing: str) -> None:
        """Count a game and note how the match stands."""
        with self._lock:
            self._standing = f"{standing}, "
            self._write()
            self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _write(self) -> None:
        self._bar.set_postfix_str(f"{self._standing}{self._moves:,} moves", refresh=False)


def _games(
    contests: Sequence[Contest], numbers: Sequence[int], moved: Callable[[int], None]
) -> Iterator[MatchGame]:
    """Yield finished games; several contests share the numbers and play in threads."""
    if len(contests) == 1:
        yield from contests[0].games(numbers, moved=moved)
        return
    finished: queue.Queue[MatchGame | BaseException | None] = queue.Queue()
    left = iter(numbers)
    lock = threading.Lock()

    def work(contest: Contest) -> None:
        try:
            while True:
                with lock:
                    share = list(itertools.islice(left, contest.batch))
                if not share:
                    break
                for game in contest.games(share, moved=moved):
                    finished.put(game)
            finished.put(None)
        except BaseException as error:  # whatever it is, the main thread raises it
            finished.put(error)

    for contest in contests:
        threading.Thread(target=work, args=(contest,), daemon=True).start()
    running = len(contests)
    while running:
        item = finished.get()
        if isinstance(item, BaseException):
            raise item
        if item is None:
            running -= 1
        else:
            yield item


def _play(
    contests: Sequence[Contest],
    before: Sequence[Result],
    games: int,
    names: Sequence[str],
    folder: MatchFolder | None,
    test: SequentialTest | None,
) -> tuple[list[Result], bool]:
    """Play the games that are missing, with a progress bar, and tell whether none was left out.

    Ctrl-C ends the match early, and so does a test that has decided, which needs no more games.
    """
    done = {result.game for result in before}
    missing = [number for number in range(games) if number not in done]
    results: list[Result] = []
    whole = True
    if test and test.decided(*_standing(before)):
        return results, whole
    bar = MatchBar(games, games - len(missing))
    try:
        for game in _games(contests, missing, bar.moved):
            result = folder.add(game, names) if folder else Result.of(game)
            results.append(result)
            everything = [*before, *results]
            counted = sum(one.counts for one in everything)
            bar.finished(f"A {points(everything, 0):g} of {counted}")
            if test and test.decided(*_standing(everything)):
                break
    except KeyboardInterrupt:
        whole = False
        log.warning("interrupted after %d of %d games", len(before) + len(results), games)
    finally:
        bar.close()
    return results, whole
