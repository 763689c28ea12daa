"""Residual blocks: basic, bottleneck and pre-activated, with the paper's three shortcuts.

He et al. 2015, "Deep residual learning for image recognition", section 3; pre-activation: He et
al. 2016, "Identity mappings in deep residual networks". Shortcut A pads new channels with zeros,
B projects by a 1x1 convolution where the shape changes, C projects everywhere. Part names are
torchvision's: conv1, bn1, ..., downsample.0, downsample.1.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.blocks import fold_batch_norm

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
    Raises ValueError for another option than A, B and C.
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


class BasicBlock(nn.Module):
    """Two 3x3 convolutions: y = relu(F(x) + shortcut(x)). (B, in, H, W) to (B, width, H', W').

    Without `norm` the convolutions have biases instead, which is what `folded()` returns.
    """

    expansion: ClassVar[int] = 1

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
        self.shape = (in_channels, width, stride, shortcut)
        self.conv1 = convolution(in_channels, width, 3, stride=stride, bias=not norm)
        self.bn1 = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.conv2 = convolution(width, width, 3, bias=not norm)
        self.bn2 = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)
        self.downsample = make_shortcut(
            shortcut, in_channels, width, stride=stride, norm=norm, bias=not norm
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        identity = x if self.downsample is None else self.downsample(x)
        activated: Tensor = self.relu(residual + identity)
        return activated

    def folded(self) -> BasicBlock:
        """Return a block without normalisation that computes what this one does in eval mode."""
        in_channels, width, stride, shortcut = self.shape
        block = BasicBlock(in_channels, width, stride=stride, shortcut=shortcut, norm=False)
        _fold_into(block.conv1, self.conv1, self.bn1)
        _fold_into(block.conv2, self.conv2, self.bn2)
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


class Bottleneck(nn.Module):
    """1x1 to `width`, 3x3, 1x1 to 4 `width`. (B, in, H, W) to (B, 4 width, H', W').

    The stride stands in the first 1x1 convolution in the paper, Caffe and Keras ("1x1", also
    called v1), in the 3x3 in torchvision and timm ("3x3", v1.5). Weights trained with one give
    worse results with the other, and no shape tells them apart.
    """

    expansion: ClassVar[int] = 4

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
        first, second = strides(stride, stride_in)
        out_channels = width * self.expansion
        self.conv1 = convolution(in_channels, width, 1, stride=first)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride=second)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = make_shortcut(
            shortcut, in_channels, out_channels, stride=stride, norm=True
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.relu(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        identity = x if self.downsample is None else self.downsample(x)
        activated: Tensor = self.relu(residual + identity)
        return activated


def strides(stride: int, stride_in: StrideIn) -> tuple[int, int]:
    """Return the strides of a bottleneck's first 1x1 and of its 3x3 convolution.

    Raises ValueError for another place than "1x1" and "3x3".
    """
    if stride_in not in ("1x1", "3x3"):
        raise ValueError(
            f"stride_in {stride_in!r} is unknown; give '1x1' (the paper, v1) or '3x3' (v1.5)"
        )
    return (stride, 1) if stride_in == "1x1" else (1, stride)


class PreActivation(nn.Module):
    """Normalise and rectify before the block; what its two kinds share.

    A projection sees the activated input and the identity the raw one. A block whose input is
    activated already, as is the first one behind a stem, has None for `bn1`.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.bn1: nn.BatchNorm2d | None = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return F(x) + shortcut(x), not activated."""
        active = x if self.bn1 is None else self.relu(self.bn1(x))
        if self.downsample is None:
            identity = x
        elif isinstance(self.downsample, PaddingShortcut):
            identity = self.downsample(x)
        else:
            identity = self.downsample(active)
        return identity + self.residual(active)

    def residual(self, x: Tensor) -> Tensor:
        """Return F of the activated input."""
        raise NotImplementedError


class PreActBasicBlock(PreActivation):
    """BN, ReLU, 3x3, BN, ReLU, 3x3, then the addition (He et al. 2016, figure 4e)."""

    expansion: ClassVar[int] = 1

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
    ) -> None:
        super().__init__(in_channels)
        self.conv1 = convolution(in_channels, width, 3, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.downsample = make_shortcut(shortcut, in_channels, width, stride=stride, norm=False)

    def residual(self, x: Tensor) -> Tensor:
        """Return F of the activated input."""
        residual: Tensor = self.conv2(self.relu(self.bn2(self.conv1(x))))
        return residual


class PreActBottleneck(PreActivation):
    """BN, ReLU, 1x1, BN, ReLU, 3x3, BN, ReLU, 1x1, then the addition."""

    expansion: ClassVar[int] = 4

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
    ) -> None:
        super().__init__(in_channels)
        first, second = strides(stride, stride_in)
        out_channels = width * self.expansion
        self.conv1 = convolution(in_channels, width, 1, stride=first)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3, stride=second)
        self.bn3 = nn.BatchNorm2d(width)
        self.conv3 = convolution(width, out_channels, 1)
        self.downsample = make_shortcut(
            shortcut, in_channels, out_channels, stride=stride, norm=False
        )

    def residual(self, x: Tensor) -> Tensor:
        """Return F of the activated input."""
        x = self.conv2(self.relu(self.bn2(self.conv1(x))))
        residual: Tensor = self.conv3(self.relu(self.bn3(x)))
        return residual
