"""Recipes of the classifiers: named training configurations, one TOML file each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from cnncore.training import recipe_files
from cnncore.training.recipe_files import (
    RecipeError,
    check_choices,
    check_seed,
    check_values,
    read_recipe,
    typed_values,
)

DEFAULT = "default"

_DECIDED = ("num_classes", "weights", "features_only", "out_indices", "unsafe_pickle")


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained.

    epochs: planned length, which the schedule is stretched over. batch: samples a step. optimizer:
    "sgd" (Nesterov), "adam", "adamw", "adadelta" or "muon". lr: learning rate. lr_backbone: that of
    all layers but the classifier, 0 for `lr`. momentum: of sgd and muon. weight_decay: L2, for
    adamw and muon decoupled; kernels and matrices only. clip: largest gradient norm, 0 for none.
    schedule, decay: see loop.Plan. warmup: epochs over which the rate rises. average:
    decay of the weight average that is measured and kept, 0 for none. label_smoothing: share of the
    target spread over all classes. holdout: share of the training samples kept for validation where
    the data has no split for it, 0 for none. crop, shift, flip, colour, scales, area: see
    image_samples.Augmentation. freeze: parts that do not learn, by the names of their layers;
    "backbone" is all but the classifier. unfreeze_after: epochs after which they do, 0 for never.
    cache_views: how many views of each picture a wholly frozen backbone looks at, once, the first
    without augmentation; 0 computes it at every step. validate_every: in epochs. report_steps:
    steps a line of metrics. checkpoint_seconds: time between checkpoints. precision: "auto" takes
    bfloat16 where the machine computes in it. seed: of weights and batches. split_words,
    lower_case: see words.Tokeniser. all_words: know all words that have vectors, not only
    those of the sentences. options: of the model.
    """

    epochs: float = 20.0
    batch: int = 64
    optimizer: Literal["sgd", "adam", "adamw", "adadelta", "muon"] = "sgd"
    lr: float = 0.05
    lr_backbone: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 0.0
    schedule: Literal["trapezoid", "cosine"] = "cosine"
    warmup: float = 0.0
    decay: float = 0.4
    average: float = 0.99
    label_smoothing: float = 0.0
    holdout: float = 0.1
    crop: Literal["none", "random", "jitter", "resized"] = "none"
    shift: int = 0
    flip: bool = False
    colour: float = 0.0
    scales: tuple[int, int] = (256, 512)
    area: float = 0.08
    freeze: tuple[str, ...] = ()
    unfreeze_after: float = 0.0
    cache_views: int = 0
    validate_every: float = 1.0
    report_steps: int = 50
    checkpoint_seconds: float = 120.0
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    seed: int = 1
    split_words: bool = True
    lower_case: bool = True
    all_words: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the ranges; raises RecipeError."""
        counts, lengths = ("batch", "report_steps"), ("epochs", "lr", "validate_every")
        check_values(self, *counts, fits=lambda x: x >= 1, remedy="give at least 1")
        remedy = "give a finite number above 0"
        check_values(self, *lengths, fits=lambda x: 0 < x < math.inf, remedy=remedy)
        others = ("lr_backbone", "weight_decay", "clip", "warmup", "colour", "unfreeze_after")
        remedy = "give a finite number of at least 0"
        check_values(self, *others, fits=lambda x: 0 <= x < math.inf, remedy=remedy)
        check_seed(self)
        shares = ("momentum", "average", "label_smoothing", "holdout")
        check_values(self, *shares, fits=lambda x: 0 <= x < 1, remedy="give 0 or a number below 1")
        check_values(self, "decay", fits=lambda x: 0 <= x <= 1, remedy="give 0 to 1")
        remedy = "give the least and the largest side, such as [256, 512]"
        check_values(self, "scales", fits=_is_range, remedy=remedy)
        remedy = "give names of layers in quotes"
        check_values(self, "freeze", fits=lambda x: all(type(y) is str for y in x), remedy=remedy)
        remedy = f"leave out {', '.join(_DECIDED)}, which the data and the command decide"
        check_values(self, "options", fits=lambda x: not set(x) & set(_DECIDED), remedy=remedy)
        check_choices(self)
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
    """Return the recipe of a parsed table; unknown keys and wrong types raise RecipeError."""
    return Recipe(**typed_values(Recipe, table))


def list_recipes() -> list[str]:
    """Return the names of the recipes that ship with the package, sorted."""
    return recipe_files.list_recipes(__name__)


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a TOML file, with `key=value` settings applied.

    Raises RecipeError for an unknown recipe or key, or a value of the wrong type.
    """
    return from_table(read_recipe(name_or_path, settings, package=__name__))
