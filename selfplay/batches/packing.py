"""Packed batches on their way to the network: bits over the bus, planes and symmetries beyond it.

A position travels as one bit a plane and point, 2,166 bytes instead of 17,328. On the network's
device two gathers make planes of it: one takes each point's six bytes from where its symmetry says,
one turns every byte into eight zeros and ones. The result lies in memory as channels-last
convolutions want it, so nothing is transposed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from goengine.encoding.symmetry import move_table
from selfplay.batches.positions import NO_MOVE, PackedBatch


@dataclass(frozen=True)
class StagedBatch:
    """A packed batch as tensors, in pinned memory where the device copies from that by itself."""

    bits: Tensor
    """uint8 (B, N * N, 6)."""
    symmetries: Tensor
    """int64 (B,)."""
    moves: Tensor
    """int64 (B, 1 + future): moves as played."""
    known: Tensor
    """int64 (1 + future,), see PackedBatch."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.bits)

    def to(self, device: torch.device) -> StagedBatch:
        """Return the batch on a device; the copies do not block."""
        return StagedBatch(
            *(
                tensor.to(device, non_blocking=True)
                for tensor in (self.bits, self.symmetries, self.moves, self.known)
            )
        )


def stage(batch: PackedBatch, *, pinned: bool = False) -> StagedBatch:
    """Return a packed batch as tensors; `pinned` memory is for CUDA and is copied into."""
    arrays = (batch.bits, batch.symmetries, batch.moves, batch.known)
    tensors = [torch.from_numpy(array) for array in arrays]
    return StagedBatch(*(tensor.pin_memory() if pinned else tensor for tensor in tensors))


def unpack(batch: StagedBatch) -> tuple[Tensor, Tensor]:
    """Return planes uint8 (B, 48, N, N), channels last, and moves (B, 1 + future), both turned.

    Computed on the batch's device; a move that is not to be learnt stays NO_MOVE.
    """
    device = batch.bits.device
    count, points, width = batch.bits.shape
    size = math.isqrt(points)
    sources, targets, octets = _tables(device, size)
    first = torch.arange(count, device=device)[:, None] * points
    rows = (first + sources[batch.symmetries]).view(-1)
    words = batch.bits.view(torch.int16).view(count * points, -1)  # three move faster than six
    flat = words.index_select(0, rows).view(torch.uint8).view(-1).int()
    planes = octets.index_select(0, flat).view(torch.uint8).view(count, size, size, 8 * width)
    return planes.permute(0, 3, 1, 2), targets[batch.symmetries[:, None], batch.moves]


def turned(points: Tensor, symmetries: Tensor) -> Tensor:
    """Return what belongs to points (B, N * N), turned as `unpack` turns the planes."""
    sources, _, _ = _tables(points.device, math.isqrt(points.shape[1]))
    return points.gather(1, sources[symmetries])


@lru_cache(maxsize=64)
def _tables(device: torch.device, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return (sources, targets, octets) for a board size on a device.

    sources: int64 (8, N * N), the point whose content each symmetry brings to a point.
    targets: int64 (8, N * N + 1), where it takes a move; the last entry, which is also entry
    NO_MOVE, is NO_MOVE. octets: int64 (256,), each byte's bits as eight bytes in memory, lowest
    bit first.
    """
    to = move_table(size)[:, :-1].astype(np.int64)
    sources = np.argsort(to, axis=1)
    targets = np.concatenate([to, np.full((len(to), 1), NO_MOVE)], axis=1)
    every = np.arange(256, dtype=np.uint8)[:, None]
    octets = np.unpackbits(every, axis=1, bitorder="little").view(np.int64)[:, 0]
    return (
        torch.from_numpy(sources).to(device),
        torch.from_numpy(targets).to(device),
        torch.from_numpy(octets.copy()).to(device),
    )
