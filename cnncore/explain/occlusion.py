"""Occlusion: how the answer changes when parts of the input are covered.

Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2: a grey
square slides over the image, and for each of its places the probability of the class and the
activity of a feature map are noted. A network that knows the object by the object loses it where
the object is covered. Words of a sentence are covered one by one in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnncore.explain.layer_outputs import check_unit, evaluating, last_output, watched
from cnncore.models.classics.kim_cnn import PADDING
from cnncore.models.classifier import Preset

GREY = 0.5


@dataclass(frozen=True)
class OcclusionMaps:
    """What the model says with the square at each place: maps (rows, columns), a step a value."""

    probability: Tensor
    """The probability of the class `target`."""
    answer: Tensor
    """The most probable class."""
    activity: Tensor | None
    """The sum over the map of a channel; None if no layer was watched."""
    target: int
    unit: int | None
    """The number of that channel."""
    plain: float
    """The probability of `target` with nothing covered."""
    plain_activity: float | None
    """The sum over the map with nothing covered."""
    square: int
    """The side of the square, in points."""
    stride: int
    """Points between two places of the square."""


def grey(preset: Preset) -> Tensor:
    """Return middle grey (C, 1, 1) as a model of this preset reads it."""
    mean, std = torch.tensor(preset.mean), torch.tensor(preset.std)
    return ((GREY - mean) / std)[:, None, None]


@torch.no_grad()
def occlude(
    model: nn.Module,
    image: Tensor,
    *,
    fill: Tensor | float = 0.0,
    target: int | None = None,
    layer: str | None = None,
    unit: int | None = None,
    square: int | None = None,
    stride: int | None = None,
    batch: int = 16,
) -> OcclusionMaps:
    """Slide a square over an image and note what the model says at each place.

    Image (C, H, W) as the model reads it; the square of side `square` points (a fifth of the image
    if not given) filled with `fill` (see `grey`) moves `stride` points at a time (a third of its
    side), and ends at the edge in the last row and column. `target` is a class, by default the most
    probable one; `layer` a module whose channel `unit` is noted as well, by default the strongest
    one on the plain image.

    Raises:
        LayerError: the model does not have this layer or unit.
        ValueError: the target, square or stride does not fit.
    """
    height, width = image.shape[1:]
    side = max(1, min(height, width) // 5) if square is None else square
    step = max(1, side // 3) if stride is None else stride
    if not 1 <= side <= min(height, width) or step < 1:
        raise ValueError(
            f"a square of {side} that moves by {step} cannot slide over {height}x{width} points; "
            f"give 1 to {min(height, width)} and at least 1"
        )
    rows, columns = (_starts(length, side, step) for length in (height, width))
    places = [(row, column) for row in rows for column in columns]
    with evaluating(model):
        shares, sums = _shares_and_sums(model, image[None], layer)
        target = _class(shares, target)
        if layer is not None:
            unit = int(sums[0].argmax()) if unit is None else unit
            check_unit(sums, layer, unit)
        said: list[Tensor] = []
        active: list[Tensor] = []
        for first in range(0, len(places), batch):
            covered = [_covered(image, at, side, fill) for at in places[first : first + batch]]
            probabilities, activities = _shares_and_sums(model, torch.stack(covered), layer)
            said.append(probabilities)
            active.append(activities)
    watched_unit = None if layer is None else unit
    probability, shape = torch.cat(said), (len(rows), len(columns))
    activity = None if watched_unit is None else torch.cat(active)[:, watched_unit].reshape(shape)
    return OcclusionMaps(
        probability=probability[:, target].reshape(shape),
        answer=probability.argmax(1).reshape(shape),
        activity=activity,
        target=target,
        unit=watched_unit,
        plain=float(shares[0, target]),
        plain_activity=None if watched_unit is None else float(sums[0, watched_unit]),
        square=side,
        stride=step,
    )


@torch.no_grad()
def occlude_words(model: nn.Module, words: Tensor, *, target: int | None = None) -> Tensor:
    """Return how much of the probability of a class each word of a sentence carries, (T,).

    Words int64 (T,) as the model reads them; each in turn is replaced by padding, whose vector is
    zero, and the loss of probability of class `target` (the most probable one) is noted: positive
    for words that speak for the class, negative for those against it.

    Raises:
        ValueError: the model does not have this class.
    """
    covered = words.repeat(len(words), 1).fill_diagonal_(PADDING)
    with evaluating(model):
        plain, _ = _shares_and_sums(model, words[None], None)
        target = _class(plain, target)
        shares, _ = _shares_and_sums(model, covered, None)
    return plain[0, target] - shares[:, target]


def _shares_and_sums(model: nn.Module, inputs: Tensor, layer: str | None) -> tuple[Tensor, Tensor]:
    """Return class probabilities (B, classes), and the sums of each map of a layer (B, units)."""
    if layer is None:
        return model(inputs).softmax(1), inputs.new_empty(len(inputs), 0)
    with watched(model, layer) as outputs:
        shares = model(inputs).softmax(1)
    output = last_output(outputs, layer)
    return shares, output.flatten(2).sum(2) if output.ndim > 2 else output


def _class(shares: Tensor, target: int | None) -> int:
    """Return the class that was asked for, or the most probable one."""
    if target is None:
        return int(shares[0].argmax())
    if not 0 <= target < shares.shape[1]:
        raise ValueError(f"class {target} is not one of 0 to {shares.shape[1] - 1}")
    return target


def _starts(length: int, side: int, stride: int) -> list[int]:
    """Return where the square begins along one edge; the last one ends where the edge does."""
    last = length - side
    return [*range(0, last, stride), last]


def _covered(image: Tensor, place: tuple[int, int], side: int, fill: Tensor | float) -> Tensor:
    covered = image.clone()
    top, left = place
    covered[:, top : top + side, left : left + side] = fill
    return covered
