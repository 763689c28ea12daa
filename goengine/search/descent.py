"""Descents: from the root to leaves that wait for their evaluation, and back up with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._kernels.chains import hashes_after, play
from goengine._kernels.jit import kernel
from goengine._kernels.repetition import remembers
from goengine.search.pool import EDGES, EXPANDED, NOTHING, PENDING, TERMINAL, Pool, new_node
from goengine.search.puct import choose_edge
from goengine.types import BLACK, WHITE

DEPTH = 400
"""Moves of a descent at most."""
ATTEMPTS = 4
"""Descents tried for each leaf that is wanted; some end where another waits, or a game is over."""
WIN_SHARE, SCORE_SHARE, RECENT_SHARE = 1.0, 0.1, 0.3
"""Weights of winning, of the score around 0, and of the score around what it was lately."""
SCORE_WIDTH, RECENT_WIDTH = 2.0, 0.75
"""Times the square root of the area: how many points matter for both."""


@kernel
def select_leaves(
    pool: Pool, root: Any, least: int, leaves: Any, paths: Any, lengths: Any
) -> tuple[int, int]:
    """Write up to K leaves that wait for evaluation; return how many, and the ended games met.

    `root` (1,): the position at row 0. `leaves` (K,): records to fill. `paths` int32 (K, DEPTH) and
    `lengths` (K,): the rows from the root to each leaf. Descents that reach the end of a game are
    backed up at once.
    """
    wanted = len(leaves)
    found = 0
    ended = 0
    for _ in range(ATTEMPTS * wanted):
        if found + ended >= wanted:
            break
        leaves[found] = root[0]
        paths[found, 0] = 0
        length = 1
        node = 0
        while pool.state[node] == EXPANDED and length < DEPTH:
            edge = choose_edge(pool, node, length == 1, least)
            if edge < 0:
                break
            child = pool.children[node, edge] if edge < pool.opened[node] else NOTHING
            if child == NOTHING:
                child = new_node(pool)
                if child == NOTHING:
                    return found, ended
                pool.children[node, edge] = child
                pool.opened[node] = edge + 1
                pool.mass[node] += pool.priors[node, edge]
            play(leaves, found, pool.moves[node, edge], leaves[found].to_play)
            node = child
            paths[found, length] = node
            length += 1
        if pool.state[node] == TERMINAL:
            back_up(
                pool,
                paths[found, :length],
                pool.raw_utility[node],
                pool.raw_value[node],
                pool.raw_lead[node],
                False,
            )
            ended += 1
        elif pool.state[node] == PENDING and pool.virtual[node] == 0:
            lengths[found] = length
            for step in range(length):
                pool.virtual[paths[found, step]] += 1
            found += 1
        else:
            break
    return found, ended


@kernel
def back_up(pool: Pool, path: Any, utility: float, value: float, lead: float, waited: bool) -> None:
    """Add an evaluation, as the player to move at the end of a path sees it, to all its nodes."""
    sign = 1.0
    for step in range(len(path) - 1, -1, -1):
        node = path[step]
        pool.visits[node] += 1
        if waited:
            pool.virtual[node] -= 1
        pool.utility[node] += sign * utility
        pool.squares[node] += utility * utility
        pool.value[node] += sign * value
        pool.lead[node] += sign * lead
        sign = -sign


@kernel
def utility_of(value: float, lead: float, recent: float, area: int) -> float:
    """Return win minus loss with shares of the score, around 0 and around `recent` points.

    The arc tangent makes each further point matter less.
    """
    root = np.sqrt(area)
    whole = 2.0 / np.pi * np.arctan(lead / (SCORE_WIDTH * root))
    close = 2.0 / np.pi * np.arctan((lead - recent) / (RECENT_WIDTH * root))
    return float(WIN_SHARE * value + SCORE_SHARE * whole + RECENT_SHARE * close)


@kernel
def expand(
    pool: Pool,
    leaf: Any,
    node: int,
    priors: Any,
    value: float,
    lead: float,
    spread: float,
    recent: float,
    history: Any,
    turn_word: Any,
    path_words: Any,
) -> float:
    """Give a node its edges and its own evaluation, and return its utility.

    `leaf` (1,): its position. `priors` (N*N + 1,): 0 for moves that are not wanted. `history`: the
    table of the game's earlier positions, `path_words`: the words of the positions from the root to
    here, both for superko; an empty table forbids nothing. `turn_word`: what situational superko
    adds for White to move.
    """
    rec = leaf[0]
    area = rec.size * rec.size
    utility = utility_of(value, lead, recent, area)
    pool.raw_utility[node] = utility
    pool.raw_value[node] = value
    pool.raw_lead[node] = lead
    pool.raw_spread[node] = spread
    if rec.passes >= 2:
        pool.state[node] = TERMINAL
        return float(utility)
    order = np.argsort(-priors)
    mask = np.zeros(area + 1, dtype=np.bool_)
    kept = 0
    for move in order[:EDGES]:
        if priors[move] <= 0.0:
            break
        mask[move] = True
        kept += 1
    if len(history):
        after = np.zeros(area, dtype=np.uint64)
        hashes_after(leaf, 0, rec.to_play, mask, after)
        word = turn_word if rec.to_play == BLACK else np.uint64(0)
        for move in range(area):
            if mask[move]:
                key = after[move] ^ word
                if remembers(history, key):
                    mask[move] = False
                for earlier in path_words:
                    if earlier == key:
                        mask[move] = False
    count = 0
    for move in order[:kept]:
        if mask[move]:
            pool.moves[node, count] = move
            pool.priors[node, count] = priors[move]
            pool.children[node, count] = NOTHING
            count += 1
    if count == 0:
        pool.moves[node, 0] = area
        pool.priors[node, 0] = 1.0
        pool.children[node, 0] = NOTHING
        count = 1
    pool.edges[node] = count
    pool.state[node] = EXPANDED
    return float(utility)


@kernel
def words_on_path(pool: Pool, root: Any, path: Any, scratch: Any, turn_word: Any, out: Any) -> None:
    """Write what superko remembers of each position of a path, the root's first, to `out`."""
    scratch[0] = root[0]
    for step in range(len(path)):
        word = scratch[0].hash
        if scratch[0].to_play == WHITE:
            word ^= turn_word
        out[step] = word
        if step + 1 < len(path):
            node = path[step]
            for edge in range(pool.opened[node]):
                if pool.children[node, edge] == path[step + 1]:
                    play(scratch, 0, pool.moves[node, edge], scratch[0].to_play)
                    break
