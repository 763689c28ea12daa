"""Shapes and costs: the output size of a window, and a layer-by-layer table of any model.

`summary` runs the model on the meta device, where tensors have shapes and no values, so that VGG
costs no more than LeNet. Multiply-adds (MACs) are those of convolutions and fully connected
layers for one image; the ResNet paper calls them FLOPs. Biases, pooling and normalisation count
nothing. `receptive_fields` says which square of the input a point of a layer's map sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle
from torch.utils.weak import WeakTensorKeyDictionary

from cnncore.models.classifier import Classifier

Rounding = Literal["exact", "floor", "ceil"]


def conv_output_size(
    size: int, kernel: int, *, stride: int = 1, padding: int = 0, rounding: Rounding = "exact"
) -> int:
    """Return O = (N + 2P - F) / S + 1, the number of places of a window on a line of N points.

    Size N, kernel F, stride S and padding P are in points. `rounding` says what happens where S
    does not divide: "exact" refuses, "floor" leaves the last points out as torch does, "ceil" lets
    the last window reach over the edge as Caffe's pooling does.

    >>> conv_output_size(227, 11, stride=4)
    55
    >>> conv_output_size(112, 3, stride=2, rounding="floor"), conv_output_size(
    ...     112, 3, stride=2, rounding="ceil"
    ... )
    (55, 56)

    Raises:
        ValueError: the window does not fit, or does not fit evenly and must.
    """
    if size < 1 or kernel < 1 or stride < 1 or padding < 0:
        raise ValueError(
            f"size {size}, kernel {kernel} and stride {stride} must be at least 1 and padding "
            f"{padding} at least 0"
        )
    room = size + 2 * padding - kernel
    if room < 0:
        raise ValueError(
            f"a window of {kernel} does not fit on {size} points with padding {padding}; "
            f"give a larger input or more padding"
        )
    if rounding == "floor" or room % stride == 0:
        return room // stride + 1
    if rounding == "ceil":
        places = -(-room // stride) + 1
        # The last window must begin on the input or its left padding, as in Caffe and torch.
        return places - 1 if (places - 1) * stride >= size + padding else places
    raise ValueError(
        f"({size} + 2*{padding} - {kernel}) / {stride} + 1 is not a whole number; change the input "
        f"size or the padding, or ask for rounding='floor'"
    )


@dataclass(frozen=True)
class Row:
    """One layer of a summary."""

    name: str
    kind: str
    """The name of its class."""
    shape: tuple[int, ...]
    """The shape of its output without the batch axis."""
    parameters: int
    macs: int
    """Multiply-adds for one image."""
    field: int | None
    """The side of the square of input points that one output point sees; None where the output is
    not a map or sees everything."""


@dataclass(frozen=True)
class Summary:
    """The layers of a model, and its size."""

    rows: tuple[Row, ...]
    """The layers in the order in which they run."""
    parameters: int
    trainable: int
    """How many of the parameters learn."""
    macs: int
    """Multiply-adds for one image."""

    def __str__(self) -> str:
        """Return the table as text, one layer a line."""
        table = [("layer", "kind", "output", "parameters", "MACs", "field")]
        for row in self.rows:
            shape = "x".join(map(str, row.shape))
            field = "-" if row.field is None else str(row.field)
            table.append((row.name, row.kind, shape, f"{row.parameters:,}", f"{row.macs:,}", field))
        widths = [max(len(line[column]) for line in table) for column in range(6)]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 3 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        lines.append(
            f"{self.parameters:,} parameters ({self.trainable:,} trainable), {self.macs:,} MACs"
        )
        return "\n".join(lines)


def summary(model: nn.Module, size: int | Sequence[int] | None = None) -> Summary:
    """Return output shape, parameters, multiply-adds and receptive field of every layer.

    Size is that of one input without the batch axis: (channels, height, width), or for the models
    of this package one number, the side of the square image or the length of the sentence; None
    stands for the paper's. The model is not changed and nothing is computed on it.

    >>> print(summary(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)), (1, 32, 32)))
    layer  kind       output   parameters     MACs  field
    0      Conv2d     6x28x28         156  117,600      5
    1      ReLU       6x28x28           0        0      5
    2      MaxPool2d  6x14x14           0        0      6
    156 parameters (156 trainable), 117,600 MACs

    Raises:
        ValueError: a model that is not of this package needs a complete size.
    """
    trace = _traced(model, size)
    parameters = list(model.parameters())
    return Summary(
        rows=tuple(trace.rows),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        macs=sum(row.macs for row in trace.rows),
    )


def receptive_fields(
    model: nn.Module, size: int | Sequence[int] | None = None
) -> dict[str, ReceptiveField]:
    """Return what the points of each map see, by the path of the module that puts out the map.

    Modules that put out no map, or see everything, are not in it; of one that runs more than once
    it is the last output. Size and errors as for `summary`.
    """
    return _traced(model, size).places


def _traced(model: nn.Module, size: int | Sequence[int] | None) -> _Trace:
    """Run a model on tensors without values and return what was seen."""
    inputs = _example(model, size)
    trace = _Trace(inputs)
    handles: list[RemovableHandle] = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_hook(trace.place(name)))
        if next(module.children(), None) is None and not isinstance(module, nn.Identity):
            handles.append(module.register_forward_pre_hook(trace.before))
            handles.append(module.register_forward_hook(trace.after(name)))
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad(), trace:
            functional_call(model, _shadow(model), (inputs,))
    finally:
        for handle in handles:
            handle.remove()
        for module in training:
            module.training = True
    return trace


def stage_shapes(
    model: Classifier, size: int | Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    """Return the shape (channels, height, width) of each feature map that `stages` yields."""
    inputs = _example(model, size)
    shadow = _shadow(model)
    runner = _Stages(model)
    with torch.no_grad():
        outputs = functional_call(runner, {f"model.{k}": v for k, v in shadow.items()}, (inputs,))
    return [tuple(output.shape[1:]) for output in outputs]


class _Stages(nn.Module):
    """Run `stages` as a forward, so that functional_call can replace the parameters."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> list[Tensor]:
        return list(self.model.stages(x))


def _shadow(model: nn.Module) -> dict[str, Tensor]:
    """Return the model's tensors without their values."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}


def _example(model: nn.Module, size: int | Sequence[int] | None) -> Tensor:
    if isinstance(size, int) and size < 1:
        raise ValueError(f"size {size} must be at least 1")
    if isinstance(model, Classifier) and not isinstance(size, Sequence):
        return model.example_input(size=size, device="meta")
    if not isinstance(size, Sequence):
        raise ValueError(
            f"size {size} is not enough for a {type(model).__name__}; "
            f"give (channels, height, width)"
        )
    return torch.empty((1, *size), device="meta")


@dataclass(frozen=True)
class ReceptiveField:
    """The squares of input points that the points of a map see.

    >>> ReceptiveField().through(kernel=3, stride=2, padding=1).through(3, 1, 1)
    ReceptiveField(jump=2, side=7, start=-3)
    """

    jump: int = 1
    """How many points on the next point's square lies."""
    side: int = 1
    """The side of a square."""
    start: int = 0
    """Where the first point's square begins, outside the image by the padding."""

    def through(self, kernel: int, stride: int, padding: int) -> ReceptiveField:
        """Return the field behind a layer of such windows."""
        return ReceptiveField(
            self.jump * stride,
            self.side + (kernel - 1) * self.jump,
            self.start - padding * self.jump,
        )

    def joined(self, other: ReceptiveField) -> ReceptiveField:
        """Return the field of a point that is made of a point of each of two maps."""
        start = min(self.start, other.start)
        end = max(self.start + self.side, other.start + other.side)
        return ReceptiveField(max(self.jump, other.jump), end - start, start)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return (top, left, bottom, right) of what the point (row, column) sees.

        The end is not included; parts may lie outside the image, in the padding.
        """
        top, left = (self.start + index * self.jump for index in (row, column))
        return top, left, top + self.side, left + self.side


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, Sequence) else value)


def _window(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[int, int, int] | None:
    """Return (kernel, stride, padding) of a call that looks through windows, None for others.

    Such calls are convolutions, poolings, and taking every n-th point.
    """

    def argument(position: int, name: str, default: Any) -> Any:
        return args[position] if len(args) > position else kwargs.get(name, default)

    if function is torch.conv2d:
        return (
            int(args[1].shape[2]),
            _first(argument(3, "stride", 1)),
            _first(argument(4, "padding", 0)),
        )
    if function in _POOLS:
        kernel = _first(argument(1, "kernel_size", 1))
        stride = argument(2, "stride", None)
        stride = kernel if stride is None or stride == [] else _first(stride)
        return kernel, stride, _first(argument(3, "padding", 0))
    if function is Tensor.__getitem__ and isinstance(args[1], tuple) and len(args[1]) == 4:
        rows = args[1][2]
        return (1, rows.step or 1, 0) if isinstance(rows, slice) else None
    return None


_POOLS = (functional.max_pool2d, functional.avg_pool2d, torch.max_pool2d)


@runtime_checkable
class CountsMacs(Protocol):
    """A module that knows its multiply-adds better than a look at its calls does."""

    def macs(self, output: Tensor) -> int:
        """Return the multiply-adds for one image that gives `output` (B, ...)."""


class _Trace(TorchFunctionMode):
    """Follow receptive fields through every torch function and write a row for every layer."""

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self.places: dict[str, ReceptiveField] = {}
        self._macs = 0
        self._fields: MutableMapping[Tensor, ReceptiveField] = WeakTensorKeyDictionary()
        if inputs.ndim == 4:
            self._fields[inputs] = ReceptiveField()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if not isinstance(result, Tensor):
            return result
        if func is torch.conv2d or func is torch.conv1d or func is functional.linear:
            self._macs += result[0].numel() * args[1][0].numel()
        known = [self._fields[t] for t in _tensors(args) if t in self._fields]
        if known and result.ndim == 4 and func is not functional.adaptive_avg_pool2d:
            field = reduce(ReceptiveField.joined, known)
            window = _window(func, args, kwargs)
            self._fields[result] = field.through(*window) if window else field
        return result

    def before(self, module: nn.Module, inputs: Any) -> None:
        self._macs = 0

    def place(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output in self._fields:
                self.places[name] = self._fields[output]

        return hook

    def after(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            field = self._fields[output] if output in self._fields else None
            self.rows.append(
                Row(
                    name=name,
                    kind=type(module).__name__,
                    shape=tuple(output.shape[1:]),
                    parameters=sum(p.numel() for p in module.parameters()),
                    macs=module.macs(output) if isinstance(module, CountsMacs) else self._macs,
                    field=None if field is None else field.side,
                )
            )

        return hook


def _tensors(args: Sequence[Any]) -> list[Tensor]:
    found: list[Tensor] = []
    for arg in args:
        if isinstance(arg, Tensor):
            found.append(arg)
        elif isinstance(arg, list | tuple):
            found += [item for item in arg if isinstance(item, Tensor)]
    return found
