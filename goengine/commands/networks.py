"""`goengine networks`: the networks that ship with the engine, and which ones play by default."""

from __future__ import annotations

import argparse
import sys

from goengine.networks.files import (
    default_judge,
    default_network,
    open_network,
    shipped_networks,
)
from goengine.networks.network_config import PolicyValueConfig
from goengine.players.ranked.rank_table import shipped_table
from goengine.types import MAX_SIZE

LEGEND = (
    "default  what play, gtp, review and analysis use, with search and without (--visits 0)\n"
    "ranks    what opponents by rank use (--rank, --adapt)\n"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: the command has none."""


def describe(name: str) -> tuple[str, str, str, str]:
    """Return what a network's file says of it: what it gives, shape, weights, positions seen."""
    file = open_network(name)
    config = file.config
    judges = isinstance(config, PolicyValueConfig)
    weights = sum(array.size for array in file.weights.values())
    seen = file.facts.get("positions_seen")
    if seen is not None:
        seen += file.facts.get("positions_seen_before", 0)
    return (
        "moves and score" if judges else "moves",
        f"{config.kind}, {config.layers} x {config.filters}",
        f"{weights:,}",
        "unknown" if seen is None else f"{seen:,}",
    )


def run(args: argparse.Namespace) -> int:
    """List the networks, a line each."""
    names = shipped_networks()
    if not names:
        print("this installation does not have a network: name a file with --network")
        return 0
    best = default_judge(MAX_SIZE, candidates=names) or default_network(candidates=names)
    notes = {best: "  default"}
    measured = shipped_table().network
    notes[measured] = notes.get(measured, "") + "  ranks"
    rows = [("name", "gives", "layers x filters", "weights", "positions")]
    rows += [(name, *describe(name)) for name in names]
    for row in rows:
        name, gives, shape, weights, seen = row
        note = notes.get(name, "")
        print(f"{name:19} {gives:16} {shape:18} {weights:>9} {seen:>10}{note}")
    sys.stderr.write(LEGEND)
    return 0
