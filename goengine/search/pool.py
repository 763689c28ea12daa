"""The tree as arrays: nodes, their edges, and how the part that is still wanted moves together.

A node is a row of a few arrays. Its edges are its likeliest moves, sorted by prior downwards; those
that have been visited are always the first `opened` of them, and their nodes hang in that order in
a list of siblings. No position is stored: a descent plays its moves on a scratch board. Sums are
for the player to move at the node, so a parent reads them with the other sign.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import inner_kernel, kernel

EDGES = 60
"""Moves of a node that are kept; those behind have priors that no search comes to."""
NOTHING = -1
"""No such node."""

PENDING, EXPANDED, TERMINAL = 0, 1, 2
"""States of a node: waits for its evaluation; has edges; the game is over there."""


class Pool(NamedTuple):
    """The arrays of a tree with room for M nodes."""

    used: npt.NDArray[np.int64]  # (1,) rows taken
    state: npt.NDArray[np.int8]  # (M,) PENDING, EXPANDED or TERMINAL
    visits: npt.NDArray[np.int32]  # (M,) evaluations at the node and behind it
    virtual: npt.NDArray[np.int32]  # (M,) descents through the node that wait for evaluation
    utility: npt.NDArray[np.float64]  # (M,) sum over visits, for the player to move
    squares: npt.NDArray[np.float64]  # (M,) sum of the squares
    value: npt.NDArray[np.float64]  # (M,) sum of win minus loss
    lead: npt.NDArray[np.float64]  # (M,) sum of leads in points
    moment: npt.NDArray[np.float64]  # (M,) sum of expected squares of the final lead
    raw_utility: npt.NDArray[np.float32]  # (M,) the node's own evaluations, their mean
    raw_value: npt.NDArray[np.float32]  # (M,)
    raw_lead: npt.NDArray[np.float32]  # (M,)
    raw_spread: npt.NDArray[np.float32]  # (M,) standard deviation in points
    mass: npt.NDArray[np.float32]  # (M,) sum of the opened edges' priors
    edges: npt.NDArray[np.int16]  # (M,)
    opened: npt.NDArray[np.int16]  # (M,)
    first: npt.NDArray[np.int32]  # (M,) the node behind the first opened edge, or NOTHING
    last: npt.NDArray[np.int32]  # (M,) the node behind the last one
    sibling: npt.NDArray[np.int32]  # (M,) the node behind the parent's next edge
    moves: npt.NDArray[np.int16]  # (M, EDGES)
    priors: npt.NDArray[np.float32]  # (M, EDGES)
    ownership: npt.NDArray[np.int8]  # (M, N*N) -127 the opponent's ... 127 one's own


_ROW = 1 + 2 * 4 + 5 * 8 + 5 * 4 + 2 * 2 + 4 * 4 + EDGES * (2 + 4)
"""Bytes of a node besides its ownership; four are those of `keep_subtree`'s scratch."""


def new_pool(nodes: int, points: int) -> Pool:
    """Return an empty pool with room for so many nodes of boards with so many points.

    Its pages are touched only when nodes are made.
    """

    def of(dtype: Any, *shape: int) -> Any:
        return np.zeros((nodes, *shape), dtype=dtype)

    return Pool(
        used=np.zeros(1, dtype=np.int64),
        state=of(np.int8),
        visits=of(np.int32),
        virtual=of(np.int32),
        utility=of(np.float64),
        squares=of(np.float64),
        value=of(np.float64),
        lead=of(np.float64),
        moment=of(np.float64),
        raw_utility=of(np.float32),
        raw_value=of(np.float32),
        raw_lead=of(np.float32),
        raw_spread=of(np.float32),
        mass=of(np.float32),
        edges=of(np.int16),
        opened=of(np.int16),
        first=of(np.int32),
        last=of(np.int32),
        sibling=of(np.int32),
        moves=of(np.int16, EDGES),
        priors=of(np.float32, EDGES),
        ownership=of(np.int8, points),
    )


def nodes_within(megabytes: float, points: int) -> int:
    """Return how many nodes fit into so many megabytes (of 1,000,000 bytes)."""
    return max(2, int(megabytes * 1e6) // (_ROW + points))


def children(pool: Pool, node: int) -> list[int]:
    """Return the nodes behind the opened edges of a node, in the order of its edges."""
    found: list[int] = []
    child = int(pool.first[node]) if pool.opened[node] else NOTHING
    while child != NOTHING:
        found.append(child)
        child = int(pool.sibling[child])
    return found


@kernel
def new_node(pool: Pool) -> int:
    """Take a row for a node that waits for its evaluation; NOTHING where the pool is full."""
    node = pool.used[0]
    if node >= len(pool.state):
        return NOTHING
    pool.used[0] = node + 1
    pool.state[node] = PENDING
    pool.visits[node] = 0
    pool.virtual[node] = 0
    pool.utility[node] = 0.0
    pool.squares[node] = 0.0
    pool.value[node] = 0.0
    pool.lead[node] = 0.0
    pool.moment[node] = 0.0
    pool.mass[node] = 0.0
    pool.edges[node] = 0
    pool.opened[node] = 0
    pool.first[node] = NOTHING
    pool.last[node] = NOTHING
    pool.sibling[node] = NOTHING
    return int(node)


@inner_kernel
def open_edge(pool: Pool, node: int) -> int:
    """Hang a new node behind the next edge of a node and return it, NOTHING in a full pool."""
    child = new_node(pool)
    if child != NOTHING:
        edge = pool.opened[node]
        if edge == 0:
            pool.first[node] = child
        else:
            pool.sibling[pool.last[node]] = child
        pool.last[node] = child
        pool.opened[node] = edge + 1
        pool.mass[node] += pool.priors[node, edge]
    return int(child)


@kernel
def keep_subtree(pool: Pool, root: int, places: Any) -> None:
    """Move the nodes behind `root` to the front of the pool, `root` to row 0; drop all others.

    Children always lie behind their parents, so one pass over the rows moves every node to a row
    that is free already. `places` int32 (M,) is scratch.
    """
    used = pool.used[0]
    places[:used] = NOTHING
    places[root] = 0
    kept = 0
    for node in range(root, used):
        if places[node] != NOTHING:
            places[node] = kept
            kept += 1
            if pool.opened[node]:
                child = pool.first[node]
                while child != NOTHING:
                    places[child] = 0
                    child = pool.sibling[child]
    for node in range(root, used):
        place = places[node]
        if place == NOTHING:
            continue
        _move_row(pool, node, place)
        if pool.opened[place]:
            pool.first[place] = places[pool.first[place]]
            pool.last[place] = places[pool.last[place]]
        if pool.sibling[place] != NOTHING:
            pool.sibling[place] = places[pool.sibling[place]]
    pool.sibling[0] = NOTHING
    pool.used[0] = kept


@inner_kernel
def _move_row(pool: Pool, source: int, target: int) -> None:
    """Copy a node to another row."""
    pool.state[target] = pool.state[source]
    pool.visits[target] = pool.visits[source]
    pool.virtual[target] = pool.virtual[source]
    pool.utility[target] = pool.utility[source]
    pool.squares[target] = pool.squares[source]
    pool.value[target] = pool.value[source]
    pool.lead[target] = pool.lead[source]
    pool.moment[target] = pool.moment[source]
    pool.raw_utility[target] = pool.raw_utility[source]
    pool.raw_value[target] = pool.raw_value[source]
    pool.raw_lead[target] = pool.raw_lead[source]
    pool.raw_spread[target] = pool.raw_spread[source]
    pool.mass[target] = pool.mass[source]
    pool.edges[target] = pool.edges[source]
    pool.opened[target] = pool.opened[source]
    pool.first[target] = pool.first[source]
    pool.last[target] = pool.last[source]
    pool.sibling[target] = pool.sibling[source]
    for edge in range(pool.edges[source]):
        pool.moves[target, edge] = pool.moves[source, edge]
        pool.priors[target, edge] = pool.priors[source, edge]
    for point in range(pool.ownership.shape[1]):
        pool.ownership[target, point] = pool.ownership[source, point]
