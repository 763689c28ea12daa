"""What SGF properties of one node mean to a page, and how the page's words are written back.

A node keeps its properties as they stand in the file, in UTF-8. Only what a page changes is
written anew, so that properties which nobody here knows are saved as they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sgfmill import sgf_grammar

from goengine.coords import move_to_gtp, move_to_sgf
from goengine.games.sgf import read_point, read_stones
from goengine.types import BLACK, WHITE

Properties = dict[str, list[bytes]]
"""Names and raw values of a node, values in UTF-8."""

SHAPES = {"circle": "CR", "square": "SQ", "triangle": "TR", "cross": "MA"}
"""Marks by the page's words, and their properties."""
MOVES = {"B": BLACK, "W": WHITE}
STONES = {"B": "AB", "W": "AW", "E": "AE"}
"""Set-up stones by the page's letters, and their properties."""
LONGEST_LABEL = 20
"""Characters of a label on a point."""


@dataclass(frozen=True)
class Setup:
    """Stones that a node puts on the board, or takes off."""

    black: tuple[int, ...]
    white: tuple[int, ...]
    empty: tuple[int, ...]


def move_of(properties: Properties, size: int) -> tuple[int, int] | None:
    """Return colour and move of a node, None where it has none.

    Raises:
        ValueError: it has one that names no point.
    """
    for name, colour in MOVES.items():
        if name in properties:
            move = read_point(properties[name][0], size)
            if move is None:
                shown = properties[name][0][:20].decode("utf-8", "replace")
                raise ValueError(f"{name}[{shown}] is not a point of the board")
            return colour, move
    return None


def setup_of(properties: Properties, size: int, notes: list[str] | None = None) -> Setup | None:
    """Return the stones that a node sets up, None where it sets up none; later ones count."""
    if not any(name in properties for name in STONES.values()):
        return None
    said = [] if notes is None else notes
    stones: dict[int, str] = {}
    for letter, name in STONES.items():
        for move in read_stones(name.encode(), properties.get(name, []), size, said):
            stones[move] = letter
    black, white, empty = (
        tuple(sorted(move for move, letter in stones.items() if letter == wanted))
        for wanted in STONES
    )
    return Setup(black, white, empty)


def player_of(properties: Properties) -> int | None:
    """Return the player to move that a node names, None where it names none."""
    values = properties.get("PL")
    return MOVES.get(values[0].strip()[:1].upper().decode("ascii", "replace")) if values else None


def text_of(properties: Properties, name: str) -> str | None:
    """Return the text of a property, None where it is not there."""
    values = properties.get(name)
    if not values:
        return None
    text: str = sgf_grammar.text_value(values[0]).decode("utf-8", "replace")
    return text


def set_text(properties: Properties, name: str, text: str) -> None:
    """Write the text of a property; an empty one takes the property away."""
    if text:
        properties[name] = [sgf_grammar.escape_text(text.encode("utf-8", "replace"))]
    else:
        properties.pop(name, None)


def marks_of(properties: Properties, size: int) -> dict[str, str]:
    """Return the marks of a node: vertices, each with a shape's word or a label."""
    found: dict[str, str] = {}
    for word, name in SHAPES.items():
        for move in read_stones(name.encode(), properties.get(name, []), size, []):
            found[move_to_gtp(move, size)] = word
    for value in properties.get("LB", []):
        point, label = sgf_grammar.parse_compose(value)
        place = read_point(point, size)
        if label is not None and place is not None and place < size * size:
            text = sgf_grammar.simpletext_value(label).decode("utf-8", "replace")
            found[move_to_gtp(place, size)] = text[:LONGEST_LABEL]
    return found


def set_marks(properties: Properties, marks: Mapping[int, str], size: int) -> None:
    """Write marks, by their points, in place of those that a node has."""
    for name in (*SHAPES.values(), "LB"):
        properties.pop(name, None)
    for move, word in marks.items():
        point = move_to_sgf(move, size).encode("ascii")
        if word in SHAPES:
            properties.setdefault(SHAPES[word], []).append(point)
        else:
            label = word[:LONGEST_LABEL].replace("\n", " ").encode("utf-8", "replace")
            escaped = sgf_grammar.escape_text(label).replace(b":", b"\\:")
            properties.setdefault("LB", []).append(point + b":" + escaped)


def set_stones(properties: Properties, name: str, moves: Sequence[int], size: int) -> None:
    """Write the points of a property; none take the property away."""
    if moves:
        properties[name] = [move_to_sgf(move, size).encode("ascii") for move in moves]
    else:
        properties.pop(name, None)
