"""The root's own conditions: bans, noise, width, a pass that is looked at, pointless moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.scoring.regions import neighbours
from goengine.search.expansion import PASS_BACK, pass_share, utility_of
from goengine.search.pool import EDGES, EXPANDED, Pool, new_node

NOISE_TOTAL = 10.83
"""Sum of the Dirichlet noise's parameters: 0.03 for each point of 19x19 (Silver et al. 2017)."""
WIDENING = 4.0
"""How much an extra width of the root flattens its priors."""
SURE = 0.95
"""Ownership from which a move on a point is inside settled territory."""
ENDING_BONUS = 0.5
"""Points that such a move is thought to cost, so that the game ends."""
KEPT_PRIOR = 1e-4
"""Prior of a move that was looked at but that the root's new evaluation does not name."""

Masks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RootConditions:
    """What a search is asked for besides a position."""

    bans: tuple[tuple[int, frozenset[int], int], ...] = ()
    """(colour, moves, until): not searched for that colour in the first `until` moves."""
    width: float = 0.0
    """How much more widely the root's moves are looked at."""
    noise: float = 0.0
    """Share of random (Dirichlet) noise in the root's priors."""
    pass_prior: float = 0.0
    """Prior of a pass at the least, where more than the network says that all is settled."""

    @property
    def depth(self) -> int:
        """Return how many moves behind the root the bans reach."""
        return max((until for _, _, until in self.bans), default=0)

    def allowed(self, colour: int, depth: int, size: int) -> Masks:
        """Return bool (N*N + 1,): the moves that no ban forbids, `depth` moves behind the root."""
        mask = np.ones(size * size + 1, dtype=np.bool_)
        for whose, moves, until in self.bans:
            if whose == colour and depth < until:
                mask[[move for move in moves if 0 <= move < len(mask)]] = False
        return mask


PLAIN_ROOT = RootConditions()


class RootOrder(NamedTuple):
    """What the arrangement of a root decides besides its edges."""

    bonus: npt.NDArray[np.float64]  # (EDGES,) added to utilities where edges are compared
    least: int  # so many first edges are visited at any rate


def plant_root(
    pool: Pool,
    ownership: npt.NDArray[np.int8],
    utility: float,
    value: float,
    lead: float,
    spread: float,
) -> None:
    """Make row 0 of an empty pool by an evaluation for the player to move, without edges yet."""
    new_node(pool)
    pool.state[0] = EXPANDED
    pool.ownership[0] = ownership
    pool.visits[0] = 1
    pool.utility[0] = pool.raw_utility[0] = utility
    pool.squares[0] = utility * utility
    pool.value[0] = pool.raw_value[0] = value
    pool.lead[0] = pool.raw_lead[0] = lead
    pool.moment[0] = lead * lead + spread * spread
    pool.raw_spread[0] = spread


def arrange_root(
    pool: Pool,
    board: Board,
    answer: Any,
    conditions: RootConditions,
    *,
    recent: float,
    share: float,
    rng: np.random.Generator,
) -> RootOrder:
    """Give row 0 its edges in order by an evaluation of it, ANSWER_DTYPE; opened ones stay first.

    `recent`: what the mover's lead was lately; `share` as for `utility_of`.
    """
    area = board.size**2
    moves, priors = _priors(board, answer, conditions, rng)
    opened = int(pool.opened[0])
    old = {int(pool.moves[0, k]): float(pool.priors[0, k]) for k in range(opened)}
    named = dict(zip(moves, priors, strict=True))
    tail = [move for move in moves if move not in old]
    share_of_pass = named.get(area, 0.0)
    forced = area in named and (board.passes > 0 or share_of_pass > PASS_BACK)
    if forced and area in tail:
        tail.remove(area)
        tail.insert(min(len(tail), max(0, 1 - opened)), area)
    order = [*old, *tail][:EDGES]
    count = len(order)
    pool.moves[0, :count] = order
    pool.priors[0, :count] = [
        named[move] if move in named else min(KEPT_PRIOR, old[move]) for move in order
    ]
    pool.edges[0] = count
    pool.mass[0] = pool.priors[0, :opened].sum()
    least = min(2, len(order))
    if forced and area in order:
        least = max(least, order.index(area) + 1)
    bonus = np.zeros(EDGES)
    points = np.flatnonzero(np.abs(answer["ownership"][:area]) > SURE * 127)
    if len(points):
        cost = _half_point(pool, recent, share, area)
        settled = set(points.tolist())
        for edge, move in enumerate(order):
            if move in settled and _is_pointless(board, move):
                bonus[edge] = -cost
    return RootOrder(bonus, least)


def _priors(
    board: Board, answer: Any, conditions: RootConditions, rng: np.random.Generator
) -> tuple[list[int], list[float]]:
    """Return the root's moves, the pass among them, and their priors, the likeliest first."""
    area = board.size**2
    legal = board.legal() & conditions.allowed(board.to_play, 0, board.size)
    count = int(answer["count"])
    moves = answer["moves"][:count].astype(np.int64)
    kept = legal[moves]
    moves, priors = moves[kept], answer["priors"][:count][kept].astype(np.float64)
    if legal[area] or not len(moves):
        share = 1.0
        if len(moves):
            share = float(pass_share(answer["ownership"], area, board.passes))
            share = max(share, conditions.pass_prior)
        moves = np.append(moves, area)
        priors = np.append(priors * (1 - share), share)
    if conditions.width > 0:
        priors = priors ** (1 / (WIDENING * conditions.width + 1))
    priors = priors / max(float(priors.sum()), 1e-12)
    if conditions.noise > 0:
        random = rng.dirichlet(np.full(len(moves), NOISE_TOTAL / len(moves)))
        priors = (1 - conditions.noise) * priors + conditions.noise * random
    order = np.argsort(-priors, kind="stable")
    return moves[order].tolist(), priors[order].tolist()


def _half_point(pool: Pool, recent: float, share: float, area: int) -> float:
    """Return what the ending bonus is worth in utility at the root, the win chance included."""
    lead = float(pool.raw_lead[0])
    scale = max(0.5, float(pool.raw_spread[0])) * np.sqrt(3.0) / np.pi
    worth = [
        float(utility_of(float(np.tanh(points / scale / 2)), points, recent, area, share))
        for points in (lead, lead - ENDING_BONUS)
    ]
    return max(0.0, worth[0] - worth[1])


def _is_pointless(board: Board, move: int) -> bool:
    """Tell whether a move inside settled territory captures nothing and connects nothing."""
    if move == board.size**2:
        return False
    after = board.copy()
    after.play(move)
    if after.captures != board.captures:
        return False
    grid = board.grid.ravel()
    beside = [near for near in neighbours(board.size)[move] if grid[near] == board.to_play]
    return len({board.chain(near)[0] for near in beside}) < 2
