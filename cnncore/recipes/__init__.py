"""Recipes of the classifiers: named training configurations, one TOML file each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from cnncore.training.recipe_files import (
    RecipeError,
    RecipeShelf,
    TrainingRecipe,
    check_values,
    typed_values,
)

DEFAULT = "default"

_DECIDED = ("num_classes", "weights", "features_only", "out_indices", "unsafe_pickle")


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingRecipe):
    """How a classifier is trained; further keys are those of every `TrainingRecipe`."""

    epochs: float = 20.0
    """Planned length, which the schedule is stretched over."""
    optimizer: Literal["sgd", "adam", "adamw", "adadelta", "muon"] = "sgd"
    """What steps; sgd with Nesterov's momentum."""
    lr_backbone: float = 0.0
    """Learning rate of all layers but the classifier; 0 takes `lr`."""
    schedule: Literal["trapezoid", "cosine"] = "cosine"
    warmup: float = 0.0
    """Epochs over which the rate rises."""
    average: float = 0.99
    holdout: float = 0.1
    """Share of the training samples that is kept for validation where the data does not have a
    split for it; 0 keeps none."""
    crop: Literal["none", "random", "jitter", "resized"] = "none"
    """How training pictures are cut: see `image_samples.Augmentation`."""
    shift: int = 0
    """The largest move of a training picture, in points."""
    flip: bool = False
    """Mirror half of the training pictures."""
    colour: float = 0.0
    """The deviation of AlexNet's PCA colours; 0 leaves the colours."""
    scales: tuple[int, int] = (256, 512)
    """The least and the largest shorter side for `crop` "jitter"."""
    area: float = 0.08
    """The least area for `crop` "resized", as a share of the picture."""
    freeze: tuple[str, ...] = ()
    """Parts that do not learn, by the names of their layers; "backbone" is all but the
    classifier."""
    unfreeze_after: float = 0.0
    """Epochs after which they do learn; 0 for never."""
    cache_views: int = 0
    """How many views of each picture a wholly frozen backbone looks at, once, the first without
    augmentation; 0 computes it at every step."""
    validate_every: float = 1.0
    """Epochs between two validations."""
    checkpoint_seconds: float = 120.0
    split_words: bool = True
    """Cut "n't", "!" and the like off words: see `vocabulary.Tokeniser`."""
    lower_case: bool = True
    """Read words in lower case."""
    all_words: bool = False
    """Know all words that have vectors, not only those of the sentences."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the model, as `create_model` takes them."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            RecipeError: a value is out of range.
        """
        self.check_common()
        lengths = ("epochs", "lr", "validate_every")
        remedy = "give a finite number above 0"
        check_values(self, *lengths, fits=lambda x: 0 < x < math.inf, remedy=remedy)
        others = ("lr_backbone", "warmup", "colour", "unfreeze_after")
        remedy = "give a finite number of at least 0"
        check_values(self, *others, fits=lambda x: 0 <= x < math.inf, remedy=remedy)
        remedy = "give 0 or a number below 1"
        check_values(self, "holdout", fits=lambda x: 0 <= x < 1, remedy=remedy)
        remedy = "give the least and the largest side, such as [256, 512]"
        check_values(self, "scales", fits=_is_range, remedy=remedy)
        remedy = "give names of layers in quotes"
        check_values(self, "freeze", fits=lambda x: all(type(y) is str for y in x), remedy=remedy)
        remedy = f"leave out {', '.join(_DECIDED)}, which the data and the command decide"
        check_values(self, "options", fits=lambda x: not set(x) & set(_DECIDED), remedy=remedy)
        if self.cache_views < 0 or (self.cache_views and self.freeze != ("backbone",)):
            raise RecipeError(
                f'recipe: cache_views = {self.cache_views} needs freeze = ["backbone"], for the '
                "views are kept as what the backbone makes of them"
            )

    def table(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values; `from_table` takes them back."""
        return {
            **asdict(self),
            "scales": list(self.scales),
            "freeze": list(self.freeze),
            "options": dict(self.options),
        }


def _is_range(sides: tuple[object, ...]) -> bool:
    """Tell whether these are two whole numbers above 0, the smaller one first."""
    if len(sides) != 2:
        return False
    least, largest = sides
    return isinstance(least, int) and isinstance(largest, int) and 0 < least <= largest


def from_table(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a parsed table.

    Raises:
        RecipeError: an unknown key, or a value of the wrong type or out of range.
    """
    return Recipe(**typed_values(Recipe, table))


_SHELF = RecipeShelf(__name__, from_table)
list_recipes, load_recipe = _SHELF.list_recipes, _SHELF.load_recipe
