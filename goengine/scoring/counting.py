"""Who won: area and territory scores, and which stones are dead.

Counting is exact once the dead stones are known. Which stones are dead is a judgement, and here
random playouts make it (playouts.py): a chain is dead when its points end in the opponent's hands
more often than not. Scores are Black minus White in points, komi and handicap bonus included.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from goengine._kernels.chains import point_of
from goengine._kernels.playout_board import ROWS
from goengine._kernels.playouts import run_moves, run_playouts
from goengine._kernels.state import POINTS
from goengine.board import Board
from goengine.rules import format_points
from goengine.types import BLACK, EMPTY, WHITE, opponent

PLAYOUTS = 400
"""Playouts of one status unless told otherwise: about 20 ms at the end of a 19x19 game."""
SETTLED = 0.8
"""A point is settled when this share of the playouts agrees on its owner."""
UNFILLED = 0.9
"""A liberty belongs to a seki when nobody owns it in this share of the playouts."""
HELD = 0.5
"""An empty point between both colours counts for whom owns it by this much on average."""

Grid = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Status:
    """What playouts say about a position.

    ``ownership`` float32 (N, N), -1 White ... 1 Black; ``settled`` bool (N, N), the playouts agree
    on the owner (nobody included, as for the liberties of a seki); ``dead`` moves whose stones
    will be taken; ``seki`` moves of living stones that share a liberty which nobody can fill;
    ``lead`` and ``spread``: mean and standard deviation of the playouts' area scores, komi in.
    """

    ownership: npt.NDArray[np.float32]
    settled: npt.NDArray[np.bool_]
    dead: frozenset[int]
    seki: frozenset[int]
    lead: float
    spread: float


@lru_cache(maxsize=32)
def neighbours(size: int) -> tuple[tuple[int, ...], ...]:
    """Return for every point of a board the moves beside it."""
    table = []
    for move in range(size * size):
        row, column = divmod(move, size)
        beside = ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        table.append(tuple(r * size + c for r, c in beside if 0 <= r < size and 0 <= c < size))
    return tuple(table)


def liberty_points(board: Board, stone: int) -> set[int]:
    """Return the liberties of a stone's chain; of an empty point none."""
    grid = board.grid.ravel()
    beside = {near for one in board.chain(stone) for near in neighbours(board.size)[one]}
    return {point for point in beside if grid[point] == EMPTY}


def regions(grid: Grid) -> list[tuple[int, list[int], set[int]]]:
    """Return each connected region of one colour: (colour, its moves, the moves around it)."""
    size = len(grid)
    colours = grid.ravel().tolist()
    table = neighbours(size)
    done = [False] * len(colours)
    found = []
    for start, colour in enumerate(colours):
        if done[start]:
            continue
        done[start] = True
        inside = [start]
        around: set[int] = set()
        for move in inside:
            for near in table[move]:
                if colours[near] != colour:
                    around.add(near)
                elif not done[near]:
                    done[near] = True
                    inside.append(near)
        found.append((colour, inside, around))
    return found


def handicap_bonus(board: Board) -> float:
    """Return the points that the rules give White for handicap stones."""
    if board.rules.handicap_bonus == "stones":
        return float(board.handicap)
    if board.rules.handicap_bonus == "stones-1":
        return float(max(0, board.handicap - 1))
    return 0.0


def area_score(board: Board, dead: Collection[int] = ()) -> float:
    """Return Black's stones and territory minus White's, komi and handicap bonus included.

    ``dead`` moves are taken off first. An empty region that touches both colours counts for
    nobody.
    """
    return _count(board, dead, None, True)


def territory_score(board: Board, dead: Collection[int] = ()) -> float:
    """Return Black's territory and prisoners minus White's, komi included.

    ``dead`` stones are prisoners. No handicap bonus: territory rules have none.
    """
    return _count(board, dead, None, False)


def score(board: Board, dead: Collection[int] = (), *, status: Status | None = None) -> float:
    """Return the score that the board's rules ask for.

    With a ``status``, empty points of a region that touches both colours go to whom owns them in
    the playouts, so that a border left open does not lose a whole territory, and under territory
    rules eyes in seki count for nobody.
    """
    return _count(board, dead, status, board.rules.scoring == "area")


def _count(board: Board, dead: Collection[int], status: Status | None, area: bool) -> float:
    """Count a position: stones and territory, or territory and prisoners."""
    grid = board.grid
    flat = grid.ravel()
    prisoners = {BLACK: board.captures[0], WHITE: board.captures[1]}
    for move in dead:
        prisoners[opponent(int(flat[move]))] += 1
        flat[move] = EMPTY
    points = {BLACK: 0, WHITE: 0}
    for colour, inside, around in regions(grid):
        if colour != EMPTY:
            points[colour] += len(inside) if area else 0
            continue
        touched = {int(flat[move]) for move in around}
        if len(touched) == 1:
            if area or status is None or not around <= status.seki:
                points[touched.pop()] += len(inside)
        elif touched and status is not None:
            owned = status.ownership.ravel()[inside]
            points[BLACK] += int((owned > HELD).sum())
            points[WHITE] += int((owned < -HELD).sum())
    difference = points[BLACK] - points[WHITE] - board.komi
    if area:
        return difference - handicap_bonus(board)
    return difference + prisoners[BLACK] - prisoners[WHITE]


def format_score(points: float) -> str:
    """Return a score as GTP and SGF write it: ``B+3.5``, ``W+0.5`` or ``0``."""
    margin = format_points(abs(points))
    if margin == "0":
        return "0"
    return f"{'B' if points > 0 else 'W'}+{margin}"


def status(board: Board, *, rng: np.random.Generator, playouts: int = PLAYOUTS) -> Status:
    """Judge a position by random playouts: owners, dead stones, seki and the likely score.

    Either colour begins half of the playouts, so no one gains from whose turn it is.
    """
    size = board.size
    results = np.empty((playouts, size * size), dtype=np.int8)
    ko = 0 if board.ko is None else int(point_of(board.ko, size))
    seed = np.array([rng.integers(1, 2**63)], dtype=np.uint64)
    work = np.empty((2, ROWS, POINTS), dtype=np.int32)
    run_playouts(board.records["colour"][0], size, ko, board.to_play, seed, work, results)
    ownership = results.mean(axis=0, dtype=np.float32)
    shares = np.stack([(results == owner).mean(axis=0) for owner in (-1, 0, 1)])
    totals = results.sum(axis=1, dtype=np.int64) - board.komi - handicap_bonus(board)
    grid = board.grid
    dead = _dead(grid, ownership)
    return Status(
        ownership.reshape(size, size),
        (shares.max(axis=0) >= SETTLED).reshape(size, size),
        dead,
        _seki(grid, dead, shares[1]),
        float(totals.mean()),
        float(totals.std()),
    )


def move_scores(
    board: Board, moves: Sequence[int], *, rng: np.random.Generator, playouts: int
) -> npt.NDArray[np.float64]:
    """Return the mean area score, as Black minus White, that playouts reach after each move.

    The player to move makes the moves (legal, no suicide; a pass is allowed), the opponent goes
    on. float64 (M,), komi and handicap bonus included.
    """
    size = board.size
    points = [0 if move == size * size else int(point_of(move, size)) for move in moves]
    ko = 0 if board.ko is None else int(point_of(board.ko, size))
    out = np.empty((len(points), playouts), dtype=np.int16)
    run_moves(
        board.records["colour"][0],
        size,
        ko,
        board.to_play,
        np.array(points, dtype=np.int32),
        np.array([rng.integers(1, 2**63)], dtype=np.uint64),
        np.empty((3, ROWS, POINTS), dtype=np.int32),
        out,
    )
    means: npt.NDArray[np.float64] = out.mean(axis=1) - board.komi - handicap_bonus(board)
    return means


def _dead(grid: Grid, ownership: npt.NDArray[np.float32]) -> frozenset[int]:
    """Return the moves of chains whose points the opponent owns on average."""
    dead: list[int] = []
    for colour, inside, _ in regions(grid):
        if colour != EMPTY:
            kept = float(ownership[inside].mean()) * (1 if colour == BLACK else -1)
            if kept < 0:
                dead += inside
    return frozenset(dead)


def _seki(grid: Grid, dead: frozenset[int], nobody: npt.NDArray[np.floating]) -> frozenset[int]:
    """Return the moves of living chains of both colours around points that end as nobody's."""
    flat = grid.ravel()
    chains = {}
    for colour, inside, _ in regions(grid):
        if colour != EMPTY:
            chains.update(dict.fromkeys(inside, inside))
    seki: set[int] = set()
    for move in np.flatnonzero((flat == EMPTY) & (nobody >= UNFILLED)):
        beside = [m for m in neighbours(len(grid))[move] if flat[m] != EMPTY and m not in dead]
        if len({int(flat[m]) for m in beside}) == 2:
            for near in beside:
                seki.update(chains[near])
    return frozenset(seki)


def final_score(board: Board, *, rng: np.random.Generator, playouts: int = PLAYOUTS) -> float:
    """Return the score of a finished game, dead stones found by playouts and taken off."""
    judged = status(board, rng=rng, playouts=playouts)
    return score(board, judged.dead, status=judged)
