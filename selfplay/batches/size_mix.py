"""Which archive and board size each batch is of: one of both, drawn by its share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cnncore.data.data_error import DataError
from selfplay.batches.positions import Positions

_SALT = 9
"""Keeps the draw of a batch's size apart from the draw of its positions."""


class SizeMix:
    """Positions by the share of the batches that each gets; those of an archive differ in size.

    Which of them batch `b` of a stream is of is a pure function of (seed, b).

    Raises:
        DataError: there are none, two have one size, or a share is not positive.
    """

    def __init__(self, shares: Mapping[Positions, float]) -> None:
        self.positions = list(shares)
        sizes = [positions.size for positions in self.positions]
        kinds = {(positions.archive.digest, positions.size) for positions in self.positions}
        if not sizes or len(kinds) != len(sizes):
            raise DataError(
                f"boards of sizes {sizes}: give each archive and each size once, and one at least"
            )
        if min(shares.values()) <= 0:
            raise DataError(f"shares {list(shares.values())}: every share must be above 0")
        total = sum(shares.values())
        self.shares = [share / total for share in shares.values()]
        """The share of each of `positions`; they sum to 1."""
        self._ends = np.cumsum(list(shares.values())) / total

    def pick(self, *, seed: int, number: int) -> Positions:
        """Return the positions that batch `number` of the stream of `seed` is drawn from."""
        fraction = np.random.default_rng([seed, number, _SALT]).random()
        return self.positions[int(np.searchsorted(self._ends[:-1], fraction, side="right"))]
