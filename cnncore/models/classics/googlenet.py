"""GoogLeNet, as in the paper and as in torchvision.

Szegedy et al. 2014, "Going deeper with convolutions", table 1, which is `TABLE` below. Poolings
reach over the edge (ceil mode): 224 -> 112 -> 56 -> 28 -> 14 -> 7. torchvision's net is another
one: batch normalisation instead of biases and of local response normalisation, 3x3 convolutions in
the 5x5 branches, the last pooling 2x2. Part names are torchvision's in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from cnncore.layers.alexnet_layers import caffe_lrn, overlapping_pool
from cnncore.layers.inception import AuxiliaryClassifier, ConvUnit, Inception, InceptionWidths
from cnncore.models.classifier import IMAGENET_MEAN, IMAGENET_STD, Classifier, NoClassifier, Preset

# The inception rows of table 1; auxiliary classifiers look at 4a and 4d.
TABLE: dict[str, InceptionWidths] = {
    "3a": InceptionWidths(64, 96, 128, 16, 32, 32),
    "3b": InceptionWidths(128, 128, 192, 32, 96, 64),
    "4a": InceptionWidths(192, 96, 208, 16, 48, 64),
    "4b": InceptionWidths(160, 112, 224, 24, 64, 64),
    "4c": InceptionWidths(128, 128, 256, 24, 64, 64),
    "4d": InceptionWidths(112, 144, 288, 32, 64, 64),
    "4e": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5a": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5b": InceptionWidths(384, 192, 384, 48, 128, 128),
}
AUXILIARY_WEIGHT = 0.3


@dataclass(frozen=True)
class GoogLeNetOutput:
    """What the net says in training: each tensor holds logits (B, num_classes)."""

    logits: Tensor
    aux1: Tensor
    """From inception 4a."""
    aux2: Tensor
    """From inception 4d."""

    def loss(self, criterion: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the paper's sum of the losses that `criterion` gives to each head's logits."""
        auxiliary = criterion(self.aux1) + criterion(self.aux2)
        return criterion(self.logits) + AUXILIARY_WEIGHT * auxiliary


class GoogLeNet(Classifier):
    """The paper's net: 6,998,552 parameters, 13,378,280 with both auxiliary classifiers.

    `variant` "torchvision" has 6,624,904 and 13,004,888. In training with `aux` the output is a
    GoogLeNetOutput, else logits (B, num_classes). Input (B, in_channels, 224, 224).
    torchvision's weights want RGB mapped to -1..1; with `transform_input`, its default there, the
    net takes images normalised like everybody else's and re-maps them itself.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("fc", "aux1.fc2", "aux2.fc2")
    stem: ClassVar[str] = "conv1.conv"
    head: ClassVar[tuple[str, ...]] = ("dropout", "fc", "aux1", "aux2")

    def __init__(
        self,
        *,
        variant: Literal["paper", "torchvision"] = "paper",
        num_classes: int = 1000,
        in_channels: int = 3,
        aux: bool = True,
        dropout: float | None = None,
        transform_input: bool | None = None,
    ) -> None:
        if variant not in ("paper", "torchvision"):
            raise ValueError(f"variant {variant!r} is unknown; give 'paper' or 'torchvision'")
        norm = variant == "torchvision"
        if transform_input and not (norm and in_channels == 3):
            raise ValueError(
                f"transform_input={transform_input!r} is for the variant 'torchvision' on 3 "
                f"channels, not for {variant!r} on {in_channels}; leave it out"
            )
        transforms = norm and in_channels == 3 and transform_input is not False
        preset = Preset()
        if norm and not transforms:
            preset = Preset(mean=(0.5,) * 3, std=(0.5,) * 3)
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=preset)
        self.transform_input = transforms
        if dropout is None:
            dropout = 0.2 if norm else 0.4
        self.conv1 = ConvUnit(in_channels, 64, kernel=7, stride=2, padding=3, norm=norm)
        self.maxpool1 = overlapping_pool(ceil=True)
        self.norm1: nn.Module = nn.Identity() if norm else caffe_lrn()
        self.conv2 = ConvUnit(64, 64, kernel=1, norm=norm)
        self.conv3 = ConvUnit(64, 192, kernel=3, padding=1, norm=norm)
        self.norm2: nn.Module = nn.Identity() if norm else caffe_lrn()
        self.maxpool2 = overlapping_pool(ceil=True)
        self.maxpool3 = overlapping_pool(ceil=True)
        self.maxpool4 = nn.MaxPool2d(2, ceil_mode=True) if norm else overlapping_pool(ceil=True)
        channels = 192
        for name, widths in TABLE.items():
            module = Inception(channels, widths, norm=norm, large_kernel=3 if norm else 5)
            self.add_module(f"inception{name}", module)
            channels = widths.total
        self.aux1: nn.Module | None = None
        self.aux2: nn.Module | None = None
        if aux and num_classes:
            at_4a, at_4d = TABLE["4a"].total, TABLE["4d"].total
            self.aux1 = AuxiliaryClassifier(at_4a, num_classes, norm=norm, adaptive=norm)
            self.aux2 = AuxiliaryClassifier(at_4d, num_classes, norm=norm, adaptive=norm)
        self.dropout = nn.Dropout(dropout)
        self.fc = self.new_classifier(NoClassifier(channels), num_classes)

    def _row(self, name: str, x: Tensor) -> Tensor:
        output: Tensor = self.get_submodule(f"inception{name}")(x)
        return output

    def _trunk(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield the name and the map of each part of table 1 that somebody looks at."""
        if self.transform_input:
            x = _to_half(x)
        x = self.conv1(x)  # (B, 64, 112, 112)
        yield "conv1", x
        x = self.conv3(self.conv2(self.norm1(self.maxpool1(x))))  # (B, 192, 56, 56)
        x = self.norm2(x)
        yield "conv3", x
        x = self._row("3b", self._row("3a", self.maxpool2(x)))  # (B, 480, 28, 28)
        yield "3b", x
        x = self._row("4a", self.maxpool3(x))  # (B, 512, 14, 14)
        yield "4a", x
        x = self._row("4d", self._row("4c", self._row("4b", x)))  # (B, 528, 14, 14)
        yield "4d", x
        x = self._row("4e", x)  # (B, 832, 14, 14)
        yield "4e", x
        x = self._row("5b", self._row("5a", self.maxpool4(x)))  # (B, 1024, 7, 7)
        yield "5b", x

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the last map of each size: 112, 56, 28, 14 and 7 points."""
        for name, part in self._trunk(x):
            if name not in ("4a", "4d"):
                yield part

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Average each map, drop out, classify."""
        x = self.dropout(x.mean(dim=(2, 3)))
        return x if pre_logits else self.fc(x)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutput:
        """Return logits, in training with auxiliary classifiers a GoogLeNetOutput."""
        if not self.training or self.aux1 is None or self.aux2 is None:
            return self.forward_head(self.forward_features(x))
        parts = dict(self._trunk(x))
        return GoogLeNetOutput(
            logits=self.forward_head(parts["5b"]),
            aux1=self.aux1(parts["4a"]),
            aux2=self.aux2(parts["4d"]),
        )

    def reset_classifier(self, num_classes: int) -> None:
        """Replace the three classifiers; with 0 the auxiliary ones go altogether."""
        if num_classes == 0 or self.aux1 is None:
            self.aux1 = self.aux2 = None
            self.options["aux"] = False
        super().reset_classifier(num_classes)


def _to_half(x: Tensor) -> Tensor:
    """Map images normalised by ImageNet's mean and deviation to (RGB - 0.5) / 0.5."""
    mean = torch.tensor(IMAGENET_MEAN, dtype=x.dtype, device=x.device)[:, None, None]
    std = torch.tensor(IMAGENET_STD, dtype=x.dtype, device=x.device)[:, None, None]
    return (x * std + mean - 0.5) / 0.5
