"""Ladder reading: does a move capture a chain, or save it, by ladder moves alone?

The definition is docs/features.md's. The search alternates hunter and prey; a ply that has other
candidates left copies the position one level down the workspace, so there is nothing to undo. At
`PLIES` deep, or when the node budget is used up, a capture has failed and an escape has
succeeded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from goengine._kernels.chains import legal_point, play_point
from goengine._kernels.eyes import true_eye
from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.state import BOARD_DTYPE, POINTS, STRIDE
from goengine.feature_table import LADDER_CAPTURE, LADDER_ESCAPE
from goengine.types import BLACK, WHITE

Record = Any
Array = Any

PLIES = 80
NODES = 20_000
"""Moves that one reading may try; ordinary games never come near it."""


class Workspace(NamedTuple):
    """What the readings of one thread share; a kernel that made it would take longer to compile."""

    stack: Array  # (PLIES + 2,) records: positions
    replies: Array  # int16 (PLIES + 2, POINTS): what may be tried at each ply
    tries: Array  # int64 (PLIES + 2, 3): which is tried, of how many, where the position lies
    nodes: Array  # int64 (1,): moves that a reading may still try
    points: Array  # int16 (2,): liberties of the chain that is asked about


def new_workspace() -> Workspace:
    """Return a workspace for one thread."""
    return Workspace(
        stack=np.zeros(PLIES + 2, dtype=BOARD_DTYPE),
        replies=np.zeros((PLIES + 2, POINTS), dtype=np.int16),
        tries=np.zeros((PLIES + 2, 3), dtype=np.int64),
        nodes=np.zeros(1, dtype=np.int64),
        points=np.zeros(2, dtype=np.int16),
    )


@inner_kernel
def find_liberties(rec: Record, point: int, out: Array, limit: int) -> int:
    """Write up to `limit` different liberties of a chain into `out`; return how many."""
    head = rec.head[point]
    count = 0
    stone = head
    while True:
        for d in (-STRIDE, -1, 1, STRIDE):
            if rec.colour[stone + d] == 0:
                new = True
                for k in range(count):
                    if out[k] == stone + d:
                        new = False
                if new:
                    out[count] = stone + d
                    count += 1
                    if count == limit:
                        return count
        stone = rec.next[stone]
        if stone == head:
            return count


@inner_kernel
def _find_replies(rec: Record, prey: int, out: Array) -> int:
    """Write the last liberty of a prey in atari, and its captures of hunters in atari."""
    count = int(find_liberties(rec, prey, out, 1))
    hunter = BLACK + WHITE - rec.colour[prey]
    head = rec.head[prey]
    stone = head
    while True:
        for d in (-STRIDE, -1, 1, STRIDE):
            if rec.colour[stone + d] == hunter and rec.libs[rec.head[stone + d]] == 1:
                find_liberties(rec, stone + d, out[count:], 1)
                new = True
                for k in range(count):
                    if out[k] == out[count]:
                        new = False
                if new:
                    count += 1
        stone = rec.next[stone]
        if stone == head:
            return count


@inner_kernel
def _runs_free(rec: Record, prey: int, point: int, last: int) -> bool:
    """Tell whether the hunter need not play `point`: the prey surely gets three liberties.

    The prey has the liberties `point` and `last` only. Extending at `last` gives it the empty
    points beside, and the liberties of the biggest own chain there, both without `point`. That
    is not an own eye, for an empty point or the hunter's stone is beside it.
    """
    count = 0
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[last + d] == 0 and last + d != point:
            count += 1
    if count == 0 or count >= 3:
        return count >= 3
    own = rec.colour[prey]
    for d in (-STRIDE, -1, 1, STRIDE):
        head = rec.head[last + d]
        if rec.colour[last + d] != own or head == rec.head[prey]:
            continue
        more = rec.libs[head] - 1 - touches(rec, point, head)
        for e in (-STRIDE, -1, 1, STRIDE):
            if rec.colour[last + e] == 0 and last + e != point:
                more -= touches(rec, last + e, head)
        if count + more >= 3:
            return True
    return False


@inner_kernel
def touches(rec: Record, point: int, head: int) -> int:
    """Return 1 if a stone of the chain lies beside a point, else 0."""
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.head[point + d] == head:
            return 1
    return 0


@inner_kernel
def _candidates(rec: Record, prey: int, hunting: bool, out: Array) -> int:
    """Write what the player to move may try: the hunter both liberties, the prey its replies.

    Hunting moves that fail at first sight are left out.
    """
    own = rec.colour[prey]
    if hunting:
        find_liberties(rec, prey, out, 2)
        one, two = out[0], out[1]
        hunter = BLACK + WHITE - own
        kept = 0
        if legal_point(rec, one, hunter, False) and not _runs_free(rec, prey, one, two):
            out[kept] = one
            kept += 1
        if legal_point(rec, two, hunter, False) and not _runs_free(rec, prey, two, one):
            out[kept] = two
            kept += 1
        return kept
    count = _find_replies(rec, prey, out)
    kept = 0
    for k in range(count):
        point = out[k]
        if legal_point(rec, point, own, False) and not true_eye(rec, point, own):
            out[kept] = point
            kept += 1
    return kept


@inner_kernel
def _read(work: Workspace, move: int, prey: int, hunting: bool) -> bool:
    """Play a move on `work.stack[0]` and tell whether it reaches its player's aim.

    The hunter (`hunting`) aims at capturing the chain on `prey`, the prey at escaping. At every
    ply the player to move succeeds if one candidate does; a candidate succeeds if it decides the
    matter, or if the other player then has no candidate that succeeds.
    """
    stack, replies, tries, nodes = work.stack, work.replies, work.tries, work.nodes
    own = stack[0].colour[prey]
    nodes[0] = NODES
    ply = 0
    replies[0, 0] = move
    tries[0, 0] = 0  # the candidate being tried
    tries[0, 1] = 1  # how many there are
    tries[0, 2] = 0  # where in the stack the position is
    while True:
        if tries[ply, 0] == tries[ply, 1]:
            # Nothing worked here, so the move before succeeded and its player's node with it.
            if ply <= 1:
                return ply == 1
            ply -= 2
            tries[ply, 0] += 1
            continue
        hunts = hunting == (ply % 2 == 0)
        if ply >= PLIES or nodes[0] <= 0:
            succeeds = not hunts
        else:
            nodes[0] -= 1
            # The last candidate is played in place: nobody comes back to the position before it.
            level = tries[ply, 2]
            if ply == 0 or tries[ply, 0] + 1 < tries[ply, 1]:
                stack[level + 1] = stack[level]
                level += 1
            rec = stack[level]
            play_point(rec, replies[ply, tries[ply, 0]], BLACK + WHITE - own if hunts else own)
            liberties = rec.libs[rec.head[prey]]
            if liberties == (1 if hunts else 2):
                ply += 1
                tries[ply, 0] = 0
                tries[ply, 1] = _candidates(rec, prey, not hunts, replies[ply])
                tries[ply, 2] = level
                continue
            succeeds = not hunts and liberties > 2
        if not succeeds:
            tries[ply, 0] += 1
        elif ply == 0:
            return True
        else:
            ply -= 1
            tries[ply, 0] += 1


@kernel
def mark_ladders(records: Array, planes: Array, work: Workspace) -> int:
    """Mark, for the players to move of B records, both ladder planes of uint8 (B, P, N, N).

    Returns the number of readings that used up their node budget.
    """
    points = work.points
    exhausted = 0
    for i in range(records.size):
        rec = records[i]
        size = rec.size
        own = rec.to_play
        capture = planes[i, LADDER_CAPTURE]
        escape = planes[i, LADDER_ESCAPE]
        work.stack[0] = rec
        for row in range(1, size + 1):
            for head in range(row * STRIDE + 1, row * STRIDE + 1 + size):
                if rec.head[head] != head:
                    continue
                if rec.colour[head] != own and rec.libs[head] == 2:
                    find_liberties(rec, head, points, 2)
                    for k in range(2):
                        point = points[k]
                        line, column = point // STRIDE - 1, point % STRIDE - 1
                        if (
                            capture[line, column]
                            or not legal_point(rec, point, own, False)
                            or _runs_free(rec, head, point, points[1 - k])
                        ):
                            continue
                        if _read(work, point, head, True):
                            capture[line, column] = 1
                        exhausted += work.nodes[0] <= 0
                elif rec.colour[head] == own and rec.libs[head] == 1:
                    find_liberties(rec, head, points, 1)
                    point = points[0]
                    line, column = point // STRIDE - 1, point % STRIDE - 1
                    if (
                        escape[line, column]
                        or not legal_point(rec, point, own, False)
                        or true_eye(rec, point, own)
                    ):
                        continue
                    if _read(work, point, head, False):
                        escape[line, column] = 1
                    exhausted += work.nodes[0] <= 0
    return exhausted
