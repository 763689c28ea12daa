"""Inception modules: naive, reduced, and the auxiliary classifier beside them.

Szegedy et al. 2014, "Going deeper with convolutions", figure 2 and section 5. Part names are
torchvision's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnncore.layers.blocks import fold_batch_norm
from cnncore.layers.initialisation import he_normal_


class ConvUnit(nn.Module):
    """A convolution of any stride with ReLU, and between them batch normalisation if asked.

    With `norm` the convolution has no bias and the normalisation torchvision's eps 1e-3.
    Input (B, in_channels, H, W), output (B, out_channels, H', W').
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride=stride, padding=padding, bias=not norm
        )
        self.bn = nn.BatchNorm2d(out_channels, eps=1e-3) if norm else None
        self.relu = nn.ReLU(inplace=True)
        he_normal_(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(norm(conv(x)))."""
        x = self.conv(x)
        activated: Tensor = self.relu(x if self.bn is None else self.bn(x))
        return activated

    def folded(self) -> ConvUnit:
        """Return a unit without normalisation that computes what this one does in eval mode."""
        conv = self.conv
        unit = ConvUnit(
            conv.in_channels,
            conv.out_channels,
            kernel=conv.kernel_size[0],
            stride=conv.stride[0],
            padding=int(conv.padding[0]),
        )
        weight, bias = fold_batch_norm(conv, self.bn)
        with torch.no_grad():
            unit.conv.weight.copy_(weight)
            if unit.conv.bias is not None:
                unit.conv.bias.copy_(bias)
        return unit


class InceptionWidths(NamedTuple):
    """One line of the paper's table 1: the channels of every convolution of a module."""

    one: int
    reduce_three: int
    three: int
    reduce_five: int
    five: int
    pool: int

    @property
    def total(self) -> int:
        """The channels that the module puts out."""
        return self.one + self.three + self.five + self.pool


class _Branches(nn.Module):
    """What both modules do: look at the same maps in four ways and stack what they see."""

    branch1: nn.Module
    branch2: nn.Module
    branch3: nn.Module
    branch4: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """Return the four branches' channels one after the other."""
        return torch.cat(
            [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1
        )


class Inception(_Branches):
    """Figure 2b: 1x1, 3x3, 5x5 and pooling side by side, 1x1 reductions before the costly ones.

    `large_kernel` is the paper's 5; torchvision has 3 there. Input (B, in_channels, H, W), output
    (B, widths.total, H, W) in the order 1x1, 3x3, 5x5, pool.
    """

    def __init__(
        self,
        in_channels: int,
        widths: InceptionWidths,
        *,
        norm: bool = False,
        large_kernel: int = 5,
    ) -> None:
        super().__init__()
        self.branch1 = ConvUnit(in_channels, widths.one, kernel=1, norm=norm)
        self.branch2 = nn.Sequential(
            ConvUnit(in_channels, widths.reduce_three, kernel=1, norm=norm),
            ConvUnit(widths.reduce_three, widths.three, kernel=3, padding=1, norm=norm),
        )
        self.branch3 = nn.Sequential(
            ConvUnit(in_channels, widths.reduce_five, kernel=1, norm=norm),
            ConvUnit(
                widths.reduce_five,
                widths.five,
                kernel=large_kernel,
                padding=large_kernel // 2,
                norm=norm,
            ),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            ConvUnit(in_channels, widths.pool, kernel=1, norm=norm),
        )


class NaiveInception(_Branches):
    """Figure 2a: the same without reductions, so that the pooled input passes in full width.

    Output (B, one + three + five + in_channels, H, W).
    """

    def __init__(self, in_channels: int, *, one: int, three: int, five: int) -> None:
        super().__init__()
        self.branch1 = ConvUnit(in_channels, one, kernel=1)
        self.branch2 = ConvUnit(in_channels, three, kernel=3, padding=1)
        self.branch3 = ConvUnit(in_channels, five, kernel=5, padding=2)
        self.branch4 = nn.MaxPool2d(3, stride=1, padding=1)


class AuxiliaryClassifier(nn.Module):
    """5x5/3 average pooling, 1x1 to 128 channels, 1,024 units, 70 % dropout, logits (section 5).

    Input (B, in_channels, 14, 14), output (B, num_classes). With `adaptive`, torchvision's choice,
    any map is pooled to 4x4, and one of 14x14 by slightly other windows than the paper's.
    """

    def __init__(
        self, in_channels: int, num_classes: int, *, norm: bool = False, adaptive: bool = False
    ) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4) if adaptive else nn.AvgPool2d(5, stride=3)
        self.conv = ConvUnit(in_channels, 128, kernel=1, norm=norm)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)
        he_normal_(self.fc1)
        he_normal_(self.fc2, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        x = self.conv(self.pool(x)).flatten(1)
        logits: Tensor = self.fc2(self.dropout(self.relu(self.fc1(x))))
        return logits
