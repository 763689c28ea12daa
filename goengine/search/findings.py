"""What a tree says: its moves in order, their values and variations, the best one to play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.search.expansion import add_ownership
from goengine.search.pool import Pool, children

DEVIATIONS = 5.0
"""Standard errors that a move's lower confidence bound lies below its mean."""
PRIOR_VISITS, PRIOR_VARIANCE = 1.0, 2.0
"""At few visits a move's variance is taken for the largest there is: so many visits of so much."""
LEAST_SHARE = 0.15
"""Share of the most visits from which a move may be chosen for its bound."""
LEAST_VISITS = 3
"""And so many visits at the least, where the most visited move has them."""
BY_PRIOR = 2.0
"""Visits that the whole prior counts for where moves are ranked by visits."""
OWNERSHIP_CUT = 0.0005
"""Nodes with less than this share of the visits stand for the ownership of all behind them."""


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
    deviation: float
    """Standard deviation of the final score in points."""
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
    node: int
    """Its row."""


@dataclass(frozen=True)
class RootFinding:
    """The position itself, for the player to move."""

    visits: int
    winrate: float
    lead: float
    utility: float
    deviation: float
    """Standard deviation of the final score in points."""
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
        _deviation(pool, 0),
        (float(pool.raw_value[0]) + 1) / 2,
        float(pool.raw_lead[0]),
    )


def move_findings(
    pool: Pool,
    *,
    plies: int = 15,
    bonus: npt.NDArray[np.float64] | None = None,
    lcb: bool = True,
) -> list[MoveFinding]:
    """Return the visited moves of the root, the one to play first, then by visits and bound.

    The one to play has the best lower bound among those with a fair share of the visits; without
    `lcb` the most visits, its prior counted for a few. `bonus` (EDGES,): utilities added to the
    edges in that comparison, none where it is None.
    """
    found = []
    extra: dict[int, float] = {}
    for edge, child in enumerate(children(pool, 0)):
        if pool.visits[child]:
            found.append(_finding(pool, edge, child, plies))
            extra[child] = 0.0 if bonus is None else float(bonus[edge])
    if not found:
        return []

    def ranked(finding: MoveFinding) -> tuple[float, float]:
        by_visits = finding.visits + BY_PRIOR * finding.prior
        if lcb:
            return finding.bound + extra[finding.node], by_visits
        return by_visits, finding.bound

    most = max(finding.visits for finding in found)
    least = max(LEAST_SHARE * most, min(most, LEAST_VISITS))
    best = max((finding for finding in found if finding.visits >= least), key=ranked)
    rest = sorted(
        (finding for finding in found if finding is not best),
        key=lambda finding: (-finding.visits, -finding.bound),
    )
    return [best, *rest]


def visit_shares(pool: Pool, points: int) -> npt.NDArray[np.float64]:
    """Return float64 (N*N + 1,): the share of the visits behind each move of the root."""
    shares = np.zeros(points + 1)
    for edge, child in enumerate(children(pool, 0)):
        shares[pool.moves[0, edge]] = pool.visits[child]
    total = shares.sum()
    return shares / total if total else shares


def ownership_for_black(pool: Pool, node: int, black_moves: bool) -> npt.NDArray[np.float64]:
    """Return who owns each point on average behind a node, float64 (N*N,), 1 is Black's.

    `black_moves`: whether Black is to move at the node.
    """
    mean, _ = _ownership(pool, node)
    return mean if black_moves else -mean


def ownership_deviation(pool: Pool, node: int) -> npt.NDArray[np.float64]:
    """Return by how much the ownership of each point differs behind a node, float64 (N*N,).

    It is the standard deviation over all evaluations there.
    """
    mean, squares = _ownership(pool, node)
    return np.sqrt(np.maximum(0.0, squares - mean * mean))


def most_visited(found: Sequence[MoveFinding]) -> tuple[MoveFinding, int]:
    """Return the move with the most visits, and the visits of the next one."""
    first, *rest = sorted(found, key=lambda finding: -finding.visits)
    return first, max((finding.visits for finding in rest), default=0)


def _ownership(pool: Pool, node: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return mean and mean square of the ownership behind a node, for the player to move there."""
    mean, squares = np.zeros((2, pool.ownership.shape[1]))
    weights = np.empty(int(pool.used[0]))
    add_ownership(pool, node, OWNERSHIP_CUT, weights, mean, squares)
    return mean, squares


def _deviation(pool: Pool, node: int) -> float:
    """Return the standard deviation of the final score by all evaluations behind a node."""
    visits = int(pool.visits[node])
    mean = float(pool.lead[node]) / visits
    return float(np.sqrt(max(0.0, float(pool.moment[node]) / visits - mean * mean)))


def _finding(pool: Pool, edge: int, child: int, plies: int) -> MoveFinding:
    """Return what the tree says of one move of the root."""
    visits = int(pool.visits[child])
    utility = -float(pool.utility[child]) / visits
    error = _error(float(pool.squares[child]), utility, visits)
    winrate = (1 - float(pool.value[child]) / visits) / 2
    pv, behind = [int(pool.moves[0, edge])], [visits]
    node = child
    while len(pv) < plies:
        options = children(pool, node)
        if not options:
            break
        best = max(range(len(options)), key=lambda k: int(pool.visits[options[k]]))
        if not pool.visits[options[best]]:
            break
        pv.append(int(pool.moves[node, best]))
        node = options[best]
        behind.append(int(pool.visits[node]))
    return MoveFinding(
        move=int(pool.moves[0, edge]),
        prior=float(pool.priors[0, edge]),
        visits=visits,
        winrate=winrate,
        lead=-float(pool.lead[child]) / visits,
        deviation=_deviation(pool, child),
        utility=utility,
        bound=utility - DEVIATIONS * error,
        winrate_bound=winrate - DEVIATIONS * error / 2,
        pv=tuple(pv),
        pv_visits=tuple(behind),
        node=child,
    )


def _error(squares: float, mean: float, visits: int) -> float:
    """Return the standard error of a mean utility, with a prior of large variance."""
    variance = max(0.0, squares - visits * mean * mean) + PRIOR_VISITS * PRIOR_VARIANCE
    variance /= visits + PRIOR_VISITS
    return float(np.sqrt(variance / visits))
