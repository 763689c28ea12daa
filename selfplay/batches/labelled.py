"""Batches of positions with what the ends of their games teach, from one archive or several.

Batch `b` of a stream is a pure function of (seed, b), as with positions alone: an archive and a
board size by their share, then positions of those. The labels are turned on the network's device,
as the planes are.

Torch is imported where tensors are made: the processes that make batches do without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from selfplay.batches.fixed_samples import Sample, fixed_sample
from selfplay.batches.labels import Floats, Labels, PositionLabels
from selfplay.batches.positions import Index, PackedBatch, Positions
from selfplay.batches.size_mix import SizeMix
from selfplay.batches.streaming import BatchStreams

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from selfplay.batches.packing import StagedBatch


@dataclass(frozen=True)
class LabelledBatch:
    """A packed batch of one process with its labels."""

    packed: PackedBatch
    """The positions, still to be turned."""
    labels: PositionLabels
    """What is known of them; ownership still to be turned."""
    totals: Floats
    """float32 (3,): how many positions teach value, lead and ownership in the batch of all
    processes."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.packed)


@dataclass(frozen=True)
class StagedLesson:
    """A labelled batch as tensors, all for the player to move."""

    positions: StagedBatch
    """The planes as bits, and the moves."""
    won: Tensor
    """float32 (B,): 1 won, 0 lost, 0.5 neither."""
    taught: Tensor
    """float32 (B,): 1 where the outcome teaches a value, else 0."""
    komi: Tensor
    """float32 (B,): points that the mover gives."""
    margin: Tensor
    """float32 (B,): points on the board before komi at the end."""
    counted: Tensor
    """float32 (B,): 1 where the margin is known, else 0."""
    ownership: Tensor
    """int8 (B, N * N): 1 the mover's, -1 the opponent's, 0 nobody's; still to be turned."""
    owned: Tensor
    """float32 (B,): 1 where the ownership is known, else 0."""
    totals: Tensor
    """float32 (3,), see LabelledBatch."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.positions)

    def to(self, device: torch.device) -> StagedLesson:
        """Return the batch on a device; the copies do not block."""
        tensors = (vars(self)[field.name] for field in fields(self)[1:])
        moved = (tensor.to(device, non_blocking=True) for tensor in tensors)
        return StagedLesson(self.positions.to(device), *moved)

    def owners(self) -> Tensor:
        """Return the ownership float32 (B, N * N), turned as the planes are."""
        from selfplay.batches.packing import turned

        return turned(self.ownership, self.positions.symmetries).float()


def stage_lesson(batch: LabelledBatch, *, pinned: bool = False) -> StagedLesson:
    """Return a labelled batch as tensors; `pinned` memory is for CUDA and is copied into."""
    import torch

    from selfplay.batches.packing import stage

    labels = batch.labels
    arrays = (
        (labels.winner.astype(np.float32) + 1) / 2,
        labels.weight,
        labels.komi,
        labels.margin,
        labels.counted.astype(np.float32),
        labels.ownership,
        labels.owned.astype(np.float32),
        batch.totals,
    )
    tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
    return StagedLesson(
        stage(batch.packed, pinned=pinned),
        *(tensor.pin_memory() if pinned else tensor for tensor in tensors),
    )


class LabelledMix(BatchStreams[LabelledBatch]):
    """Positions by the share of the batches that each gets, with the labels of their archives.

    An archive without an entry in `labels` teaches what its records say: no ownership.
    """

    def __init__(self, mix: SizeMix, labels: Sequence[Labels] = ()) -> None:
        self.mix = mix
        self._labels = {each.archive.digest: each for each in labels}
        for positions in mix.positions:
            archive = positions.archive
            if archive.digest not in self._labels:
                self._labels[archive.digest] = Labels(archive)

    def random_batch(
        self, count: int, *, seed: int, number: int, part: int = 0, parts: int = 1
    ) -> LabelledBatch:
        """Return batch `number` of the stream of `seed`, see `Positions.random_batch`."""
        positions = self.mix.pick(seed=seed, number=number)
        games, plies, turns = positions.drawn(count, seed=seed, number=number)
        return self._labelled(positions, games, plies, turns, part=part, parts=parts)

    def largest_batch(
        self, count: int, *, number: int, part: int = 0, parts: int = 1
    ) -> LabelledBatch:
        """Return a batch of the largest boards."""
        positions = max(self.mix.positions, key=lambda each: each.size)
        games, plies, turns = positions.drawn(count, seed=0, number=number)
        return self._labelled(positions, games, plies, turns, part=part, parts=parts)

    def fixed(
        self, count: int, *, batch: int, part: int = 0, parts: int = 1
    ) -> list[LabelledBatch]:
        """Return about `count` positions of the mix, always the same and not turned, in batches."""
        batches = []
        for positions, sample in self._samples(count):
            for start in range(0, len(sample), batch):
                chunk = slice(start, start + batch)
                games, plies = sample.games[chunk], sample.plies[chunk]
                batches.append(
                    self._labelled(positions, games, plies, None, part=part, parts=parts)
                )
        return [each for each in batches if len(each)]

    def positions_a_game(self, count: int) -> float:
        """Return how many of the positions of `fixed` one game has on average."""
        samples = [sample for _, sample in self._samples(count)]
        games = sum(len(np.unique(sample.games)) for sample in samples)
        return sum(map(len, samples)) / games

    def _samples(self, count: int) -> Iterator[tuple[Positions, Sample]]:
        """Yield the fixed positions of each part of the mix."""
        for positions, share in zip(self.mix.positions, self.mix.shares, strict=True):
            yield positions, fixed_sample(positions, max(1, round(share * count)))

    def _labelled(
        self,
        positions: Positions,
        games: Index,
        plies: Index,
        turns: Index | None,
        *,
        part: int,
        parts: int,
    ) -> LabelledBatch:
        labels = self._labels[positions.archive.digest]
        packed = positions.packed(games, plies, symmetries=turns, part=part, parts=parts)
        if parts == 1:
            mine = whole = labels.of(games, plies)
        else:
            mine, whole = labels.of(packed.games, packed.plies), labels.of(games, plies)
        totals = [whole.weight.sum(), whole.counted.sum(), whole.owned.sum()]
        return LabelledBatch(packed, mine, np.array(totals, dtype=np.float32))
