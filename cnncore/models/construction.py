"""Models made of the entries of the registry, newly initialised."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import torch

from cnncore.models.classifier import Classifier, FeatureMaps
from cnncore.models.registry import Entry, find_model
from cnncore.models.shapes import stage_shapes


def make_model(entry: Entry, options: Mapping[str, Any], *, meta: bool = False) -> Classifier:
    """Return the model of an entry, made with `options` alone, newly initialised.

    With `meta` its tensors have shapes and no values.

    Raises:
        ValueError: the model does not have such an option.
    """
    kind = _class_of(entry)
    known = set(inspect.signature(kind).parameters)
    unknown = sorted(set(options) - known)
    if unknown:
        raise ValueError(
            f"{entry.name} has no option {unknown[0]!r}; it takes {', '.join(sorted(known))}"
        )
    with torch.device("meta" if meta else torch.get_default_device()):
        model = kind(**options)
    model.name = entry.name
    model.options = dict(options)
    return model


def remake_model(name: str, options: Mapping[str, Any]) -> Classifier:
    """Return a newly initialised model of all the `options` that a model of this name once had.

    What the name stands for today does not matter.

    Raises:
        UnknownModelError: no model has this name.
        ValueError: the model does not have such an option.
    """
    return make_model(find_model(name), options)


def feature_maps(model: Classifier, out_indices: Sequence[int] | None = None) -> FeatureMaps:
    """Return a model without its head that gives the feature maps of the chosen stages.

    Stage 0 has the largest map, -1 is the last one; None chooses all.

    Raises:
        ValueError: the model does not have such a stage.
    """
    shapes = stage_shapes(model)
    chosen = range(len(shapes)) if out_indices is None else out_indices
    wrong = [index for index in chosen if not -len(shapes) <= index < len(shapes)]
    if wrong:
        raise ValueError(f"{model.name} has stages 0 to {len(shapes) - 1}, not {wrong[0]}")
    return FeatureMaps(model, shapes, tuple(sorted({index % len(shapes) for index in chosen})))


def _class_of(entry: Entry) -> type[Classifier]:
    """Import the class of an entry."""
    kind: type[Classifier] = getattr(
        import_module(f"cnncore.models.classics.{entry.home}"), entry.kind
    )
    return kind
