"""The table on disk, as SGF with one property of our own, so that a restart loses nothing."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from cnncore.system import atomic
from cnncore.system.folders import cache_folder
from goengine.types import BLACK, WHITE, GoError
from goengine.web.table.game_tree import Node, line_to
from goengine.web.table.node_properties import set_text, text_of
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.shared_table import Table
from goengine.web.table.table_clock import TableClock
from goengine.web.table.tree_positions import opened

log = logging.getLogger(__name__)

PROPERTY = "GOENGINE"
"""Holds what SGF has no property for, in JSON: who plays, names of nodes, where the cursor is."""


class KeptFile:
    """The file in which a table is kept; the last state that was asked for is what stays.

    `failed` is told the first time that it cannot be written, from the thread that writes.
    """

    def __init__(self, path: Path, *, failed: Callable[[str], None]) -> None:
        self.path = path
        self._failed = failed
        self._lock = threading.Lock()
        self._asked = 0
        self._failing = False

    def writing(self, data: bytes) -> Callable[[], None]:
        """Return what writes a state, in any thread, unless a newer one was asked for by then."""
        self._asked += 1
        return partial(self._write, data, self._asked)

    def _write(self, data: bytes, number: int) -> None:
        """Write a state; a full disk does not end the game."""
        with self._lock:
            if number != self._asked:
                return
            try:
                save(self.path, data)
            except OSError as error:
                if not self._failing:
                    log.warning("the table cannot be kept: %s", error)
                    self._failed(str(error))
                self._failing = True
            else:
                self._failing = False


def place_of(port: int) -> Path:
    """Return where the table of a server on a port is kept."""
    return cache_folder("goengine") / "web" / f"table-{port}.sgf"


def kept(table: Table) -> bytes:
    """Return a table as SGF that `restore` reads."""
    facts = {
        "players": [_facts(table.players[colour]) for colour in (BLACK, WHITE)],
        "cursor": _steps(table.cursor),
        "head": _steps(table.head),
        "names": " ".join(node.ident for node in table.tree.below(table.tree.root)),
        "playing": table.playing,
        "paused": table.paused,
        "name": table.name,
        "reason": table.reason,
        "clock": None if table.clock is None else table.clock.facts(),
    }
    properties = table.tree.root.properties
    set_text(properties, PROPERTY, json.dumps(facts))
    try:
        return table.tree.serialise()
    finally:
        del properties[PROPERTY]


def restore(table: Table, data: bytes) -> None:
    """Lay a kept table out again; its clocks stand still until the next move.

    Raises:
        GoError: it is not a table that was kept.
    """
    found = opened(data)
    tree = found.tree
    text = text_of(tree.root.properties, PROPERTY)
    tree.root.properties.pop(PROPERTY, None)
    table.load(found)
    try:
        facts: dict[str, Any] = json.loads(text or "{}")
        black, white = (PlayerSpec(**spec) for spec in facts["players"])
        table.players = {BLACK: black, WHITE: white}
        if "names" in facts:
            tree.rename(str(facts["names"]).split())
        table.cursor = _walked(tree.root, facts["cursor"])
        table.head = _walked(tree.root, facts["head"])
        table.playing = bool(facts["playing"])
        table.paused = bool(facts.get("paused", False))
        if table.playing:  # a game that was played on from one that had ended
            table.result = None
        table.name = str(facts["name"])
        table.reason = str(facts["reason"])
        if facts.get("clock") is not None:
            table.clock = TableClock.of(facts["clock"])
            table.clocks_rest = True
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise GoError(f"the kept table is damaged: {error}") from None


def save(path: Path, data: bytes) -> None:
    """Write a kept table, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, data)


def _facts(spec: PlayerSpec) -> dict[str, Any]:
    """Return a player as JSON keeps it."""
    return {
        "kind": spec.kind,
        "name": spec.name,
        "network": spec.network,
        "visits": spec.visits,
        "seconds": spec.seconds,
        "rank": spec.rank,
    }


def _steps(node: Node) -> list[int]:
    """Return which child is taken at each node on the way from the root."""
    line = line_to(node)
    return [before.children.index(after) for before, after in pairwise(line)]


def _walked(root: Node, steps: list[int]) -> Node:
    """Return the node that steps lead to.

    Raises:
        IndexError: they lead nowhere.
    """
    node = root
    for step in steps:
        node = node.children[int(step)]
    return node
