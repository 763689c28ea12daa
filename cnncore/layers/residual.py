"""Residual blocks: basic, bottleneck and pre-activated, with the paper's three shortcuts.

He et al. 2015, "Deep residual learning for image recognition", section 3; pre-activation: He et
al. 2016, "Identity mappings in deep residual networks". Shortcut A pads new channels with zeros,
B projects by a 1x1 convolution where the shape changes, C projects everywhere. Part names are
torchvision's: conv1, bn1, ..., downsample.0, downsample.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.blocks import fold_batch_norm

Shortcut = Literal["A", "B", "C"]
StrideIn = Literal["1x1", "3x3"]


class PaddingShortcut(nn.Module):
    """Option A: take every `stride`-th point and add zero channels, half before and half after."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.stride = stride
        added = out_channels - in_channels
        self.before, self.after = added // 2, added - added // 2

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out_channels, H / stride, W / stride)."""
        x = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, self.before, self.after))


def convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, bias: bool = False
) -> nn.Conv2d:
    """Return a "same" convolution, without bias as before a batch normalisation."""
    return nn.Conv2d(
        in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=bias
    )


def make_shortcut(
    option: Shortcut,
    in_channels: int,
    out_channels: int,
    *,
    stride: int,
    norm: bool,
    bias: bool = False,
) -> nn.Module | None:
    """Return the shortcut that joins two shapes, None for the identity.

    With `norm` a projection ends in batch normalisation, as it must in post-activation networks;
    with `bias` it has a bias, as when that normalisation has been folded.

    Raises:
        ValueError: another option than A, B and C.
    """
    if option not in ("A", "B", "C"):
        raise ValueError(f"shortcut {option!r} is unknown; give 'A', 'B' or 'C'")
    changes = stride != 1 or in_channels != out_channels
    if option == "C" or (option == "B" and changes):
        projection = convolution(in_channels, out_channels, 1, stride=stride, bias=bias)
        if norm:
            return nn.Sequential(projection, nn.BatchNorm2d(out_channels))
        return nn.Sequential(projection)
    if changes:
        return PaddingShortcut(in_channels, out_channels, stride=stride)
    return None


class Row(NamedTuple):
    """One convolution of a block."""

    channels: int
    kernel: int
    stride: int = 1


def check_stride_in(stride_in: str) -> None:
    """Raise ValueError for a place where bottlenecks do not have their stride."""
    if stride_in not in get_args(StrideIn):
        raise ValueError(
            f"stride_in {stride_in!r} is unknown; give '1x1' (the paper, v1) or '3x3' (v1.5)"
        )


class Basic:
    """F of the shallow nets: two 3x3 convolutions."""

    expansion: ClassVar[int] = 1

    @staticmethod
    def rows(width: int, *, stride: int, stride_in: StrideIn) -> tuple[Row, ...]:
        """Return the convolutions; the first one has the stride wherever it should be."""
        return Row(width, 3, stride), Row(width, 3)


class Reduced:
    """F of the deep nets: 1x1 down to `width` channels, 3x3, and 1x1 up to 4 `width`.

    The stride stands in the first 1x1 convolution in the paper, Caffe and Keras ("1x1", also
    called v1), in the 3x3 in torchvision and timm ("3x3", v1.5). Weights trained with one give
    worse results with the other, and no shape tells them apart.
    """

    expansion: ClassVar[int] = 4

    @staticmethod
    def rows(width: int, *, stride: int, stride_in: StrideIn) -> tuple[Row, ...]:
        """Return the convolutions.

        Raises:
            ValueError: the stride is elsewhere than in the 1x1 or the 3x3.
        """
        check_stride_in(stride_in)
        first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
        return Row(width, 1, first), Row(width, 3, second), Row(4 * width, 1)


class PostActivation(nn.Module):
    """Convolve, normalise, and rectify behind the addition: y = relu(F(x) + shortcut(x)).

    (B, in_channels, H, W) to (B, expansion * width, H / stride, W / stride). Without `norm` the
    convolutions have biases instead, which is what `folded` returns.
    """

    expansion: ClassVar[int]
    rows: ClassVar[Callable[..., tuple[Row, ...]]]
    conv1: nn.Conv2d
    bn1: nn.Module
    conv2: nn.Conv2d
    bn2: nn.Module

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
        norm: bool = True,
    ) -> None:
        super().__init__()
        self.without_norm = partial(
            type(self),
            in_channels,
            width,
            stride=stride,
            shortcut=shortcut,
            stride_in=stride_in,
            norm=False,
        )
        rows = self.rows(width, stride=stride, stride_in=stride_in)
        self.depth = len(rows)
        channels = in_channels
        for number, row in enumerate(rows, start=1):
            conv = convolution(channels, row.channels, row.kernel, stride=row.stride, bias=not norm)
            self.add_module(f"conv{number}", conv)
            channels = row.channels
            self.add_module(f"bn{number}", nn.BatchNorm2d(channels) if norm else nn.Identity())
        self.relu = nn.ReLU(inplace=True)
        self.downsample = make_shortcut(
            shortcut, in_channels, channels, stride=stride, norm=norm, bias=not norm
        )

    def units(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Yield every convolution and its normalisation."""
        for number in range(1, self.depth + 1):
            yield getattr(self, f"conv{number}"), getattr(self, f"bn{number}")

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        residual = x
        for number, (conv, norm) in enumerate(self.units()):
            residual = norm(conv(residual if number == 0 else self.relu(residual)))
        identity = x if self.downsample is None else self.downsample(x)
        activated: Tensor = self.relu(residual + identity)
        return activated

    def folded(self) -> PostActivation:
        """Return a block without normalisation that computes what this one does in eval mode."""
        block = self.without_norm()
        for (target, _), (conv, norm) in zip(block.units(), self.units(), strict=True):
            _fold_into(target, conv, norm)
        if isinstance(self.downsample, nn.Sequential):
            assert isinstance(block.downsample, nn.Sequential)
            _fold_into(block.downsample[0], *self.downsample)
        return block


@torch.no_grad()
def _fold_into(target: nn.Module, conv: nn.Module, norm: nn.Module | None = None) -> None:
    """Give a convolution with bias what another one and its normalisation compute together."""
    assert isinstance(target, nn.Conv2d) and isinstance(conv, nn.Conv2d)
    weight, bias = fold_batch_norm(conv, norm if isinstance(norm, nn.BatchNorm2d) else None)
    target.weight.copy_(weight)
    assert target.bias is not None
    target.bias.copy_(bias)


class PreActivation(nn.Module):
    """Normalise and rectify before each convolution: y = F(x) + shortcut(x), not activated.

    Shapes as in `PostActivation`. A projection sees the activated input and the identity the raw
    one. A block whose input is activated already, as is the first one behind a stem, has None for
    `bn1`.
    """

    expansion: ClassVar[int]
    rows: ClassVar[Callable[..., tuple[Row, ...]]]
    bn1: nn.BatchNorm2d | None

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
    ) -> None:
        super().__init__()
        rows = self.rows(width, stride=stride, stride_in=stride_in)
        self.depth = len(rows)
        channels = in_channels
        for number, row in enumerate(rows, start=1):
            self.add_module(f"bn{number}", nn.BatchNorm2d(channels))
            conv = convolution(channels, row.channels, row.kernel, stride=row.stride)
            self.add_module(f"conv{number}", conv)
            channels = row.channels
        self.relu = nn.ReLU(inplace=True)
        self.downsample = make_shortcut(shortcut, in_channels, channels, stride=stride, norm=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return F(x) + shortcut(x), not activated."""
        active = x if self.bn1 is None else self.relu(self.bn1(x))
        projects = self.downsample is not None and not isinstance(self.downsample, PaddingShortcut)
        identity = active if projects else x
        if self.downsample is not None:
            identity = self.downsample(identity)
        residual = self.get_submodule("conv1")(active)
        for number in range(2, self.depth + 1):
            residual = self.relu(getattr(self, f"bn{number}")(residual))
            residual = getattr(self, f"conv{number}")(residual)
        total: Tensor = identity + residual
        return total


class BasicBlock(Basic, PostActivation):
    """Two 3x3 convolutions; BN and ReLU behind each, the last ReLU behind the addition."""


class Bottleneck(Reduced, PostActivation):
    """1x1, 3x3, 1x1; BN and ReLU behind each, the last ReLU behind the addition."""


class PreActBasicBlock(Basic, PreActivation):
    """BN, ReLU, 3x3, BN, ReLU, 3x3, then the addition (He et al. 2016, figure 4e)."""


class PreActBottleneck(Reduced, PreActivation):
    """BN, ReLU, 1x1, BN, ReLU, 3x3, BN, ReLU, 1x1, then the addition."""
