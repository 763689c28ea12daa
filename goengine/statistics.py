"""What a number of won games says: intervals for shares and Elo differences, ratings of many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Z95 = 1.959963984540054
"""Standard deviations on either side that hold 95 % of a normal distribution."""


def student95(freedom: int) -> float:
    """Return the standard errors on either side of a mean that hold 95 % when few values say so.

    The quantile 0.975 of Student's distribution with `freedom` (1 or more) degrees of freedom:
    exact for 1 and 2, else within 0.1 % by the Cornish-Fisher expansion (Abramowitz & Stegun 1964,
    26.7.5).
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom make no sense: use 1 or more")
    if freedom == 1:
        return math.tan(0.475 * math.pi)
    if freedom == 2:
        return 0.95 * math.sqrt(2 / (1 - 0.95**2))
    z = Z95
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    quantile = 0.0
    for term in reversed(terms):
        quantile = quantile / freedom + term
    return quantile


def wilson_interval(wins: float, games: int, *, z: float = Z95) -> tuple[float, float]:
    """Return the interval (low, high) of a share of wins; a draw is half a win.

    Wilson 1927: unlike wins/games plus or minus its error it stays inside 0 ... 1 and is right
    for few games and for shares near 0 or 1. No games give (0, 1).
    """
    if not 0 <= wins <= games:
        raise ValueError(f"{wins} wins of {games} games make no sense: use 0 to {games}")
    if games == 0:
        return 0.0, 1.0
    share = wins / games
    centre = share + z * z / (2 * games)
    half = z * math.sqrt(share * (1 - share) / games + z * z / (4 * games * games))
    scale = 1 + z * z / games
    low = 0.0 if wins == 0 else (centre - half) / scale
    high = 1.0 if wins == games else (centre + half) / scale
    return low, high


def elo_difference(share: float) -> float:
    """Return the Elo difference at which a player is expected to score this share of the points.

    Infinite at 0 and 1.
    """
    if share <= 0:
        return -math.inf
    if share >= 1:
        return math.inf
    return 400 * math.log10(share / (1 - share))


def elo_interval(wins: float, games: int, *, z: float = Z95) -> tuple[float, float, float]:
    """Return (Elo difference, low, high) from the Wilson interval of the wins."""
    low, high = wilson_interval(wins, games, z=z)
    share = wins / games if games else 0.5
    return elo_difference(share), elo_difference(low), elo_difference(high)


def format_share(wins: float, games: int) -> str:
    """Return for example `83.0 % (74.4 to 89.1)`: the share with its 95 % interval."""
    low, high = wilson_interval(wins, games)
    share = wins / games if games else 0.0
    return f"{100 * share:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def format_elo(wins: float, games: int) -> str:
    """Return for example `+275 (+185 to +365)`: the Elo difference with its 95 % interval."""
    middle, low, high = (
        f"{value:+.0f}" if math.isfinite(value) else f"{'+' if value > 0 else '-'}inf"
        for value in elo_interval(wins, games)
    )
    return f"{middle} ({low} to {high})"


ELO = 400 / math.log(10)
"""Elo points of one unit of natural log odds."""
PRIOR_DRAWS = 1.0
"""Draws that every pair of players is thought to have played besides, so that no rating is
infinite."""
_STEPS = 100


def fit_ratings(
    matches: Sequence[tuple[str, str, float, int]], *, anchor: str
) -> dict[str, tuple[float, float]]:
    """Return the Elo of every player above the anchor's, and its standard error.

    `matches`: (A, B, points of A, games), a draw half a point. The most likely ratings by Bradley
    and Terry 1952, PRIOR_DRAWS added to every pair that met, by Newton's method; errors from the
    information matrix, so they are those of the difference to the anchor.

    Raises:
        ValueError: the anchor did not play, or somebody has no chain of games to it.
    """
    pairs = [(a, b, points, games) for a, b, points, games in matches if games]
    names = sorted({name for a, b, _, _ in pairs for name in (a, b)})
    known = {anchor}
    for _ in names:
        known |= {x for a, b, _, _ in pairs if a in known or b in known for x in (a, b)}
    apart = sorted(set(names) - known)
    if anchor not in names or apart:
        raise ValueError(
            f"{', '.join(apart) or anchor} has no games that lead to {anchor}: play some"
        )
    place = {name: i for i, name in enumerate(names)}
    free = [place[name] for name in names if name != anchor]
    odds = np.zeros(len(names))
    for _ in range(_STEPS):
        slope, information = np.zeros(len(names)), np.zeros((len(names), len(names)))
        for a, b, points, games in pairs:
            i, j = place[a], place[b]
            count = games + PRIOR_DRAWS
            share = 1 / (1 + math.exp(odds[j] - odds[i]))
            extra = points + PRIOR_DRAWS / 2 - count * share
            weight = count * share * (1 - share)
            slope[[i, j]] += extra, -extra
            information[[i, j], [i, j]] += weight
            information[[i, j], [j, i]] -= weight
        some = information[np.ix_(free, free)]
        change = np.linalg.solve(some, slope[free])
        odds[free] += np.clip(change, -1, 1)
        if float(np.abs(change).max(initial=0.0)) < 1e-9:
            break
    errors = np.zeros(len(names))
    errors[free] = np.sqrt(np.diag(np.linalg.inv(some)))
    return {name: (ELO * float(odds[i]), ELO * float(errors[i])) for name, i in place.items()}
