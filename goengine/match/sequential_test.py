"""Ending a match as soon as it is clear: the sequential probability ratio test.

Wald 1945, "Sequential tests of statistical hypotheses" (Annals of Mathematical Statistics 16).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from goengine.types import GoError

ERROR = 0.05
"""Chance that a test decides for one side though the other one is true."""


@dataclass(frozen=True)
class SequentialTest:
    """Whether an engine wins at most `low` or at least `high` of its games, both shares.

    Raises:
        GoError: the shares are not between 0 and 1, or not in this order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse what cannot be tested."""
        if not 0 < self.low < self.high < 1:
            raise GoError(
                f"a test of {100 * self.low:g} % against {100 * self.high:g} % makes no sense: "
                "give two shares between 0 and 100, the smaller one first"
            )

    @property
    def bound(self) -> float:
        """The log-likelihood ratio at which the test decides, for `low` with a minus."""
        return math.log((1 - ERROR) / ERROR)

    def ratio(self, won: float, games: int) -> float:
        """Return the log-likelihood ratio of `high` against `low`; a draw is half a game won."""
        lost = games - won
        won_part = won * math.log(self.high / self.low)
        return won_part + lost * math.log((1 - self.high) / (1 - self.low))

    def decided(self, won: float, games: int) -> bool:
        """Tell whether no more games are needed."""
        return abs(self.ratio(won, games)) >= self.bound

    def sentence(self, won: float, games: int) -> str:
        """Return what these games say."""
        ratio = self.ratio(won, games)
        if not self.decided(won, games):
            outcome = "undecided"
        elif ratio > 0:
            outcome = f"at least {100 * self.high:g} %"
        else:
            outcome = f"at most {100 * self.low:g} %"
        return (
            f"SPRT, {100 * self.low:g} or {100 * self.high:g} %: {outcome} after {games} games, "
            f"log-likelihood ratio {ratio:.2f}, bounds ±{self.bound:.2f}"
        )


def in_order(points: Mapping[int, float]) -> tuple[float, int]:
    """Return (points, games) of the games that a test may look at, by number of the game.

    Those are the whole pairs of colours before the first one that is missing: what ends early in a
    batch would count too much otherwise. A game without a result counts half a point.
    """
    games = 0
    while games in points and games + 1 in points:
        games += 2
    return sum(points[number] for number in range(games)), games
