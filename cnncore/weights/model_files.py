"""Models with their weights: made by name, written to a file, and made again from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

from cnncore.models.classifier import Classifier, FeatureMaps
from cnncore.models.construction import feature_maps, make_model, remake_model
from cnncore.models.registry import ENTRIES, UnknownModelError, find_model
from cnncore.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cnncore.weights.matching import load_weights, sizes_in
from cnncore.weights.weight_files import WeightFile, read_weights

KIND = "classifier"
"""What a file of `save_model` says that it holds."""


@overload
def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: Literal[False] = False,
    **options: Any,
) -> Classifier: ...


@overload
def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: Literal[True],
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> FeatureMaps: ...


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> Classifier | FeatureMaps:
    """Return a model by name, newly initialised or with the weights of a file.

    `options` are those of the model's class (`create_model("resnet34", shortcut="A")`). Without
    `num_classes` and `in_channels` the model has those of the file, or the paper's. Where they
    differ from the file's, the layer is made anew or adapted and the log says so. `stride_in`
    beside `weights` declares where the file's bottlenecks have their stride; `unsafe_pickle` is
    that of `cnncore.read_weights`. With `features_only` the model gives the list of its stages'
    feature maps, or of those in `out_indices`, 0 being the largest map and -1 the last.

    >>> model = create_model("lenet5", num_classes=26)
    >>> model(model.example_input(batch=3)).shape
    torch.Size([3, 26])
    >>> create_model("resnet18", features_only=True, out_indices=(1, -1)).channels
    [64, 512]

    Raises:
        UnknownModelError: no model has this name.
        ValueError: the model does not have such an option or stage.
        WeightsError: the file cannot be read, or does not fit.
    """
    if out_indices is not None and not features_only:
        raise ValueError("out_indices choose among feature maps; give features_only=True as well")
    entry = find_model(name)
    given = {**entry.options, **options}
    if num_classes is not None:
        given["num_classes"] = num_classes
    if in_channels is not None:
        given["in_channels"] = in_channels
    if weights is None:
        model = make_model(entry, given)
    else:
        if not isinstance(weights, WeightFile):
            weights = read_weights(weights, unsafe_pickle=unsafe_pickle)
        for key, value in sizes_in(weights, make_model(entry, given, meta=True)).items():
            given.setdefault(key, value)
        model = make_model(entry, given)
        load_weights(model, weights, stride_in=options.get("stride_in"))
    return feature_maps(model, out_indices) if features_only else model


def save_model(
    model: Classifier, path: Path | str, *, facts: Mapping[str, Any] | None = None
) -> None:
    """Write a model made by `create_model`, with what is needed to make it again.

    `facts` (JSON) are kept with it: the names of its classes, how it was trained.

    Raises:
        OSError: the disk refuses; the old file then still stands.
        UnknownModelError: `create_model` did not make the model.
    """
    if model.name not in ENTRIES:
        raise UnknownModelError(
            f"a {model.name} was not made by create_model, so its file could not be read; make "
            f"it by name"
        )
    metadata = {**how_made(model), "facts": dict(facts or {})}
    save_checkpoint(path, model.state_dict(), kind=KIND, metadata=metadata)


def how_made(model: Classifier) -> dict[str, Any]:
    """Return what is needed to make a model again without its weights, as JSON has it."""
    options = {key: value for key, value in model.options.items() if key != "vectors"}
    return {"model": model.name, "options": options, "stride_in": model.stride_in}


def load_model(path: Path | str) -> Classifier:
    """Return the model that `save_model` wrote, in eval mode.

    Raises:
        CheckpointError: `save_model` did not write the file.
        WeightsError: the weights do not fit their model any more.
    """
    return model_in(load_checkpoint(path, kind=KIND), path)


def model_in(checkpoint: Checkpoint, path: Path | str) -> Classifier:
    """Return the model that a checkpoint of `path` holds as `save_model` wrote it, in eval mode.

    Raises:
        WeightsError: the weights do not fit their model any more.
    """
    options = checkpoint.metadata["options"]
    model = remake_model(checkpoint.metadata["model"], options)
    load_weights(model, WeightFile(Path(path), checkpoint.tensors, checkpoint.metadata))
    return model.eval()
