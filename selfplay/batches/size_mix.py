"""Batches of several board sizes: each batch is of one size, drawn by its share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TypeVar

import numpy as np

from cnncore.data.data_error import DataError
from selfplay.batches.positions import PackedBatch, Positions
from selfplay.batches.streaming import stream_batches

T = TypeVar("T")

_SALT = 9
"""Keeps the draw of a batch's size apart from the draw of its positions."""


class SizeMix:
    """Positions by the share of the batches that each gets; those of an archive differ in size.

    Batch `b` of a stream is a pure function of (seed, b), as with `Positions` of one size.

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

    def random_batch(
        self, count: int, *, seed: int, number: int, part: int = 0, parts: int = 1
    ) -> PackedBatch:
        """Return batch `number` of the stream of `seed`, see `Positions.random_batch`."""
        chosen = self.pick(seed=seed, number=number)
        return chosen.random_batch(count, seed=seed, number=number, part=part, parts=parts)

    def stream(
        self,
        count: int,
        *,
        seed: int,
        prepare: Callable[[PackedBatch], T],
        first: int = 0,
        part: int = 0,
        parts: int = 1,
        workers: int = 1,
        ahead: int = 4,
    ) -> Generator[T, None, None]:
        """Return batches `first`, `first + 1`, ... without end, see `Positions.stream`."""
        make = partial(self.random_batch, count, seed=seed, part=part, parts=parts)
        largest = max(self.positions, key=lambda positions: positions.size)
        example = partial(largest.random_batch, count, seed=seed, part=part, parts=parts)
        return stream_batches(
            make, example=example, prepare=prepare, first=first, workers=workers, ahead=ahead
        )
