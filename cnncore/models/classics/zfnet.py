"""ZFNet: AlexNet with a finer first layer, found by looking at what its filters had learnt.

Zeiler & Fergus 2013, "Visualizing and understanding convolutional networks", figure 3. The first
filters are 7x7 every 2 points instead of 11x11 every 4. The figure's sizes 224 -> 110 -> 55 -> 26
-> 13 -> 13 -> 13 -> 13 -> 6 need one point of padding in conv1 and in the first two poolings, not
in conv2, which the paper leaves unsaid.
"""

from __future__ import annotations

import torch

from cnncore.models.classics.alexnet import HIDDEN, ConvRow, Initialisation, RowsAndHiddenLayers
from cnncore.models.classifier import Preset

LAYERS = (
    ConvRow(96, 7, 2, 1, norm=True, pool=1),
    ConvRow(256, 5, 2, 0, norm=True, pool=1),
    ConvRow(384, 3, 1, 1),
    ConvRow(384, 3, 1, 1),
    ConvRow(256, 3, 1, 1, pool=0),
)
FILTER_RMS = 0.1


class ZFNet(RowsAndHiddenLayers):
    """The net of figure 3: 62,357,608 parameters.

    `initialisation` "paper" draws N(0, 0.01) with zero biases; `constrain`, to be called after each
    update, keeps single filters from dominating. Input (B, in_channels, 224, 224),
    output (B, num_classes).
    """

    def __init__(
        self,
        *,
        num_classes: int = 1000,
        in_channels: int = 3,
        hidden: int = HIDDEN,
        dropout: float = 0.5,
        initialisation: Initialisation = "he",
    ) -> None:
        super().__init__(
            LAYERS,
            preset=Preset(),
            num_classes=num_classes,
            in_channels=in_channels,
            hidden=hidden,
            dropout=dropout,
        )
        self.initialise(initialisation)

    @torch.no_grad()
    def constrain(self) -> None:
        """Scale the filters of the first layer whose RMS exceeds 0.1 down to it (section 3)."""
        weight = self.get_parameter(f"{self.stem}.weight")
        rms = weight.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        weight.mul_((FILTER_RMS / rms).clamp(max=1.0))
