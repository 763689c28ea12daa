"""VGG: nothing but 3x3 convolutions, in six depths.

Simonyan & Zisserman 2014, "Very deep convolutional networks for large-scale image recognition",
table 1, which is `CONFIGURATIONS` below. Part names are torchvision's, which has A, B, D and E as
vgg11, vgg13, vgg16 and vgg19, each with or without batch normalisation (not in the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from cnncore.layers.alexnet_layers import paper_lrn
from cnncore.layers.initialisation import he_normal_
from cnncore.models.classifier import Preset, SequentialClassifier, hidden_layers

# A column of table 1 for every letter, a line for every block between two poolings: the channels
# of its convolutions. A number below zero is a 1x1 convolution, all others are 3x3.
CONFIGURATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "A-LRN": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "C": ((64, 64), (128, 128), (256, 256, -256), (512, 512, -512), (512, 512, -512)),
    "D": ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3),
    "E": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
HIDDEN = 4096


class VGG(SequentialClassifier):
    """A column of table 1; A-LRN has AlexNet's normalisation behind its first convolution.

    Input (B, in_channels, 224, 224), output (B, num_classes); the maps of images of other sizes are
    averaged to 7x7, as in torchvision. `hidden` is the width of the two hidden layers.

    Raises:
        ValueError: another configuration than A, A-LRN, B, C, D or E.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier.6",)
    stem: ClassVar[str] = "features.0"
    renames: ClassVar[Mapping[str, str]] = {  # timm's, whose hidden layers are convolutions
        "pre_logits.fc1.": "classifier.0.",
        "pre_logits.fc2.": "classifier.3.",
        "head.fc.": "classifier.6.",
    }

    def __init__(
        self,
        *,
        configuration: str = "D",
        norm: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
        hidden: int = HIDDEN,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=Preset())
        if configuration not in CONFIGURATIONS:
            raise ValueError(
                f"VGG has no configuration {configuration!r}; give one of "
                f"{', '.join(CONFIGURATIONS)}"
            )
        layers, taps = _layers(configuration, in_channels, norm=norm)
        self.features = nn.Sequential(*layers)
        self.taps, self.side, self.adaptive = (*taps, len(layers) - 1), 7, True
        self.classifier = hidden_layers(512 * 7 * 7, hidden, num_classes, dropout=dropout)
        for layer in (*self.features, *self.classifier):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                he_normal_(layer)


def _layers(
    configuration: str, in_channels: int, *, norm: bool
) -> tuple[list[nn.Module], list[int]]:
    """Return the convolutional part, and the index of the last layer before each pooling."""
    layers: list[nn.Module] = []
    taps: list[int] = []
    channels = in_channels
    for block in CONFIGURATIONS[configuration]:
        for width in block:
            kernel = 1 if width < 0 else 3
            layers.append(nn.Conv2d(channels, abs(width), kernel, padding=kernel // 2))
            if norm:
                layers.append(nn.BatchNorm2d(abs(width)))
            layers.append(nn.ReLU(inplace=True))
            if configuration == "A-LRN" and not taps:
                layers.append(paper_lrn())
            channels = abs(width)
        taps.append(len(layers) - 1)
        layers.append(nn.MaxPool2d(2))
    return layers, taps
