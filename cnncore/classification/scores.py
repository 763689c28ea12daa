"""How well classifiers do: class probabilities of samples, ensembles, top-1, top-5, confusion."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cnncore.data.samples import DataError, HasLengths, Samples
from cnncore.system.devices import autocast, widest_float

# Numbers in one batch of inputs: 33 pictures of 3x224x224, all of a sentence's words.
_NUMBERS = 5_000_000
_LARGEST_BATCH = 500


@runtime_checkable
class TenCrops(Protocol):
    """Samples that can be seen in ten crops."""

    def ten_crops(self, index: Tensor) -> Tensor:
        """Return inputs (B, 10, C, H, W)."""


@dataclass(frozen=True)
class Score:
    """How well predictions fit."""

    count: int
    """How many samples were predicted."""
    loss: float
    """The mean cross-entropy."""
    top1: float
    """The share of the samples whose most probable class is right."""
    top5: float
    """The share of the samples whose class is among the five most probable."""
    confusion: Tensor
    """Counts, int64 (C, C): true classes in rows, predicted ones in columns."""

    @property
    def error(self) -> float:
        """The standard error of `top1`, as a binomial share."""
        return float((self.top1 * (1.0 - self.top1) / self.count) ** 0.5)


@torch.inference_mode()
def predict(
    model: nn.Module,
    samples: Samples,
    *,
    ten_crop: bool = False,
    precision: str = "float32",
    progress: bool = False,
    keep_bar: bool = True,
) -> Tensor:
    """Return the class probabilities of every sample, float64 (N, C), by a model in eval mode.

    With `ten_crop` they are means over the ten crops (Krizhevsky et al. 2012, section 4.1). With
    `progress` a bar on stderr shows how far it is; without `keep_bar` it goes at the end.

    Raises:
        DataError: crops are asked for, and the samples are not pictures.
    """
    look: Callable[[Tensor], Tensor] = samples.batch
    if ten_crop:
        if not isinstance(samples, TenCrops):
            raise DataError(
                "only pictures can be seen in ten crops; leave that out for other samples"
            )
        look = samples.ten_crops
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    order = torch.arange(len(samples))
    if isinstance(samples, HasLengths):
        order = samples.lengths.argsort(stable=True)
    found: list[Tensor] = []
    start, size = 0, 1
    with tqdm(
        total=len(samples),
        desc="measuring",
        unit="sample",
        disable=not progress,
        file=sys.stderr,
        leave=keep_bar,
    ) as bar:
        while start < len(samples):
            index = order[start : start + size]
            x = look(index)
            with autocast(device, precision):
                logits = model((x.flatten(0, 1) if ten_crop else x).to(device))
            shares = logits.to(widest_float(device)).softmax(dim=1).cpu().double()
            found.append(shares.unflatten(0, (-1, 10)).mean(dim=1) if ten_crop else shares)
            start += len(index)
            bar.update(len(index))
            size = max(1, min(_LARGEST_BATCH, _NUMBERS // max(1, x[0].numel())))
    model.train(training)
    return torch.cat(found)[order.argsort()]


def ensemble(probabilities: Sequence[Tensor]) -> Tensor:
    """Return the mean of several models' probabilities, (N, C) each.

    Raises:
        DataError: the models have different numbers of classes.
    """
    shapes = {tuple(each.shape) for each in probabilities}
    if len(shapes) != 1:
        raise DataError(
            f"an ensemble needs predictions of one shape, not {sorted(shapes)}; give models of the "
            "same classes"
        )
    return torch.stack(list(probabilities)).mean(dim=0)


def score(probabilities: Tensor, labels: Tensor) -> Score:
    """Return how well probabilities (N, C) fit labels, int64 (N,).

    Raises:
        DataError: a label lies beyond the classes, or there are no predictions.
    """
    count, classes = probabilities.shape
    if not count or int(labels.max()) >= classes:
        raise DataError(
            f"{count} predictions of {classes} classes cannot be measured with labels up to "
            f"{int(labels.max()) if count else 0}; give the data that the model was made for"
        )
    best = probabilities.topk(min(5, classes), dim=1).indices
    hits = best == labels[:, None]
    likelihood = probabilities.gather(1, labels[:, None])[:, 0]
    pairs = labels * classes + best[:, 0]
    return Score(
        count=count,
        loss=float(-likelihood.clamp_min(1e-300).log().mean()),
        top1=float(hits[:, 0].double().mean()),
        top5=float(hits.any(dim=1).double().mean()),
        confusion=torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes),
    )


def measure(
    model: nn.Module, samples: Samples, *, precision: str = "float32", progress: bool = False
) -> dict[str, float]:
    """Return "loss", "top1" and "top5" of a model on samples, as a line of metrics has them."""
    shares = predict(model, samples, precision=precision, progress=progress, keep_bar=False)
    result = score(shares, samples.labels)
    return {"loss": result.loss, "top1": result.top1, "top5": result.top5}
