"""The kernel that tells true eyes, which no sensible move fills, from false ones (features.md)."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._kernels.jit import inner_kernel
from goengine._kernels.state import STRIDE, WALL
from goengine.types import BLACK, WHITE

Record = Any
Array = Any


@inner_kernel
def _surrounded(rec: Record, point: int, colour: int) -> bool:
    """Tell whether an empty point has only stones of one colour beside it."""
    if rec.colour[point] != 0:
        return False
    for d in (-STRIDE, -1, 1, STRIDE):
        c = rec.colour[point + d]
        if c != colour and c != WALL:
            return False
    return True


@inner_kernel
def _bad_diagonals(rec: Record, point: int, colour: int, eyes: Array) -> int:
    """Count bad diagonals beyond what is allowed; surrounded points not in `eyes` are bad."""
    allowed = 1
    bad = 0
    for d in (-STRIDE - 1, -STRIDE + 1, STRIDE - 1, STRIDE + 1):
        c = rec.colour[point + d]
        if c == WALL:
            allowed = 0
        elif c == BLACK + WHITE - colour or (c == 0 and not eyes[point + d]):
            bad += 1
    return bad - allowed


@inner_kernel
def _mark_eyes(rec: Record, colour: int, eyes: Array) -> None:
    """Mark every true eye of a colour in bool `eyes` (POINTS,).

    The recursive definition (a point already being asked about counts as good) is the greatest
    fixed point: start with every surrounded point and drop those that fail until none does.
    """
    size = rec.size
    eyes[:] = False
    for row in range(1, size + 1):
        for point in range(row * STRIDE + 1, row * STRIDE + 1 + size):
            eyes[point] = _surrounded(rec, point, colour)
    changed = True
    while changed:
        changed = False
        for row in range(1, size + 1):
            for point in range(row * STRIDE + 1, row * STRIDE + 1 + size):
                if eyes[point] and _bad_diagonals(rec, point, colour, eyes) > 0:
                    eyes[point] = False
                    changed = True


@inner_kernel
def true_eye(rec: Record, point: int, colour: int) -> bool:
    """Tell whether a point is a true eye of a colour, as features.md defines it."""
    if not _surrounded(rec, point, colour):
        return False
    allowed = 1
    bad = 0
    open_questions = 0
    for d in (-STRIDE - 1, -STRIDE + 1, STRIDE - 1, STRIDE + 1):
        c = rec.colour[point + d]
        if c == WALL:
            allowed = 0
        elif c == BLACK + WHITE - colour:
            bad += 1
        elif c == 0:
            if _surrounded(rec, point + d, colour):
                open_questions += 1
            else:
                bad += 1
    if bad > allowed:
        return False
    if bad + open_questions <= allowed:
        return True
    eyes = np.empty(rec.colour.size, dtype=np.bool_)
    _mark_eyes(rec, colour, eyes)
    return bool(eyes[point])
