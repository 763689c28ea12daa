"""ResNets: ImageNet's 18 to 152 layers, CIFAR-10's 20 to 110, and their pre-activated siblings.

He et al. 2015, "Deep residual learning for image recognition": `IMAGENET` is table 1; section 4.2
has the CIFAR nets of 6n + 2 layers. He et al. 2016, "Identity mappings in deep residual networks",
has the pre-activation form. Part names are torchvision's. The CIFAR nets are NOT ImageNet's with
another classifier: a 3x3 stem, 16-32-64 channels, no pooling, zero-padding shortcuts.

| net | parameters | net | parameters | CIFAR net | parameters (option A) |
|---|---|---|---|---|---|
| 18 | 11,689,512 | 101 | 44,549,160 | 20 | 269,722 |
| 34 | 21,797,672 | 152 | 60,192,808 | 56 | 853,018 |
| 50 | 25,557,032 | | | 110 | 1,727,962 |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from cnncore.layers.initialisation import he_normal_
from cnncore.layers.residual import (
    BasicBlock,
    Bottleneck,
    PreActBasicBlock,
    PreActBottleneck,
    PreActivation,
    Shortcut,
    StrideIn,
    check_stride_in,
    convolution,
)
from cnncore.models.classifier import Classifier, Preset, linear_classifier

BlockKind = Literal["basic", "bottleneck"]


class Layout(NamedTuple):
    """What the paper's tables say of a net: its stages and its stem.

    `counts` are the blocks of every stage, `widths` the channels of their 3x3 convolutions;
    `kernel` and `stride` those of the first convolution.
    """

    kind: BlockKind
    counts: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 7
    stride: int = 2
    preset: Preset = Preset()


# Table 1: the kind of block and how many of them stand in conv2_x, conv3_x, conv4_x and conv5_x.
IMAGENET: dict[int, Layout] = {
    18: Layout("basic", (2, 2, 2, 2)),
    34: Layout("basic", (3, 4, 6, 3)),
    50: Layout("bottleneck", (3, 4, 6, 3)),
    101: Layout("bottleneck", (3, 4, 23, 3)),
    152: Layout("bottleneck", (3, 8, 36, 3)),
}


def cifar_layout(depth: int, *, bottleneck: bool = False) -> Layout:
    """Return the layout of section 4.2: 6n + 2 layers of basic blocks, or 9n + 2 of bottlenecks.

    Raises:
        ValueError: another depth.
    """
    unit = 9 if bottleneck else 6
    if depth < unit + 2 or (depth - 2) % unit:
        raise ValueError(
            f"a CIFAR ResNet of {'bottlenecks' if bottleneck else 'basic blocks'} has "
            f"{unit}n + 2 layers, not {depth}; give {unit + 2}, {2 * unit + 2}, ..."
        )
    return Layout(
        "bottleneck" if bottleneck else "basic",
        ((depth - 2) // unit,) * 3,
        widths=(16, 32, 64),
        kernel=3,
        stride=1,
        preset=Preset((3, 32, 32), 32),
    )


_AnyBlock = type[BasicBlock] | type[Bottleneck] | type[PreActBasicBlock] | type[PreActBottleneck]
_BLOCKS: dict[tuple[BlockKind, bool], _AnyBlock] = {  # and whether pre-activated
    ("basic", False): BasicBlock,
    ("basic", True): PreActBasicBlock,
    ("bottleneck", False): Bottleneck,
    ("bottleneck", True): PreActBottleneck,
}


class _ResidualNet(Classifier):
    """Stem, stages of residual blocks named layer1, layer2, ..., global average, linear."""

    classifiers: ClassVar[tuple[str, ...]] = ("fc",)
    stem: ClassVar[str] = "conv1"
    head: ClassVar[tuple[str, ...]] = ("fc",)
    renames: ClassVar[Mapping[str, str]] = {"linear.": "fc.", ".shortcut.": ".downsample."}

    def __init__(
        self,
        layout: Layout,
        *,
        shortcut: Shortcut,
        stride_in: StrideIn,
        pre_activation: bool,
        num_classes: int,
        in_channels: int,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, preset=layout.preset)
        check_stride_in(stride_in)
        self.depth_of_stages = len(layout.counts)
        self.stride_in = stride_in if layout.kind == "bottleneck" else None
        channels = layout.widths[0]
        self.conv1 = convolution(in_channels, channels, layout.kernel, stride=layout.stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        make_block = _BLOCKS[layout.kind, pre_activation]
        for stage, (count, width) in enumerate(zip(layout.counts, layout.widths, strict=True)):
            blocks: list[nn.Module] = []
            for number in range(count):
                stride = 2 if stage > 0 and number == 0 else 1
                block = make_block(
                    channels, width, stride=stride, shortcut=shortcut, stride_in=stride_in
                )
                if stage == number == 0 and isinstance(block, PreActivation):
                    block.bn1 = None  # the stem has activated the input already
                blocks.append(block)
                channels = width * make_block.expansion
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.norm: nn.Module = nn.Identity()
        if pre_activation:
            self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.fc = linear_classifier(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                he_normal_(module)
            elif isinstance(module, nn.Linear):
                he_normal_(module, gain=1.0)

    def blocks(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the map after each stage of residual blocks."""
        for stage in range(1, self.depth_of_stages + 1):
            x = self.get_submodule(f"layer{stage}")(x)
            yield self.norm(x) if stage == self.depth_of_stages else x

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Average each map and classify."""
        x = x.mean(dim=(2, 3))
        return x if pre_logits else self.fc(x)


class ResNet(_ResidualNet):
    """ImageNet's net of 18, 34, 50, 101 or 152 layers.

    Shortcut "A" pads, "B" (the usual one) projects where the shape changes, "C" everywhere.
    `stride_in` places the stride of the bottleneck nets: "3x3" in torchvision and timm ("v1.5"),
    "1x1" in the paper, Caffe and Keras ("v1"); trained weights belong to one of the two.
    Input (B, in_channels, H, W), 224x224 in the paper, output (B, num_classes).

    Raises:
        ValueError: a depth that is not in table 1.
    """

    def __init__(
        self,
        *,
        depth: int = 50,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
        pre_activation: bool = False,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        if depth not in IMAGENET:
            raise ValueError(
                f"the paper has no ImageNet net of {depth} layers; give one of "
                f"{', '.join(map(str, IMAGENET))}"
            )
        super().__init__(
            IMAGENET[depth],
            shortcut=shortcut,
            stride_in=stride_in,
            pre_activation=pre_activation,
            num_classes=num_classes,
            in_channels=in_channels,
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the stem's map and those of conv2_x to conv5_x: 112, 56, 28, 14, 7 points."""
        x = self.relu(self.bn1(self.conv1(x)))  # (B, 64, 112, 112)
        yield x
        yield from self.blocks(self.maxpool(x))


class CifarResNet(_ResidualNet):
    """CIFAR-10's net: 6n + 2 layers of basic blocks (20, 32, 44, 56, 110), or 9n + 2 bottlenecks.

    Bottlenecks (164, 1001) exist only in the paper on pre-activation. Input
    (B, in_channels, 32, 32), output (B, num_classes).

    Raises:
        ValueError: another depth.
    """

    def __init__(
        self,
        *,
        depth: int = 20,
        shortcut: Shortcut = "A",
        stride_in: StrideIn = "1x1",
        pre_activation: bool = False,
        bottleneck: bool = False,
        num_classes: int = 10,
        in_channels: int = 3,
    ) -> None:
        super().__init__(
            cifar_layout(depth, bottleneck=bottleneck),
            shortcut=shortcut,
            stride_in=stride_in,
            pre_activation=pre_activation,
            num_classes=num_classes,
            in_channels=in_channels,
        )

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the maps of the three stages: 32, 16 and 8 points."""
        yield from self.blocks(self.relu(self.bn1(self.conv1(x))))
