"""Descents: from the root to leaves that wait for an evaluation, and the way back up."""

from __future__ import annotations

from typing import Any

from goengine._kernels.chains import play
from goengine._kernels.jit import inner_kernel, kernel
from goengine.search.pool import EXPANDED, NOTHING, PENDING, TERMINAL, Pool, open_edge
from goengine.search.puct import ALL, LIKELY, NONE, choose_edge
from goengine.types import WHITE

DEPTH = 400
"""Moves of a descent at most."""
ATTEMPTS = 4
"""Descents tried for each leaf that is wanted; some end where another waits, or a game is over."""
NEW, AGAIN = 0, 1
"""Kinds of leaves: a node without an evaluation; one that gets another under another symmetry,
because memory is full or the path as long as paths get."""
SCARCE = 0.9
"""Share of the memory from which unlikely moves are left out."""


@kernel
def select_leaves(
    pool: Pool,
    root: Any,
    wanted: int,
    least: int,
    bonus: Any,
    turn_word: Any,
    leaves: Any,
    kinds: Any,
    paths: Any,
    words: Any,
    lengths: Any,
) -> tuple[int, int]:
    """Write up to `wanted` leaves that wait for evaluation; return how many, and the ends met.

    `root` (1,): the position at row 0. `leaves` (K,): records to fill, `kinds` int8 (K,): NEW or
    AGAIN. `paths` int32 (2 K, DEPTH) and `lengths` int64 (2 K,): the rows from the root to each
    leaf, and `words` uint64 (2 K, DEPTH): what superko remembers of each position there; the second
    half is scratch. Descents that reach the end of a game are backed up at once. `least` and
    `bonus` as in `choose_edge`.
    """
    found = 0
    ended = 0
    collided = 0
    capacity = len(pool.state)
    for _ in range(ATTEMPTS * wanted):
        if found + ended >= wanted or collided >= wanted:
            break
        thrift = ALL
        if pool.used[0] >= capacity:
            thrift = NONE
        elif pool.used[0] >= SCARCE * capacity:
            thrift = LIKELY
        leaves[found] = root[0]
        paths[found, 0] = 0
        words[found, 0] = _word(leaves[found], turn_word)
        length = 1
        node = 0
        while pool.state[node] == EXPANDED and length < DEPTH:
            edge, child = choose_edge(pool, node, length == 1, least, bonus, thrift)
            if edge < 0:
                break
            if child == NOTHING:
                child = open_edge(pool, node)
                if child == NOTHING:
                    break
            play(leaves, found, pool.moves[node, edge], leaves[found].to_play)
            node = child
            paths[found, length] = node
            words[found, length] = _word(leaves[found], turn_word)
            length += 1
        lengths[found] = length
        if pool.state[node] == TERMINAL:
            back_up(
                pool,
                paths[found],
                length,
                pool.raw_utility[node],
                pool.raw_value[node],
                pool.raw_lead[node],
                0.0,
                False,
            )
            ended += 1
            continue
        for step in range(length):
            pool.virtual[paths[found, step]] += 1
        if pool.state[node] == PENDING and pool.virtual[node] > 1:
            spare = wanted + collided
            for step in range(length):  # numba would compile error texts for a copy of slices
                paths[spare, step] = paths[found, step]
            lengths[spare] = length
            collided += 1
            continue
        kinds[found] = AGAIN if pool.state[node] == EXPANDED else NEW
        found += 1
    for spare in range(wanted, wanted + collided):
        for step in range(lengths[spare]):
            pool.virtual[paths[spare, step]] -= 1
    return found, ended


@inner_kernel
def _word(rec: Any, turn_word: Any) -> Any:
    """Return what superko remembers of a position."""
    word = rec.hash
    if rec.to_play == WHITE:
        word ^= turn_word
    return word


@inner_kernel
def back_up(
    pool: Pool,
    path: Any,
    length: int,
    utility: float,
    value: float,
    lead: float,
    spread: float,
    waited: bool,
) -> None:
    """Add an evaluation, as the player to move at the end of a path sees it, to all its nodes.

    `spread`: the standard deviation of the final lead. `waited`: descents that were counted as
    under way no longer are.
    """
    sign = 1.0
    moment = lead * lead + spread * spread
    for step in range(length - 1, -1, -1):
        node = path[step]
        pool.visits[node] += 1
        if waited:
            pool.virtual[node] -= 1
        pool.utility[node] += sign * utility
        pool.squares[node] += utility * utility
        pool.value[node] += sign * value
        pool.lead[node] += sign * lead
        pool.moment[node] += moment
        sign = -sign
