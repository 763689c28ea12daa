"""Recipes: named, tested training configurations, one TOML file each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
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
    """A moment of the run at which the network is widened."""

    at: float
    """Fraction of the planned positions that is behind it then."""
    filters: int
    """How many filters the network has from then on."""


@dataclass(frozen=True)
class Recipe:
    """How a policy network is trained; counts are positions unless said otherwise."""

    network: Literal["plain", "residual"] = "plain"
    """Kind of the network, see PolicyConfig."""
    filters: int = 192
    """Filters of each layer at the start of the run."""
    layers: int = 13
    """Convolutions; a residual network has two a block and two more."""
    norm: bool = True
    """Batch normalisation while training; it is folded into the weights at export."""
    positions: int = 2_000_000
    """Planned length of the run, which the schedule is stretched over."""
    batch: int = 128
    """Positions a step."""
    optimizer: Literal["muon", "sgd"] = "muon"
    """Orthogonalised momentum for kernels and Adam for the rest, or Nesterov momentum for all."""
    lr: float = 0.02
    """Learning rate of the kernels."""
    lr_rest: float = 0.002
    """Learning rate of biases, normalisation and output layer."""
    momentum: float = 0.95
    """Momentum of the kernels."""
    weight_decay: float = 0.01
    """Of the kernels only; decoupled for muon, L2 for sgd."""
    clip: float = 0.0
    """Largest gradient norm; 0 does not clip."""
    schedule: Literal["trapezoid", "cosine"] = "trapezoid"
    """How the learning rates move, see cnncore's Plan."""
    warmup: int = 10_000
    """Positions over which the learning rates rise from 0."""
    decay: float = 0.5
    """Last fraction of the run, over which "trapezoid" falls to 0."""
    average: float = 0.998
    """Decay of the weight average that is measured and exported."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all points."""
    future_moves: int = 0
    """How many moves after the next one extra outputs learn to predict, while training only."""
    future_weight: float = 0.15
    """Weight of the loss of each of those moves."""
    teacher: str = ""
    """Name or file of a network whose answers are part of the target; empty for none."""
    teacher_weight: float = 0.5
    """How large that part is; the rest is the move played."""
    forget: float = 0.0
    """Share of the positions that the network sees without the last moves; its teacher sees them.

    So it learns to judge the whole board, see features.forget_last_moves.
    """
    sources: Mapping[str, float] = field(default_factory=dict)
    """Share of each archive source in a batch, by name; empty takes all positions alike."""
    recency: float = 0.0
    """Half-life in years of a game's weight, see Weighting; 0 weighs all years alike."""
    ranks: Mapping[str, float] = field(default_factory=dict)
    """Weight of a move by its player's rank, see Weighting; empty weighs all alike."""
    grow: tuple[Growth, ...] = ()
    """When the network is widened (Net2Wider)."""
    grow_noise: float = 0.0
    """Relative jitter that sets the copies of a filter apart."""
    validate_every: int = 100_000
    """Positions between two measurements of the average; 0 never measures."""
    validate_positions: int = 4096
    """Held-out positions that a measurement takes."""
    report_steps: int = 50
    """Steps between two lines of metrics."""
    checkpoint_seconds: float = 180.0
    """Seconds between two checkpoints."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the network computes in; "auto" takes bfloat16 where the machine computes in it."""
    compile: bool = False
    """Whether torch.compile translates the network, where that works."""
    seed: int = 1
    """Seed of the weights and the batches."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            RecipeError: a value is out of its range.
        """
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
    """Return the recipe of a parsed table.

    Raises:
        RecipeError: a key is unknown, or a value is of the wrong type or out of its range.
    """
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


def describe_recipe(name: str) -> str:
    """Return what a shipped recipe is for: the first line of its file."""
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8")
    return text.partition("\n")[0].removeprefix("#").strip()


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a TOML file, with `key=value` settings applied.

    Raises:
        RecipeError: the recipe or a key is unknown, or a value is of the wrong type.
    """
    return from_table(read_recipe(name_or_path, settings, package=__name__))
