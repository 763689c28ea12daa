"""Kernels that write the feature planes of docs/features.md for whole batches of records."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._jit import kernel
from goengine._kernels import legal_point, true_eye
from goengine._ladders import mark_ladders
from goengine._state import POINTS, STRIDE

Record = Any
Array = Any

LIBERTY_LIMIT = 8


@kernel
def _consequences(rec: Record, point: int, own: int, marks: Array, stamp: int, out: Array) -> None:
    """Work out a legal move without playing it.

    Writes into ``out``: stones captured, stones of the own chain afterwards, and its liberties
    counted up to 8. ``marks`` (POINTS,) remembers under ``stamp`` what has been counted.
    """
    captured = 0
    stones = 1
    liberties = 0
    most = 0
    joined = 0
    # Chains beside the point: marked at their heads, so that each counts once.
    for d in (-STRIDE, -1, 1, STRIDE):
        neighbour = point + d
        colour = rec.colour[neighbour]
        if colour == 0:
            if marks[neighbour] != stamp:
                marks[neighbour] = stamp
                liberties += 1
            continue
        head = rec.head[neighbour]
        if head == 0 or marks[head] == stamp:
            continue
        if colour == own:
            marks[head] = stamp
            stones += rec.stones[head]
            joined += 1
            most = max(most, rec.libs[head])
        elif rec.libs[head] == 1:
            marks[head] = stamp
            captured += rec.stones[head]
    out[0] = captured
    out[1] = stones
    if most > LIBERTY_LIMIT:
        out[2] = LIBERTY_LIMIT
        return

    # Stones about to be captured turn into liberties of what they touch. Heads carry the stamp
    # already, so captured stones are counted under its negative.
    if captured:
        for d in (-STRIDE, -1, 1, STRIDE):
            if rec.colour[point + d] == 3 - own and rec.libs[rec.head[point + d]] == 1:
                if marks[point + d] != -stamp:
                    marks[point + d] = -stamp
                    liberties += 1
    if joined:
        marks[point] = stamp
        for d in (-STRIDE, -1, 1, STRIDE):
            if rec.colour[point + d] != own:
                continue
            head = rec.head[point + d]
            if marks[head] == -stamp:
                continue
            marks[head] = -stamp
            stone = head
            while True:
                for e in (-STRIDE, -1, 1, STRIDE):
                    q = stone + e
                    colour = rec.colour[q]
                    if colour == 0:
                        if marks[q] != stamp:
                            marks[q] = stamp
                            liberties += 1
                    elif captured and colour == 3 - own and rec.libs[rec.head[q]] == 1:
                        if marks[q] != -stamp and _touches(rec, q, point):
                            marks[q] = -stamp
                            liberties += 1
                if liberties >= LIBERTY_LIMIT:
                    break
                stone = rec.next[stone]
                if stone == head:
                    break
    out[2] = min(liberties, LIBERTY_LIMIT)


@kernel
def _touches(rec: Record, stone: int, point: int) -> bool:
    """Tell whether the chain of a stone lies beside a point."""
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.head[point + d] == rec.head[stone]:
            return True
    return False


@kernel
def _write_planes(rec: Record, out: Array, marks: Array, move: Array) -> None:
    """Write all planes but the ladders into zeroed uint8 (P, N, N)."""
    size = rec.size
    own = rec.to_play
    marks[:] = 0
    stamp = 0
    for row in range(size):
        for column in range(size):
            point = (row + 1) * STRIDE + column + 1
            colour = rec.colour[point]
            out[3, row, column] = 1
            if colour != 0:
                out[0 if colour == own else 1, row, column] = 1
                out[4 + min(rec.turn - rec.born[point] - 1, 7), row, column] = 1
                out[11 + min(rec.libs[rec.head[point]], 8), row, column] = 1
                continue
            out[2, row, column] = 1
            if not legal_point(rec, point, own, False):
                continue
            stamp += 1
            _consequences(rec, point, own, marks, stamp, move)
            captured, stones, liberties = move
            out[20 + min(captured, 7), row, column] = 1
            if liberties == 1:
                out[27 + min(stones, 8), row, column] = 1
            out[35 + liberties, row, column] = 1
            if not true_eye(rec, point, own):
                out[46, row, column] = 1
    if out.shape[0] > 48 and own == 1:
        out[48] = 1


@kernel
def write_batch(
    records: Array, out: Array, stack: Array, replies: Array, ladders: bool
) -> int:
    """Write uint8 ``out`` (B, P, N, N) for B records and return exhausted ladder readings."""
    marks = np.zeros(POINTS, dtype=np.int32)
    move = np.zeros(3, dtype=np.int64)
    exhausted = 0
    for i in range(records.size):
        out[i] = 0
        _write_planes(records[i], out[i], marks, move)
        if ladders:
            exhausted += mark_ladders(records[i], stack, replies, out[i, 44], out[i, 45])
    return exhausted
