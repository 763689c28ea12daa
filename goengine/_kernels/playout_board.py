"""The board of the playouts: stones, chains and pseudo-liberties, made for speed alone.

The state is one int32 array of ROWS x POINTS over the padded board of state.py. Liberties are
pseudo-liberties with their sum and sum of squares, so "one liberty left, and which" costs two
multiplications (a chain is in atari when count * squares == sum * sum). The rules are those of
simple ko without suicide; legality beyond that is for the player (playouts.py).
"""

from __future__ import annotations

from typing import Any

from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.state import POINTS, STRIDE, WALL
from goengine.types import BLACK, EMPTY, WHITE

Array = Any

COLOUR, HEAD, NEXT, SIZE, LIBS, SUM, SQUARES, SLOT, FREE, TAKEN, NOTE = range(11)
"""Rows: colour, chain head, next stone (circular); at heads size, pseudo-liberties, their sum and
sum of squares; place of a point in the list of empty points, that list; points just captured."""
ROWS = 11
KO, EMPTIES, CAPTURED = 0, 1, 2
"""Columns of the row NOTE: the ko point, how many points are empty, how many were just captured."""


@inner_kernel
def step(k: int) -> int:
    """Return the offset of neighbour k of a point."""
    if k == 0:
        return -STRIDE
    if k == 1:
        return -1
    if k == 2:
        return 1
    return STRIDE


@inner_kernel
def copy_state(source: Array, target: Array) -> None:
    """Copy a state; for `target[:] = source` numba would compile its error texts, for seconds."""
    for row in range(ROWS):
        for point in range(POINTS):
            target[row, point] = source[row, point]


@inner_kernel
def _count_liberty(s: Array, head: int, point: int, sign: int) -> Any:
    """Add (sign 1) or take away (-1) one pseudo-liberty of a chain."""
    s[LIBS, head] += sign
    s[SUM, head] += sign * point
    s[SQUARES, head] += sign * point * point


@kernel
def in_atari(s: Array, head: int) -> Any:
    """Tell whether all pseudo-liberties of a chain are one point."""
    count = s[LIBS, head]
    total = s[SUM, head]
    return count > 0 and count * s[SQUARES, head] == total * total


@inner_kernel
def _join(s: Array, a: int, b: int) -> int:
    """Merge two chains given by their heads and return the head of the result."""
    if s[SIZE, a] < s[SIZE, b]:
        a, b = b, a
    stone = b
    while True:
        s[HEAD, stone] = a
        stone = s[NEXT, stone]
        if stone == b:
            break
    s[NEXT, a], s[NEXT, b] = s[NEXT, b], s[NEXT, a]
    s[SIZE, a] += s[SIZE, b]
    s[LIBS, a] += s[LIBS, b]
    s[SUM, a] += s[SUM, b]
    s[SQUARES, a] += s[SQUARES, b]
    return a


@inner_kernel
def _take_away(s: Array, head: int) -> None:
    """Remove a chain and list its points in the row TAKEN."""
    stone = head
    while True:
        after = s[NEXT, stone]
        s[COLOUR, stone] = EMPTY
        s[SLOT, stone] = s[NOTE, EMPTIES]
        s[FREE, s[NOTE, EMPTIES]] = stone
        s[NOTE, EMPTIES] += 1
        s[TAKEN, s[NOTE, CAPTURED]] = stone
        s[NOTE, CAPTURED] += 1
        stone = after
        if stone == head:
            break
    first = s[NOTE, CAPTURED] - s[SIZE, head]
    for i in range(first, s[NOTE, CAPTURED]):
        point = s[TAKEN, i]
        for k in range(4):
            q = point + step(k)
            if s[COLOUR, q] == BLACK or s[COLOUR, q] == WHITE:
                _count_liberty(s, s[HEAD, q], point, 1)


@kernel
def place(s: Array, point: int, colour: int) -> None:
    """Play a stone that is no suicide: liberties, captures, chains and the ko point."""
    s[NOTE, CAPTURED] = 0
    s[NOTE, KO] = 0
    last = s[NOTE, EMPTIES] - 1
    moved = s[FREE, last]
    s[FREE, s[SLOT, point]] = moved
    s[SLOT, moved] = s[SLOT, point]
    s[NOTE, EMPTIES] = last
    s[COLOUR, point] = colour
    s[HEAD, point] = point
    s[NEXT, point] = point
    s[SIZE, point] = 1
    s[LIBS, point] = 0
    s[SUM, point] = 0
    s[SQUARES, point] = 0
    for k in range(4):
        q = point + step(k)
        there = s[COLOUR, q]
        if there == EMPTY:
            _count_liberty(s, point, q, 1)
        elif there != WALL:
            _count_liberty(s, s[HEAD, q], point, -1)
    other = BLACK + WHITE - colour
    head = point
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] == colour and s[HEAD, q] != head:
            head = _join(s, head, s[HEAD, q])
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] == other and s[LIBS, s[HEAD, q]] == 0:
            _take_away(s, s[HEAD, q])
    if s[NOTE, CAPTURED] == 1 and s[SIZE, head] == 1 and in_atari(s, head):
        s[NOTE, KO] = s[TAKEN, 0]


@kernel
def build(colours: Array, s: Array) -> None:
    """Fill the state from a padded board of colours (int8 POINTS)."""
    s[:] = 0
    for point in range(POINTS):
        s[COLOUR, point] = colours[point]
    for point in range(POINTS):
        colour = s[COLOUR, point]
        if colour == WALL:
            continue
        if colour == EMPTY:
            s[SLOT, point] = s[NOTE, EMPTIES]
            s[FREE, s[NOTE, EMPTIES]] = point
            s[NOTE, EMPTIES] += 1
            continue
        s[HEAD, point] = point
        s[NEXT, point] = point
        s[SIZE, point] = 1
        for k in range(4):
            q = point + step(k)
            if s[COLOUR, q] == EMPTY:
                _count_liberty(s, point, q, 1)
    for point in range(POINTS):
        colour = s[COLOUR, point]
        if colour != BLACK and colour != WHITE:
            continue
        for k in range(2, 4):
            q = point + step(k)
            if s[COLOUR, q] == colour and s[HEAD, q] != s[HEAD, point]:
                _join(s, s[HEAD, point], s[HEAD, q])


@inner_kernel
def is_eye(s: Array, point: int, colour: int) -> Any:
    """Tell whether an empty point is an eye of a colour.

    Own stones beside it, and the opponent on fewer than two of its diagonals (none at the edge).
    """
    walls = 0
    for k in range(4):
        there = s[COLOUR, point + step(k)]
        if there != colour and there != WALL:
            return False
    other = BLACK + WHITE - colour
    bad = 0
    for k in range(4):
        row = -STRIDE if k < 2 else STRIDE
        q = point + row + (1 if k % 2 else -1)
        if s[COLOUR, q] == WALL:
            walls = 1
        elif s[COLOUR, q] == other:
            bad += 1
    return bad + walls < 2
