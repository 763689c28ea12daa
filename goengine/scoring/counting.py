"""Who won, once the dead stones are known: area and territory scores.

Counting is exact; which stones are dead is a judgement (status.py). Scores are Black minus White in
points, komi and handicap bonus included.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.rules import format_points
from goengine.scoring.regions import regions
from goengine.types import BLACK, EMPTY, WHITE, opponent

HELD = 0.5
"""An empty point between both colours counts for whom owns it by this much on average."""


class Judgement(Protocol):
    """What counting asks of a judgement of a position: who owns points, and who is in seki."""

    @property
    def ownership(self) -> npt.NDArray[np.float32]:
        """Mean owner of each point, float32 (N, N), -1 White ... 1 Black."""
        ...

    @property
    def seki(self) -> frozenset[int]:
        """Moves whose stones are in seki."""
        ...


@dataclass(frozen=True)
class Tally:
    """What a score is made of; both dictionaries are by colour."""

    points: dict[int, int]
    """Stones and territory under area rules, territory under territory rules."""
    prisoners: dict[int, int]
    """Stones that each player took, dead ones included; none under area rules."""
    komi: float
    bonus: float
    """White's points for handicap stones."""

    @property
    def lead(self) -> float:
        """Black's points minus White's."""
        black = self.points[BLACK] + self.prisoners[BLACK]
        white = self.points[WHITE] + self.prisoners[WHITE]
        return float(black - white) - self.komi - self.bonus


def handicap_bonus(board: Board) -> float:
    """Return the points that the rules give White for handicap stones, none for territory."""
    if board.rules.scoring == "territory":
        return 0.0
    if board.rules.handicap_bonus == "stones":
        return float(board.handicap)
    if board.rules.handicap_bonus == "stones-1":
        return float(max(0, board.handicap - 1))
    return 0.0


def points_given(board: Board) -> float:
    """Return by how many points Black's lead on the board, as area, exceeds its score.

    Komi and handicap bonus; under territory rules also the stones that Black placed more than
    White, handicap stones for example: each is a point of area and not of territory.
    """
    return board.komi + handicap_bonus(board) + _stones_ahead(board)


def area_score(board: Board, dead: Collection[int] = ()) -> float:
    """Return Black's stones and territory minus White's, komi and handicap bonus included.

    `dead` moves are taken off first. An empty region that touches both colours counts for
    nobody.
    """
    return _count(board, dead, None, True)


def territory_score(board: Board, dead: Collection[int] = ()) -> float:
    """Return Black's territory and prisoners minus White's, komi included.

    `dead` stones are prisoners. No handicap bonus: territory rules have none.
    """
    return _count(board, dead, None, False)


def score(board: Board, dead: Collection[int] = (), *, status: Judgement | None = None) -> float:
    """Return the score that the board's rules ask for.

    With a `status`, empty points of a region that touches both colours go to whom owns them in
    the playouts, so that a border left open does not lose a whole territory, and under territory
    rules eyes in seki count for nobody.
    """
    return _count(board, dead, status, board.rules.scoring == "area")


def area_owners(
    board: Board, dead: Collection[int] = (), *, status: Judgement | None = None
) -> npt.NDArray[np.int8]:
    """Return whose each point is under area scoring, int8 (N, N): BLACK, WHITE or EMPTY.

    As `score` counts: dead stones are taken off, and with a `status` points of a region that
    touches both colours go to whom owns them in the playouts.
    """
    grid = board.grid
    flat = grid.ravel()
    flat[list(dead)] = EMPTY
    owners = flat.copy()
    for colour, inside, around in regions(grid):
        if colour != EMPTY:
            continue
        touched = {int(flat[move]) for move in around}
        if len(touched) == 1:
            owners[inside] = touched.pop()
        elif touched and status is not None:
            owned = status.ownership.ravel()[inside]
            owners[inside] = np.where(owned > HELD, BLACK, np.where(owned < -HELD, WHITE, EMPTY))
    return owners.reshape(grid.shape)


def tally(board: Board, dead: Collection[int] = (), *, status: Judgement | None = None) -> Tally:
    """Return what the score that the board's rules ask for is made of; arguments as for `score`."""
    return _tally(board, dead, status, board.rules.scoring == "area")


def _stones_ahead(board: Board) -> int:
    """Return how many stones Black placed more than White, 0 under area rules.

    Prisoners were placed too. In a game in turns it is 0, whoever moves; a pass is thought to be
    answered by a pass.
    """
    if board.rules.scoring == "area":
        return 0
    grid, taken = board.grid, board.captures
    black = int(np.count_nonzero(grid == BLACK)) + taken[1]
    white = int(np.count_nonzero(grid == WHITE)) + taken[0]
    mover = board.to_play if board.passes % 2 == 0 else opponent(board.to_play)
    return black - white - (1 if mover == WHITE else 0)


def _count(board: Board, dead: Collection[int], status: Judgement | None, area: bool) -> float:
    """Count a position: stones and territory, or territory and prisoners."""
    return _tally(board, dead, status, area).lead


def _tally(board: Board, dead: Collection[int], status: Judgement | None, area: bool) -> Tally:
    """Return what a count is made of."""
    if not area:
        return _territory(board, dead, status)
    owners = area_owners(board, dead, status=status)
    points = {colour: int(np.count_nonzero(owners == colour)) for colour in (BLACK, WHITE)}
    return Tally(points, {BLACK: 0, WHITE: 0}, board.komi, handicap_bonus(board))


def _territory(board: Board, dead: Collection[int], status: Judgement | None) -> Tally:
    """Count a position's territory and prisoners."""
    grid = board.grid
    flat = grid.ravel()
    prisoners = {BLACK: board.captures[0], WHITE: board.captures[1]}
    for move in dead:
        prisoners[opponent(int(flat[move]))] += 1
        flat[move] = EMPTY
    points = {BLACK: 0, WHITE: 0}
    for colour, inside, around in regions(grid):
        if colour != EMPTY:
            continue
        touched = {int(flat[move]) for move in around}
        if len(touched) == 1:
            if status is None or not around <= status.seki:
                points[touched.pop()] += len(inside)
        elif touched and status is not None:
            owned = status.ownership.ravel()[inside]
            points[BLACK] += int((owned > HELD).sum())
            points[WHITE] += int((owned < -HELD).sum())
    return Tally(points, prisoners, board.komi, 0.0)


def format_score(points: float) -> str:
    """Return a score as GTP and SGF write it: `B+3.5`, `W+0.5` or `0`."""
    margin = format_points(abs(points))
    if margin == "0":
        return "0"
    return f"{'B' if points > 0 else 'W'}+{margin}"
