"""Kernels that write the feature planes of docs/features.md for whole batches of records."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from goengine._kernels.eyes import true_eye
from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.ladders import Workspace, find_liberties, mark_ladders, touches
from goengine._kernels.state import NO_POINT, POINTS, STRIDE, WALL
from goengine.feature_table import (
    CAPTURES,
    EMPTY_POINT,
    FEATURES,
    LIBERTIES,
    LIBERTIES_AFTER,
    ONES,
    OPPONENT_STONE,
    OWN_STONE,
    PLAYER_COLOUR,
    POLICY_PLANES,
    SELF_ATARI,
    SENSIBLE,
    TURNS,
)
from goengine.types import BLACK, WHITE

Record = Any
Array = Any

_PLANES = {feature.name: feature.planes for feature in FEATURES}
LIBERTY_LIMIT = _PLANES["liberties"]
"""Liberties are counted up to this many; more stand in the last plane."""
TURNS_LIMIT = _PLANES["turns since"] - 1
CAPTURE_LIMIT = _PLANES["capture size"] - 1
ATARI_LIMIT = _PLANES["self-atari size"]


class Scratch(NamedTuple):
    """What counting in one thread needs; a kernel that made it would take longer to compile."""

    marks: Array  # int32 (POINTS,): what has been counted for which point
    lists: Array  # int16 (POINTS, 8): at heads, the liberties of chains that have few
    move: Array  # int64 (3,): what `_capture` finds


def new_scratch() -> Scratch:
    """Return a scratch for one thread."""
    return Scratch(
        marks=np.zeros(POINTS, dtype=np.int32),
        lists=np.zeros((POINTS, LIBERTY_LIMIT), dtype=np.int16),
        move=np.zeros(3, dtype=np.int64),
    )


@inner_kernel
def _capture(rec: Record, point: int, own: int, marks: Array, stamp: int, out: Array) -> None:
    """Work out a move that captures without playing it.

    Writes into `out`: stones captured, stones of the own chain afterwards, and its liberties
    counted up to 8. `marks` (POINTS,) remembers under `stamp` what has been counted.
    """
    captured = 0
    stones = 1
    liberties = 0
    most = 0
    # Chains beside the point: marked at their heads, so that each counts once.
    for d in (-STRIDE, -1, 1, STRIDE):
        neighbour = point + d
        colour = rec.colour[neighbour]
        if colour == 0:
            marks[neighbour] = stamp
            liberties += 1
            continue
        head = rec.head[neighbour]
        if head == NO_POINT or marks[head] == stamp:
            continue
        if colour == own:
            marks[head] = stamp
            stones += rec.stones[head]
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
    marks[point] = stamp
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[point + d] == BLACK + WHITE - own and rec.libs[rec.head[point + d]] == 1:
            marks[point + d] = -stamp
            liberties += 1
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[point + d] != own:
            continue
        head = rec.head[point + d]
        if marks[head] == -stamp:
            continue
        marks[head] = -stamp
        stone = head
        while liberties < LIBERTY_LIMIT:
            for e in (-STRIDE, -1, 1, STRIDE):
                q = stone + e
                colour = rec.colour[q]
                if colour == 0:
                    if marks[q] != stamp:
                        marks[q] = stamp
                        liberties += 1
                elif colour == BLACK + WHITE - own and rec.libs[rec.head[q]] == 1:
                    if marks[q] != -stamp and touches(rec, point, rec.head[q]):
                        marks[q] = -stamp
                        liberties += 1
            stone = rec.next[stone]
            if stone == head:
                break
    out[2] = min(liberties, LIBERTY_LIMIT)


@inner_kernel
def _list_liberties(rec: Record, lists: Array) -> None:
    """Write the liberties of every chain with up to 8 of them into `lists` (POINTS, 8)."""
    size = rec.size
    for row in range(1, size + 1):
        for head in range(row * STRIDE + 1, row * STRIDE + 1 + size):
            if rec.head[head] == head and rec.libs[head] <= LIBERTY_LIMIT:
                find_liberties(rec, head, lists[head], rec.libs[head])


@inner_kernel
def _liberties_joined(
    rec: Record, point: int, own: int, lists: Array, marks: Array, stamp: int
) -> int:
    """Count, up to 8, the liberties of the chain that a stone here makes without a capture."""
    marks[point] = stamp
    liberties = 0
    for d in (-STRIDE, -1, 1, STRIDE):
        neighbour = point + d
        if rec.colour[neighbour] == 0:
            if marks[neighbour] != stamp:
                marks[neighbour] = stamp
                liberties += 1
        elif rec.colour[neighbour] == own:
            head = rec.head[neighbour]
            if rec.libs[head] > LIBERTY_LIMIT:
                return LIBERTY_LIMIT
            for k in range(rec.libs[head]):
                liberty = lists[head, k]
                if marks[liberty] != stamp:
                    marks[liberty] = stamp
                    liberties += 1
    return min(liberties, LIBERTY_LIMIT)


@inner_kernel
def _stones_joined(rec: Record, point: int, own: int) -> int:
    """Count the stones of the chain that a stone here makes."""
    stones = 1
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[point + d] != own:
            continue
        first = True
        for e in (-STRIDE, -1, 1, STRIDE):
            if e == d:
                break
            if rec.head[point + e] == rec.head[point + d]:
                first = False
        if first:
            stones += rec.stones[rec.head[point + d]]
    return stones


@kernel
def write_planes(records: Array, out: Array, scratch: Scratch) -> None:
    """Write all planes but the ladders, which are left empty, into uint8 `out` (B, P, N, N)."""
    marks, lists = scratch.marks, scratch.lists
    for i in range(records.size):
        rec = records[i]
        size = rec.size
        own = rec.to_play
        _list_liberties(rec, lists)
        marks[:] = 0
        stamp = 0
        out[i] = 0
        planes = out[i]
        planes[ONES] = 1
        for row in range(size):
            for column in range(size):
                point = (row + 1) * STRIDE + column + 1
                colour = rec.colour[point]
                if colour != 0:
                    age = min(rec.turn - rec.born[point] - 1, TURNS_LIMIT)
                    liberties = min(rec.libs[rec.head[point]], LIBERTY_LIMIT)
                    planes[OWN_STONE if colour == own else OPPONENT_STONE, row, column] = 1
                    planes[TURNS + age, row, column] = 1
                    planes[LIBERTIES + liberties - 1, row, column] = 1
                    continue
                planes[EMPTY_POINT, row, column] = 1
                if point == rec.ko:
                    continue

                # What lies beside the point decides how much there is to count.
                empty = 0
                enemies = 0
                captures = False
                most = 0
                for d in (-STRIDE, -1, 1, STRIDE):
                    colour = rec.colour[point + d]
                    if colour == 0:
                        empty += 1
                    elif colour == own:
                        most = max(most, rec.libs[rec.head[point + d]])
                    elif colour != WALL:
                        enemies += 1
                        captures |= rec.libs[rec.head[point + d]] == 1
                if empty == 0 and most <= 1 and not captures:
                    continue
                stamp += 1
                captured = 0
                if captures:
                    _capture(rec, point, own, marks, stamp, scratch.move)
                    captured, stones, liberties = scratch.move
                elif most > 0:
                    liberties = _liberties_joined(rec, point, own, lists, marks, stamp)
                    stones = _stones_joined(rec, point, own) if liberties == 1 else 0
                else:
                    liberties, stones = empty, 1
                planes[CAPTURES + min(captured, CAPTURE_LIMIT), row, column] = 1
                if liberties == 1:
                    planes[SELF_ATARI + min(stones, ATARI_LIMIT) - 1, row, column] = 1
                planes[LIBERTIES_AFTER + liberties - 1, row, column] = 1
                if empty + enemies > 0 or not true_eye(rec, point, own):
                    planes[SENSIBLE, row, column] = 1
        if len(planes) > PLAYER_COLOUR and own == BLACK:
            planes[PLAYER_COLOUR] = 1


@kernel
def write_packed(records: Array, out: Array, scratch: Scratch, work: Workspace) -> int:
    """Write the first 48 planes as bits into uint8 `out` (B, N * N, 6).

    Bit `p % 8` of byte `p // 8` of a point is plane `p`. Returns the number of ladder readings
    that used up their node budget.
    """
    points = out.shape[1]
    words = np.zeros(points, dtype=np.uint64)
    exhausted = 0
    for i in range(records.size):
        size = records[i].size
        planes = np.empty((1, POLICY_PLANES, size, size), dtype=np.uint8)
        write_planes(records[i : i + 1], planes, scratch)
        exhausted += mark_ladders(records[i : i + 1], planes, work)
        flat = planes.reshape(POLICY_PLANES, points)
        words[:] = 0
        for p in range(POLICY_PLANES):
            for q in range(points):
                words[q] |= np.uint64(flat[p, q]) << np.uint64(p)
        for q in range(points):
            for byte in range(6):
                out[i, q, byte] = (words[q] >> np.uint64(8 * byte)) & np.uint64(255)
    return exhausted
