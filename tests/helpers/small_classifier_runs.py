"""Small training runs of classifiers, on noise around patterns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnncore import create_model
from cnncore.classification.classifier_run import (
    ClassifierRun,
)
from cnncore.data.images.image_data import array_data
from cnncore.data.images.image_samples import Augmentation, ImageSamples
from cnncore.recipes import Recipe

RECIPE = Recipe(epochs=4, batch=8, lr=0.02, average=0.5, report_steps=1, shift=1, warmup=0.5)


def digits(count: int = 24, *, seed: int = 0, classes: int = 3) -> ImageSamples:
    """Noise around one pattern a class."""
    source = torch.Generator().manual_seed(seed)
    patterns = torch.randint(
        0, 200, (classes, 1, 28, 28), generator=torch.Generator().manual_seed(9)
    )
    labels = torch.arange(count) % classes
    noise = torch.randint(0, 55, (count, 1, 28, 28), generator=source)
    pixels = (patterns[labels] + noise).to(torch.uint8)
    data = array_data(pixels, labels, tuple("abc"[:classes]))
    return ImageSamples(data, create_model("lenet5").preset, Augmentation(shift=1))


def new_run(folder: Path, recipe: Recipe = RECIPE, **changes: Any) -> ClassifierRun:
    torch.manual_seed(recipe.seed)
    model = changes.pop("model", None) or create_model("lenet5", num_classes=3)
    train = changes.pop("train", None) or digits()
    return ClassifierRun(folder, recipe, train, digits(12, seed=1), model, **changes)


def timeless(run: ClassifierRun) -> list[dict[str, Any]]:
    slow = ("time", "samples_per_second")
    return [{k: v for k, v in x.items() if k not in slow} for x in run.files.metrics.read()]


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def photos(count: int = 12) -> ImageSamples:
    source = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (count, 3, 32, 32), generator=source).to(torch.uint8)
    data = array_data(pixels, torch.arange(count) % 2, ("a", "b"))
    return ImageSamples(data, create_model("resnet20-cifar").preset)
