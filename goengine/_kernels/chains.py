"""Kernels that change or question a position: play, legality, hashes, area.

Functions on one record take `rec`, an element of a BOARD_DTYPE array, and padded points (see
_state.py); they are for other kernels. Functions on `records, i` take moves and are for Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._kernels.eyes import true_eye
from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.state import NO_POINT, SETUP, STRIDE, WALL, ZOBRIST
from goengine.types import BLACK, WHITE

Record = Any
Array = Any

MOST_PASSES = 127
"""Passes in a row that can be counted; beyond them the count stays even or odd as it should."""


@kernel
def point_of(move: int, size: int) -> int:
    """Return the padded point of a move that is not a pass."""
    return (move // size + 1) * STRIDE + move % size + 1


@kernel
def move_of(point: int, size: int) -> int:
    """Return the move of a padded point on the board."""
    return (point // STRIDE - 1) * size + point % STRIDE - 1


@inner_kernel
def _first_sight(rec: Record, point: int, direction: int) -> bool:
    """Tell whether no earlier direction from a point leads to the same chain."""
    head = rec.head[point + direction]
    for d in (-STRIDE, -1, 1, STRIDE):
        if d == direction:
            return True
        if rec.head[point + d] == head:
            return False
    return True


@inner_kernel
def _chain_hash(rec: Record, head: int) -> np.uint64:
    """Return the XOR of the Zobrist words of a chain's stones."""
    words: np.uint64 = np.uint64(0)
    stone = head
    while True:
        words ^= ZOBRIST[rec.colour[stone], stone]
        stone = rec.next[stone]
        if stone == head:
            return words


@inner_kernel
def _join(rec: Record, point: int, head: int) -> None:
    """Add a stone to a chain and count the liberties that only this stone gives it."""
    rec.head[point] = head
    for d in (-STRIDE, -1, 1, STRIDE):
        liberty = point + d
        if rec.colour[liberty] != 0:
            continue
        known = False
        for e in (-STRIDE, -1, 1, STRIDE):
            stone = liberty + e
            if stone != point and rec.head[stone] == head:
                known = True
        if not known:
            rec.libs[head] += 1


@inner_kernel
def _merge(rec: Record, head: int, other: int) -> None:
    """Move the chain of head `other` into the chain of `head`, stone by stone."""
    stone = other
    while True:
        following = rec.next[stone]
        _join(rec, stone, head)
        stone = following
        if stone == other:
            break
    rec.next[head], rec.next[other] = rec.next[other], rec.next[head]
    rec.stones[head] += rec.stones[other]


@inner_kernel
def _remove(rec: Record, head: int) -> int:
    """Take a chain off the board, give its neighbours their liberties, return its size."""
    own = rec.colour[head]
    removed = 0
    stone = head
    while True:
        following = rec.next[stone]
        for d in (-STRIDE, -1, 1, STRIDE):
            neighbour = rec.head[stone + d]
            if neighbour == NO_POINT or rec.colour[stone + d] == own:
                continue
            if _first_sight(rec, stone, d):
                rec.libs[neighbour] += 1
        rec.colour[stone] = 0
        rec.head[stone] = NO_POINT
        rec.next[stone] = NO_POINT
        rec.born[stone] = 0
        rec.hash ^= ZOBRIST[own, stone]
        removed += 1
        stone = following
        if stone == head:
            break
    return removed


@inner_kernel
def play_point(rec: Record, point: int, colour: int) -> None:
    """Play a stone on an empty point without asking whether it is legal."""
    enemy = BLACK + WHITE - colour
    rec.colour[point] = colour
    rec.head[point] = point
    rec.next[point] = point
    rec.stones[point] = 1
    rec.libs[point] = 0
    rec.born[point] = rec.turn
    rec.hash ^= ZOBRIST[colour, point]

    # Every chain around the point, own or enemy, loses this liberty once.
    biggest = NO_POINT
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[point + d] == 0:
            rec.libs[point] += 1
        head = rec.head[point + d]
        if head == NO_POINT:
            continue
        if _first_sight(rec, point, d):
            rec.libs[head] -= 1
            if rec.colour[head] == colour and (
                biggest == NO_POINT or rec.stones[head] > rec.stones[biggest]
            ):
                biggest = head

    # Enemy chains without liberties leave the board.
    captured = 0
    taken = NO_POINT
    for d in (-STRIDE, -1, 1, STRIDE):
        if rec.colour[point + d] == enemy and rec.libs[rec.head[point + d]] == 0:
            taken = point + d
            captured += _remove(rec, rec.head[point + d])
    rec.captures[colour] += captured

    # The stone joins the biggest own chain, and the others follow.
    if biggest != NO_POINT:
        _join(rec, point, biggest)
        rec.next[point] = rec.next[biggest]
        rec.next[biggest] = point
        rec.stones[biggest] += 1
        for d in (-STRIDE, -1, 1, STRIDE):
            head = rec.head[point + d]
            if rec.colour[point + d] == colour and head != biggest:
                _merge(rec, biggest, head)

    head = rec.head[point]
    rec.ko = NO_POINT
    if rec.libs[head] == 0:
        rec.captures[enemy] += _remove(rec, head)
    elif captured == 1 and rec.stones[head] == 1 and rec.libs[head] == 1:
        rec.ko = taken
    rec.to_play = enemy
    rec.turn += 1
    rec.passes = 0


@inner_kernel
def play_pass(rec: Record, colour: int) -> None:
    """Pass: a turn goes by and the ko is open again."""
    rec.ko = NO_POINT
    rec.to_play = BLACK + WHITE - colour
    rec.turn += 1
    rec.passes += 1 if rec.passes < MOST_PASSES else -1


@inner_kernel
def legal_point(rec: Record, point: int, colour: int, suicide: bool) -> bool:
    """Tell whether a stone may be played, superko aside."""
    if rec.colour[point] != 0:
        return False
    if point == rec.ko and colour == rec.to_play:
        return False
    joins = False
    for d in (-STRIDE, -1, 1, STRIDE):
        c = rec.colour[point + d]
        if c == 0:
            return True
        if c == WALL:
            continue
        liberties = rec.libs[rec.head[point + d]]
        if c == colour:
            joins = True
            if liberties > 1:
                return True
        elif liberties == 1:
            return True
    return suicide and joins


@kernel
def legal_at(records: Array, i: int, move: int, colour: int, suicide: bool) -> bool:
    """Tell whether a stone may be played on board `i`, superko aside."""
    return bool(legal_point(records[i], point_of(move, records[i].size), colour, suicide))


@kernel
def play(records: Array, i: int, move: int, colour: int) -> None:
    """Play a move or a pass on board `i` without asking whether it is legal."""
    rec = records[i]
    if move == rec.size * rec.size:
        play_pass(rec, colour)
    else:
        play_point(rec, point_of(move, rec.size), colour)


@kernel
def play_if_legal(records: Array, i: int, move: int, colour: int, suicide: bool) -> bool:
    """Play a move or a pass if it is legal (superko aside) and tell whether it was."""
    rec = records[i]
    size = rec.size
    if move == size * size:
        play_pass(rec, colour)
        return True
    if (
        move < 0
        or move > size * size
        or not legal_point(rec, point_of(move, size), colour, suicide)
    ):
        return False
    play_point(rec, point_of(move, size), colour)
    return True


@kernel
def place(records: Array, i: int, move: int, colour: int) -> None:
    """Set up a stone on an empty point: older than any move, no turn taken, no ko."""
    rec = records[i]
    point = point_of(move, rec.size)
    to_play = rec.to_play
    turn = rec.turn
    passes = rec.passes
    taken = rec.captures[colour]
    rec.turn = SETUP
    play_point(rec, point, colour)
    rec.turn = turn
    rec.to_play = to_play
    rec.passes = passes
    rec.captures[colour] = taken
    rec.ko = NO_POINT


@kernel
def legal_mask(records: Array, i: int, colour: int, suicide: bool, out: Array) -> None:
    """Fill bool `out` (N*N + 1,) with the legal moves, superko aside; the pass is legal."""
    rec = records[i]
    size = rec.size
    for move in range(size * size):
        out[move] = legal_point(rec, point_of(move, size), colour, suicide)
    out[size * size] = True


@kernel
def sensible_mask(records: Array, i: int, colour: int, out: Array) -> None:
    """Fill bool `out` (N*N + 1,) with legal moves that fill no own true eye, and the pass."""
    rec = records[i]
    size = rec.size
    for move in range(size * size):
        point = point_of(move, size)
        out[move] = legal_point(rec, point, colour, False) and not true_eye(rec, point, colour)
    out[size * size] = True


@kernel
def sensible_masks(records: Array, out: Array) -> None:
    """Fill bool `out` (B, N*N + 1) for the player to move of every board."""
    for i in range(records.size):
        sensible_mask(records, i, records[i].to_play, out[i])


@kernel
def hashes_after(records: Array, i: int, colour: int, mask: Array, out: Array) -> None:
    """Fill uint64 `out` (N*N,) with the stones' hash after each move that `mask` allows."""
    rec = records[i]
    size = rec.size
    for move in range(size * size):
        if not mask[move]:
            continue
        point = point_of(move, size)
        after = rec.hash ^ ZOBRIST[colour, point]
        alone = True
        for d in (-STRIDE, -1, 1, STRIDE):
            c = rec.colour[point + d]
            head = rec.head[point + d]
            if c == 0 or (c == colour and rec.libs[head] > 1):
                alone = False
            if c != BLACK + WHITE - colour or rec.libs[head] > 1:
                continue
            alone = False
            if _first_sight(rec, point, d):
                after ^= _chain_hash(rec, head)
        if alone:
            # Suicide: the stone and every own chain beside it leave the board.
            after ^= ZOBRIST[colour, point]
            for d in (-STRIDE, -1, 1, STRIDE):
                head = rec.head[point + d]
                if rec.colour[point + d] != colour:
                    continue
                if _first_sight(rec, point, d):
                    after ^= _chain_hash(rec, head)
        out[move] = after


@kernel
def area(records: Array, i: int, out: Array) -> None:
    """Fill int8 `out` (N*N,) with stones, and empty regions that touch one colour only."""
    rec = records[i]
    size = rec.size
    out[:] = -1
    stack = np.empty(size * size, dtype=np.int16)
    for start in range(size * size):
        c = rec.colour[point_of(start, size)]
        if c != 0:
            out[start] = c
            continue
        if out[start] != -1:
            continue
        # Flood the region once to see its borders, then once more to write the owner.
        borders = 0
        out[start] = 0
        stack[0] = start
        count = 1
        done = 0
        while done < count:
            point = point_of(stack[done], size)
            done += 1
            for d in (-STRIDE, -1, 1, STRIDE):
                c = rec.colour[point + d]
                if c == 0:
                    move = move_of(point + d, size)
                    if out[move] == -1:
                        out[move] = 0
                        stack[count] = move
                        count += 1
                elif c != WALL:
                    borders |= c
        if borders in (1, 2):
            for k in range(count):
                out[stack[k]] = borders


@kernel
def chain_moves(records: Array, i: int, move: int, out: Array) -> int:
    """Write the moves of the chain on a point into `out` and return how many there are."""
    rec = records[i]
    size = rec.size
    point = point_of(move, size)
    if rec.head[point] == NO_POINT:
        return 0
    count = 0
    stone = point
    while True:
        out[count] = move_of(stone, size)
        count += 1
        stone = rec.next[stone]
        if stone == point:
            break
    return count


@kernel
def liberties(records: Array, i: int, move: int) -> int:
    """Return the number of liberties of the chain on a point, 0 on an empty point."""
    rec = records[i]
    return int(rec.libs[rec.head[point_of(move, rec.size)]])
