"""The command `selfplay recipes`: the shipped training configurations, a line each."""

from __future__ import annotations

import argparse

from selfplay.recipes import describe_recipe, list_recipes


def configure(parser: argparse.ArgumentParser) -> None:
    """Say in the help where the recipes are used; the command has no arguments of its own."""
    parser.epilog = "selfplay train RECIPE --data ARCHIVE --out RUN trains one of them."


def run(args: argparse.Namespace) -> int:
    """Print the name of each recipe and what it is for; returns 0."""
    names = list_recipes()
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {describe_recipe(name)}")
    return 0
