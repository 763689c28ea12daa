"""The eight symmetries of the board, on planes and on moves alike.

Symmetry `s` has three bits: 4 = transpose, 2 = flip rows (top to bottom), 1 = flip columns (left
to right), applied in that order. `table[s, move]` is where the content of `move` goes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

SYMMETRIES = 8

REFLECTIONS = (1, 2, 4, 7)
"""The symmetries that mirror the board; the other four turn it."""

INVERSE: npt.NDArray[np.int64] = np.array([0, 1, 2, 3, 4, 6, 5, 7])
"""`INVERSE[s]` undoes `s`; only the two quarter turns are not their own inverse."""

_T = TypeVar("_T", bound=np.generic)


def transform_planes(planes: npt.NDArray[_T], symmetry: int) -> npt.NDArray[_T]:
    """Return a contiguous copy of planes (..., N, N) under one symmetry."""
    if symmetry & 4:
        planes = planes.swapaxes(-1, -2)
    if symmetry & 2:
        planes = planes[..., ::-1, :]
    if symmetry & 1:
        planes = planes[..., ::-1]
    return np.ascontiguousarray(planes)


@lru_cache(maxsize=32)
def move_table(size: int) -> npt.NDArray[np.int16]:
    """Return int16 (8, N*N + 1): where each symmetry takes each move; a pass stays a pass."""
    moves = np.arange(size * size, dtype=np.int16).reshape(size, size)
    table = np.full((SYMMETRIES, size * size + 1), size * size, dtype=np.int16)
    for symmetry in range(SYMMETRIES):
        came_from = transform_planes(moves, symmetry).ravel()
        table[symmetry, came_from] = moves.ravel()
    table.flags.writeable = False
    return table
