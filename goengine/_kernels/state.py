"""One position as one record, and the padded coordinates inside it.

Inside the kernels a point is an index into a padded board whose rows are `STRIDE` apart:
`point = (row + 1) * STRIDE + column + 1`. The ring around the board holds `WALL`, so a
neighbour never needs a bounds check. Padded points never leave the kernels; everything outside
uses moves (see coords.py). The stride is the same for every board size, so that all sizes share
one dtype and one set of compiled kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import readable
from goengine.types import BLACK, EMPTY, MAX_SIZE, MIN_SIZE, GoError

STRIDE = MAX_SIZE + 1
"""Distance of two rows; one wall column serves the end of a row and the start of the next."""
POINTS = STRIDE * (MAX_SIZE + 2) + 1
WALL = 3
NO_POINT = 0
"""A padded point that is always wall: no ko, no chain."""

_FIELDS = np.dtype(
    [
        ("colour", np.int8, POINTS),  # EMPTY, BLACK, WHITE or WALL
        ("head", np.int16, POINTS),  # first stone of the chain on the point
        ("next", np.int16, POINTS),  # next stone of the chain, circular
        ("libs", np.int16, POINTS),  # at heads: number of liberties
        ("stones", np.int16, POINTS),  # at heads: number of stones
        ("born", np.int32, POINTS),  # turn at which the stone was played; SETUP for set-up stones
        ("hash", np.uint64),  # Zobrist hash of the stones
        ("turn", np.int32),  # moves played so far, passes included
        ("captures", np.int32, 3),  # captures[c]: stones that colour c has taken
        ("size", np.int16),
        ("ko", np.int16),  # point that the simple ko forbids to the player to move
        ("to_play", np.int8),
        ("passes", np.int8),  # passes in a row just played
    ],
    align=True,
)
BOARD_DTYPE = readable(_FIELDS)

SETUP = -(2**30)
"""The turn of set-up stones: older than anything played."""

Records = npt.NDArray[Any]

_HASHES = np.random.Generator(np.random.PCG64(20160128)).integers(
    0, 2**64, size=(3, POINTS), dtype=np.uint64
)
_HASHES[EMPTY] = 0
ZOBRIST = _HASHES
"""uint64 (3, POINTS): a random word for each colour on each point."""
TURN_WORD = int(_HASHES[BLACK, 0])
"""The word that tells White to move from Black to move in situational superko."""


def new_records(count: int, size: int) -> Records:
    """Return `count` empty boards of `size` lines, Black to play.

    Raises:
        GoError: the size is not 2 ... 19.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise GoError(f"board size {size} is not supported: use {MIN_SIZE} to {MAX_SIZE}")
    records = np.zeros(count, dtype=BOARD_DTYPE)
    inside = np.zeros(POINTS, dtype=bool)
    for row in range(size):
        start = (row + 1) * STRIDE + 1
        inside[start : start + size] = True
    records["colour"] = np.where(inside, EMPTY, WALL)
    records["size"] = size
    records["to_play"] = BLACK
    return records
