"""Models as small as their architecture allows, for tests that run every one of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cnncore import Classifier, create_model

CLASSES = 5


def small(name: str, *, batch: int = 2, **options: Any) -> tuple[Classifier, Tensor]:
    """Return a model of 5 classes and a batch of inputs for it."""
    if name.startswith(("alexnet", "zfnet", "vgg")):
        options = {"hidden": 8, **options}
    if name.startswith("kim"):
        options = {"vocabulary": 30, "dimension": 12, "maps": 4, **options}
        model = create_model(name, num_classes=CLASSES, **options)
        return model, torch.randint(1, 30, (batch, 9))
    model = create_model(name, num_classes=CLASSES, **options)
    side = model.preset.input_size[1]
    if name.startswith(("vgg", "resnet", "preact")):
        side = 32
    elif name == "nin-imagenet":
        side = 99
    elif name == "googlenet-torchvision":
        side = 96
    return model, torch.randn(batch, model.in_channels, side, side)


def lenet(seed: int = 0, **options: Any) -> Classifier:
    """Return a LeNet-5 in eval mode with weights of a seed."""
    torch.manual_seed(seed)
    return create_model("lenet5", **options).eval()


def equal(model: nn.Module, other: nn.Module) -> bool:
    """Return whether two models have the same tensors under the same names."""
    ours, theirs = model.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)
