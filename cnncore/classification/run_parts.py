"""What a training run is made of, whatever its samples are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from cnncore.data.samples import Samples
from cnncore.layers.residual import StrideIn
from cnncore.models.classifier import Classifier
from cnncore.models.registry import create_model
from cnncore.recipes import Recipe
from cnncore.training.recipe_files import RecipeError


@dataclass(frozen=True)
class Task:
    """What a training run is made of; `facts` are kept with the trained model."""

    train: Samples
    validation: Samples | None
    model: Classifier
    facts: Mapping[str, Any] = field(default_factory=dict)


def new_model(
    name: str,
    num_classes: int,
    recipe: Recipe,
    *,
    weights: Path | None = None,
    stride_in: StrideIn | None = None,
    **options: Any,
) -> Classifier:
    """Return a recipe's model, initialised by its seed, with the weights of a file if given.

    Raises RecipeError for options of the wrong type, and what `create_model` raises.
    """
    torch.manual_seed(recipe.seed)
    given = {**recipe.options, **options}
    if stride_in is not None:
        given["stride_in"] = stride_in
    if weights is not None:
        given["weights"] = weights
    try:
        model: Classifier = create_model(name, num_classes=num_classes, **given)
    except TypeError as error:
        raise RecipeError(
            f"recipe: options = {dict(recipe.options)}; {name} cannot be made with them ({error}), "
            "give values of the right type"
        ) from error
    return model
