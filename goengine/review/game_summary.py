"""What an analysed game says about its players: marks of moves, accuracy, the costliest moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from goengine.analysis.whole_games import GameAnalysis, MoveReview
from goengine.types import BLACK, WHITE

DOUBTFUL, BAD, VERY_BAD = 2.0, 5.0, 12.0
"""Points lost from which a move is marked so."""
GOOD_GAP = 3.0
"""Points by which the best move must beat the next one for its finder to be praised."""
FEW_VISITS = 4
"""Visits of the next move below which nobody is praised for beating it."""
KEEPS = 0.75
"""Accuracy that is left per point lost on average: 100, 75, 56 ... per cent for 0, 1, 2 ..."""
COSTLIEST = 10
"""Moves that a review dwells on."""


class Mark(Enum):
    """What is said of a move."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    VERY_BAD = "very bad"


@dataclass(frozen=True)
class PlayerSummary:
    """How one player did."""

    colour: int
    name: str | None
    """None where the record has no name."""
    moves: int
    """Moves that were judged, passes left out."""
    accuracy: float
    """0 to 100: 100 * 0.75 ** (points lost a move)."""
    points_lost: float
    """Points lost a move on average."""
    agreement: float
    """Share of moves that the analysis likes best, 0 to 1."""
    marks: dict[Mark, int]
    """How many moves have each mark."""


@dataclass(frozen=True)
class GameSummary:
    """The players and the moves that decided."""

    analysis: GameAnalysis
    players: tuple[PlayerSummary, ...]
    """Black and White, or the one that was asked for."""
    costliest: tuple[MoveReview, ...]
    """The moves that cost most, the dearest first, of those players."""


def summarise(analysis: GameAnalysis, *, colours: Sequence[int] = (BLACK, WHITE)) -> GameSummary:
    """Return what a game's analysis says of the players of some colours."""
    record = analysis.record
    names = {BLACK: record.black, WHITE: record.white}
    players = tuple(_player(analysis, colour, names[colour]) for colour in colours)
    judged = [move for move in _judged(analysis) if move.colour in colours and move.points_lost > 0]
    dearest = sorted(judged, key=lambda move: (-move.points_lost, move.number))
    return GameSummary(analysis, players, tuple(dearest[:COSTLIEST]))


def mark_of(analysis: GameAnalysis, move: MoveReview) -> Mark | None:
    """Return the mark of a move, None for one that needs none."""
    if move.points_lost >= VERY_BAD:
        return Mark.VERY_BAD
    if move.points_lost >= BAD:
        return Mark.BAD
    if move.points_lost >= DOUBTFUL:
        return Mark.DOUBTFUL
    others = [m for m in analysis.at(move.number - 1).moves[1:] if m.visits >= FEW_VISITS]
    if move.agrees and move.best is not None and others:
        if move.best.lead - max(other.lead for other in others) >= GOOD_GAP:
            return Mark.GOOD
    return None


def _judged(analysis: GameAnalysis) -> list[MoveReview]:
    """Return the moves that say something about a player: all but passes."""
    points = analysis.record.size**2
    return [move for move in analysis.moves if move.move != points]


def _player(analysis: GameAnalysis, colour: int, name: str | None) -> PlayerSummary:
    """Return how the player of a colour did."""
    moves = [move for move in _judged(analysis) if move.colour == colour]
    lost = sum(move.points_lost for move in moves) / max(1, len(moves))
    marks = dict.fromkeys(Mark, 0)
    for move in moves:
        mark = mark_of(analysis, move)
        if mark is not None:
            marks[mark] += 1
    return PlayerSummary(
        colour=colour,
        name=name,
        moves=len(moves),
        accuracy=100 * KEEPS**lost,
        points_lost=lost,
        agreement=sum(move.agrees for move in moves) / max(1, len(moves)),
        marks=marks,
    )
