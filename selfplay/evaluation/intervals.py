"""Shares and means over positions with their 95 % intervals, and how both are written.

Positions of one game are not independent: the variance of every mean is taken over games (Liang &
Zeger 1986), and shares get Wilson's interval for as many independent positions as that leaves. A
single game says nothing about others, so positions of one game get no interval. A few games say
little, so their quantiles are those of Student's distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.statistics import Z95, student95, wilson_interval

Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]

ALONE = "one game"
"""Written in the place of an interval where all positions are of one game."""


@dataclass(frozen=True)
class Share:
    """A share of positions with its 95 % interval."""

    value: float
    """The share, 0 ... 1."""
    low: float | None
    """Lower end of the interval; None where all positions are of one game."""
    high: float | None
    """Upper end of the interval."""
    count: int
    """Number of positions."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None where all positions are of one game."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def share_of(hits: int, count: int, *, design: float = 1.0, z: float = Z95) -> Share:
    """Return hits / count with its 95 % interval; count > 0.

    `design` is how many dependent positions are worth one independent one, `z` how many standard
    errors an interval reaches to either side.
    """
    independent = max(1, round(count / max(design, 1.0)))
    low, high = wilson_interval(hits / count * independent, independent, z=z)
    return Share(hits / count, low, high, count)


def share_over_games(hits: Mask, games: Index) -> Share:
    """Return the share of hits (N,) among positions that lie in games (N,); N > 0.

    Where all are hits, or none is, nothing shows how alike the positions of a game are: then a
    whole game is worth one position.
    """
    value, count = float(hits.mean()), len(hits)
    error, number = _over_games(hits.astype(np.float64), games)
    if error is None:
        return Share(value, None, None, count)
    alone = value * (1 - value) / count
    design = error**2 / alone if alone else count / number
    return share_of(int(hits.sum()), count, design=design, z=student95(number - 1))


def standard_error(values: Floats, games: Index) -> float | None:
    """Return the standard error of the mean of values (N,) in games (N,); None of one game."""
    return _over_games(values, games)[0]


def _over_games(values: Floats, games: Index) -> tuple[float | None, int]:
    """Return the standard error of a mean (None of one game), and how many games it is over."""
    _, game = np.unique(games, return_inverse=True)
    sums = np.bincount(game, weights=values - values.mean())
    number = len(sums)
    if number < 2:
        return None, number
    return float(math.sqrt((sums**2).sum() * number / (number - 1)) / len(values)), number


def half_interval(values: Floats, games: Index) -> float | None:
    """Return half of the 95 % interval of the mean of values (N,) in games (N,), if it has one."""
    error, number = _over_games(values, games)
    return None if error is None else student95(number - 1) * error


def sign(value: float, error: float | None) -> int:
    """Return -1 or 1 where a difference with half an interval is surely not 0, else 0."""
    if error is None or abs(value) <= error:
        return 0
    return -1 if value < 0 else 1


def plus_minus(error: float | None, digits: int, *, scale: float = 1.0) -> str:
    """Return half an interval times `scale` as text, "± 0.12" for instance."""
    return f"({ALONE})" if error is None else f"± {scale * error:.{digits}f}"


def bracketed(share: Share, digits: int) -> str:
    """Return a share in per cent with its interval, "42.8 % [41.1, 44.6]" for instance."""
    ends = share.interval
    inner = ALONE if ends is None else ", ".join(f"{100 * end:.{digits}f}" for end in ends)
    return f"{100 * share.value:.2f} % [{inner}]"
