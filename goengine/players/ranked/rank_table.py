"""The table of ranks: which level each one plays at on each board, and the matches behind it.

`ranks.json` is data, written by `goengine calibrate`: for each size of board the level of every
rank, the matches that were played by those levels, and the ratings that follow from them.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from goengine.players.ranked.ranks import RANKS, rank_number
from goengine.players.ranked.styles import MOST_LEVEL, RankedSettings, Style, style_at
from goengine.types import GoError

TABLE = "ranks.json"


@dataclass(frozen=True)
class RankTable:
    """Levels of the scale by size of board and rank, and how they were found."""

    network: str
    """The network that the levels are for."""
    sizes: dict[int, dict[str, Any]]
    """For each size `levels` by rank, `matches` and `ratings`."""
    anchors: dict[str, Any]
    """What ties the ranks to other players, and how surely."""

    def level(self, rank: str, size: int) -> float:
        """Return the level of a rank on boards of `size` lines; between sizes, in between.

        Raises:
            GoError: the table does not have the rank.
        """
        known = sorted(self.sizes)
        if rank not in RANKS:
            raise GoError(f"there is no opponent of {rank}: use {RANKS[0]} to {RANKS[-1]}")
        return float(np.interp(size, known, [self._at(rank, one) for one in known]))

    def _at(self, rank: str, size: int) -> float:
        """Return the level of a rank on a board that the table knows, by its neighbours."""
        levels = self.sizes[size]["levels"]
        numbers = [rank_number(name) for name in levels]
        return float(np.interp(rank_number(rank), numbers, list(levels.values())))

    def as_json(self) -> dict[str, Any]:
        """Return what a file keeps."""
        return {
            "network": self.network,
            "anchors": self.anchors,
            "sizes": {str(size): self.sizes[size] for size in sorted(self.sizes)},
        }


def read_table(path: Path) -> RankTable:
    """Return the table in a file.

    Raises:
        GoError: it cannot be read, or holds something else.
    """
    try:
        return _table(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise GoError(f"cannot read the ranks in {path}: {error.strerror}; mend that") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise GoError(f"{path} is not a table of ranks: name one that calibrate wrote") from None


@functools.cache
def shipped_table() -> RankTable:
    """Return the table that ships with the engine."""
    text = (resources.files(__package__) / TABLE).read_text(encoding="utf-8")
    return _table(json.loads(text))


def style_of(settings: RankedSettings, size: int) -> Style:
    """Return how a ranked player chooses on boards of `size` lines."""
    if settings.style is not None:
        return settings.style
    return style_at(shipped_table().level(settings.rank, size))


def _table(found: dict[str, Any]) -> RankTable:
    """Return the table in what a file holds."""
    sizes = {}
    for size, entry in found["sizes"].items():
        levels = {name: float(level) for name, level in entry["levels"].items()}
        ordered = dict(sorted(levels.items(), key=lambda item: rank_number(item[0])))
        if not ordered or not all(0 <= level <= MOST_LEVEL for level in ordered.values()):
            raise GoError(f"{size}x{size} needs levels from 0 to {MOST_LEVEL:g}")
        sizes[int(size)] = {"matches": [], "ratings": {}, **entry, "levels": ordered}
    if not sizes:
        raise GoError("a table of ranks needs a size of board")
    return RankTable(str(found["network"]), sizes, dict(found.get("anchors", {})))
