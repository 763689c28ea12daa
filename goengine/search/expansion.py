"""Evaluations put into the tree: edges for new nodes, utilities, and what ownership adds up to."""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._kernels.chains import hashes_after
from goengine._kernels.jit import inner_kernel, kernel
from goengine._kernels.repetition import remembers
from goengine.search.descent import AGAIN, back_up
from goengine.search.pool import EDGES, EXPANDED, NOTHING, TERMINAL, Pool
from goengine.types import BLACK

WIN_SHARE, SCORE_SHARE, RECENT_SHARE = 1.0, 0.1, 0.3
"""Weights of winning, of the score around 0, and of the score around what it was lately."""
SCORE_WIDTH, RECENT_WIDTH = 2.0, 0.75
"""Times the square root of the area: how many points matter for both."""
SETTLED = 114
"""Ownership, of 127, from which a point counts as settled: 0.9."""
OPEN_SHARE = 0.06
"""Share of points that are not settled from which a pass is not considered in earnest."""
PASS_MOST, PASS_LEAST, PASS_BACK = 0.5, 1e-4, 0.05
"""Prior of a pass: where all is settled, at the least, and at the least after the opponent's."""


@kernel
def utility_of(value: float, lead: float, recent: float, area: int, share: float) -> float:
    """Return win minus loss with shares of the score, around 0 and around `recent` points.

    The arc tangent makes each further point matter less. `share` scales both score terms.
    """
    root = np.sqrt(area)
    whole = 2.0 / np.pi * np.arctan(lead / (SCORE_WIDTH * root))
    close = 2.0 / np.pi * np.arctan((lead - recent) / (RECENT_WIDTH * root))
    return float(WIN_SHARE * value + share * (SCORE_SHARE * whole + RECENT_SHARE * close))


@kernel
def pass_share(ownership: Any, area: int, passes: int) -> float:
    """Return the prior of a pass, which networks of points do not name.

    The more of the board is settled, the larger; after the opponent's pass never very small.
    `ownership` int8 (N*N or more,).
    """
    loose = 0
    for point in range(area):
        if -SETTLED < ownership[point] < SETTLED:
            loose += 1
    share = PASS_MOST * max(0.0, 1.0 - loose / (area * OPEN_SHARE))
    return float(max(share, PASS_BACK if passes else PASS_LEAST))


@kernel
def absorb_answers(
    pool: Pool,
    leaves: Any,
    kinds: Any,
    paths: Any,
    words: Any,
    lengths: Any,
    answers: Any,
    may_pass: Any,
    values: Any,
    leads: Any,
    spreads: Any,
    centre: float,
    share: float,
    history: Any,
    turn_word: Any,
) -> None:
    """Give leaves (K,) their evaluations and edges, and add both to all nodes on their paths.

    `answers` (K,): ANSWER_DTYPE; `values`, `leads`, `spreads` float64 (K,), for the player to move,
    spreads as standard deviations. `may_pass` bool (K,): whether a pass is among a leaf's edges
    although it has others. `centre`: the lead lately, Black's. `history`: the table of the game's
    earlier positions for superko; an empty one forbids nothing. `turn_word`: what situational
    superko adds for White to move.
    """
    for i in range(len(leaves)):
        length = lengths[i]
        node = paths[i, length - 1]
        rec = leaves[i]
        area = rec.size * rec.size
        recent = centre if rec.to_play == BLACK else -centre
        utility = utility_of(values[i], leads[i], recent, area, share)
        own = 0
        if kinds[i] == AGAIN:
            own = own_visits(pool, node)
        else:
            for point in range(area):
                pool.ownership[node, point] = answers[i].ownership[point]
            if rec.passes >= 2:
                pool.state[node] = TERMINAL
            else:
                _expand(
                    pool,
                    leaves,
                    i,
                    node,
                    answers[i],
                    may_pass[i],
                    history,
                    turn_word,
                    words[i],
                    length,
                )
        weight = 1.0 / (own + 1.0)
        old = own * weight if own else 0.0
        pool.raw_utility[node] = old * pool.raw_utility[node] + weight * utility
        pool.raw_value[node] = old * pool.raw_value[node] + weight * values[i]
        pool.raw_lead[node] = old * pool.raw_lead[node] + weight * leads[i]
        pool.raw_spread[node] = old * pool.raw_spread[node] + weight * spreads[i]
        back_up(pool, paths[i], length, utility, values[i], leads[i], spreads[i], True)


@inner_kernel
def own_visits(pool: Pool, node: int) -> int:
    """Return how many evaluations of a node are its own, not those behind it."""
    own = pool.visits[node]
    child = pool.first[node] if pool.opened[node] else NOTHING
    while child != NOTHING:
        own -= pool.visits[child]
        child = pool.sibling[child]
    return int(own)


@inner_kernel
def _expand(
    pool: Pool,
    leaves: Any,
    i: int,
    node: int,
    answer: Any,
    may_pass: bool,
    history: Any,
    turn_word: Any,
    words: Any,
    length: int,
) -> None:
    """Give a node its edges: the pass and the answer's moves, without what superko forbids.

    A pass that may not be is an edge only where there is no other. The node has its ownership
    already.
    """
    rec = leaves[i]
    area = rec.size * rec.size
    mask = np.zeros(area + 1, dtype=np.bool_)
    for k in range(answer.count):
        mask[answer.moves[k]] = True
    if len(history) and answer.count:
        after = np.zeros(area, dtype=np.uint64)
        hashes_after(leaves, i, rec.to_play, mask, after)
        word = turn_word if rec.to_play == BLACK else np.uint64(0)
        for k in range(answer.count):
            move = answer.moves[k]
            key = after[move] ^ word
            if remembers(history, key):
                mask[move] = False
            for step in range(length):
                if words[step] == key:
                    mask[move] = False
    share = pass_share(pool.ownership[node], area, rec.passes) if may_pass else 0.0
    passed = not may_pass
    count = 0
    for k in range(answer.count):
        move = answer.moves[k]
        if not mask[move]:
            continue
        prior = answer.priors[k] * (1.0 - share)
        if not passed and prior < share:
            pool.moves[node, count] = area
            pool.priors[node, count] = share
            count += 1
            passed = True
        if count < EDGES:
            pool.moves[node, count] = move
            pool.priors[node, count] = prior
            count += 1
    if not passed or count == 0:
        count = min(count, EDGES - 1)
        pool.moves[node, count] = area
        pool.priors[node, count] = share if count else 1.0
        count += 1
    pool.edges[node] = count
    pool.state[node] = EXPANDED


@kernel
def refresh_utilities(
    pool: Pool, black: bool, centre: float, area: int, share: float, sides: Any
) -> None:
    """Compute all utilities anew around another recent lead, which is Black's.

    `black`: whether Black moves at the root. `sides` int32 (M,) is scratch.
    """
    used = pool.used[0]
    sides[0] = 1 if black else -1
    for node in range(used):
        child = pool.first[node] if pool.opened[node] else NOTHING
        while child != NOTHING:
            sides[child] = -sides[node]
            child = pool.sibling[child]
    for node in range(used - 1, -1, -1):
        if pool.visits[node] == 0:
            continue
        own = pool.visits[node]
        total = 0.0
        squares = 0.0
        child = pool.first[node] if pool.opened[node] else NOTHING
        while child != NOTHING:
            own -= pool.visits[child]
            total -= pool.utility[child]
            squares += pool.squares[child]
            child = pool.sibling[child]
        recent = sides[node] * centre
        utility = utility_of(pool.raw_value[node], pool.raw_lead[node], recent, area, share)
        pool.raw_utility[node] = utility
        pool.utility[node] = total + own * utility
        pool.squares[node] = squares + own * utility * utility


@kernel
def add_ownership(pool: Pool, start: int, cut: float, weights: Any, out: Any, squares: Any) -> None:
    """Add the mean ownership of a node and all behind it to float64 `out` (N*N,).

    For the player to move there, -1 ... 1; the mean of its squares goes to `squares` (N*N,). Nodes
    that hold less than the share `cut` of the visits stand for all behind them. `weights` float64
    (M,) is scratch.
    """
    used = pool.used[0]
    weights[start:used] = 0.0
    weights[start] = 1.0
    points = pool.ownership.shape[1]
    for node in range(start, used):
        share = weights[node]
        if share == 0.0:
            continue
        size = abs(share)
        rest = share
        child = pool.first[node] if pool.opened[node] else NOTHING
        if size >= cut:
            while child != NOTHING:
                part = share * pool.visits[child] / pool.visits[node]
                weights[child] = -part
                rest -= part
                child = pool.sibling[child]
        for point in range(points):
            owner = pool.ownership[node, point] / 127.0
            out[point] += rest * owner
            squares[point] += abs(rest) * owner * owner
