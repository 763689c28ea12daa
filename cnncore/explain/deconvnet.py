"""The deconvnet: what in an image made a unit active, drawn in pixels.

Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 2.1. One
activity is kept, all others of its layer are set to zero, and the network is run backwards: maxima
return to the places that the switches of the pooling remember, negative values are cut off where
the forward pass had a ReLU, and filters are transposed. But for the ReLU this is the gradient
(Simonyan et al. 2014, "Deep inside convolutional networks", section 4), so that all is done by a
backward pass in which ReLU has the deconvnet's rule. What the paper's network does not have
(average pooling, additions, concatenations, normalisation, tanh) goes back by its gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnncore.explain.layer_outputs import (
    LayerError,
    check_unit,
    last_output,
    strongest_place,
    watched,
)


@dataclass(frozen=True)
class Projection:
    """What one channel of a layer saw in an image."""

    pixels: Tensor
    """The projection (C, H, W), in the units of the model's input."""
    unit: int
    """The number of the channel."""
    activation: float
    """The activity that was projected."""
    place: tuple[int, int] | None
    """Its row and column in the layer's map; None for a layer without maps."""


def project(
    model: nn.Module,
    image: Tensor,
    layer: str,
    unit: int | None = None,
    *,
    place: tuple[int, int] | None = None,
) -> Projection:
    """Project one activity of a layer back to the pixels of the image that caused it.

    Image (C, H, W) as the model reads it; `layer` the path of a module, `unit` a channel of its
    output or, behind the fully connected layers, a unit or class, by default the strongest one.
    Without `place` (row, column) the strongest activity of the map is taken.

    Raises:
        LayerError: the model does not have this layer, unit or place, or it does not depend on the
            pixels.
    """
    # Inside the mode no ReLU works in place, so that autograd and the hook see every value.
    pixels = image.detach().clone().requires_grad_()
    with watched(model, layer) as outputs, torch.enable_grad(), _DeconvnetRules():
        model(pixels[None])
    output = last_output(outputs, layer)
    if unit is None:
        unit = int(output[0].reshape(output.shape[1], -1).amax(1).argmax())
    check_unit(output, layer, unit)
    if not output.requires_grad:
        raise LayerError(f"the output of {layer!r} does not depend on the pixels")
    activities = output[0, unit]
    where = _place(activities, layer, place)
    activation = (activities if where is None else activities[where]).detach()
    only = torch.zeros_like(output)
    only[(0, unit) if where is None else (0, unit, *where)] = activation
    (projected,) = torch.autograd.grad(output, pixels, only)
    return Projection(projected, unit, float(activation), where)


def _place(activities: Tensor, layer: str, place: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the place that was asked for, or that of the strongest activity of a map."""
    if activities.ndim == 0 or place is None:
        return strongest_place(activities)
    height, width = activities.shape
    if not (0 <= place[0] < height and 0 <= place[1] < width):
        raise LayerError(
            f"place {place} is outside the {height}x{width} maps of {layer}; rows and columns "
            f"count from 0"
        )
    return place


class _Rectify(torch.autograd.Function):
    """ReLU; backwards ReLU again, whatever was cut off forwards."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].clamp(min=0)


_RELU = {
    *(functional.relu, functional.relu_, torch.relu, torch.relu_),
    *(Tensor.relu, Tensor.relu_),
}


class _DeconvnetRules(TorchFunctionMode):
    """Give every ReLU that runs the deconvnet's way back; none works in place."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _RELU:
            x = args[0] if args else (kwargs or {})["input"]
            return _Rectify.apply(x)  # type: ignore[no-untyped-call]  # torch types it so
        return func(*args, **(kwargs or {}))
