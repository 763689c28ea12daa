"""The tree of moves on the table, read from SGF and written as SGF.

Encoding and damage are the business of the project's reader (`goengine.games.sgf`); this tree adds
the variations, and keeps every property of every node. A line ends before the first move that
nobody can play; what was left out is said.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sgfmill import sgf_grammar

from goengine.analysis.position_analysis import PositionAnalysis
from goengine.coords import move_to_sgf
from goengine.games.record import GameRecord
from goengine.games.sgf import FIRST_GAME_ONLY, read_sgf, utf8_text, write_sgf
from goengine.games.sgf_text import mended
from goengine.types import MAX_SIZE, MIN_SIZE, GoError, colour_letter
from goengine.web.table.node_properties import Properties, move_of

MOST_NODES = 20_000
"""Nodes of a tree at the most."""
MOST_BYTES = 8_000_000
"""Bytes of the properties of a tree."""
MOST_POINTS = 400_000
"""Points that all nodes of a file together set up or mark."""
POINTED = ("AB", "AW", "AE", "CR", "SQ", "TR", "MA", "LB")
"""Properties with many points, of which all but labels may be rectangles."""

_RUN = secrets.token_hex(4)
_NAMES = itertools.count()
"""New names never come again, not even those of an earlier run of the server, so that a late
request cannot mean a node of another tree. A table that was kept keeps its names."""

Playable = Callable[["Node"], bool]
"""Tells whether a node can be played where it stands."""


@dataclass(frozen=True)
class Remark:
    """Something that people are told of a file; `key` names it for translations."""

    key: str
    text: str
    values: dict[str, object] = field(default_factory=dict)
    """What stands in the sentence."""

    @classmethod
    def of_file(cls, text: str) -> Remark:
        """Return a sentence of the reader as a remark."""
        if text == FIRST_GAME_ONLY:
            return cls("first_game_only", text)
        return cls("sgf", text, {"text": text})


class Node:
    """One node: its properties, its place, and what an analysis said of its position."""

    __slots__ = ("analysis", "children", "ident", "move", "parent", "properties")

    def __init__(self, ident: str, parent: Node | None, properties: Properties) -> None:
        self.ident = ident
        self.parent = parent
        self.properties = properties
        self.children: list[Node] = []
        """The main line first."""
        self.move: tuple[int, int] | None = None
        """Colour and move; None for a node without one."""
        self.analysis: PositionAnalysis | None = None

    def child_with(self, colour: int, move: int) -> Node | None:
        """Return the child that is a move, None where there is none."""
        return next((child for child in self.children if child.move == (colour, move)), None)


class GameTree:
    """All nodes of a game by their names. A root alone is an empty board.

    `properties` are the root's; its size is `size`.
    """

    def __init__(self, size: int, properties: Properties) -> None:
        self.size = size
        self.bytes = weight_of(properties)
        """Of all properties of all nodes that there were."""
        self.nodes: dict[str, Node] = {}
        self.root = self._new(None, properties)

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.nodes)

    def rename(self, names: Sequence[str]) -> None:
        """Give all nodes other names, in the order of `below`.

        Raises:
            ValueError: there are not as many different names as nodes.
        """
        nodes = list(self.below(self.root))
        if len(set(names)) != len(nodes) or len(names) != len(nodes):
            raise ValueError(f"{len(names)} names were given to {len(nodes)} nodes")
        for node, name in zip(nodes, names, strict=True):
            node.ident = name
        self.nodes = {node.ident: node for node in nodes}

    def find(self, ident: object) -> Node:
        """Return the node of a name.

        Raises:
            GoError: there is none.
        """
        node = self.nodes.get(ident) if isinstance(ident, str) else None
        if node is None:
            raise GoError(f"node {str(ident)[:40]!r} is not in the tree: it may have been deleted")
        return node

    def play(self, parent: Node, colour: int, move: int, *, first: bool = False) -> Node:
        """Return the node of a move after `parent`: the one that is there, or a new one.

        `first` makes a new one the main line.

        Raises:
            GoError: the tree is full.
        """
        known = parent.child_with(colour, move)
        if known is not None:
            return known
        point = move_to_sgf(move, self.size).encode("ascii")
        node = self.append(parent, {colour_letter(colour): [point]}, first=first)
        node.move = (colour, move)
        return node

    def append(self, parent: Node, properties: Properties, *, first: bool = False) -> Node:
        """Return a new node after `parent`.

        Raises:
            GoError: the tree is full.
        """
        if len(self.nodes) >= MOST_NODES:
            raise GoError(
                f"the tree is full: it has {MOST_NODES} nodes; delete some, or begin anew"
            )
        self.add_bytes(weight_of(properties))
        node = self._new(parent, properties)
        parent.children.insert(0 if first else len(parent.children), node)
        return node

    def add_bytes(self, count: int) -> None:
        """Note that properties have grown by so many bytes.

        Raises:
            GoError: the tree is full.
        """
        if count > 0 and self.bytes + count > MOST_BYTES:
            raise GoError(f"the tree is full: its texts have {MOST_BYTES} bytes; begin anew")
        self.bytes += count

    def remove(self, node: Node) -> list[str]:
        """Take a node and all that follows away; return their names.

        Raises:
            GoError: it is the root.
        """
        if node.parent is None:
            raise GoError("the root cannot be deleted: begin a new game instead")
        node.parent.children.remove(node)
        gone = [one.ident for one in self.below(node)]
        for ident in gone:
            del self.nodes[ident]
        return gone

    def promote(self, node: Node) -> list[Node]:
        """Make the line through a node the main line; return the nodes whose children moved."""
        moved = []
        while node.parent is not None:
            siblings = node.parent.children
            if siblings[0] is not node:
                siblings.remove(node)
                siblings.insert(0, node)
                moved.append(node.parent)
            node = node.parent
        return moved

    def below(self, node: Node) -> Iterator[Node]:
        """Yield a node and all that follows it."""
        stack = [node]
        while stack:
            one = stack.pop()
            yield one
            stack.extend(reversed(one.children))

    def serialise(self) -> bytes:
        """Return the tree as UTF-8 SGF."""
        coarse = sgf_grammar.make_coarse_game_tree(
            self.root, lambda node: node.children, lambda node: node.properties
        )
        data: bytes = sgf_grammar.serialise_game_tree(coarse)
        return data

    def _new(self, parent: Node | None, properties: Properties) -> Node:
        """Return a new node that is nobody's child yet."""
        node = Node(f"{_RUN}-{next(_NAMES)}", parent, properties)
        self.nodes[node.ident] = node
        return node


def weight_of(properties: Properties) -> int:
    """Return how many bytes the values of a node have."""
    return sum(len(value) for values in properties.values() for value in values)


def line_to(node: Node) -> list[Node]:
    """Return the nodes from the root to a node."""
    line = [node]
    while line[-1].parent is not None:
        line.append(line[-1].parent)
    return line[::-1]


def main_line(node: Node) -> list[Node]:
    """Return the nodes from the root through a node to the end of its line."""
    line = line_to(node)
    while line[-1].children:
        line.append(line[-1].children[0])
    return line


def tree_of(record: GameRecord) -> GameTree:
    """Return a record as a tree."""
    return _grown(sgf_grammar.parse_sgf_game(write_sgf(record)), record.size, [])


def read_tree(data: bytes | str) -> tuple[GameTree, GameRecord, list[Remark]]:
    """Return the tree of the first game in SGF data, its main line as a record, and what to say.

    Text whose grammar is damaged keeps its main line as far as it can be read.

    Raises:
        GoError: the data holds no usable game, or more than a tree can have.
    """
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    damage, coarse = "", None
    try:
        coarse = sgf_grammar.parse_sgf_game(mended(utf8_text(raw))[0])
    except ValueError as error:
        damage = str(error)
    if coarse is not None:
        _check_points(coarse)
    record = read_sgf(data)
    if not MIN_SIZE <= record.size <= MAX_SIZE:
        raise GoError(f"the board has {record.size} lines: use one of {MIN_SIZE} to {MAX_SIZE}")
    said = [Remark.of_file(note) for note in record.notes]
    if coarse is None:
        text = f"only the main line was read: the file is damaged ({damage})"
        said.append(Remark("main_line_only", text, {"reason": damage}))
        return tree_of(record), record, said
    tree = _grown(coarse, record.size, said)
    for name, value in (("FF", b"4"), ("GM", b"1"), ("CA", b"UTF-8")):
        tree.root.properties[name] = [value]
    tree.root.properties["SZ"] = [str(record.size).encode()]
    return tree, record, said


def without_unplayable(tree: GameTree, playable: Playable) -> int:
    """Take away what follows the first unplayable node of each line; return how many nodes."""
    gone = 0
    stack = [tree.root]
    while stack:
        node = stack.pop()
        if node.parent is not None and not playable(node):
            gone += len(tree.remove(node))
        else:
            stack.extend(reversed(node.children))
    return gone


def _check_points(coarse: Any) -> None:
    """Refuse a game that would keep everybody busy with points.

    Raises:
        GoError: its nodes set up or mark too many.
    """
    points, stack = 0, [coarse]
    while stack:
        branch = stack.pop()
        stack.extend(branch.children)
        for properties in branch.sequence:
            for name in POINTED:
                for value in properties.get(name, ()):
                    points += MAX_SIZE**2 if b":" in value and name != "LB" else 1
    if points > MOST_POINTS:
        raise GoError(f"the file sets up or marks {points} points: it may have {MOST_POINTS}")


def _grown(coarse: Any, size: int, said: list[Remark]) -> GameTree:
    """Return the tree of a parsed game; lines end before what names no point."""
    tree = GameTree(size, coarse.sequence[0])
    unreadable = 0
    stack: list[tuple[Node | None, Any]] = [(None, coarse)]
    while stack:
        parent, branch = stack.pop()
        node: Node | None = parent
        for properties in branch.sequence:
            here = tree.root if node is None else tree.append(node, properties)
            try:
                here.move = move_of(properties, size)
            except ValueError:
                unreadable += 1
                if here.parent is None:
                    tree.root.properties = {
                        name: value for name, value in properties.items() if name not in "BW"
                    }
                else:
                    tree.remove(here)
                node = None
                break
            node = here
        if node is not None:
            stack.extend((node, child) for child in reversed(branch.children))
    if unreadable:
        text = f"lines cut: {unreadable} moves name no point of the board"
        said.append(Remark("lines_cut", text, {"nodes": unreadable}))
    return tree


def empty_tree(size: int, *, rules: str, komi: str, handicap: tuple[int, ...] = ()) -> GameTree:
    """Return the tree of a game that has not begun, Black's handicap stones on the board."""
    properties: Properties = {
        "FF": [b"4"],
        "GM": [b"1"],
        "CA": [b"UTF-8"],
        "SZ": [str(size).encode()],
        "KM": [komi.encode()],
        "RU": [rules.encode()],
    }
    if handicap:
        properties["HA"] = [str(len(handicap)).encode()]
        properties["AB"] = [move_to_sgf(move, size).encode() for move in handicap]
        properties["PL"] = [b"W"]
    return GameTree(size, properties)
