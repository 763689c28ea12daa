"""How often each move of an archive is learnt: newer games and chosen ranks more than others.

Only the share of the draws is weighted, never the loss, so that a batch stays what it was and
held-out positions stay comparable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cnncore.data.data_error import DataError
from goengine.types import BLACK, WHITE
from selfplay.archive.reader import Archive

UNKNOWN = "unknown"
"""The name by which moves of unknown rank are weighted."""

_ODD = 0.001  # share of the games whose dates are disregarded if they lie in the future


@dataclass(frozen=True)
class Weighting:
    """How the moves of a source share its draws; without arguments all alike.

    Moves of a colour that is not to be learnt have weight 0.
    """

    recency: float = 0.0
    """Half-life in years: a game that is so much older is learnt half as often; 0 turns it off.

    Age counts from the newest year of the archive, one date in a thousand aside. Games without a
    date count as old as the oldest one with a date.
    """
    ranks: Mapping[str, float] = field(default_factory=dict)
    """Weight of a move by its player's rank as the archive writes it: "9p", "6d", "unknown".

    Ranks that are not named are left out; an empty mapping weighs all alike.
    """

    def of_moves(
        self, archive: Archive, games: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return float64 (G,) twice: what each of the moves 1, 3, 5, ... and 2, 4, 6, ... weighs.

        Raises:
            DataError: a rank that the archive does not have.
        """
        table = archive.games[games]
        age = self._of_years(archive.games["year"])[games]
        by_rank = self._of_ranks(archive.ranks)
        learn = archive.learn[games]
        black = age * by_rank[table["black_rank"]] * ((learn & BLACK) != 0)
        white = age * by_rank[table["white_rank"]] * ((learn & WHITE) != 0)
        begins = table["first"] == BLACK
        return np.where(begins, black, white), np.where(begins, white, black)

    def _of_years(self, years: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        known = np.sort(years[years > 0])
        if not self.recency or not len(known):
            return np.ones(len(years))
        newest = known[int((1.0 - _ODD) * (len(known) - 1))]
        dated = np.where(years > 0, years, known[0]).astype(np.float64)
        ages = np.maximum(0.0, float(newest) - dated)
        weights: npt.NDArray[np.float64] = np.exp2(-ages / self.recency)
        return weights

    def _of_ranks(self, names: list[str]) -> npt.NDArray[np.float64]:
        """Return float64, the weight of each number into the archive's ranks."""
        if not self.ranks:
            return np.ones(len(names))
        named = [name or UNKNOWN for name in names]
        absent = sorted(set(self.ranks) - set(named))
        if absent:
            raise DataError(
                f"no rank {absent[0]!r} in the archive; it has {', '.join(sorted(named)[:40])}"
            )
        return np.array([self.ranks.get(name, 0.0) for name in named])
