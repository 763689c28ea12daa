"""Recipes: named, tested training configurations, one TOML file each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, cast


class RecipeError(ValueError):
    """A recipe that does not exist, or has an unknown key or a value out of range."""


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
    warmup, decay: see cnncore.training.Plan. average: decay of the weight average that is exported.
    label_smoothing: share of the target spread over all points. future_moves: how many moves after
    the next one extra outputs learn to predict (training only). future_weight: weight of each such
    loss. sources: share of each archive source in a batch, by name; empty takes all positions
    alike. grow: when the network is widened (Net2Wider). grow_noise: relative jitter that sets the
    copies apart. validate_every, validate_positions: how often and on how many held-out positions
    the average is measured. report_steps: steps a line of metrics. checkpoint_seconds: time between
    checkpoints. precision: "auto" takes bfloat16 where the machine computes in it. compile: let
    torch.compile translate the network, where that works. seed: of weights and batches.
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
    sources: Mapping[str, float] = field(default_factory=dict)
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
        for name in ("filters", "positions", "batch", "report_steps"):
            if getattr(self, name) < 1:
                raise RecipeError(f"recipe: {name} = {getattr(self, name)}; give at least 1")
        for name in ("decay", "average", "label_smoothing", "momentum"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise RecipeError(f"recipe: {name} = {getattr(self, name)}; give 0 to 1")
        choices = {
            "network": ("plain", "residual"),
            "optimizer": ("muon", "sgd"),
            "schedule": ("trapezoid", "cosine"),
            "precision": ("auto", "float32", "bfloat16"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                known = ", ".join(allowed)
                raise RecipeError(f"recipe: {name} = {getattr(self, name)!r}; choose from {known}")
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
            if positions >= growth.at * self.positions:
                width = growth.filters
        return width

    def next_growth(self, positions: int) -> int:
        """Return after how many positions the network grows next, or the end of the run."""
        later = [int(growth.at * self.positions) for growth in self.grow]
        return min((p for p in later if p > positions), default=self.positions)

    def table(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values; `from_table` takes them back."""
        return {
            **asdict(self),
            "sources": dict(self.sources),
            "grow": [asdict(g) for g in self.grow],
        }


def from_table(table: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a parsed table; unknown keys and wrong types raise RecipeError."""
    kinds = {f.name: type(f.default) for f in fields(Recipe)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in kinds:
            raise RecipeError(
                f"recipe: unknown key {key!r}; known keys: {', '.join(sorted(kinds))}"
            )
        if key == "grow":
            values[key] = _growths(value)
        elif key == "sources":
            values[key] = _sources(value)
        else:
            values[key] = _typed(key, value, kinds[key])
    return Recipe(**values)


def _typed(key: str, value: Any, kind: type) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise RecipeError(f"recipe: {key} = {value!r} should be of type {kind.__name__}")
    return value


def _growths(value: Any) -> tuple[Growth, ...]:
    try:
        return tuple(Growth(at=float(g["at"]), filters=int(g["filters"])) for g in value)
    except (TypeError, KeyError, ValueError) as error:
        raise RecipeError(
            f"recipe: grow = {value!r} should look like [{{at = 0.25, filters = 64}}]"
        ) from error


def _sources(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(
        isinstance(v, int | float) and v >= 0 for v in value.values()
    ):
        raise RecipeError(f"recipe: sources = {value!r} should look like {{kgs_6d = 0.6}}")
    return {str(k): float(v) for k, v in value.items()}


def list_recipes() -> list[str]:
    """Return the names of the recipes that ship with the package, sorted."""
    names = [entry.name for entry in resources.files(__name__).iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Return a shipped recipe by name, or one from a TOML file, with `key=value` settings applied.

    Values are TOML ("lr=0.01", "sources={pro=1}"); a bare word is taken as a string.

    Raises:
        RecipeError: unknown recipe or key, or a value of the wrong type.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise RecipeError(f"no recipe file {path}; check the path")
        text = path.read_text(encoding="utf-8")
    else:
        file = resources.files(__name__) / f"{name_or_path}.toml"
        if not file.is_file():
            known = ", ".join(list_recipes())
            raise RecipeError(f"no recipe named {name_or_path!r}; shipped recipes: {known}")
        text = file.read_text(encoding="utf-8")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name_or_path} is no TOML: {error}") from error
    return from_table(table | parse_settings(settings))


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return the table of `key=value` settings; raises RecipeError on one without '='."""
    table: dict[str, Any] = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise RecipeError(f"setting {setting!r} has no '='; write key=value")
        try:
            table[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            table[key.strip()] = cast(object, value.strip())
    return table
