"""What a tree says: its moves in order, their values and variations, the best one to play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.search.pool import NOTHING, Pool

LOGISTIC = float(np.pi / np.sqrt(3.0))
"""Standard deviation of a logistic distribution of scale 1."""
DEVIATIONS = 5.0
"""Standard errors that a move's lower confidence bound lies below its mean."""
PRIOR_VISITS, PRIOR_VARIANCE = 1.0, 2.0
"""At few visits a move's variance is taken for the largest there is: so many visits of so much."""
LEAST_SHARE = 0.15
"""Share of the most visits from which a move may be chosen for its bound."""


@dataclass(frozen=True)
class MoveFinding:
    """One move of the root; values are for the player who makes it."""

    move: int
    prior: float
    visits: int
    winrate: float
    """From 0 to 1."""
    lead: float
    """Points, komi counted."""
    utility: float
    """Win minus loss with shares of the score."""
    bound: float
    """Lower confidence bound of the utility."""
    winrate_bound: float
    """Lower confidence bound of the win rate."""
    pv: tuple[int, ...]
    """The move and the most visited ones behind it."""
    pv_visits: tuple[int, ...]
    """Visits behind each."""


@dataclass(frozen=True)
class RootFinding:
    """The position itself, for the player to move."""

    visits: int
    winrate: float
    lead: float
    utility: float
    deviation: float
    """Standard deviation of the final score in points, by the network."""
    raw_winrate: float
    raw_lead: float


def root_finding(pool: Pool) -> RootFinding:
    """Return what a tree says of its root."""
    visits = int(pool.visits[0])
    return RootFinding(
        visits,
        float(pool.value[0] / visits + 1) / 2,
        float(pool.lead[0] / visits),
        float(pool.utility[0] / visits),
        float(pool.raw_spread[0]) * LOGISTIC,
        (float(pool.raw_value[0]) + 1) / 2,
        float(pool.raw_lead[0]),
    )


def move_findings(pool: Pool, *, plies: int = 15) -> list[MoveFinding]:
    """Return the visited moves of the root, the one to play first, then by visits and bound."""
    found = [
        _finding(pool, edge, int(pool.children[0, edge]), plies)
        for edge in range(pool.opened[0])
        if pool.children[0, edge] != NOTHING and pool.visits[pool.children[0, edge]]
    ]
    if not found:
        return []
    most = max(finding.visits for finding in found)
    trusted = [finding for finding in found if finding.visits >= LEAST_SHARE * most]
    best = max(trusted, key=lambda finding: (finding.bound, finding.visits))
    rest = sorted(
        (finding for finding in found if finding is not best),
        key=lambda finding: (-finding.visits, -finding.bound),
    )
    return [best, *rest]


def visit_shares(pool: Pool, points: int) -> npt.NDArray[np.float64]:
    """Return float64 (N*N + 1,): the share of the visits behind each move of the root."""
    shares = np.zeros(points + 1)
    for edge in range(pool.opened[0]):
        child = pool.children[0, edge]
        if child != NOTHING:
            shares[pool.moves[0, edge]] = pool.visits[child]
    total = shares.sum()
    return shares / total if total else shares


def _finding(pool: Pool, edge: int, child: int, plies: int) -> MoveFinding:
    """Return what the tree says of one move of the root."""
    visits = int(pool.visits[child])
    utility = -float(pool.utility[child]) / visits
    error = _error(float(pool.squares[child]), utility, visits)
    winrate = (1 - float(pool.value[child]) / visits) / 2
    pv, behind = [int(pool.moves[0, edge])], [visits]
    node = child
    while len(pv) < plies:
        best = _most_visited(pool, node)
        if best is None:
            break
        pv.append(int(pool.moves[node, best]))
        node = int(pool.children[node, best])
        behind.append(int(pool.visits[node]))
    return MoveFinding(
        move=int(pool.moves[0, edge]),
        prior=float(pool.priors[0, edge]),
        visits=visits,
        winrate=winrate,
        lead=-float(pool.lead[child]) / visits,
        utility=utility,
        bound=utility - DEVIATIONS * error,
        winrate_bound=winrate - DEVIATIONS * error / 2,
        pv=tuple(pv),
        pv_visits=tuple(behind),
    )


def _error(squares: float, mean: float, visits: int) -> float:
    """Return the standard error of a mean utility, with a prior of large variance."""
    variance = max(0.0, squares - visits * mean * mean) + PRIOR_VISITS * PRIOR_VARIANCE
    variance /= visits + PRIOR_VISITS
    return float(np.sqrt(variance / visits))


def _most_visited(pool: Pool, node: int) -> int | None:
    """Return the edge with the most visits behind it, None where there are none."""
    best, most = None, 0
    for edge in range(pool.opened[node]):
        child = pool.children[node, edge]
        if child != NOTHING and pool.visits[child] > most:
            best, most = edge, int(pool.visits[child])
    return best
