"""What a classifier learns from and is measured on: labelled samples, given out in batches.

Images (`images.image_samples`) and sentences (`text.words`) are both `Samples`; training and
evaluation know nothing more of them. Here are also the batches of a training run: a pure function
of seed and step, so that a resumed run sees what the uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnncore.data.data_error import DataError as DataError

_SORTED = 20


class Samples(Protocol):
    """Labelled samples: `labels` int64 (N,) index `classes`; `digest` is a SHA-256 of the data."""

    @property
    def labels(self) -> Tensor:
        """The class of every sample, int64 (N,)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the logits."""

    @property
    def digest(self) -> str:
        """SHA-256 of the data in hexadecimal, equal where the data are equal."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def batch(self, index: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return the model inputs (B, ...) of the samples `index`, int64 (B,).

        With `rng` they are as in training, with random augmentation; without as in evaluation.
        """

    def subset(self, index: Tensor) -> Self:
        """Return the samples `index`, int64 (n,), in that order, with the same classes."""


@runtime_checkable
class HasLengths(Protocol):
    """Samples of different lengths, which cost least in batches of like length."""

    @property
    def lengths(self) -> Tensor:
        """The length of every sample, int64 (N,)."""


@dataclass(frozen=True)
class LabelledBatch:
    """Model inputs (B, ...) and their labels, int64 (B,)."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)


def steps_per_epoch(samples: Samples, batch: int) -> int:
    """Return how many full batches an epoch has; a set smaller than one batch makes one."""
    return max(1, len(samples) // batch)


def epoch_batches(
    samples: Samples, batch: int, *, seed: int, first: int = 0
) -> Iterator[LabelledBatch]:
    """Yield the batches of a training run from step `first` on, without end.

    Each epoch is a new permutation; its rest that fills no batch is left out, which is another
    rest every time. Samples that have lengths are sorted by them within every `_SORTED` batches of
    the permutation, and the batches are permuted again. Order and augmentation depend on `seed`
    and the number of the step alone.
    """
    steps = steps_per_epoch(samples, batch)
    step = first
    while True:
        epoch = step // steps
        source = np.random.default_rng([seed, 0, epoch])
        order = source.permutation(len(samples))
        if isinstance(samples, HasLengths):
            order = _by_length(order, samples.lengths.numpy(), batch, source)
        for number in range(step % steps, steps):
            index = torch.from_numpy(order[number * batch : (number + 1) * batch])
            rng = np.random.default_rng([seed, 1, step])
            yield LabelledBatch(samples.batch(index, rng=rng), samples.labels[index])
            step += 1


def _by_length(
    order: NDArray[np.int64], lengths: NDArray[np.int64], batch: int, source: np.random.Generator
) -> NDArray[np.int64]:
    """Return the samples of an epoch's full batches, in batches of like length in random order."""
    order = order[: max(batch, len(order) // batch * batch)]
    chunks = [order[i : i + _SORTED * batch] for i in range(0, len(order), _SORTED * batch)]
    order = np.concatenate([chunk[lengths[chunk].argsort(kind="stable")] for chunk in chunks])
    if len(order) < 2 * batch:
        return order
    return source.permutation(order.reshape(-1, batch)).reshape(-1)


def k_fold(count: int, folds: int, *, seed: int) -> list[NDArray[np.int64]]:
    """Split 0..count-1 at random into `folds` parts of like size, each sorted."""
    order = np.random.default_rng([seed, 5]).permutation(count)
    return [np.sort(part) for part in np.array_split(order, folds)]


S = TypeVar("S", bound="Samples")


def hold_out(samples: S, share: float, *, seed: int) -> tuple[S, S]:
    """Split samples at random into (the rest, `share` of them); every class gives its share.

    Raises:
        DataError: either part would be empty.
    """
    rng = np.random.default_rng([seed, 2])
    labels = samples.labels.numpy()
    held: list[np.ndarray] = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held.append(members[: round(share * len(members))])
    chosen = np.sort(np.concatenate(held)) if held else np.zeros(0, np.int64)
    rest = np.setdiff1d(np.arange(len(labels)), chosen)
    if not len(chosen) or not len(rest):
        raise DataError(
            f"a share of {share} of {len(labels)} samples leaves nothing on one side; give more "
            "samples or another share (holdout in a recipe)"
        )
    return samples.subset(torch.from_numpy(rest)), samples.subset(torch.from_numpy(chosen))
