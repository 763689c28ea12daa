"""Which stones are dead, which are in seki, and how sure that is.

This is a judgement, and random playouts make it (_kernels/playouts.py): a chain is dead when its
points end in the opponent's hands more often than not. Scores are Black minus White in points,
komi and handicap bonus included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine._kernels.chains import point_of
from goengine._kernels.playout_board import ROWS
from goengine._kernels.playouts import NO_MOVE, run_playouts
from goengine._kernels.state import POINTS
from goengine.board import Board
from goengine.scoring.corners import bent_fours
from goengine.scoring.counting import handicap_bonus, score
from goengine.scoring.regions import Grid, neighbours, regions
from goengine.types import BLACK, EMPTY, opponent

PLAYOUTS = 400
"""Playouts of one status unless told otherwise: about 20 ms at the end of a 19x19 game."""
SETTLED = 0.8
"""A point is settled when this share of the playouts agrees on its owner."""
UNFILLED = 0.5
"""A liberty belongs to a seki when nobody owns it in this share of the playouts."""
EARLY = 0.7
"""Below this share of settled points a score says nothing: it names the winner of one game in two
(docs/scoring.md)."""


@dataclass(frozen=True)
class Status:
    """What playouts say about a position."""

    ownership: npt.NDArray[np.float32]
    """Mean owner of each point, float32 (N, N), -1 White ... 1 Black."""
    settled: npt.NDArray[np.bool_]
    """Bool (N, N): the playouts agree on the owner, nobody included, as in a seki."""
    dead: frozenset[int]
    """Moves whose stones will be taken."""
    seki: frozenset[int]
    """Moves of living stones that share a liberty which nobody can fill."""
    lead: float
    """Mean area score of the playouts, Black minus White, komi included."""
    spread: float
    """Standard deviation of the playouts' area scores."""

    @property
    def settled_share(self) -> float:
        """Return the share of the points that are settled, 0 ... 1."""
        return float(self.settled.mean())

    @property
    def is_early(self) -> bool:
        """Tell whether too much is open for a score that means anything."""
        return self.settled_share < EARLY

    def lead_for(self, colour: int) -> float:
        """Return the mean area score as a colour sees it, in points."""
        return signed(self.lead, colour)


def signed(points: float, colour: int) -> float:
    """Return a score, Black minus White, as a colour sees it."""
    return points if colour == BLACK else -points


def status(board: Board, *, rng: np.random.Generator, playouts: int = PLAYOUTS) -> Status:
    """Judge a position by random playouts: owners, dead stones, seki and the likely score.

    Either colour begins half of the playouts, so no one gains from whose turn it is.
    """
    size = board.size
    results = np.empty((playouts, size * size), dtype=np.int8)
    ko = 0 if board.ko is None else int(point_of(board.ko, size))
    seed = np.array([rng.integers(1, 2**63)], dtype=np.uint64)
    work = np.empty((2, ROWS, POINTS), dtype=np.int32)
    run_playouts(board.records["colour"][0], size, ko, board.to_play, NO_MOVE, seed, work, results)
    ownership = results.mean(axis=0, dtype=np.float32)
    shares = np.stack([(results == owner).mean(axis=0) for owner in (-1, 0, 1)])
    settled = shares.max(axis=0) >= SETTLED
    totals = results.sum(axis=1, dtype=np.int64) - board.komi - handicap_bonus(board)
    lead = float(totals.mean())
    grid = board.grid
    dead = _dead(grid, ownership)
    seki = _seki(grid, dead, shares[1])
    taken = bent_fours(grid, seki)
    if taken:
        points = list(taken)
        before = float(ownership.sum())
        ownership[points] = [signed(1, colour) for colour in taken.values()]
        settled[points] = True
        lead += float(ownership.sum()) - before
        flat = grid.ravel()
        dead |= {move for move, colour in taken.items() if flat[move] == opponent(colour)}
        seki = _seki(grid, dead, shares[1])
    return Status(
        ownership.reshape(size, size),
        settled.reshape(size, size),
        dead,
        seki,
        lead,
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
    colours = board.records["colour"][0]
    ko = 0 if board.ko is None else int(point_of(board.ko, size))
    seed = np.array([rng.integers(1, 2**63)], dtype=np.uint64)
    work = np.empty((2, ROWS, POINTS), dtype=np.int32)
    results = np.empty((playouts, size * size), dtype=np.int8)
    means = np.empty(len(moves))
    for i, move in enumerate(moves):
        point = 0 if move == size * size else int(point_of(move, size))
        run_playouts(colours, size, ko, board.to_play, point, seed, work, results)
        means[i] = results.sum(axis=1, dtype=np.int64).mean()
    return means - board.komi - handicap_bonus(board)


def _dead(grid: Grid, ownership: npt.NDArray[np.float32]) -> frozenset[int]:
    """Return the moves of chains whose points the opponent owns on average."""
    dead: list[int] = []
    for colour, inside, _ in regions(grid):
        if colour != EMPTY:
            kept = float(ownership[inside].mean()) * (1 if colour == BLACK else -1)
            if kept < 0:
                dead += inside
    return frozenset(dead)


def still_in_seki(grid: Grid, seki: frozenset[int], dead: frozenset[int]) -> frozenset[int]:
    """Return the moves of a seki that remain in it where another judge holds stones for dead.

    A chain whose opponent there is dead lives, and its eyes count.
    """
    outside = frozenset(np.flatnonzero(grid).tolist()) - seki
    return _seki(grid, outside | dead, np.ones(grid.size))


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


def taken_off(board: Board, judged: Status) -> frozenset[int]:
    """Return the moves of the stones that are taken off at the end: the dead ones.

    None under rules by which all stones count as alive (Tromp-Taylor's).
    """
    return frozenset() if board.rules.counts_as_it_stands else judged.dead


def judged_score(board: Board, judged: Status) -> float:
    """Return the score that the board's rules ask for, as playouts judge the stones."""
    if board.rules.counts_as_it_stands:
        return score(board)
    return score(board, judged.dead, status=judged)


def final_score(board: Board, *, rng: np.random.Generator, playouts: int = PLAYOUTS) -> float:
    """Return the score of a finished game; where dead stones are taken off, playouts find them."""
    return judged_score(board, status(board, rng=rng, playouts=playouts))
