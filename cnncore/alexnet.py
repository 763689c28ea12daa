"""AlexNet: the paper's net in one and in two towers, and torchvision's one-tower successor.

Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
networks". Images are 227x227 (the paper's 224 does not give its 55x55 maps):
227 -> 55 -> pool 27 -> 27 -> pool 13 -> 13 -> 13 -> 13 -> pool 6.

The two towers of the paper are the same as grouped convolutions: conv2, conv4 and conv5 see only
the 48, 192 and 192 maps of their own GPU, conv3 all 256. torchvision's alexnet is another net, of
Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks": 64-192-384-256-
256 maps, images of 224, no normalisation, dropout before and not after its two hidden layers.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from torch import nn

from cnncore.init import he_normal_, normal_
from cnncore.model import Preset, SequentialClassifier, hidden_layers
from cnncore.response import LocalResponseNorm, caffe_lrn, overlapping_pool, paper_lrn


class ConvRow(NamedTuple):
    """One convolution of the paper's figure 2 and what follows it."""

    channels: int
    kernel: int
    stride: int
    padding: int
    groups: int  # in the two-tower net
    norm: bool  # local response normalisation
    pool: bool
    bias: float  # initial, in the paper


LAYERS = (
    ConvRow(96, 11, 4, 0, 1, norm=True, pool=True, bias=0.0),
    ConvRow(256, 5, 1, 2, 2, norm=True, pool=True, bias=1.0),
    ConvRow(384, 3, 1, 1, 1, norm=False, pool=False, bias=0.0),
    ConvRow(384, 3, 1, 1, 2, norm=False, pool=False, bias=1.0),
    ConvRow(256, 3, 1, 1, 2, norm=False, pool=True, bias=1.0),
)
HIDDEN = 4096
OWT_LAYERS = (
    ConvRow(64, 11, 4, 2, 1, norm=False, pool=True, bias=0.0),
    ConvRow(192, 5, 1, 2, 1, norm=False, pool=True, bias=0.0),
    ConvRow(384, 3, 1, 1, 1, norm=False, pool=False, bias=0.0),
    ConvRow(256, 3, 1, 1, 1, norm=False, pool=False, bias=0.0),
    ConvRow(256, 3, 1, 1, 1, norm=False, pool=True, bias=0.0),
)


def _layers(
    rows: tuple[ConvRow, ...], in_channels: int, *, towers: int, order: str, convention: str
) -> list[nn.Module]:
    """Return the convolutional part: convolution, ReLU, and normalisation and pooling if any."""
    layers: list[nn.Module] = []
    for row in rows:
        groups = row.groups if towers == 2 else 1
        layers += [
            nn.Conv2d(
                in_channels, row.channels, row.kernel, row.stride, row.padding, groups=groups
            ),
            nn.ReLU(inplace=True),
        ]
        norm: list[LocalResponseNorm] = []
        if row.norm:
            norm = [paper_lrn() if convention == "paper" else caffe_lrn()]
        pool = [overlapping_pool()] if row.pool else []
        layers += [*norm, *pool] if order == "norm-pool" else [*pool, *norm]
        in_channels = row.channels
    return layers


def _taps(features: nn.Sequential) -> tuple[int, ...]:
    """Return the index of the last layer before each pooling, and of the very last layer."""
    pools = [i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
    return (*(i - 1 for i in pools[:-1]), len(features) - 1)


class AlexNet(SequentialClassifier):
    """The paper's net: 62,378,344 parameters in one tower, 60,965,224 in two.

    `order` is "norm-pool" in the paper and Caffe's bvlc_alexnet, "pool-norm" in CaffeNet and in
    most lecture notes; `convention` that of the normalisation (see `LocalResponseNorm`);
    `hidden` is the width of the two hidden layers; `initialisation` "paper" draws N(0, 0.01) with
    some biases 1. Input (B, in_channels, 227, 227), output (B, num_classes).
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier.6",)
    stem: ClassVar[str] = "features.0"

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        towers: Literal[1, 2] = 1,
        order: Literal["pool-norm", "norm-pool"] = "pool-norm",
        convention: Literal["paper", "caffe"] = "paper",
        hidden: int = HIDDEN,
        dropout: float = 0.5,
        initialisation: Literal["he", "paper"] = "he",
    ) -> None:
        super().__init__(
            num_classes=num_classes, in_channels=in_channels, preset=Preset((3, 227, 227))
        )
        if towers not in (1, 2):
            raise ValueError(f"AlexNet has 1 or 2 towers, not {towers}")
        if order not in ("pool-norm", "norm-pool"):
            raise ValueError(f"order {order!r} is unknown; give 'pool-norm' or 'norm-pool'")
        self.features = nn.Sequential(
            *_layers(LAYERS, in_channels, towers=towers, order=order, convention=convention)
        )
        self.taps, self.side = _taps(self.features), 6
        self.classifier = hidden_layers(256 * 6 * 6, hidden, num_classes, dropout=dropout)
        self._initialise(paper=initialisation == "paper")

    def _initialise(self, *, paper: bool) -> None:
        layers = [
            layer
            for layer in (*self.features, *self.classifier)
            if isinstance(layer, nn.Conv2d | nn.Linear)
        ]
        biases = [row.bias for row in LAYERS] + [1.0, 1.0, 0.0]
        for layer, bias in zip(layers, biases, strict=False):
            if paper:
                normal_(layer, deviation=0.01, bias=bias)
            else:
                he_normal_(layer)


class AlexNetOneWeirdTrick(SequentialClassifier):
    """torchvision's alexnet, part names included: 61,100,840 parameters.

    Input (B, in_channels, 224, 224), output (B, num_classes); the maps of images of other sizes are
    averaged to 6x6, as in torchvision.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier.6",)
    stem: ClassVar[str] = "features.0"

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        hidden: int = HIDDEN,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=Preset())
        self.features = nn.Sequential(
            *_layers(OWT_LAYERS, in_channels, towers=1, order="norm-pool", convention="paper")
        )
        self.taps, self.side, self.adaptive = _taps(self.features), 6, True
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, num_classes) if num_classes else nn.Identity(),
        )
        for layer in (*self.features, *self.classifier):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                he_normal_(layer)
