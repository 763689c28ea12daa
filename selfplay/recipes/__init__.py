"""Recipes: named, tested training configurations, one TOML file each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any, Literal

from cnncore.training.recipe_files import (
    RecipeError,
    RecipeShelf,
    TrainingRecipe,
    check_values,
    typed_values,
)


@dataclass(frozen=True)
class Growth:
    """A moment of the run at which the network is widened."""

    at: float
    """Fraction of the planned positions that is behind it then."""
    filters: int
    """How many filters the network has from then on."""


@dataclass(frozen=True, kw_only=True)
class Recipe(TrainingRecipe):
    """How a policy network is trained; further keys are those of every `TrainingRecipe`.

    Counts are positions unless the name says steps or seconds.
    """

    network: Literal["plain", "residual"] = "plain"
    """The kind of network, as `PolicyConfig` has it."""
    filters: int = 192
    """How many filters a layer has."""
    layers: int = 13
    """How many convolutions the network has."""
    norm: bool = True
    """Normalise batches while training; folded at export."""
    judges: bool = False
    """Whether the network has heads for value, lead and ownership: a policy-value network."""
    pools: tuple[int, ...] = ()
    """Its residual blocks with global pooling, the first block being 0."""
    neck: int = 32
    """Maps between its trunk and the heads that judge."""
    hidden: int = 64
    """Units between its pooled neck and margin and spread."""
    freeze: Literal["none", "trunk"] = "none"
    """What of a policy-value network stays as it is: with "trunk" only neck, value, lead and
    ownership learn, and the recipe takes the shape of the network that the run starts from."""
    positions: int = 2_000_000
    """Planned length of the run, which the schedule is stretched over."""
    batch: int = 128
    """Positions a step."""
    optimizer: Literal["muon", "sgd"] = "muon"
    """What steps: "muon" (orthogonalised momentum for kernels, Adam for the rest) or "sgd"
    (Nesterov's momentum for all)."""
    lr: float = 0.02
    """Learning rate of the kernels."""
    lr_rest: float = 0.002
    """Learning rate of biases, normalisation and output layer."""
    momentum: float = 0.95
    """Momentum of the kernels."""
    weight_decay: float = 0.01
    warmup: int = 10_000
    """Positions over which the rates rise."""
    decay: float = 0.5
    """Last fraction of the run, over which "trapezoid" falls to 0."""
    average: float = 0.998
    future_moves: int = 0
    """How many moves after the next one extra outputs learn to predict, in training only."""
    future_weight: float = 0.15
    """Weight of each such loss."""
    value_weight: float = 0.5
    """Weight of the value's loss, where the network judges; that of the next move is 1."""
    lead_weight: float = 0.2
    """Weight of the lead's loss, in units of 20 points."""
    ownership_weight: float = 0.5
    """Weight of the ownership's loss."""
    keep: float = 1.0
    """Weight of what a policy-value network said of margin, spread and ownership at the begin, when
    it is fine-tuned on moves alone."""
    teacher: str = ""
    """Name or file of a network whose answers are part of the next move's target; empty for
    none."""
    teacher_weight: float = 0.5
    """How large a part; the rest is the move played."""
    forget: float = 0.0
    """Share of the positions that are shown without the last moves
    (`features.forget_last_moves`), so that the network learns to judge the whole board; its
    teacher still sees them."""
    sources: Mapping[str, float] = field(default_factory=dict)
    """Share of each archive source in a batch, by name; empty takes all positions alike."""
    sizes: Mapping[str, float] = field(default_factory=dict)
    """Share of each board size in the batches of a policy-value network, each batch being of one
    size; empty takes all positions alike."""
    outcome_only: tuple[str, ...] = ()
    """Sources that teach a policy-value network value, lead and ownership, but no moves: games of
    another network against itself, for instance."""
    recency: float = 0.0
    """Years over which older games count less: see `selfplay.batches.weighting.Weighting`."""
    ranks: Mapping[str, float] = field(default_factory=dict)
    """Weights of the players' ranks: see the same."""
    grow: tuple[Growth, ...] = ()
    """When the network is widened (Net2Wider)."""
    grow_noise: float = 0.0
    """Relative jitter that sets the copies apart."""
    validate_every: int = 100_000
    """Positions between two measurements of the averaged network."""
    validate_positions: int = 4096
    """How many held-out positions it is measured on."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What the network computes in; "auto" takes bfloat16 where the machine computes in it."""
    clock: bool = False
    """Whether `--minutes` stretches the whole plan over that time; otherwise it stops the run."""
    compile: bool = False
    """Let torch.compile translate the network, where that works."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            RecipeError: a value is out of range.
        """
        counts = ("filters", "positions", "validate_positions", "neck", "hidden")
        check_values(self, *counts, fits=lambda x: x >= 1, remedy="give at least 1")
        rates = ("lr", "lr_rest", "future_weight", "grow_noise")
        weights = ("value_weight", "lead_weight", "ownership_weight", "keep")
        others = ("warmup", "future_moves", "validate_every", "checkpoint_seconds")
        check_values(
            self,
            *rates,
            *weights,
            *others,
            fits=lambda x: 0 <= x < math.inf,
            remedy="give a number from 0",
        )
        self.check_common()
        shares = ("teacher_weight", "forget")
        check_values(self, *shares, fits=lambda x: 0 <= x <= 1, remedy="give 0 to 1")
        years = "give years, or 0 for none"
        check_values(self, "recency", fits=lambda x: 0 <= x < math.inf, remedy=years)
        if self.network == "residual" and self.layers % 2:
            raise RecipeError(
                f"recipe: layers = {self.layers}; a residual network has 2 and 2 more a block"
            )
        self._check_heads()
        widths = [self.filters, *(growth.filters for growth in self.grow)]
        if widths != sorted(widths):
            raise RecipeError(f"recipe: grow goes through {widths} filters; they may only grow")

    def _check_heads(self) -> None:
        """Check what only policy-value networks have, and what they do not have."""
        if not self.judges:
            for key, value in (
                ("pools", self.pools),
                ("sizes", self.sizes),
                ("outcome_only", self.outcome_only),
            ):
                if value:
                    raise RecipeError(
                        f"recipe: {key} = {value!r} is for networks that judge; add judges = true, "
                        "or leave it out"
                    )
            if self.freeze != "none":
                raise RecipeError(
                    f"recipe: freeze = {self.freeze!r} leaves a policy network nothing to learn; "
                    "add judges = true, or leave it out"
                )
        elif self.teacher:
            raise RecipeError(
                f"recipe: teacher = {self.teacher!r} teaches policy networks only; leave it out"
            )
        if self.freeze != "none" and self.grow:
            raise RecipeError("recipe: a frozen trunk cannot grow; leave out grow or freeze")

    @property
    def further_moves(self) -> int:
        """How many moves after the next one are learnt: none on a frozen trunk."""
        return self.future_moves if self.freeze == "none" else 0

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
            "sizes": dict(self.sizes),
            "ranks": dict(self.ranks),
            "grow": [asdict(g) for g in self.grow],
        }


def from_table(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a parsed table.

    Raises:
        RecipeError: an unknown key, or a value of the wrong type or out of range.
    """
    parsers: dict[str, Callable[[Any], Any]] = {
        "grow": _growths,
        "pools": _blocks,
        "outcome_only": _names,
        "sizes": lambda value: _shares("sizes", value, example="19 = 0.6, 9 = 0.4"),
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


def _blocks(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(type(block) is int for block in value):
        raise RecipeError(f"recipe: pools = {value!r} should look like [2, 5]")
    return tuple(value)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise RecipeError(f'recipe: outcome_only = {value!r} should look like ["self-play"]')
    return tuple(value)


def _shares(key: str, value: Any, *, example: str) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(
        isinstance(v, int | float) and 0 <= v < math.inf for v in value.values()
    ):
        raise RecipeError(f"recipe: {key} = {value!r} should look like {{{example}}}")
    return {str(k): float(v) for k, v in value.items()}


def describe_recipe(name: str) -> str:
    """Return what a shipped recipe is for: the first line of its file."""
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8")
    return text.partition("\n")[0].removeprefix("#").strip()


_SHELF = RecipeShelf(__name__, from_table)
list_recipes, load_recipe = _SHELF.list_recipes, _SHELF.load_recipe
