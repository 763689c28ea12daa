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

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

from torch import nn

from cnncore.layers.alexnet_layers import caffe_lrn, overlapping_pool, paper_lrn
from cnncore.layers.initialisation import he_normal_, normal_
from cnncore.models.classifier import Preset, SequentialClassifier, hidden_layers

Order = Literal["pool-norm", "norm-pool"]
Initialisation = Literal["he", "paper"]


class ConvRow(NamedTuple):
    """One convolution of a paper's table or figure, and what follows its ReLU."""

    channels: int
    kernel: int
    stride: int
    padding: int
    groups: int = 1
    norm: bool = False  # local response normalisation
    pool: int | None = None  # padding of the pooling; None: no pooling
    bias: float = 0.0  # initial, in the paper


LAYERS = (
    ConvRow(96, 11, 4, 0, norm=True, pool=0),
    ConvRow(256, 5, 1, 2, groups=2, norm=True, pool=0, bias=1.0),
    ConvRow(384, 3, 1, 1),
    ConvRow(384, 3, 1, 1, groups=2, bias=1.0),
    ConvRow(256, 3, 1, 1, groups=2, pool=0, bias=1.0),
)
ONE_TOWER = tuple(row._replace(groups=1) for row in LAYERS)
OWT_LAYERS = (
    ConvRow(64, 11, 4, 2, pool=0),
    ConvRow(192, 5, 1, 2, pool=0),
    ConvRow(384, 3, 1, 1),
    ConvRow(256, 3, 1, 1),
    ConvRow(256, 3, 1, 1, pool=0),
)
HIDDEN = 4096
HIDDEN_BIASES = (1.0, 1.0, 0.0)  # of the fully connected layers, initial, in the paper
_NORMS = {"paper": paper_lrn, "caffe": caffe_lrn}


class RowsAndHiddenLayers(SequentialClassifier):
    """The convolutions of a table, two hidden layers and the logits: AlexNet's shape, and ZFNet's.

    `norm` makes a local response normalisation, `order` says whether it stands before or behind
    the pooling. Maps in front of the hidden layers are 6x6.

    Raises:
        ValueError: another order.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier.6",)
    stem: ClassVar[str] = "features.0"

    def __init__(
        self,
        rows: Sequence[ConvRow],
        *,
        preset: Preset,
        num_classes: int,
        in_channels: int,
        hidden: int,
        dropout: float,
        dropout_first: bool = False,
        order: Order = "pool-norm",
        norm: Callable[[], nn.Module] = paper_lrn,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=preset)
        if order not in ("pool-norm", "norm-pool"):
            raise ValueError(f"order {order!r} is unknown; give 'pool-norm' or 'norm-pool'")
        layers: list[nn.Module] = []
        channels = in_channels
        for row in rows:
            layers += [
                nn.Conv2d(
                    channels, row.channels, row.kernel, row.stride, row.padding, groups=row.groups
                ),
                nn.ReLU(inplace=True),
            ]
            norms = [norm()] if row.norm else []
            pools = [] if row.pool is None else [overlapping_pool(padding=row.pool)]
            layers += [*norms, *pools] if order == "norm-pool" else [*pools, *norms]
            channels = row.channels
        self.features = nn.Sequential(*layers)
        # A stage ends before each pooling, and the last one with the last layer.
        places = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        self.taps, self.side = (*(i - 1 for i in places[:-1]), len(layers) - 1), 6
        self.classifier = hidden_layers(
            channels * 6 * 6, hidden, num_classes, dropout=dropout, dropout_first=dropout_first
        )

    def initialise(self, kind: Initialisation, *, biases: Sequence[float] = ()) -> None:
        """Draw the weights: He's, or "paper": N(0, 0.01) and the biases given, the rest zero.

        Raises:
            ValueError: another kind.
        """
        if kind not in ("he", "paper"):
            raise ValueError(f"initialisation {kind!r} is unknown; give 'he' or 'paper'")
        layers = [
            layer
            for layer in (*self.features, *self.classifier)
            if isinstance(layer, nn.Conv2d | nn.Linear)
        ]
        for number, layer in enumerate(layers):
            if kind == "paper":
                bias = biases[number] if number < len(biases) else 0.0
                normal_(layer, deviation=0.01, bias=bias)
            else:
                he_normal_(layer)


class AlexNet(RowsAndHiddenLayers):
    """The paper's net: 62,378,344 parameters in one tower, 60,965,224 in two.

    `order` is "norm-pool" in the paper and Caffe's bvlc_alexnet, "pool-norm" in CaffeNet and in
    most lecture notes; `convention` that of the normalisation (see `LocalResponseNorm`);
    `hidden` is the width of the two hidden layers; `initialisation` "paper" draws N(0, 0.01) with
    some biases 1. Input (B, in_channels, 227, 227), output (B, num_classes).
    """

    unseen: ClassVar[tuple[str, ...]] = ("order", "convention")

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        towers: Literal[1, 2] = 1,
        order: Order = "pool-norm",
        convention: Literal["paper", "caffe"] = "paper",
        hidden: int = HIDDEN,
        dropout: float = 0.5,
        initialisation: Initialisation = "he",
    ) -> None:
        if towers not in (1, 2):
            raise ValueError(f"AlexNet has 1 or 2 towers, not {towers}")
        if convention not in _NORMS:
            raise ValueError(f"LRN convention {convention!r} is unknown; give 'paper' or 'caffe'")
        super().__init__(
            LAYERS if towers == 2 else ONE_TOWER,
            preset=Preset((3, 227, 227)),
            num_classes=num_classes,
            in_channels=in_channels,
            hidden=hidden,
            dropout=dropout,
            order=order,
            norm=_NORMS[convention],
        )
        self.initialise(initialisation, biases=(*(row.bias for row in LAYERS), *HIDDEN_BIASES))


class AlexNetOneWeirdTrick(RowsAndHiddenLayers):
    """torchvision's alexnet, part names included: 61,100,840 parameters.

    Input (B, in_channels, 224, 224), output (B, num_classes); the maps of images of other sizes are
    averaged to 6x6, as in torchvision.
    """

    adaptive = True

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        hidden: int = HIDDEN,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            OWT_LAYERS,
            preset=Preset(),
            num_classes=num_classes,
            in_channels=in_channels,
            hidden=hidden,
            dropout=dropout,
            dropout_first=True,
        )
        self.initialise("he")
