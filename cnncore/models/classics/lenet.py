"""LeNet-5: the net of 1998 to the letter, and the form in which it is usually taught.

LeCun, Bottou, Bengio & Haffner 1998, "Gradient-based learning applied to document recognition",
section II. Inputs are 32x32 with one channel; a 28x28 digit stands in the middle.

| layer | output | 1998: trainable | 1998: connections | modern: parameters |
|---|---|---|---|---|
| C1, 6 filters 5x5 | 6x28x28 | 156 | 122,304 | 156 |
| S2, 2x2 | 6x14x14 | 12 | 5,880 | 0 |
| C3, 16 filters 5x5 | 16x10x10 | 1,516 | 151,600 | 2,416 |
| S4, 2x2 | 16x5x5 | 32 | 2,000 | 0 |
| C5, 120 filters 5x5 | 120x1x1 | 48,120 | 48,120 | 48,120 |
| F6, 84 units | 84 | 10,164 | 10,164 | 10,164 |
| output, 10 classes | 10 | 0 (fixed) | 840 | 850 |
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.initialisation import he_normal_, lecun_uniform_
from cnncore.models.classifier import (
    Classifier,
    NoClassifier,
    Preset,
    SequentialClassifier,
    linear_classifier,
)

MNIST = Preset(input_size=(1, 32, 32), resize=32, mean=(0.1307,), std=(0.3081,), place="pad")

# Table I: the maps of S2 that each of the 16 maps of C3 sees.
C3_TABLE: tuple[tuple[int, ...], ...] = (
    (0, 1, 2),
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
    (0, 4, 5),
    (0, 1, 5),
    (0, 1, 2, 3),
    (1, 2, 3, 4),
    (2, 3, 4, 5),
    (0, 3, 4, 5),
    (0, 1, 4, 5),
    (0, 1, 2, 5),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# Target codes of the output units: a 7x12 drawing of every digit, as in the paper's figure 3 (the
# drawings are ours). Each string is one drawing's twelve rows of
# seven points, two hexadecimal figures a row.
_DIGITS: tuple[str, ...] = (
    "001c224141414141221c0000",
    "00081828080808080808083e",
    "003e4101010204081020407f",
    "003e4101010e01010101413e",
    "0002060a1222427f02020202",
    "007f4040407c02010101423c",
    "001e2040405c62414141221c",
    "007f01020204080810102020",
    "001c2241221c22414141221c",
    "001c224141231d0101023c00",
)


def scaled_tanh(x: Tensor) -> Tensor:
    """Return 1.7159 tanh(2x/3), the paper's squashing function: f(1) = 1, f(-1) = -1."""
    return 1.7159 * torch.tanh(x * (2.0 / 3.0))


class Subsampling(nn.Module):
    """Sum 2x2 points, times one trainable coefficient a map, plus one trainable bias.

    Input (B, C, H, W), output (B, C, H / 2, W / 2), not squashed.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the coefficient times the sums plus the bias."""
        sums = 4.0 * functional.avg_pool2d(x, 2)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class PartialConv2d(nn.Module):
    """A convolution whose output maps each see only some of the input maps.

    `table[o]` lists the input maps of output o; only these connections have weights. Input
    (B, in_channels, H, W), output (B, len(table), H - kernel + 1, W - kernel + 1).
    """

    outputs: Tensor
    inputs: Tensor

    def __init__(
        self, in_channels: int, table: tuple[tuple[int, ...], ...], *, kernel: int
    ) -> None:
        super().__init__()
        pairs = [(o, i) for o, row in enumerate(table) for i in row]
        self.in_channels = in_channels
        self.weight = nn.Parameter(torch.empty(len(pairs), kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(len(table)))
        self.register_buffer("outputs", torch.tensor([o for o, _ in pairs]), persistent=False)
        self.register_buffer("inputs", torch.tensor([i for _, i in pairs]), persistent=False)
        with torch.no_grad():
            start = 0
            for row in table:
                bound = 2.4 / (len(row) * kernel * kernel)
                self.weight[start : start + len(row)].uniform_(-bound, bound)
                start += len(row)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve; the connections that do not exist count as zero weights."""
        kernel = self.weight.shape[1:]
        dense = self.weight.new_zeros(self.bias.shape[0], self.in_channels, *kernel)
        dense = dense.index_put((self.outputs, self.inputs), self.weight)
        return functional.conv2d(x, dense, self.bias)

    def macs(self, output: Tensor) -> int:
        """Return the multiply-adds for one image that gives `output` (B, C, H, W)."""
        return self.weight.numel() * output.shape[2] * output.shape[3]


class CodeDistance(nn.Module):
    """The paper's output layer: minus the squared distance of F6 to the fixed code of each class.

    Ten classes have drawings of the digits as codes, other numbers random codes of -1 and +1 (the
    paper's alternative). Input (B, 84), output (B, num_classes): the larger, the likelier.
    """

    codes: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes == len(_DIGITS):
            codes = torch.tensor([_drawing(text) for text in _DIGITS])
        else:
            source = torch.Generator().manual_seed(1998)
            bits = torch.randint(0, 2, (num_classes, 84), generator=source, device="cpu")
            codes = 2.0 * bits - 1.0
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        """Return minus the squared distances."""
        return -(x[:, None] - self.codes).square().sum(dim=2)


def _drawing(text: str) -> list[float]:
    """Return the 84 numbers, -1 or +1, of a drawing."""
    rows = [int(text[i : i + 2], 16) for i in range(0, 24, 2)]
    return [1.0 if row >> (6 - column) & 1 else -1.0 for row in rows for column in range(7)]


class LeNet5Of1998(Classifier):
    """The net of 1998: partial C3, trainable subsampling, scaled tanh, distances to fixed codes.

    60,000 trainable parameters and 340,908 connections. `squash` says where the non-linearity
    stands below C5: "all", after every layer (the paper's section II.B, and what `create_model`
    gives), or "pooled", after S2 and S4 alone (convolve, pool, squash).
    Input (B, 1, 32, 32), output (B, num_classes), minus squared distances that serve as logits.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("output",)
    stem: ClassVar[str] = "c1"
    head: ClassVar[tuple[str, ...]] = ("c5", "f6", "output")
    unseen: ClassVar[tuple[str, ...]] = ("squash",)

    def __init__(
        self,
        *,
        num_classes: int = 10,
        in_channels: int = 1,
        squash: Literal["pooled", "all"] = "pooled",
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=MNIST)
        if squash not in ("pooled", "all"):
            raise ValueError(f"squash {squash!r} is unknown; give 'pooled' or 'all'")
        self.squash_all = squash == "all"
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.s2 = Subsampling(6)
        self.c3 = PartialConv2d(6, C3_TABLE, kernel=5)
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = self.new_classifier(NoClassifier(84), num_classes)
        for layer in (self.c1, self.c5, self.f6):
            lecun_uniform_(layer)

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the squashed maps of S2 and S4."""
        for convolution, subsampling in ((self.c1, self.s2), (self.c3, self.s4)):
            x = convolution(x)
            x = scaled_tanh(x) if self.squash_all else x
            x = scaled_tanh(subsampling(x))
            yield x

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Return C5, F6 and the distances.

        Raises:
            ValueError: the maps are not 5x5.
        """
        if x.shape[-2:] != (5, 5):
            raise ValueError(
                f"C5 of {self.name} needs 5x5 maps and got {x.shape[-2]}x{x.shape[-1]}; give "
                f"32x32 images (pad a 28x28 digit by 2)"
            )
        x = scaled_tanh(self.c5(x).flatten(1))
        x = scaled_tanh(self.f6(x))
        return x if pre_logits else self.output(x)

    def new_classifier(self, old: nn.Module, num_classes: int) -> nn.Module:
        """Return the fixed codes of another number of classes."""
        return CodeDistance(num_classes) if num_classes else NoClassifier(84)


class LeNet5(SequentialClassifier):
    """The modern form: full C3, ReLU, max (or average) pooling, a linear output; 61,706 parameters.

    `image_size` 28 pads the first convolution by 2, which equals zeros around the digit.
    Input (B, in_channels, image_size, image_size), output (B, num_classes).
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier.4",)
    stem: ClassVar[str] = "features.0"
    unseen: ClassVar[tuple[str, ...]] = ("pool", "activation")

    def __init__(
        self,
        *,
        num_classes: int = 10,
        in_channels: int = 1,
        image_size: Literal[28, 32] = 32,
        pool: Literal["max", "average"] = "max",
        activation: Literal["relu", "tanh", "sigmoid"] = "relu",
    ) -> None:
        if image_size not in (28, 32):
            raise ValueError(f"image_size {image_size} is not LeNet-5's; give 32 or 28")
        if pool not in _POOLS or activation not in _ACTIVATIONS:
            raise ValueError(
                f"pool {pool!r} or activation {activation!r} is unknown; give one of "
                f"{', '.join(_POOLS)} and one of {', '.join(_ACTIVATIONS)}"
            )
        size = (1, image_size, image_size)
        preset = replace(MNIST, input_size=size, resize=image_size)
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=preset)
        act, pooling = _ACTIVATIONS[activation], _POOLS[pool]
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5, padding=(32 - image_size) // 2),  # 6 x 28 x 28
            act(),
            pooling(2),  # 6 x 14 x 14
            nn.Conv2d(6, 16, 5),  # 16 x 10 x 10
            act(),
            pooling(2),  # 16 x 5 x 5
        )
        self.taps, self.side = (2, 5), 5
        self.classifier = nn.Sequential(
            nn.Linear(400, 120),
            act(),
            nn.Linear(120, 84),
            act(),
            linear_classifier(84, num_classes),
        )
        gain = math.sqrt(2.0) if activation == "relu" else 1.0
        for layer in (*self.features, *self.classifier):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                he_normal_(layer, gain=gain)


_POOLS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {
    "max": nn.MaxPool2d,
    "average": nn.AvgPool2d,
}
_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
