"""Whole games analysed from Python, position by position, and what each move cost.

The same scheduler as the line protocol's does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from goengine.analysis.evaluators import make_analysis_evaluator
from goengine.analysis.position_analysis import MoveAnalysis, PositionAnalysis
from goengine.analysis.requests.asked_rules import MOST_KOMI
from goengine.analysis.requests.queries import PositionQuery, Wanted
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import Report, Scheduler
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.games.sgf import read_sgf
from goengine.inference.evaluator import Evaluator
from goengine.rules import Rules, get_rules
from goengine.types import BLACK, GoError

VISITS = 50
"""Positions of a search where nobody says otherwise."""

Progress = Callable[[PositionAnalysis], None]
"""Told of every position that is finished."""


@dataclass(frozen=True)
class MoveReview:
    """A move that was played, beside what the analysis would have played."""

    number: int
    """1 for the first move of the game."""
    colour: int
    move: int
    """What was played; N*N is a pass."""
    best: MoveAnalysis | None
    """What the analysis likes best there; None where it found no move."""
    points_lost: float
    """Points by which the position after it is worse than after the best one, 0 or more."""
    winrate_lost: float
    """The same in win rate, 0 to 1."""
    lead: float
    """The mover's lead after the move."""
    winrate: float
    """The mover's win rate after the move."""

    @property
    def agrees(self) -> bool:
        """Whether the move is the one that the analysis likes best."""
        return self.best is not None and self.best.move == self.move


@dataclass(frozen=True)
class GameAnalysis:
    """The analysed positions of a game, and the moves between those that follow each other."""

    record: GameRecord
    visits: int
    """Positions that each search was to look at."""
    network: str
    positions: tuple[PositionAnalysis, ...]
    """In the order of the game."""

    @cached_property
    def moves(self) -> tuple[MoveReview, ...]:
        """The moves that have an analysed position before and after them."""
        by_turn = {position.turn: position for position in self.positions}
        found = []
        for number, (colour, move) in enumerate(self.record.moves, start=1):
            before, after = by_turn.get(number - 1), by_turn.get(number)
            if before is not None and after is not None:
                found.append(_review(number, colour, move, before, after))
        return tuple(found)

    def at(self, turn: int) -> PositionAnalysis:
        """Return the analysis of the position after so many moves.

        Raises:
            GoError: it was not analysed.
        """
        for position in self.positions:
            if position.turn == turn:
                return position
        raise GoError(f"turn {turn} was not analysed")

    def __iter__(self) -> Iterator[PositionAnalysis]:
        """Iterate over the positions."""
        return iter(self.positions)

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.positions)


def analyse(
    game: GameRecord | Game | str | Path,
    *,
    visits: int = VISITS,
    turns: Sequence[int] | None = None,
    seconds: float | None = None,
    rules: str | Rules | None = None,
    komi: float | None = None,
    network: str | Path | None = None,
    evaluator: Evaluator | None = None,
    moves_ownership: bool = False,
    megabytes: float = 1000.0,
    progress: Progress | None = None,
) -> GameAnalysis:
    """Return the analysis of a game: a record, a game in progress, or the path of an SGF file.

    `turns`: the positions, by the number of moves before each; None analyses all. `seconds` bounds
    each search besides `visits`. `rules` and `komi` are the record's where they are None, and its
    rules are chinese where it names none. `evaluator` is used instead of `network`. Deterministic
    where `seconds` is None.

    Raises:
        GoError: the file is not SGF, a move is illegal, a turn is not in the game, or the network
            does not judge positions.
        OSError: the file cannot be read.
    """
    if seconds is not None and not seconds > 0:
        raise GoError(f"{seconds} seconds cannot analyse: use more than 0")
    record = as_record(game)
    name = "evaluator"
    if evaluator is None:
        name, evaluator = make_analysis_evaluator(network, size=record.size)
    query = record_query(record, visits=visits, turns=turns, rules=rules, komi=komi)
    query = _with(query, seconds=seconds, moves_ownership=moves_ownership)
    found = analyse_query(query, evaluator, megabytes=megabytes, progress=progress)
    return GameAnalysis(record, visits, name, found)


def analyse_query(
    query: PositionQuery,
    evaluator: Evaluator,
    *,
    megabytes: float = 1000.0,
    progress: Progress | None = None,
) -> tuple[PositionAnalysis, ...]:
    """Return the analyses of a query's positions, in the order of the game.

    Raises:
        GoError: a move is illegal, or an analysis failed.
    """
    found: list[PositionAnalysis] = []

    def take(report: Report) -> None:
        if report.analysis is None:
            raise GoError(f"turn {report.turn} could not be analysed: {report.failure}")
        found.append(report.analysis)
        if progress is not None:
            progress(report.analysis)

    scheduler = Scheduler(evaluator, report=take, megabytes=megabytes)
    scheduler.add(query)
    while not scheduler.idle:
        scheduler.step()
    return tuple(sorted(found, key=lambda position: position.turn))


def as_record(game: GameRecord | Game | str | Path) -> GameRecord:
    """Return a game as a record; a path is read as SGF.

    Raises:
        GoError: the file is not SGF.
        OSError: it cannot be read.
    """
    if isinstance(game, GameRecord):
        return game
    if isinstance(game, Game):
        return game.record()
    return read_sgf(Path(game).read_bytes())


def record_query(
    record: GameRecord,
    *,
    visits: int = VISITS,
    turns: Sequence[int] | None = None,
    rules: str | Rules | None = None,
    komi: float | None = None,
) -> PositionQuery:
    """Return a record as a query about its positions.

    Raises:
        GoError: a turn is not in the game, the rules are unknown, or the komi is out of range.
    """
    wanted = tuple(range(len(record.moves) + 1)) if turns is None else tuple(dict.fromkeys(turns))
    for turn in wanted:
        if not 0 <= turn <= len(record.moves):
            raise GoError(f"turn {turn} is not in the game: it has turns 0 to {len(record.moves)}")
    if visits < 1:
        raise GoError(f"{visits} visits cannot analyse: use 1 or more")
    chosen = record_rules(record) if rules is None else get_rules(rules)
    points = record.komi if komi is None else komi
    if komi is not None and not abs(komi) <= MOST_KOMI:
        raise GoError(f"komi {komi} cannot be analysed: use {-MOST_KOMI:g} to {MOST_KOMI:g}")
    return PositionQuery(
        name="",
        size=record.size,
        rules=chosen,
        komi=chosen.komi if points is None else points,
        black=record.setup_black,
        white=record.setup_white,
        first_player=record.to_play,
        moves=record.moves,
        turns=wanted,
        priorities=(0,) * len(wanted),
        settings=AnalysisSettings(visits=visits, width=0.0),
        wanted=Wanted(ownership=True),
    )


def record_rules(record: GameRecord) -> Rules:
    """Return the rules that a record names, chinese where it names none that are known."""
    try:
        return get_rules(record.rules or "chinese")
    except GoError:
        return get_rules("chinese")


def _review(
    number: int, colour: int, move: int, before: PositionAnalysis, after: PositionAnalysis
) -> MoveReview:
    """Return what a move cost: the best move's lead less the lead that was there afterwards."""
    mine = 1.0 if colour == BLACK else -1.0
    lead = mine * after.black_lead
    winrate = after.black_winrate if colour == BLACK else 1.0 - after.black_winrate
    best = before.moves[0] if before.moves and before.to_play == colour else None
    same = best is None or best.move == move
    best_lead = lead if best is None or same else max(best.lead, lead)
    best_winrate = winrate if best is None or same else max(best.winrate, winrate)
    return MoveReview(
        number=number,
        colour=colour,
        move=move,
        best=best,
        points_lost=best_lead - lead,
        winrate_lost=best_winrate - winrate,
        lead=lead,
        winrate=winrate,
    )


def _with(query: PositionQuery, *, seconds: float | None, moves_ownership: bool) -> PositionQuery:
    """Return a query with a limit of time and what its answers hold."""
    return replace(
        query,
        settings=replace(query.settings, seconds=seconds),
        wanted=replace(query.wanted, moves_ownership=moves_ownership),
    )
