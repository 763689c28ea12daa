"""Points, chains and regions of a board, in moves: what counting and the judgement both ask."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.types import EMPTY

Grid = npt.NDArray[np.int8]


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
