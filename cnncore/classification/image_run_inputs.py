"""Images for the commands: data, model and samples of a training run, or of a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cnncore.classification.run_inputs import RunInputs, new_model
from cnncore.classification.trained_models import Trained
from cnncore.data.images.image_data import ImageData
from cnncore.data.images.image_folders import ALL
from cnncore.data.images.image_samples import Augmentation, ImageSamples, Reader, find_images
from cnncore.data.samples import DataError, hold_out
from cnncore.layers.residual import StrideIn
from cnncore.recipes import Recipe


def open_training(
    name: str,
    path: Path,
    recipe: Recipe,
    *,
    weights: Path | None = None,
    stride_in: StrideIn | None = None,
) -> RunInputs:
    """Read the images at a path and make a model for them, with the weights of a file if given.

    Validation is the split "val", or a share of the training pictures as the recipe says; the
    split "test" is left alone.

    Raises:
        DataError: the data cannot be read or do not fit the model.
        ValueError: `create_model` refuses the name, an option or the weights.
    """
    readers = find_images(path)
    training = readers.get("train") or readers.get(ALL)
    if training is None:
        raise DataError(f"{path} has {', '.join(readers)} but nothing to train on; add train/")
    data = training()
    model = new_model(name, len(data.classes), recipe, weights=weights, stride_in=stride_in)
    augmentation = Augmentation(
        recipe.crop, recipe.shift, recipe.flip, recipe.colour, recipe.scales, recipe.area
    )
    train = ImageSamples(data, model.preset, augmentation)
    if "val" in readers:
        return RunInputs(train, ImageSamples(readers["val"](), model.preset), model)
    if not recipe.holdout:
        return RunInputs(train, None, model)
    train, validation = hold_out(train, recipe.holdout, seed=recipe.seed)
    return RunInputs(train, validation, model)


def read_split(
    readers: Mapping[str, Reader], split: str | None, path: Path
) -> tuple[str, ImageData]:
    """Return a split of the data at a path, and its name.

    It is the one asked for, else "test", "val", "all" or "train".

    Raises:
        DataError: it is not there.
    """
    order = ("test", "val", ALL, "train") if split is None else (split,)
    found = next((name for name in order if name in readers), None)
    if found is None:
        raise DataError(f"{path} has {', '.join(readers)}, not {split}; choose one of these")
    return found, readers[found]()


def evaluation_samples(data: ImageData, trained: Trained) -> ImageSamples:
    """Return images as a trained model is measured on."""
    return ImageSamples(data, trained.model.preset)
