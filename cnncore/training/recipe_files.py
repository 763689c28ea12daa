"""Recipes on disk: TOML files that ship with a package or are the user's, with settings applied.

The keys that every recipe has are those of `TrainingRecipe`; others belong to the dataclass that a
recipe becomes.
"""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

import torch

from cnncore.system.devices import TrainingPrecision, training_precision
from cnncore.training.schedule import Schedule

R = TypeVar("R")


class RecipeError(ValueError):
    """A recipe that does not exist, or has an unknown key or a value out of range."""


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe(Schedule):
    """The keys that every recipe has."""

    lr: float = 0.05
    """Learning rate."""
    momentum: float = 0.9
    """Momentum of sgd and muon."""
    weight_decay: float = 5e-4
    """L2 penalty of kernels and matrices; with adamw and muon decoupled."""
    label_smoothing: float = 0.0
    """Share of the target that is spread over all classes."""
    batch: int = 64
    """Samples per step."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """What to compute in; "auto" takes bfloat16 where the machine is fastest in it."""
    seed: int = 1
    """Seed of the weights and of the batches."""

    def precision_on(self, device: torch.device) -> TrainingPrecision:
        """Return the precision that this recipe trains in on a device."""
        return training_precision(device) if self.precision == "auto" else self.precision

    def check_common(self) -> None:
        """Check the values of the keys that every recipe has, and all choices.

        Raises:
            RecipeError: a value is out of range.
        """
        counts, limits = ("batch", "report_steps"), ("weight_decay", "clip")
        check_values(self, *counts, fits=lambda x: x >= 1, remedy="give at least 1")
        remedy = "give a finite number of at least 0"
        check_values(self, *limits, fits=lambda x: 0 <= x < math.inf, remedy=remedy)
        shares = ("momentum", "average", "label_smoothing")
        check_values(self, *shares, fits=lambda x: 0 <= x < 1, remedy="give 0 or a number below 1")
        check_values(self, "decay", fits=lambda x: 0 <= x <= 1, remedy="give 0 to 1")
        remedy = "give a whole number from 0 to 2^63 - 1"  # what torch's generators take
        check_values(self, "seed", fits=lambda x: 0 <= x < 2**63, remedy=remedy)
        _check_choices(self)


class RecipeShelf(Generic[R]):
    """The recipes that ship as NAME.toml in a package; `parse` makes a recipe of a table."""

    def __init__(self, package: str, parse: Callable[[Mapping[str, Any]], R]) -> None:
        self.package, self.parse = package, parse

    def list_recipes(self) -> list[str]:
        """Return the names of the recipes that ship with the package, sorted."""
        names = [entry.name for entry in resources.files(self.package).iterdir()]
        return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))

    def load_recipe(self, name_or_path: str, settings: Sequence[str] = ()) -> R:
        """Return a shipped recipe by name, or that of a TOML file, with `key=value` settings.

        Values are TOML ("lr=0.01", "sources={pro=1}"); a bare word is taken as a string.

        Raises:
            RecipeError: an unknown recipe or key, a value of the wrong type or out of range, or
                text that is not TOML.
        """
        return self.parse(self._table(name_or_path) | parse_settings(settings))

    def _table(self, name_or_path: str) -> dict[str, Any]:
        """Return the table of a shipped recipe or of a TOML file."""
        path = Path(name_or_path)
        if path.suffix == ".toml":
            if not path.is_file():
                raise RecipeError(f"no recipe file {path}; check the path")
            data = path.read_bytes()
        else:
            file = resources.files(self.package) / f"{name_or_path}.toml"
            if not file.is_file():
                known = ", ".join(self.list_recipes())
                raise RecipeError(f"no recipe named {name_or_path!r}; shipped recipes: {known}")
            data = file.read_bytes()
        try:
            return tomllib.loads(data.decode("utf-8-sig"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"recipe {name_or_path} is not TOML: {error}") from error


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Declare `--set KEY=VALUE`, whose words `read_recipe` takes."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the recipe; may be repeated",
    )


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return the table of `key=value` settings.

    >>> parse_settings(["lr=0.01", "optimizer=muon"])
    {'lr': 0.01, 'optimizer': 'muon'}

    Raises:
        RecipeError: a setting without '='.
    """
    table: dict[str, Any] = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise RecipeError(f"setting {setting!r} has no '='; write key=value")
        try:
            table[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            table[key.strip()] = value.strip()
    return table


def check_values(recipe: object, *names: str, fits: Callable[[Any], bool], remedy: str) -> None:
    """Raise RecipeError, which ends with `remedy`, for a key whose value does not fit."""
    for name in names:
        value = getattr(recipe, name)
        if not fits(value):
            raise RecipeError(f"recipe: {name} = {value!r}; {remedy}")


def _check_choices(recipe: object) -> None:
    """Raise RecipeError for a value that is not among those of its key's type, a Literal."""
    for name, kind in get_type_hints(type(recipe)).items():
        if get_origin(kind) is Literal:
            known = get_args(kind)
            remedy = f"choose from {', '.join(known)}"
            check_values(recipe, name, fits=known.__contains__, remedy=remedy)


def typed_values(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's values in the types of the defaults of a dataclass.

    A whole number will do for a float, and a list for a tuple.

    Raises:
        RecipeError: an unknown key, or a value of another type.
    """
    instance = kind()
    defaults = {field.name: getattr(instance, field.name) for field in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in defaults:
            known = ", ".join(sorted(defaults))
            raise RecipeError(f"recipe: unknown key {key!r}; known keys: {known}")
        wanted = type(defaults[key])
        if wanted is float and type(value) is int and abs(value) <= sys.float_info.max:
            value = float(value)
        if wanted is tuple and type(value) is list:
            value = tuple(value)
        if type(value) is not wanted:
            name = "list" if wanted is tuple else wanted.__name__
            raise RecipeError(f"recipe: {key} = {value!r} should be of type {name}")
        values[key] = value
    return values
