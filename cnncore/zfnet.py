"""ZFNet: AlexNet with a finer first layer, found by looking at what its filters had learnt.

Zeiler & Fergus 2013, "Visualizing and understanding convolutional networks", figure 3. The first
filters are 7x7 every 2 points instead of 11x11 every 4. The figure's sizes 224 -> 110 -> 55 -> 26
-> 13 -> 13 -> 13 -> 13 -> 6 need one point of padding in conv1 and in the first two poolings, none
in conv2, which the paper leaves unsaid.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import nn

from cnncore.init import he_normal_, normal_
from cnncore.model import Preset, SequentialClassifier, hidden_layers
from cnncore.response import overlapping_pool, paper_lrn


class ConvRow(NamedTuple):
    """One convolution of figure 3 and the pooling and normalisation behind it."""

    channels: int
    kernel: int
    stride: int
    padding: int
    pool_padding: int | None  # None: no pooling
    norm: bool


LAYERS = (
    ConvRow(96, 7, 2, 1, pool_padding=1, norm=True),
    ConvRow(256, 5, 2, 0, pool_padding=1, norm=True),
    ConvRow(384, 3, 1, 1, pool_padding=None, norm=False),
    ConvRow(384, 3, 1, 1, pool_padding=None, norm=False),
    ConvRow(256, 3, 1, 1, pool_padding=0, norm=False),
)
HIDDEN = 4096
FILTER_RMS = 0.1


class ZFNet(SequentialClassifier):
    """The net of figure 3: 62,357,608 parameters.

    `initialisation` "paper" draws N(0, 0.01) with zero biases; `constrain`, to be called after each
    update, keeps single filters from dominating. Input (B, in_channels, 224, 224),
    output (B, num_classes).
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
        initialisation: Literal["he", "paper"] = "he",
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=Preset())
        layers: list[nn.Module] = []
        taps: list[int] = []
        channels = in_channels
        for row in LAYERS:
            layers += [
                nn.Conv2d(channels, row.channels, row.kernel, row.stride, row.padding),
                nn.ReLU(inplace=True),
            ]
            if row.pool_padding is not None:
                layers.append(overlapping_pool(padding=row.pool_padding))
                taps.append(len(layers) - (1 if len(taps) == 2 else 2))
            if row.norm:
                layers.append(paper_lrn())
            channels = row.channels
        self.features = nn.Sequential(*layers)
        self.taps, self.side = tuple(taps), 6
        self.classifier = hidden_layers(256 * 6 * 6, hidden, num_classes, dropout=dropout)
        for layer in (*self.features, *self.classifier):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                if initialisation == "paper":
                    normal_(layer, deviation=0.01)
                else:
                    he_normal_(layer)

    @torch.no_grad()
    def constrain(self) -> None:
        """Scale the filters of the first layer whose RMS exceeds 0.1 down to it (section 3)."""
        weight = self.get_parameter(f"{self.stem}.weight")
        rms = weight.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        weight.mul_((FILTER_RMS / rms).clamp(max=1.0))
