"""Network in network: after every convolution two 1x1 convolutions, and no fully connected layer.

Lin, Chen & Yan 2013, "Network in network". The logits are the averages of the last maps, one map a
class. Layer widths are those of the authors' Caffe models for CIFAR-10 and ImageNet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from cnncore.layers.initialisation import he_normal_
from cnncore.models.classifier import Classifier, NoClassifier, Preset, tapped


class Block(NamedTuple):
    """One "mlpconv" layer: a convolution, two 1x1 convolutions, and the pooling behind them."""

    kernel: int
    stride: int
    padding: int
    widths: tuple[int, int, int]  # 0 stands for the number of classes
    pool: Literal["max", "average", "none"]


LAYOUTS: dict[str, tuple[Block, ...]] = {
    "imagenet": (
        Block(11, 4, 0, (96, 96, 96), "max"),
        Block(5, 1, 2, (256, 256, 256), "max"),
        Block(3, 1, 1, (384, 384, 384), "max"),
        Block(3, 1, 1, (1024, 1024, 0), "none"),
    ),
    "cifar10": (
        Block(5, 1, 2, (192, 160, 96), "max"),
        Block(5, 1, 2, (192, 192, 192), "average"),
        Block(3, 1, 1, (192, 192, 0), "none"),
    ),
}
PRESETS = {
    "imagenet": Preset(),
    "cifar10": Preset((3, 32, 32), 32),
}


class NIN(Classifier):
    """Three or four mlpconv layers and a global average: 7,595,176 parameters for ImageNet.

    The CIFAR-10 layout has 966,986. Pooling is 3x3 every 2 points and reaches over the edge, as
    in Caffe. Dropout stands behind every pooling for CIFAR-10, behind the last one for ImageNet.
    Input (B, in_channels, H, W) with 224x224 or 32x32 images in the paper, output
    (B, num_classes).
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier",)
    stem: ClassVar[str] = "features.0"
    head: ClassVar[tuple[str, ...]] = ("classifier", "relu")

    def __init__(
        self,
        *,
        layout: Literal["imagenet", "cifar10"] = "imagenet",
        num_classes: int | None = None,
        in_channels: int = 3,
        dropout: float = 0.5,
    ) -> None:
        if layout not in LAYOUTS:
            raise ValueError(f"NIN has no layout {layout!r}; give one of {', '.join(LAYOUTS)}")
        if num_classes is None:
            num_classes = 1000 if layout == "imagenet" else 10
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=PRESETS[layout])
        layers: list[nn.Module] = []
        taps: list[int] = []
        channels = in_channels
        blocks = LAYOUTS[layout]
        for number, block in enumerate(blocks):
            for place, width in enumerate(block.widths):
                if width == 0:
                    continue
                if place == 0:
                    conv = nn.Conv2d(channels, width, block.kernel, block.stride, block.padding)
                else:
                    conv = nn.Conv2d(channels, width, 1)
                layers += [conv, nn.ReLU(inplace=True)]
                channels = width
            taps.append(len(layers) - 1)
            if block.pool != "none":
                layers.append(_pool(block.pool))
                if layout == "cifar10" or number == len(blocks) - 2:
                    layers.append(nn.Dropout(dropout))
        self.features = nn.Sequential(*layers)
        self.taps = tuple(taps)
        self.classifier = self.new_classifier(NoClassifier(channels, nn.Conv2d), num_classes)
        self.relu = nn.ReLU(inplace=True)
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                he_normal_(layer)

    def new_classifier(self, old: nn.Module, num_classes: int) -> nn.Module:
        """Return a freshly initialised classifier with the inputs of `old`."""
        new = super().new_classifier(old, num_classes)
        if isinstance(new, nn.Conv2d):
            _start_small(new)
        return new

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the map after each mlpconv layer, before its pooling."""
        yield from tapped(self.features, self.taps, x)

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Return the average of each class's map, or with `pre_logits` of each map before."""
        if pre_logits or self.num_classes == 0:
            return x.mean(dim=(2, 3))
        maps: Tensor = self.relu(self.classifier(x))
        return maps.mean(dim=(2, 3))


def _start_small(class_maps: nn.Conv2d) -> None:
    """Give the layer of the classes' maps small weights and biases of 1.

    A ReLU stands behind it, and a class whose map is negative everywhere would never learn.
    """
    he_normal_(class_maps, gain=0.1)
    assert class_maps.bias is not None
    nn.init.ones_(class_maps.bias)


def _pool(kind: str) -> nn.Module:
    if kind == "max":
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return nn.AvgPool2d(3, stride=2, ceil_mode=True)
