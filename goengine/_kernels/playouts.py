"""Fast random playouts from one position: the kernels behind dead stones and the final score.

A playout fills the board by chance until both sides pass, and the board is then counted by area.
The moves are random but not foolish: a player takes what put itself in atari, saves or captures
when the last move gave atari, plays the vital point of the hole that a capture left, never fills
an eye, and never puts a chain into atari unless it is a single stone, or the stones make a dead
(nakade) shape in the only eye of chains without other liberties. The last rule keeps seki alive and
still kills a group whose only eye is too small. Playouts have their own
xorshift numbers, so a seed fixes the result.
"""

from __future__ import annotations

from typing import Any

from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.playout_board import (
    CAPTURED,
    COLOUR,
    EMPTIES,
    FREE,
    HEAD,
    KO,
    LIBS,
    NEXT,
    NOTE,
    SIZE,
    SQUARES,
    SUM,
    TAKEN,
    Array,
    build,
    copy_state,
    in_atari,
    is_eye,
    place,
    step,
)
from goengine._kernels.state import STRIDE, WALL
from goengine.types import BLACK, EMPTY, WHITE

NO_MOVE = -1
"""Instead of a move before playouts: either colour begins half of them."""
MAX_NAKADE = 6
"""Largest number of stones that can fill an eye and still kill it."""
MOST_SEEN = 4
"""Largest number of a chain's pseudo-liberties that are one point."""


@kernel
def next_random(seed: Array) -> Any:
    """Advance the xorshift64 state in ``seed[0]`` and return 31 random bits."""
    x = seed[0]
    x ^= x << 13
    x ^= x >> 7
    x ^= x << 17
    seed[0] = x
    return (x >> 33) & 0x7FFFFFFF


@inner_kernel
def _below(seed: Array, bound: int) -> Any:
    """Return a random integer 0 ... bound - 1."""
    return (next_random(seed) * bound) >> 31


@inner_kernel
def _outlook(s: Array, point: int, colour: int) -> tuple[int, int, int, int]:
    """Say what a move leads to: liberties (0, 1, or 2 for more), stones it captures, its stones.

    Last comes a liberty of the new chain, its only one if it has one. With two liberties nothing
    else is counted to the end.
    """
    free = 0
    first = 0
    taken = 0
    stones = 1
    other = BLACK + WHITE - colour
    for k in range(4):
        if free >= 2:
            break
        q = point + step(k)
        there = s[COLOUR, q]
        if there == WALL:
            continue
        if there == EMPTY:
            if q != first:
                free += 1
                first = q
            continue
        head = s[HEAD, q]
        if there == other:
            if s[LIBS, head] > MOST_SEEN:
                continue
        elif s[LIBS, head] > 2 * MOST_SEEN:
            free = 2
            break
        seen = 0
        for j in range(4):
            r = point + step(j)
            if s[COLOUR, r] == there and s[HEAD, r] == head:
                if j < k:
                    seen = -9
                seen += 1
        if seen < 0:
            continue
        libs = s[LIBS, head] - seen
        if there == other:
            if libs == 0:
                taken += s[SIZE, head]
                if q != first:
                    free += 1
                    first = q
            continue
        stones += s[SIZE, head]
        if libs == 0:
            continue
        total = s[SUM, head] - seen * point
        squares = s[SQUARES, head] - seen * point * point
        if libs * squares != total * total:
            free += 2
            continue
        only = total // libs
        if only != first:
            free += 1
            first = only
    return min(free, 2), taken, stones, first


@kernel
def _dead_shape(s: Array, point: int, colour: int, stones: int) -> Any:
    """Tell whether a stone on ``point`` and the own chains beside it make a nakade shape.

    The shape is known by its number of stones, of touching pairs and by the most neighbours that
    one stone has: three in any order, four in a square or a T, the bulky five, the cross and the
    rabbity six.
    """
    if stones <= 3:
        return True
    if stones > MAX_NAKADE:
        return False
    s[COLOUR, point] = colour
    pairs = 0
    most = 0
    own = 0
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] == colour:
            own += 1
    pairs += own
    most = own
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] != colour:
            continue
        fresh = True
        for j in range(k):
            r = point + step(j)
            if s[COLOUR, r] == colour and s[HEAD, r] == s[HEAD, q]:
                fresh = False
        if not fresh:
            continue
        stone = q
        while True:
            degree = 0
            for j in range(4):
                if s[COLOUR, stone + step(j)] == colour:
                    degree += 1
            pairs += degree
            most = max(most, degree)
            stone = s[NEXT, stone]
            if stone == q:
                break
    s[COLOUR, point] = EMPTY
    pairs //= 2
    if stones == 4:
        return pairs == 4 or most == 3
    if stones == 5:
        return (pairs == 5 and most == 3) or most == 4
    return pairs == 6 and most == 4


@inner_kernel
def _only(s: Array, head: int, point: int, last: int) -> Any:
    """Tell whether a chain has no liberty but two points, the second of them for sure."""
    libs = s[LIBS, head]
    total = s[SUM, head]
    squares = s[SQUARES, head]
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] == s[COLOUR, head] and s[HEAD, q] == head:
            libs -= 1
            total -= point
            squares -= point * point
    return libs == 0 or (total == libs * last and squares == total * last)


@inner_kernel
def _shut_in(s: Array, point: int, last: int, colour: int) -> Any:
    """Tell whether the enemy has to take stones that put themselves into atari, and wins an eye.

    The stone on ``point`` and the own chains beside it keep the liberty ``last``. Every enemy chain
    around them, and every one that would join these by taking, must have no other liberty: a chain
    that has one lives on it, or is connected to life, and the sacrifice kills nothing.
    """
    other = BLACK + WHITE - colour
    for k in range(4):
        q = last + step(k)
        there = s[COLOUR, q]
        if there == EMPTY and q != point:
            return False
        if there == other and not _only(s, s[HEAD, q], point, last):
            return False
    for k in range(4):
        q = point + step(k)
        if s[COLOUR, q] == other and not _only(s, s[HEAD, q], point, last):
            return False
    for k in range(4):
        stone = point + step(k)
        if s[COLOUR, stone] != colour:
            continue
        head = stone
        while True:
            for j in range(4):
                q = stone + step(j)
                if s[COLOUR, q] == other and not _only(s, s[HEAD, q], point, last):
                    return False
            stone = s[NEXT, stone]
            if stone == head:
                break
    return True


@kernel
def sound(s: Array, point: int, colour: int) -> Any:
    """Tell whether a playout may play here: legal, no eye filled, no chain thrown away."""
    if point == s[NOTE, KO] or s[COLOUR, point] != EMPTY:
        return False
    around = 0
    for k in range(4):
        if s[COLOUR, point + step(k)] == EMPTY:
            around += 1
    if around >= 2:
        return True
    if is_eye(s, point, colour):
        return False
    free, taken, stones, last = _outlook(s, point, colour)
    if free == 0:
        return False
    if free == 1 and taken < stones:
        if stones == 1:
            return True
        if stones > MAX_NAKADE or not _shut_in(s, point, last, colour):
            return False
        return _dead_shape(s, point, colour, stones)
    return True


@inner_kernel
def _capture_beside(s: Array, head: int, colour: int) -> Any:
    """Return a move that takes an enemy chain touching this chain, or 0."""
    other = BLACK + WHITE - colour
    stone = head
    while True:
        for k in range(4):
            q = stone + step(k)
            if s[COLOUR, q] == other and in_atari(s, s[HEAD, q]):
                target = s[SUM, s[HEAD, q]] // s[LIBS, s[HEAD, q]]
                if target != s[NOTE, KO]:
                    return target
        stone = s[NEXT, stone]
        if stone == head:
            return 0


@inner_kernel
def _answer(s: Array, last: int, colour: int, seed: Array) -> Any:
    """Return an urgent answer to the last move, or 0: capture it, or save what it put in atari."""
    head = s[HEAD, last]
    if in_atari(s, head):
        target = s[SUM, head] // s[LIBS, head]
        if target != s[NOTE, KO]:
            return target
    best = 0
    most = 0
    for k in range(4):
        q = last + step(k)
        if s[COLOUR, q] != colour or not in_atari(s, s[HEAD, q]):
            continue
        chain = s[HEAD, q]
        if s[SIZE, chain] <= most:
            continue
        target = _capture_beside(s, chain, colour)
        if target == 0:
            target = s[SUM, chain] // s[LIBS, chain]
            free, _, _, _ = _outlook(s, target, colour)
            if free < 2 or target == s[NOTE, KO]:
                continue
        best = target
        most = s[SIZE, chain]
    return best


@inner_kernel
def _vital(s: Array, colour: int) -> Any:
    """Return the vital point of the hole that the last capture made in this colour, or 0."""
    count = s[NOTE, CAPTURED]
    if count < 3 or count > MAX_NAKADE:
        return 0
    best = 0
    most = 1
    pairs = 0
    for i in range(count):
        point = s[TAKEN, i]
        degree = 0
        for k in range(4):
            if s[COLOUR, point + step(k)] == EMPTY:
                degree += 1
        pairs += degree
        if degree > most:
            most = degree
            best = point
    if best == 0:
        return 0
    pairs //= 2
    if (
        count == 3
        or (count == 4 and most == 3)
        or (count == 5 and (most == 4 or pairs == 5))
        or (count == 6 and pairs == 6 and most == 4)
    ):
        return best if sound(s, best, colour) else 0
    return 0


@kernel
def choose(s: Array, last: int, colour: int, seed: Array) -> Any:
    """Return a playout move for a colour, or 0 for a pass; ``last`` is the move before or 0."""
    if last != 0 and next_random(seed) & 31 != 0:
        if s[NOTE, CAPTURED] >= 3:
            target = _vital(s, colour)
            if target != 0:
                return target
        target = _answer(s, last, colour, seed)
        if target != 0:
            return target
    count = s[NOTE, EMPTIES]
    if count == 0:
        return 0
    slot = _below(seed, count)
    for _ in range(count):
        point = s[FREE, slot]
        if sound(s, point, colour):
            return point
        slot += 1
        if slot == count:
            slot = 0
    return 0


@inner_kernel
def playout(s: Array, last: int, colour: int, cap: int, seed: Array) -> None:
    """Play a state to its end: two passes in a row, or ``cap`` moves; ``last`` was just played."""
    passes = 0
    for _ in range(cap):
        move = choose(s, last, colour, seed)
        if move == 0:
            s[NOTE, KO] = 0
            s[NOTE, CAPTURED] = 0
            passes += 1
            if passes == 2:
                return
        else:
            place(s, move, colour)
            passes = 0
        last = move
        colour = BLACK + WHITE - colour


@inner_kernel
def owner(s: Array, point: int) -> Any:
    """Return whose point this is at the end: its stone, or the only colour beside it, or none."""
    if s[COLOUR, point] != EMPTY:
        return s[COLOUR, point]
    found = 0
    for k in range(4):
        there = s[COLOUR, point + step(k)]
        if there == BLACK or there == WHITE:
            found |= there
    return found if found < 3 else 0


@kernel
def run_playouts(
    colours: Array,
    size: int,
    ko: int,
    colour: int,
    move: int,
    seed: Array,
    work: Array,
    out: Array,
) -> None:
    """Play ``len(out)`` playouts from one position and note the owner of every point.

    ``colours`` int8 (POINTS,); ``ko`` a padded point or 0, for ``colour``. With NO_MOVE ``colour``
    begins every second playout and the other colour the rest; else ``colour`` makes ``move`` before
    all of them, a padded point where it may play or 0 for a pass. ``seed`` uint64 (1,), not zero;
    ``work`` int32 (2, ROWS, POINTS); ``out`` int8 (playouts, size * size): -1, 0 or 1, black 1.
    """
    start = work[0]
    s = work[1]
    build(colours, start)
    start[NOTE, KO] = ko
    if move == 0:
        start[NOTE, KO] = 0
    elif move != NO_MOVE:
        place(start, move, colour)
    for n in range(out.shape[0]):
        copy_state(start, s)
        begins = BLACK + WHITE - colour
        if move == NO_MOVE:
            if n % 2 == 0:
                begins = colour
            else:
                s[NOTE, KO] = 0
        playout(s, max(move, 0), begins, 3 * size * size, seed)
        for row in range(size):
            for column in range(size):
                whose = owner(s, (row + 1) * STRIDE + column + 1)
                out[n, row * size + column] = (whose == BLACK) * 1 - (whose == WHITE) * 1
