"""A look at one layer while a model runs: what every kind of picture of its inside starts from."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from cnncore.models.shapes import ReceptiveField

Box = tuple[int, int, int, int]


class LayerError(ValueError):
    """A layer or unit that the model does not have, or that cannot be looked at."""


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Run a model in eval mode within the block, and leave each part as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def watched(model: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Collect what a module puts out, (B, C, H, W) or (B, C), each time it runs within the block.

    The path of the module is that of `named_modules`, as in `cnncore.summary`. Of one that runs
    more than once in a forward pass the last output is the one to look at. The model is in eval
    mode inside the block.

    Raises:
        LayerError: the model does not have this module.
    """
    modules = dict(model.named_modules())
    if not layer or layer not in modules:
        near = difflib.get_close_matches(layer, [name for name in modules if name], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "cnncore info lists the layers"
        raise LayerError(f"the model has no layer {layer!r}; {hint}")
    outputs: list[Tensor] = []

    def collect(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            outputs.append(output)

    handle = modules[layer].register_forward_hook(collect)
    try:
        with evaluating(model):
            yield outputs
    finally:
        handle.remove()


def last_output(outputs: list[Tensor], layer: str) -> Tensor:
    """Return the last of the outputs that `watched` has collected.

    Raises:
        LayerError: there is nothing, because the model did not run that module.
    """
    if not outputs:
        raise LayerError(
            f"the model does not run {layer!r} on an image; choose a layer that cnncore info lists"
        )
    return outputs[-1]


def check_unit(output: Tensor, layer: str, unit: int) -> None:
    """Raise LayerError unless a layer's output (B, C, ...) has the channel `unit`."""
    if not 0 <= unit < output.shape[1]:
        raise LayerError(
            f"{layer} has no unit {unit}; its {output.shape[1]} units are 0 to "
            f"{output.shape[1] - 1}"
        )


def strongest_place(activities: Tensor) -> tuple[int, int] | None:
    """Return (row, column) of the greatest value of one map (H, W), None for a single number."""
    if activities.ndim == 0:
        return None
    row, column = divmod(int(activities.argmax()), activities.shape[1])
    return row, column


def seen_box(field: ReceptiveField | None, place: tuple[int, int] | None, image: Tensor) -> Box:
    """Return the part (top, left, bottom, right) of an image (C, H, W) that one activity sees.

    Without a receptive field or a place, as behind the fully connected layers, it sees everything.
    """
    height, width = image.shape[1:]
    if field is None or place is None:
        return 0, 0, height, width
    top, left, bottom, right = field.box(*place)
    return max(0, top), max(0, left), min(height, bottom), min(width, right)
