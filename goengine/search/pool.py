"""The tree as arrays: nodes, their edges, and how the part that is still wanted moves together.

A node is a row of a few arrays. Its edges are its likeliest moves, sorted by prior downwards; those
that have been visited are always the first `opened` of them. No position is stored: a descent plays
its moves on a scratch board. Sums are for the player to move at the node, so a parent reads them
with the other sign.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import kernel

EDGES = 64
"""Moves of a node that are kept; those behind have priors that no search comes to."""
NOTHING = -1
"""No child yet."""

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
    raw_utility: npt.NDArray[np.float32]  # (M,) the node's own evaluation
    raw_value: npt.NDArray[np.float32]  # (M,)
    raw_lead: npt.NDArray[np.float32]  # (M,)
    raw_spread: npt.NDArray[np.float32]  # (M,) points
    mass: npt.NDArray[np.float32]  # (M,) sum of the opened edges' priors
    edges: npt.NDArray[np.int16]  # (M,)
    opened: npt.NDArray[np.int16]  # (M,)
    moves: npt.NDArray[np.int16]  # (M, EDGES)
    priors: npt.NDArray[np.float32]  # (M, EDGES)
    children: npt.NDArray[np.int32]  # (M, EDGES) rows, or NOTHING


_ROW = 1 + 2 * 4 + 4 * 8 + 5 * 4 + 2 * 2 + EDGES * (2 + 4 + 4)
"""Bytes of a node."""


def new_pool(nodes: int) -> Pool:
    """Return an empty pool with room for so many nodes; pages are touched when nodes are made."""

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
        raw_utility=of(np.float32),
        raw_value=of(np.float32),
        raw_lead=of(np.float32),
        raw_spread=of(np.float32),
        mass=of(np.float32),
        edges=of(np.int16),
        opened=of(np.int16),
        moves=of(np.int16, EDGES),
        priors=of(np.float32, EDGES),
        children=of(np.int32, EDGES),
    )


def nodes_within(megabytes: float) -> int:
    """Return how many nodes fit into so many megabytes (of 1,000,000 bytes)."""
    return max(1, int(megabytes * 1e6) // _ROW)


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
    pool.mass[node] = 0.0
    pool.edges[node] = 0
    pool.opened[node] = 0
    return int(node)


@kernel
def keep_subtree(pool: Pool, root: int, places: Any) -> None:
    """Move the nodes behind `root` to the front of the pool, `root` to row 0; drop all others.

    Children always lie behind their parents, so one pass over the rows moves every node to a row
    that is free already. `places` int32 (M,) is scratch.
    """
    used = pool.used[0]
    places[:used] = NOTHING
    places[root] = 0
    for node in range(root, used):
        if places[node] != NOTHING:
            for edge in range(pool.opened[node]):
                if pool.children[node, edge] != NOTHING:
                    places[pool.children[node, edge]] = 0
    kept = 0
    for node in range(root, used):
        if places[node] != NOTHING:
            places[node] = kept
            kept += 1
    for node in range(root, used):
        place = places[node]
        if place == NOTHING:
            continue
        _move_row(pool, node, place)
        for edge in range(pool.opened[place]):
            child = pool.children[place, edge]
            if child != NOTHING:
                pool.children[place, edge] = places[child]
    pool.used[0] = kept


@kernel
def _move_row(pool: Pool, source: int, target: int) -> None:
    """Copy a node to another row."""
    pool.state[target] = pool.state[source]
    pool.visits[target] = pool.visits[source]
    pool.virtual[target] = pool.virtual[source]
    pool.utility[target] = pool.utility[source]
    pool.squares[target] = pool.squares[source]
    pool.value[target] = pool.value[source]
    pool.lead[target] = pool.lead[source]
    pool.raw_utility[target] = pool.raw_utility[source]
    pool.raw_value[target] = pool.raw_value[source]
    pool.raw_lead[target] = pool.raw_lead[source]
    pool.raw_spread[target] = pool.raw_spread[source]
    pool.mass[target] = pool.mass[source]
    pool.edges[target] = pool.edges[source]
    pool.opened[target] = pool.opened[source]
    for edge in range(pool.edges[source]):
        pool.moves[target, edge] = pool.moves[source, edge]
        pool.priors[target, edge] = pool.priors[source, edge]
        pool.children[target, edge] = pool.children[source, edge]
