"""What the process of one network is told in a lease; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goengine.types import GoError


@dataclass(frozen=True, kw_only=True)
class NetworkLease:
    """One network's part of a lease."""

    name: str
    """What its run is called."""
    recipe: str
    """Name of a shipped recipe, or a .toml file."""
    settings: tuple[str, ...]
    """Settings KEY=VALUE over the recipe."""
    archives: tuple[Path, ...]
    """Folders of the archives to learn from."""
    folder: Path
    """Folder of the run."""
    start: str | None
    """Network to begin from."""
    widen: int | None
    """Filters to widen that network to first."""
    device: str | None
    """Device; None takes CUDA where there is one."""
    threads: int | None
    """CPU threads of the network."""
    workers: int
    """Processes that replay games and encode planes."""
    limit: int
    """Held-out positions to measure on, a source."""
    reserve: float | None
    """Minutes kept for what follows training; None measures how many it takes."""
    plan_minutes: float | None
    """Minutes of training that the plan takes over all leases; None ends it with this one."""
    runs: int
    """How many runs go home together."""
    deadline: float
    """When all of it must be done, as `time.time()` counts."""


def names_of(recipes: Sequence[str]) -> list[str]:
    """Return what the runs of recipes are called: the recipe's name, or its file's.

    Raises:
        GoError: two have one name.
    """
    names = [Path(recipe).stem if recipe.endswith(".toml") else recipe for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise GoError(f"two networks are called {name}: give each recipe once")
    return names


def start_of(name: str, names: Sequence[str], starts: Sequence[str]) -> str | None:
    """Return what one network begins from: NET is for all, NAME:NET for that one and goes first."""
    own = [start.removeprefix(f"{name}:") for start in starts if start.startswith(f"{name}:")]
    others = tuple(f"{other}:" for other in names)
    common = [start for start in starts if not start.startswith(others)]
    return (own + common)[0] if own or common else None


def settings_of(name: str, names: Sequence[str], settings: Sequence[str]) -> tuple[str, ...]:
    """Return the settings for one network: KEY=VALUE is for all, NAME:KEY=VALUE for that one.

    Raises:
        GoError: a setting is for a network that is not there.
    """
    mine = []
    for setting in settings:
        key = setting.partition("=")[0]
        owner, colon, rest = key.partition(":")
        if not colon:
            mine.append(setting)
        elif owner not in names:
            raise GoError(
                f"--set {setting} is for {owner!r}, which is not trained here: the networks are "
                f"{', '.join(names)}"
            )
        elif owner == name:
            mine.append(rest + setting[len(key) :])
    return tuple(mine)
