"""What every classifier of this package can do, whatever its paper: the `Classifier` base class.

A model runs in two halves, as in timm: `forward_features` gives the last feature map and
`forward_head` the logits. `stages` yields the map at the end of every stage on the way, for
detection, segmentation and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.initialisation import he_normal_
from cnncore.layers.residual import StrideIn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preset:
    """How an image becomes an input: scaled, cut in the middle, mapped to 0..1, normalised."""

    input_size: tuple[int, int, int] = (3, 224, 224)
    """Channels, height and width of what is cut out."""
    resize: int = 256
    """The shorter side of the scaled image, in points."""
    mean: tuple[float, ...] = IMAGENET_MEAN
    """What is subtracted from each channel."""
    std: tuple[float, ...] = IMAGENET_STD
    """What each channel is divided by."""
    interpolation: str = "bilinear"
    """How it is scaled, by pillow's name."""
    place: Literal["scale", "pad"] = "scale"
    """With "pad", pictures smaller than the input stand in the middle of black instead."""

    @property
    def crop_fraction(self) -> float:
        """The side of the crop over the shorter side of the scaled image (timm's crop_pct)."""
        return self.input_size[1] / self.resize

    @property
    def reads_digits(self) -> bool:
        """Whether the model wants pictures as MNIST has them: grey, small, on black."""
        return self.place == "pad" and self.input_size[0] == 1

    def with_channels(self, channels: int) -> Preset:
        """Return the preset for images of another number of channels: the mean of the means."""
        mean, std = self.mean, self.std
        if len(mean) != channels:
            mean = (sum(mean) / len(mean),) * channels
            std = (sum(std) / len(std),) * channels
        size = (channels, *self.input_size[1:])
        return replace(self, input_size=size, mean=mean, std=std)


class NoClassifier(nn.Identity):
    """The place of a classifier that was taken away or never made: passes on what it is given.

    `kind` of layer and `inputs` are those of the classifier that `reset_classifier` puts here.
    """

    def __init__(self, inputs: int, kind: type[nn.Linear | nn.Conv2d] = nn.Linear) -> None:
        super().__init__()
        self.inputs, self.kind = inputs, kind


def linear_classifier(inputs: int, num_classes: int) -> nn.Module:
    """Return a linear layer from `inputs` to the classes, or the empty place of one for 0."""
    return nn.Linear(inputs, num_classes) if num_classes else NoClassifier(inputs)


class Classifier(nn.Module):
    """A network from inputs to class logits; the base of all models here.

    The class attributes name parts by their path in the module tree. A model's `name` and `options`
    are those of `create_model`.
    """

    classifiers: ClassVar[tuple[str, ...]] = ("classifier",)
    """The layers whose size is the number of classes, the main one first."""
    stem: ClassVar[str] = "conv1"
    """The first convolution."""
    head: ClassVar[tuple[str, ...]] = ("classifier",)
    """The children that `forward_features` does not need."""
    renames: ClassVar[Mapping[str, str]] = {}
    """What other people's files call a part: their prefix -> ours."""
    unseen: ClassVar[tuple[str, ...]] = ()
    """Options that change what the weights mean, and are invisible in the tensors' names and
    shapes."""
    stride_in: StrideIn | None = None
    """Where bottlenecks have their stride; None for models without bottlenecks."""

    def __init__(self, *, num_classes: int, in_channels: int, preset: Preset | None) -> None:
        super().__init__()
        if num_classes < 0:
            raise ValueError(f"num_classes {num_classes} is negative; give 0 for no classifier")
        if in_channels < 1:
            raise ValueError(f"in_channels {in_channels} must be at least 1")
        self.num_classes = num_classes
        self.in_channels = in_channels
        self._preset = None if preset is None else preset.with_channels(in_channels)
        self.name = type(self).__name__
        self.options: dict[str, Any] = {}

    @property
    def preset(self) -> Preset:
        """How an image becomes an input.

        Raises:
            ValueError: the model does not read images.
        """
        if self._preset is None:
            raise ValueError(f"{self.name} reads sentences and has no preset for images")
        return self._preset

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the feature map (B, C, H, W) at the end of every stage, the last one last.

        Raises:
            ValueError: a model without maps.
        """
        raise ValueError(f"{self.name} has no feature maps")

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the last feature map."""
        for stage in self.stages(x):
            x = stage
        return x

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Return logits (B, num_classes), or with `pre_logits` what the last layer would see."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Any:
        """Return logits (B, num_classes)."""
        return self.forward_head(self.forward_features(x))

    def get_classifier(self) -> nn.Module:
        """Return the layer that makes the logits."""
        return self.get_submodule(self.classifiers[0])

    def present_classifiers(self) -> list[str]:
        """Return the paths of the classifiers that this model has, the main one first."""
        paths = {name for name, _ in self.named_modules()}
        return [path for path in self.classifiers if path in paths]

    def reset_classifier(self, num_classes: int) -> None:
        """Replace the classifier by a new one of `num_classes`; 0 takes it away (timm's habit)."""
        like = next(self.parameters())
        for path in self.present_classifiers():
            new = self.new_classifier(self.get_submodule(path), num_classes)
            self.set_submodule(path, new.to(like.device, like.dtype))
        self.num_classes = num_classes
        self.options["num_classes"] = num_classes

    def new_classifier(self, old: nn.Module, num_classes: int) -> nn.Module:
        """Return a freshly initialised classifier with the inputs of `old`."""
        inputs, kind = _read_by(old)
        if num_classes == 0:
            return NoClassifier(inputs, kind)
        convolves = kind is nn.Conv2d
        new = nn.Conv2d(inputs, num_classes, 1) if convolves else nn.Linear(inputs, num_classes)
        he_normal_(new, gain=1.0)
        return new

    def constrain(self) -> None:
        """Bring the weights back to where the paper keeps them; called after each step."""

    def example_input(
        self, batch: int = 1, *, size: int | None = None, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Return zeros of the shape of an input batch; `size` is the side of the image."""
        channels, height, width = self.preset.input_size
        if size is not None:
            height = width = size
        return torch.zeros(batch, channels, height, width, device=device)


def _read_by(classifier: nn.Module) -> tuple[int, type[nn.Linear | nn.Conv2d]]:
    """Return how many features a classifier or its empty place reads, and the kind of layer."""
    if isinstance(classifier, NoClassifier):
        return classifier.inputs, classifier.kind
    if isinstance(classifier, nn.Conv2d):
        return classifier.in_channels, nn.Conv2d
    assert isinstance(classifier, nn.Linear), (
        "other classifiers bring a new_classifier of their own"
    )
    return classifier.in_features, nn.Linear


def tapped(layers: nn.Sequential, taps: Sequence[int], x: Tensor) -> Iterator[Tensor]:
    """Run a chain and yield the map behind each of the layers `taps`."""
    for index, layer in enumerate(layers):
        x = layer(x)
        if index in taps:
            yield x


class SequentialClassifier(Classifier):
    """A chain: `features`, a flattening that checks the map's size, and `classifier`.

    `taps` are the indices of `features` after which a stage ends; `side` is the height and width
    of the map that the fully connected layers were made for; an `adaptive` model averages other
    maps to that size, the rest refuses them.
    """

    features: nn.Sequential
    classifier: nn.Sequential
    taps: tuple[int, ...]
    side: int
    adaptive: bool = False

    def stages(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the map after each stage, in the order of `taps`."""
        yield from tapped(self.features, self.taps, x)

    def forward_head(self, x: Tensor, *, pre_logits: bool = False) -> Tensor:
        """Flatten and classify.

        Raises:
            ValueError: the images are of another size than planned.
        """
        if x.shape[-2:] != (self.side, self.side) and self.adaptive:
            x = functional.adaptive_avg_pool2d(x, self.side)
        if x.shape[-2:] != (self.side, self.side):
            raise ValueError(
                f"the fully connected layers of {self.name} need {self.side}x{self.side} maps and "
                f"got {x.shape[-2]}x{x.shape[-1]}; give {self.preset.input_size[1]}x"
                f"{self.preset.input_size[2]} images"
            )
        layers = self.classifier[:-1] if pre_logits else self.classifier
        output: Tensor = layers(x.flatten(1))
        return output


def hidden_layers(
    inputs: int, hidden: int, num_classes: int, *, dropout: float, dropout_first: bool = False
) -> nn.Sequential:
    """Return two hidden layers with dropout, and the logits: the head of AlexNet, ZFNet and VGG.

    Dropout stands behind each hidden layer, or with `dropout_first` in front of it.
    """
    layers: list[nn.Module] = []
    for width in (inputs, hidden):
        unit: list[nn.Module] = [nn.Linear(width, hidden), nn.ReLU(inplace=True)]
        unit.insert(0 if dropout_first else 2, nn.Dropout(dropout))
        layers += unit
    return nn.Sequential(*layers, linear_classifier(hidden, num_classes))


class FeatureMaps(nn.Module):
    """A model without its head: images (B, C, H, W) to the list of its stages' feature maps.

    `channels` and `reductions` (input side over map side) describe each map in the list.
    """

    def __init__(
        self, model: Classifier, shapes: list[tuple[int, ...]], indices: tuple[int, ...]
    ) -> None:
        super().__init__()
        for child in model.head:
            setattr(model, child, nn.Identity())
        self.model = model
        self.indices = indices
        self.channels = [shapes[i][0] for i in indices]
        self.reductions = [round(model.preset.input_size[1] / shapes[i][1]) for i in indices]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps, the largest first."""
        return [x for index, x in enumerate(self.model.stages(x)) if index in self.indices]
