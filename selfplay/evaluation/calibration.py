"""Does a network's 60 % mean 60 %? The reliability table and its one-number summary.

Guo et al. 2017, "On calibration of modern neural networks", section 2: sort the answers into bins
by the probability of the first choice, and compare that with how often the first choice was right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from selfplay.evaluation.intervals import Floats, Index, Mask, Share, share_over_games

BINS = 10
"""Bins of equal width from 0 to 1."""


@dataclass(frozen=True)
class Bin:
    """Answers whose first choice had a probability between two bounds."""

    edges: tuple[float, float]
    """The bounds."""
    confidence: float
    """Mean probability of the first choice."""
    share: float
    """How often the first choice was right."""
    low: float | None
    """Lower end of the 95 % interval of `share`; None where all answers are of one game."""
    high: float | None
    """Upper end of that interval."""
    count: int
    """Number of answers."""

    @property
    def right(self) -> Share:
        """The share with its interval."""
        return Share(self.share, self.low, self.high, self.count)


def reliability(confidence: Floats, right: Mask, games: Index, *, bins: int = BINS) -> list[Bin]:
    """Return the bins that hold answers; confidence (N,) in 0 ... 1, right (N,), games (N,)."""
    number = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    table = []
    for index in range(bins):
        mine = number == index
        if mine.any():
            share = share_over_games(right[mine], games[mine])
            edges = (index / bins, (index + 1) / bins)
            mean = float(confidence[mine].mean())
            table.append(Bin(edges, mean, share.value, share.low, share.high, share.count))
    return table


def expected_calibration_error(table: Sequence[Bin]) -> float:
    """Return the mean distance of confidence and share, weighted by count; 0 is perfect."""
    total = sum(entry.count for entry in table)
    return sum(entry.count * abs(entry.confidence - entry.share) for entry in table) / max(total, 1)
