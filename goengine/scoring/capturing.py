"""Which moves take the opponent's dead stones off the board, where they have to be captured.

Rules without agreement on dead stones (Tromp-Taylor's) and KGS after a dispute count what stands.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.scoring.regions import liberty_points, neighbours
from goengine.scoring.status import Status, status
from goengine.types import EMPTY, opponent

TRIES = 6
"""How many sacrifices are tried on one dead chain."""


def capturing_moves(
    board: Board, judged: Status, *, rng: np.random.Generator, playouts: int
) -> npt.NDArray[np.bool_]:
    """Return bool (N*N,): moves that lead to the capture of dead enemy stones, the nearest first.

    Liberties of the dead chain with the fewest of them, then empty points around dead stones, none
    of which puts the own chain into atari unless it captures. Where only such moves are left, the
    chain lives on an eye that has to be filled from within: one of them, if it stays dead.
    """
    enemy = opponent(board.to_play)
    grid = board.grid.ravel()
    dead = {min(board.chain(move)) for move in judged.dead if grid[move] == enemy}
    chains = sorted(dead, key=lambda stone: (board.liberties(stone), stone))
    wanted = np.zeros(len(grid), dtype=np.bool_)
    for stone in chains:
        wanted[[point for point in liberty_points(board, stone) if _is_safe(board, point)]] = True
        if wanted.any():
            return wanted
    for stone in chains:
        wanted[[point for point in _around(board, stone) if _is_safe(board, point)]] = True
    if wanted.any():
        return wanted
    for stone in chains:
        sacrifice = _sacrifice(board, stone, rng=rng, playouts=playouts)
        if sacrifice is not None:
            wanted[sacrifice] = True
            break
    return wanted


def _around(board: Board, stone: int) -> list[int]:
    """Return the empty points that a dead stone can reach over empty points and its own colour."""
    grid = board.grid.ravel()
    reach = [stone]
    seen = {stone}
    for point in reach:
        for near in neighbours(board.size)[point]:
            if near not in seen and grid[near] in (EMPTY, grid[stone]):
                seen.add(near)
                reach.append(near)
    return [point for point in reach if grid[point] == EMPTY]


def _is_safe(board: Board, move: int) -> bool:
    """Tell whether a move is legal and captures, or leaves its chain two liberties or more."""
    if not board.is_legal(move):
        return False
    after = board.copy()
    after.play(move)
    return after.captures != board.captures or after.liberties(move) > 1


def _sacrifice(board: Board, stone: int, *, rng: np.random.Generator, playouts: int) -> int | None:
    """Return a liberty of a dead chain that may be filled by stones that are then captured.

    The chain must still be dead in playouts: a throw-in takes its eye, the wrong one gives it two.
    """
    found = []
    for point in sorted(liberty_points(board, stone)):
        if board.is_legal(point):
            after = board.copy()
            after.play(point)
            found.append((after.liberties(stone), point, after))
    for _, point, after in sorted(found, key=lambda option: option[:2])[:TRIES]:
        if stone in status(after, rng=rng, playouts=playouts).dead:
            return point
    return None
