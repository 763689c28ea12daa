"""Which edge a descent follows: the exploration term, first-play urgency, and their constants.

PUCT (Silver et al. 2016, Methods, "Search algorithm"; Rosin 2011) with three refinements that
strong engines share: an exploration constant that grows with the logarithm of the visits, scaled by
how much the values behind a node differ, and an urgency of unvisited moves that falls with the
prior mass already visited. Utilities lie between -1.4 and 1.4 (expansion.py). docs/search.md has
the formulas.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from goengine._kernels.jit import inner_kernel
from goengine.search.pool import NOTHING, Pool

EXPLORATION = 1.0
"""The exploration constant at few visits."""
EXPLORATION_GROWTH = 0.45
EXPLORATION_SCALE = 500.0
"""It grows by `EXPLORATION_GROWTH` times ln((visits + scale) / scale)."""
SPREAD = 0.40
"""Standard deviation of utilities at which the exploration is as it is."""
SPREAD_WEIGHT = 2.0
"""Visits that this prior deviation counts for."""
SPREAD_EFFECT = 0.85
"""How far the deviation that is seen changes the exploration."""
URGENCY = 0.2
"""What an unvisited move is thought to lose once all prior mass but its own is visited."""
ROOT_URGENCY = 0.1
WORST = 1.4
"""The worst utility, which a descent under way counts as, so that others look elsewhere."""

ALL, LIKELY, NONE = 0, 1, 2
"""Which edges may be opened as memory runs out: all; none below a share of the likeliest; none."""
UNLIKELY = 0.01
"""That share."""


@inner_kernel
def choose_edge(
    pool: Pool, node: int, is_root: bool, least: int, bonus: Any, thrift: int
) -> tuple[int, int]:
    """Return the edge to follow from an expanded node, and the node behind it.

    The node is NOTHING for the first unopened edge; the edge is -1 where none may be followed. At
    the root, every one of the first `least` edges is visited before the rule decides, and `bonus`
    float64 (EDGES,) is added to the utilities. `thrift`: ALL, LIKELY or NONE.
    """
    opened = pool.opened[node]
    edges = pool.edges[node]
    may_open = opened < edges and thrift != NONE
    if thrift == LIKELY and may_open and opened:
        may_open = pool.priors[node, opened] >= UNLIKELY * pool.priors[node, 0]
    if is_root and may_open and opened < least:
        return int(opened), NOTHING
    visits = pool.visits[node]
    # Visits behind the node's edges, those under way among them.
    behind = visits - 1 + pool.virtual[node]
    explore = _exploration(behind) * np.sqrt(behind + 0.01) * _scale(pool, node)
    best = -1e30
    chosen = -1
    behind_it = NOTHING
    child = pool.first[node] if opened else NOTHING
    edge = 0
    while child != NOTHING:
        waiting = pool.virtual[child]
        weight = pool.visits[child] + waiting
        value = -(pool.utility[child] + WORST * waiting) / max(1, weight)
        score = value + explore * pool.priors[node, edge] / (1.0 + weight)
        if is_root:
            score += bonus[edge]
        if score > best:
            best = score
            chosen = edge
            behind_it = child
        child = pool.sibling[child]
        edge += 1
    if may_open:
        mean = pool.utility[node] / max(1, visits)
        mass = min(1.0, pool.mass[node])
        trust = mass * mass
        base = trust * mean + (1.0 - trust) * pool.raw_utility[node]
        urgency = ROOT_URGENCY if is_root else URGENCY
        score = base - urgency * np.sqrt(mass) + explore * pool.priors[node, opened]
        if is_root:
            score += bonus[opened]
        if score > best:
            return int(opened), NOTHING
    return int(chosen), int(behind_it)


@inner_kernel
def _exploration(visits: int) -> float:
    """Return the exploration constant after so many visits."""
    growth = np.log((visits + EXPLORATION_SCALE) / EXPLORATION_SCALE)
    return float(EXPLORATION + EXPLORATION_GROWTH * growth)


@inner_kernel
def _scale(pool: Pool, node: int) -> float:
    """Return by how much the exploration grows or shrinks with the spread of utilities."""
    visits = pool.visits[node]
    mean = pool.utility[node] / max(1, visits)
    variance = max(0.0, pool.squares[node] - visits * mean * mean)
    variance = (variance + SPREAD_WEIGHT * SPREAD * SPREAD) / (visits + SPREAD_WEIGHT)
    return float(1.0 + SPREAD_EFFECT * (np.sqrt(variance) / SPREAD - 1.0))
