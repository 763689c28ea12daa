"""How weakly a move is chosen, and one scale from the weakest choice to the strongest.

A `Style` has several means of being weaker: a flatter policy, moves that are not seen, moves that
cost points, a shorter search. They change together along one `level`, so that a table needs one
number for each rank, and matches can say which.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields

import numpy as np

from goengine.players.settings import Settings
from goengine.types import GoError


@dataclass(frozen=True)
class Style:
    """How a move is chosen.

    Raises:
        GoError: a value that makes no sense.
    """

    heat: float = 0.0
    """Temperature of the policy, or of a search's visits; 0 takes the best move that is seen."""
    sight: float = 1.0
    """Share of the legal moves that are seen, drawn anew for each move."""
    overlook: float = 0.0
    """Probability that the surroundings of the last move are not looked at either."""
    plausible: float = 0.004
    """Share of the best move's probability below which a move is not thought of."""
    most_lost: float = 0.0
    """Points that a move may lose at the most, by the network one move later or by the search."""
    visits: int = 1
    """Positions that a search looks at; 1 is no search."""
    resign: float = 20.0
    """Points behind on 19x19 from which a lost game is given up; fewer on smaller boards."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 < self.sight <= 1 or not 0 <= self.overlook <= 1:
            raise GoError(f"{self} is not possible: sight is a share above 0, overlook from 0 to 1")
        if self.heat < 0 or self.most_lost < 0 or self.visits < 1:
            raise GoError(f"{self} is not possible: use heat and points from 0, visits from 1")


_LEVELS = (0.0, 6.0, 10.0, 14.0, 18.0, 22.0, 25.0, 28.0, 31.0, 34.0)
_ALONG = {
    "heat": (8.0, 4.0, 2.5, 1.7, 1.25, 0.9, 0.4, 0.0, 0.0, 0.0),
    "sight": (0.10, 0.25, 0.40, 0.60, 0.75, 0.88, 0.96, 1.0, 1.0, 1.0),
    "overlook": (0.50, 0.35, 0.25, 0.15, 0.10, 0.05, 0.02, 0.0, 0.0, 0.0),
    "plausible": (0.0005, 0.002, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004),
    "most_lost": (90.0, 60.0, 45.0, 30.0, 20.0, 12.0, 8.0, 6.0, 5.0, 4.0),
    "resign": (99.0, 90.0, 70.0, 55.0, 45.0, 35.0, 30.0, 25.0, 22.0, 20.0),
}
"""The means of being weaker at the knots of the scale."""
READS_FROM = 28.0
"""The level from which a search begins: below, the policy alone proposes."""
DOUBLING = 1.0
"""Levels in which the visits of the search double."""
FEWEST_VISITS = 4
MOST_LEVEL = 36.0
"""The strongest end of the scale."""


def style_at(level: float) -> Style:
    """Return the style at a level from 0, the weakest, to `MOST_LEVEL`.

    Raises:
        GoError: the level is off the scale.
    """
    if not 0 <= level <= MOST_LEVEL:
        raise GoError(f"level {level:g} is off the scale: use 0 to {MOST_LEVEL:g}")
    visits = 1
    if level > READS_FROM:
        visits = round(FEWEST_VISITS * 2 ** ((level - READS_FROM) / DOUBLING))
    place = min(level, _LEVELS[-1])
    after = min(bisect_right(_LEVELS, place), len(_LEVELS) - 1)
    values = {
        name: float(np.interp(place, _LEVELS[after - 1 : after + 1], knots[after - 1 : after + 1]))
        for name, knots in _ALONG.items()
    }
    return Style(visits=visits, **values)


@dataclass(frozen=True)
class RankedSettings(Settings):
    """What an opponent of a rank plays by.

    Raises:
        GoError: a value that makes no sense.
    """

    rank: str = "8k"
    """The rank, 20k to 3d."""
    think_least: float = 0.0
    """Seconds that it seems to think about a move at the least."""
    think_most: float = 0.0
    """Seconds that it seems to think at the most, the clock allowing it."""
    resigns: bool = True
    """Whether it gives up games that are hopeless for its rank."""
    style: Style | None = None
    """How it chooses; None is what the table of ranks says for the size of the board."""

    @property
    def reads(self) -> bool:
        """Whether it has a tree, which it uses for endings and, if it is strong, for its moves."""
        return True

    @property
    def explains(self) -> bool:
        """Whether it shows what it thinks of its own moves: a partner does not."""
        return False

    def limits(self, seconds: float | None = None) -> tuple[int | None, float | None]:
        """Return the visits and the seconds of a look at a position for a person who asks."""
        return HINT_VISITS, seconds

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 0 <= self.think_least <= self.think_most:
            raise GoError(
                f"{self.think_least:g} to {self.think_most:g} seconds of thinking make no sense: "
                "use two numbers from 0, the smaller one first"
            )


HINT_VISITS = 100
"""Positions that a hint or an analysis by a ranked player looks at, at full strength."""


def style_names() -> tuple[str, ...]:
    """Return the names of the means of being weaker."""
    return tuple(field.name for field in fields(Style))
