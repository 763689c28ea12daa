"""``goengine match``: many games between two engines, and what they say about who is stronger.

Games, results and settings go to a folder, so a match that was killed goes on where it stopped:
every finished game is one SGF file and one line of results.jsonl, written when the game ends.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import queue
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cnncore import atomic
from goengine.clock import gtp_settings
from goengine.contest import Contest, Game, Referee, Terms, engine_referee, own_referee
from goengine.entrants import Entrant, OwnEntrant, make_entrant
from goengine.openings import OpeningSource, corner_openings, policy_openings, sgf_openings
from goengine.players import PolicyPlayer
from goengine.rules import RULES, get_rules
from goengine.sgf import write_sgf
from goengine.statistics import format_elo, format_share
from goengine.types import MAX_SIZE, MIN_SIZE, GoError

_log = logging.getLogger(__name__)

SETTINGS = "match.json"
RESULTS = "results.jsonl"
OPENING_MOVES = 4


class MatchError(GoError):
    """Settings that cannot be played, or a folder that holds another match."""


@dataclass(frozen=True)
class Result:
    """One finished game as results.jsonl keeps it; index 0 is entrant A, 1 is B."""

    game: int
    black: int
    winner: int | None
    result: str
    reason: str
    turns: int
    seconds: tuple[float, float]
    chosen: tuple[int, int]

    @classmethod
    def of(cls, game: Game) -> Result:
        """Return the result of a game that is over."""
        return cls(
            game.number,
            game.black,
            game.winner,
            game.result or "",
            game.reason,
            len(game.moves),
            (round(game.seconds[0], 3), round(game.seconds[1], 3)),
            (game.chosen[0], game.chosen[1]),
        )


class MatchFolder:
    """The folder of a match: settings, results so far, one SGF file a game.

    Raises:
        MatchError: the folder holds a match with other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        file = path / SETTINGS
        if file.exists():
            before = json.loads(file.read_text(encoding="utf-8"))
            changed = sorted(key for key in settings if before.get(key) != settings[key])
            if changed:
                raise MatchError(
                    f"{path} holds a match with another {', '.join(changed)}: "
                    "repeat those settings or name a new folder with --out"
                )
        else:
            atomic.write_text(file, json.dumps(settings, indent=2) + "\n")

    def results(self) -> list[Result]:
        """Return the finished games; a line that a kill cut short is left out."""
        file = self.path / RESULTS
        found: dict[int, Result] = {}
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    values = json.loads(line)
                except json.JSONDecodeError:
                    _log.warning("%s: a broken line is ignored", file)
                    continue
                values["seconds"] = tuple(values["seconds"])
                values["chosen"] = tuple(values["chosen"])
                found[values["game"]] = Result(**values)
        return [found[number] for number in sorted(found)]

    def add(self, game: Game, names: Sequence[str]) -> Result:
        """Write a finished game and its result."""
        sgf = write_sgf(game.record(names))
        atomic.write_bytes(self.path / f"game-{game.number + 1:04d}.sgf", sgf)
        result = Result.of(game)
        file = self.path / RESULTS
        broken = file.exists() and not file.read_bytes().endswith(b"\n")
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(("\n" if broken else "") + json.dumps(result.__dict__) + "\n")
            lines.flush()
            os.fsync(lines.fileno())
        return result


def points(results: Sequence[Result], entrant: int) -> float:
    """Return the games that an entrant won, a draw as half."""
    return sum(1.0 if r.winner == entrant else 0.5 if r.winner is None else 0.0 for r in results)


def report(results: Sequence[Result], names: Sequence[str], conditions: str) -> str:
    """Return the table of a match: wins with interval, Elo, colours, time, ends, failures."""
    count = len(results)
    if not count:
        return f"{names[0]} against {names[1]}: no game was finished"
    lines = [f"{names[0]} (A) against {names[1]} (B): {count} games, {conditions}"]
    for entrant, letter in enumerate("AB"):
        own = points(results, entrant)
        black = [r for r in results if r.black == entrant]
        white = [r for r in results if r.black != entrant]
        moves = sum(r.chosen[entrant] for r in results)
        used = sum(r.seconds[entrant] for r in results)
        lines.append(
            f"{letter}  won {own:g}: {format_share(own, count)}, Elo {format_elo(own, count)}; "
            f"as Black {points(black, entrant):g}/{len(black)}, "
            f"as White {points(white, entrant):g}/{len(white)}; "
            f"{used / max(1, moves):.3f} s a move"
        )
    ends = Counter(r.reason.split(":")[0].split(" move ")[0] for r in results)
    lines.append("ended by " + ", ".join(f"{reason} {n}" for reason, n in ends.most_common()))
    lines.append(f"mean length {sum(r.turns for r in results) / count:.0f} moves")
    for r in results:
        if r.reason.startswith(("illegal", "failure", "time")):
            loser = "?" if r.winner is None else names[1 - r.winner]
            lines.append(f"game {r.game + 1}: {loser} lost by {r.reason}")
    return "\n".join(lines)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``goengine match``."""
    entrant = "policy[:NAME,temperature=0.2,...], random or 'gtp:COMMAND LINE'"
    parser.add_argument("a", metavar="A", help=f"first engine: {entrant}")
    parser.add_argument("b", metavar="B", help="second engine, likewise")
    parser.add_argument("--games", type=int, default=100, help="number of games (100)")
    parser.add_argument("--size", type=int, default=19, help="board size (19)")
    parser.add_argument("--rules", default="chinese", help=f"{', '.join(RULES)} (chinese)")
    parser.add_argument("--komi", type=float, help="komi (what the rules say)")
    parser.add_argument(
        "--time", type=int, nargs=3, default=(0, 0, 0), metavar=("MAIN", "PERIOD", "STONES"),
        help="seconds, as in GTP time_settings (no limit)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="folder for games and results; resumes a match")
    parser.add_argument(
        "--openings", default="corners",
        help="corners, policy, none or an SGF file: how games begin (corners)",
    )  # fmt: skip
    parser.add_argument("--opening-moves", type=int, default=OPENING_MOVES, help="moves (4)")
    parser.add_argument("--move-cap", type=int, help="moves after which a game is counted")
    parser.add_argument("--batch", type=int, default=16, help="games at once, own players (16)")
    parser.add_argument("--parallel", type=int, default=1, help="copies of GTP engines at once (1)")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for a GTP answer")
    parser.add_argument("--referee", help="GTP command line that counts the games (playouts)")
    parser.add_argument("--seed", type=int, default=1, help="seed of openings and players (1)")
    parser.add_argument("--names", nargs=2, metavar=("A", "B"), help="names for the report")


def _openings(args: argparse.Namespace, entrants: Sequence[Entrant]) -> OpeningSource:
    """Return the openings that the arguments ask for."""
    size, moves, seed = args.size, args.opening_moves, args.seed
    if args.openings == "none":
        return lambda number: ()
    if args.openings == "corners":
        return corner_openings(size, moves, seed=seed)
    if args.openings == "policy":
        for one in entrants:
            if isinstance(one, OwnEntrant) and isinstance(one.player, PolicyPlayer):
                return policy_openings(one.player, size, moves, seed=seed)
        raise MatchError("openings by policy need a policy player in the match: use corners")
    return sgf_openings(Path(args.openings), size, moves, seed=seed)


def run(args: argparse.Namespace) -> int:
    """Play or continue a match and print its table."""
    if not MIN_SIZE <= args.size <= MAX_SIZE or min(args.games, args.batch, args.parallel) < 1:
        raise MatchError(
            f"cannot play {args.games} games on {args.size}x{args.size}, {args.batch} at once: "
            f"use sizes {MIN_SIZE} to {MAX_SIZE} and at least one game"
        )
    rules = get_rules(args.rules)
    komi = rules.komi if args.komi is None else args.komi
    cap = args.move_cap or 2 * args.size**2
    terms = Terms(args.size, rules, komi, args.seed, cap, gtp_settings(*args.time))
    kept = ("a", "b", "size", "openings", "opening_moves", "seed", "referee")
    settings = {key: getattr(args, key) for key in kept}
    settings |= {"rules": rules.name, "komi": komi, "move_cap": cap, "time": list(args.time)}
    folder = MatchFolder(args.out, settings) if args.out else None
    results = folder.results() if folder else []
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
            Contest(pair, terms, openings=openings, referee=referee, batch=args.batch)
            for pair in pairs
        ]
        results += _play(contests, results, args.games, names, folder)
    finally:
        for pair in pairs:
            for entrant in pair:
                entrant.close()
    conditions = f"{args.size}x{args.size}, {rules.name}, komi {komi:g}, openings {args.openings}"
    print(report(results, names, conditions))
    return 0


def _pair(
    args: argparse.Namespace, before: Sequence[tuple[Entrant, Entrant]]
) -> tuple[Entrant, Entrant]:
    """Return both entrants; own players are shared with the pairs before, engines started anew."""
    shared = before[0] if before else (None, None)
    a, b = (
        one if one is not None and one.parallel else make_entrant(text, timeout=args.timeout)
        for one, text in zip(shared, (args.a, args.b), strict=True)
    )
    return a, b


def _games(contests: Sequence[Contest], numbers: Sequence[int]) -> Iterator[Game]:
    """Yield finished games; several contests share the numbers and play in threads."""
    if len(contests) == 1:
        yield from contests[0].games(numbers)
        return
    finished: queue.Queue[Game | BaseException | None] = queue.Queue()
    left = iter(numbers)
    lock = threading.Lock()

    def work(contest: Contest) -> None:
        try:
            while True:
                with lock:
                    share = list(itertools.islice(left, contest.batch))
                if not share:
                    break
                for game in contest.games(share):
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
) -> list[Result]:
    """Play the games that are missing, with a progress bar; Ctrl-C ends the match early."""
    done = {result.game for result in before}
    missing = [number for number in range(games) if number not in done]
    results: list[Result] = []
    bar = tqdm(total=games, initial=games - len(missing), unit="game", file=sys.stderr)
    try:
        for game in _games(contests, missing):
            result = folder.add(game, names) if folder else Result.of(game)
            results.append(result)
            everything = [*before, *results]
            bar.set_postfix_str(f"A {points(everything, 0):g} of {len(everything)}")
            bar.update()
    except KeyboardInterrupt:
        _log.warning("interrupted after %d of %d games", len(before) + len(results), games)
    finally:
        bar.close()
    return results
