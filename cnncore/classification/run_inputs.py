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
from cnncore.recipes import Recipe
from cnncore.training.recipe_files import RecipeError
from cnncore.weights.model_files import create_model


@dataclass(frozen=True)
class RunInputs:
    """What a training run is made of."""

    train: Samples
    validation: Samples | None
    model: Classifier
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is kept with the trained model."""


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

    Raises:
        RecipeError: an option of the model is of the wrong type.
        ValueError: `create_model` refuses the name, an option or the weights.
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
