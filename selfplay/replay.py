"""How far a game is legal: one kernel that replays it under the rules of human records."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._jit import kernel
from goengine._kernels import place, play_if_legal
from goengine._state import Records, new_records
from goengine.record import GameRecord

Array = npt.NDArray[Any]


def legal_length(record: GameRecord) -> int:
    """Return how many moves are legal: simple ko, no suicide, colours in turn.

    -1 means that the set-up stones themselves are no position (a chain without liberties).
    """
    board, empty = _boards(record.size)
    pairs = np.array(record.moves, dtype=np.int16).reshape(-1, 2)
    black = np.array(record.setup_black, dtype=np.int16)
    white = np.array(record.setup_white, dtype=np.int16)
    return int(_replay(board, empty, black, white, record.to_play, pairs))


@lru_cache(maxsize=32)
def _boards(size: int) -> tuple[Records, Records]:
    return new_records(1, size), new_records(1, size)


@kernel
def _replay(
    board: Array, empty: Array, black: Array, white: Array, first: int, pairs: Array
) -> int:
    """Return how many (colour, move) ``pairs`` are legal, -1 for impossible set-up stones."""
    board[0] = empty[0]
    # Set-up stones: every one must still stand when the last one is placed.
    for i in range(black.size):
        place(board, 0, black[i], 1)
    for i in range(white.size):
        place(board, 0, white[i], 2)
    if black.size + white.size > 0:
        stones = 0
        for point in range(board[0].colour.size):
            if board[0].colour[point] == 1 or board[0].colour[point] == 2:
                stones += 1
        if stones != black.size + white.size:
            return -1
    board[0].to_play = first
    colour = first
    for i in range(pairs.shape[0]):
        if pairs[i, 0] != colour or not play_if_legal(board, 0, pairs[i, 1], colour, False):
            return i
        colour = 3 - colour
    return len(pairs)
