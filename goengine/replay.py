"""Many games replayed at once, each to its own move: flat arrays of moves in, board records out.

Records of human games are replayed under simple ko and without asking whether a move is legal;
whoever made the arrays (an archive) has checked that. A symmetry can be applied to the moves on
the way, which turns the resulting position and all its feature planes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._jit import kernel
from goengine._kernels import place, play
from goengine._state import Records, new_records
from goengine.symmetry import move_table

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
