"""Recipes: named, tested training configurations, one TOML file each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True)
class Growth:
    """From the fraction `at` of the planned positions on, the network has `filters` filters."""

    at: float
    filters: int


@dataclass(frozen=True)
class Recipe:
    """How a policy network is trained. Counts are positions unless the name says steps or seconds.

    network, filters, layers: its kind and shape (PolicyConfig). norm: batch normalisation while
    training, folded at export. positions: planned length of the run, which the schedule is
    stretched over. batch: positions a step. optimizer: "muon" (orthogonalised momentum for kernels,
    Adam for the rest) or "sgd" (Nesterov momentum for all). lr: learning rate of the kernels.
    lr_rest: of biases, normalisation and output layer. momentum: of the kernels. weight_decay:
    decoupled for muon, L2 for sgd; kernels only. clip: largest gradient norm, 0 for none. schedule,
    warmup, decay: see loop.Plan. average: decay of the weight average that is exported.
    label_smoothing: share of the target spread over all points. future_moves: how many moves after
    the next one extra outputs learn to predict (training only). future_weight: weight of each such
    loss. teacher: name or file of a network whose answers are part of the next move's target; empty
    for none. teacher_weight: how large a part, the rest being the move played. forget: share of the
    positions that are shown without the last moves (features.forget_last_moves), so that
    the network learns to judge the whole board; its teacher still sees them. sources: share of
    each archive source in a batch, by name; empty takes all positions alike. recency, ranks: see
    selfplay.batches.weighting.Weighting. grow: when the network is widened (Net2Wider). grow_noise:
    relative jitter that sets the copies apart. validate_every, validate_positions: how often and on
    how many held-out positions the average is measured. report_steps: steps a line of metrics.
    checkpoint_seconds: time between checkpoints. precision:
    "auto" takes bfloat16 where the machine computes in it. compile: let torch.compile translate the
    network, where that works. seed: of weights and batches.
    """

    network: Literal["plain", "residual"] = "plain"
    filters: int = 192
    layers: int = 13
    norm: bool = True
    positions: int = 2_000_000
    batch: int = 128
    optimizer: Literal["muon", "sgd"] = "muon"
    lr: float = 0.02
    lr_rest: float = 0.002
    momentum: float = 0.95
    weight_decay: float = 0.01
    clip: float = 0.0
    schedule: Literal["trapezoid", "cosine"] = "trapezoid"
    warmup: int = 10_000
    decay: float = 0.5
    average: float = 0.998
    label_smoothing: float = 0.0
    future_moves: int = 0
    future_weight: float = 0.15
    teacher: str = ""
    teacher_weight: float = 0.5
    forget: float = 0.0
    sources: Mapping[str, float] = field(default_factory=dict)
    recency: float = 0.0
    ranks: Mapping[str, float] = field(default_factory=dict)
    grow: tuple[Growth, ...] = ()
    grow_noise: float = 0.0
    validate_every: int = 100_000
    validate_positions: int = 4096
    report_steps: int = 50
    checkpoint_seconds: float = 180.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        """Check the ranges; raises RecipeError."""
        counts = ("filters", "positions", "batch", "report_steps", "validate_positions")
        check_values(self, *counts, fits=lambda x: x >= 1, remedy="give at least 1")
        rates = ("lr", "lr_rest", "weight_decay", "clip", "future_weight", "grow_noise")
        others = ("warmup", "future_moves", "validate_every", "checkpoint_seconds")
        check_values(
            self, *rates, *others, fits=lambda x: 0 <= x < math.inf, remedy="give a number from 0"
        )
        check_seed(self)
        shares = ("decay", "teacher_weight", "forget")
        check_values(self, *shares, fits=lambda x: 0 <= x <= 1, remedy="give 0 to 1")
        shares = ("average", "label_smoothing", "momentum")
        check_values(self, *shares, fits=lambda x: 0 <= x < 1, remedy="give 0 or a number below 1")
        years = "give years, or 0 for none"
        check_values(self, "recency", fits=lambda x: 0 <= x < math.inf, remedy=years)
        check_choices(self)
        if self.network == "residual" and self.layers % 2:
            raise RecipeError(
                f"recipe: layers = {self.layers}; a residual network has 2 and 2 more a block"
            )
        widths = [self.filters, *(growth.filters for growth in self.grow)]
        if widths != sorted(widths):
            raise RecipeError(f"recipe: grow goes through {widths} filters; they may only grow")

    def filters_at(self, positions: int) -> int:
        """Return how many filters the network has once `positions` positions are behind it."""
        width = self.filters
        for growth in self.grow:
            if positions >= self._begins(growth):
                width = growth.filters
        return width

    def next_growth(self, positions: int) -> int:
        """Return after how many positions the network grows next, or the end of the run."""
        later = (self._begins(growth) for growth in self.grow)
        return min((p for p in later if p > positions), default=self.positions)

    def _begins(self, growth: Growth) -> int:
        """Return after how many positions a growth is due."""
        return int(growth.at * self.positions)

    def table(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values; `from_table` takes them back."""
        return {
            **asdict(self),
            "sources": dict(self.sources),
            "ranks": dict(self.ranks),
            "grow": [asdict(g) for g in self.grow],
        }


def from_table(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a parsed table; unknown keys and wrong types raise RecipeError."""
    parsers: dict[str, Callable[[Any], Any]] = {
        "grow": _growths,
        "sources": lambda value: _shares("sources", value, example="kgs_6d = 0.6"),
        "ranks": lambda value: _shares("ranks", value, example="9p = 2, 6d = 1"),
    }
    values = typed_values(Recipe, {k: v for k, v in table.items() if k not in parsers})
    values |= {key: parse(table[key]) for key, parse in parsers.items() if key in table}
    return Recipe(**values)


def _growths(value: Any) -> tuple[Growth, ...]:
    try:
        return tuple(Growth(at=float(g["at"]), filters=int(g["filters"])) for g in value)
    except (TypeError, KeyError, ValueError) as error:
        raise RecipeError(
            f"recipe: grow = {value!r} should look like [{{at = 0.25, filters = 64}}]"
        ) from error


def _shares(key: str, value: Any, *, example: str) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(
        isinstance(v, int | float) and 0 <= v < math.inf for v in value.values()
    ):
        raise RecipeError(f"recipe: {key} = {value!r} should look like {{{example}}}")
    return {str(k): float(v) for k, v in value.items()}


def list_recipes() -> list[str]:
    """Return the names of the recipes that ship with the package, sorted."""
    return recipe_files.list_recipes(__name__)


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a TOML file, with `key=value` settings applied.

    Raises RecipeError for an unknown recipe or key, or a value of the wrong type.
    """
    return from_table(read_recipe(name_or_path, settings, package=__name__))
