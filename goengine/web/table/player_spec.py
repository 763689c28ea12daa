"""Who plays a colour at the table, as the page says it: a person, or an engine and its strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goengine.analysis.requests.json_fields import Query, number, whole, wrong
from goengine.rules import format_points

MOST_VISITS = 100_000
MOST_SECONDS = 600.0
LONGEST_NAME = 100
"""Characters of a player's name."""


@dataclass(frozen=True)
class PlayerSpec:
    """One of the two players."""

    kind: str = "human"
    """`human` or `engine`."""
    name: str = ""
    network: str = ""
    """A shipped network's name; `""` is the table's own, or that of the ranks."""
    visits: int | None = None
    """Positions of a search for a move; 0 is the bare network."""
    seconds: float | None = None
    """Time for a move."""
    rank: str | None = None
    """A rank such as `8k`, where it plays like people of that rank."""

    @property
    def is_engine(self) -> bool:
        """Whether the engine plays."""
        return self.kind == "engine"

    @property
    def title(self) -> str:
        """The name for people and files."""
        if not self.is_engine:
            return self.name
        if self.rank is not None:
            return f"goengine {self.rank}"
        if self.visits is not None:
            return f"goengine ({self.visits} visits)"
        return f"goengine ({format_points(self.seconds or 1.0)} s)"

    def described(self) -> dict[str, Any]:
        """Return the player as the page reads it."""
        said: dict[str, Any] = {"kind": self.kind, "name": self.title}
        strength = {"visits": self.visits, "seconds": self.seconds, "rank": self.rank}
        said |= {field: value for field, value in strength.items() if value is not None}
        if self.network:
            said["network"] = self.network
        return said


HUMAN = PlayerSpec()


def read_player(query: Query, field: str, *, networks: list[str], ranks: list[str]) -> PlayerSpec:
    """Return the player that a field describes; a field that is missing is a person.

    Raises:
        QueryError: it describes none.
    """
    value = query.get(field, {"kind": "human"})
    if not isinstance(value, dict) or value.get("kind") not in ("human", "engine"):
        wrong(field, 'Must be a player: {"kind": "human"} or {"kind": "engine", "visits": 100}')
    name = value.get("name", "")
    if not isinstance(name, str):
        wrong(field, "The name of a player must be text")
    name = " ".join(name.split())[:LONGEST_NAME]
    if value["kind"] == "human":
        return PlayerSpec(name=name)
    network = value.get("network") or ""
    if network and network not in networks:
        wrong(field, f"There is no network {str(network)[:40]!r}: use one of {', '.join(networks)}")
    rank = value.get("rank")
    if rank is not None:
        if rank not in ranks:
            wrong(
                field,
                f"There is no opponent of rank {str(rank)[:20]!r}: use {ranks[0]} to {ranks[-1]}",
            )
        return PlayerSpec("engine", name, rank=rank)  # ranks have a network of their own
    if value.get("visits") is not None:
        text = f"The visits of a player must be a whole number from 0 to {MOST_VISITS}"
        return PlayerSpec("engine", name, network, whole(value, "visits", 0, MOST_VISITS, text))
    seconds = 1.0
    if value.get("seconds") is not None:
        text = f"The seconds of a player must be a number from 0.05 to {MOST_SECONDS:g}"
        seconds = number(value, "seconds", 0.05, MOST_SECONDS, text)
    return PlayerSpec("engine", name, network, seconds=seconds)
