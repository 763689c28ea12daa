"""Many games replayed at once, each to its own move: flat arrays of moves in, board records out.

Records of human games are replayed under simple ko and without asking whether a move is legal;
whoever made the arrays (an archive) has checked that. A symmetry can be applied to the moves on
the way, which turns the resulting position and all its feature planes.

One game read from a file is replayed as far as it is legal: `legal_length` is that check.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.chains import place, play, play_if_legal
from goengine._kernels.jit import kernel
from goengine._kernels.state import Records, new_records
from goengine.encoding.symmetry import move_table
from goengine.games.record import GameRecord

Array = Any

JOB_DTYPE = np.dtype(
    [
        ("start", np.int64),  # index of the game's first move in the flat array
        ("plies", np.int32),  # moves to play
        ("setup", np.int64),  # index of the game's first set-up stone, black ones first
        ("black", np.int16),  # number of black set-up stones
        ("white", np.int16),  # number of white set-up stones
        ("first", np.int8),  # colour of the first move; colours alternate
        ("symmetry", np.int8),  # 0 ... 7, applied to every move
    ]
)


@kernel
def _replay(records: Array, moves: Array, stones: Array, jobs: Array, table: Array) -> None:
    for i in range(len(jobs)):
        job = jobs[i]
        turned = table[job.symmetry]
        for j in range(job.black):
            place(records, i, turned[stones[job.setup + j]], 1)
        for j in range(job.black, job.black + job.white):
            place(records, i, turned[stones[job.setup + j]], 2)
        colour = job.first
        for j in range(job.plies):
            play(records, i, turned[moves[job.start + j]], colour)
            colour = 3 - colour
        records[i].to_play = colour


def replay_batch(
    moves: npt.NDArray[np.int16],
    jobs: npt.NDArray[Any],
    *,
    size: int = 19,
    stones: npt.NDArray[np.int16] | None = None,
) -> Records:
    """Return the positions that `jobs` (JOB_DTYPE, shape (B,)) ask for as (B,) board records.

    `moves` and `stones` are flat arrays that the jobs index (default: the stones lie in `moves`
    too). The GIL is free while it runs.
    """
    records = new_records(len(jobs), size)
    flat = np.asarray(moves)
    _replay(records, flat, flat if stones is None else np.asarray(stones), jobs, move_table(size))
    return records


def legal_length(record: GameRecord) -> int:
    """Return how many moves are legal: simple ko, no suicide, colours in turn.

    -1 means that the set-up stones themselves are not a position (a chain without liberties).
    """
    board, empty = _boards(record.size)
    pairs = np.array(record.moves, dtype=np.int16).reshape(-1, 2)
    black = np.array(record.setup_black, dtype=np.int16)
    white = np.array(record.setup_white, dtype=np.int16)
    return int(_count_legal(board, empty, black, white, record.to_play, pairs))


@lru_cache(maxsize=32)
def _boards(size: int) -> tuple[Records, Records]:
    return new_records(1, size), new_records(1, size)


@kernel
def _count_legal(
    board: Array, empty: Array, black: Array, white: Array, first: int, pairs: Array
) -> int:
    """Return how many (colour, move) `pairs` are legal, -1 for impossible set-up stones."""
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
