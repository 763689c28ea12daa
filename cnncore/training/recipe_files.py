"""Recipes on disk: TOML files that ship with a package or are the user's, with settings applied.

What the keys mean is the business of the dataclass that a recipe becomes.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints


class RecipeError(ValueError):
    """A recipe that does not exist, or has an unknown key or a value out of range."""


def list_recipes(package: str) -> list[str]:
    """Return the names of the recipes that ship as NAME.toml in a package, sorted."""
    names = [entry.name for entry in resources.files(package).iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def read_recipe(name_or_path: str, settings: Sequence[str] = (), *, package: str) -> dict[str, Any]:
    """Return the table of a recipe of `package`, or of a TOML file, with `key=value` settings.

    Values are TOML ("lr=0.01", "sources={pro=1}"); a bare word is taken as a string.

    Raises:
        RecipeError: unknown recipe, or text that is no TOML.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        if not path.is_file():
            raise RecipeError(f"no recipe file {path}; check the path")
        data = path.read_bytes()
    else:
        file = resources.files(package) / f"{name_or_path}.toml"
        if not file.is_file():
            known = ", ".join(list_recipes(package))
            raise RecipeError(f"no recipe named {name_or_path!r}; shipped recipes: {known}")
        data = file.read_bytes()
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {name_or_path} is no TOML: {error}") from error
    return table | parse_settings(settings)


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
    """Return the table of `key=value` settings; raises RecipeError on one without '='."""
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


def check_seed(recipe: object) -> None:
    """Raise RecipeError for a seed that torch's generators do not take."""
    remedy = "give a whole number from 0 to 2^63 - 1"
    check_values(recipe, "seed", fits=lambda x: 0 <= x < 2**63, remedy=remedy)


def check_choices(recipe: object) -> None:
    """Raise RecipeError for a value that is not among those of its key's type, a Literal."""
    for name, kind in get_type_hints(type(recipe)).items():
        if get_origin(kind) is Literal:
            known = get_args(kind)
            remedy = f"choose from {', '.join(known)}"
            check_values(recipe, name, fits=known.__contains__, remedy=remedy)


def typed_values(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's values in the types of the defaults of a dataclass.

    A whole number will do for a float, and a list for a tuple.

    Raises RecipeError for an unknown key or a value of another type.
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
