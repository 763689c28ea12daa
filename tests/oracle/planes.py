"""The 49 planes, one function a feature, straight from the definitions.

Each function maps a position to ``{plane number: points that hold 1}``; ``encode`` collects them.
"""

from __future__ import annotations

from .eyes import is_true_eye
from .ladders import ladder_captures, ladder_escapes
from .rules import OTHER, Point, Position, chain, is_legal, legal_moves, liberties, place, points

Marks = dict[int, set[Point]]


def _mark(marks: Marks, plane: int, point: Point) -> None:
    marks.setdefault(plane, set()).add(point)


def stone_colour(position: Position) -> Marks:
    """Planes 0-2: own, opponent, empty."""
    marks: Marks = {}
    for point in points(position.size):
        stone = position.stones.get(point)
        if stone == position.to_play:
            _mark(marks, 0, point)
        elif stone is not None:
            _mark(marks, 1, point)
        else:
            _mark(marks, 2, point)
    return marks


def ones(position: Position) -> Marks:
    """Plane 3: one everywhere."""
    return {3: set(points(position.size))}


def turns_since(position: Position) -> Marks:
    """Planes 4-11: turns taken since the stone was played; set-up stones are oldest."""
    marks: Marks = {}
    for point in position.stones:
        when = position.played.get(point)
        if when is None:
            _mark(marks, 11, point)
        else:
            turns_after = position.turn - when - 1
            _mark(marks, 4 + min(turns_after, 7), point)
    return marks


def chain_liberties(position: Position) -> Marks:
    """Planes 12-19: liberties of the chain on the point."""
    marks: Marks = {}
    for point in position.stones:
        group = chain(position.stones, point, position.size)
        count = len(liberties(position.stones, group, position.size))
        _mark(marks, 12 + min(count, 8) - 1, point)
    return marks


def capture_size(position: Position) -> Marks:
    """Planes 20-27: opponent stones captured by a legal move."""
    marks: Marks = {}
    for point in legal_moves(position):
        _, taken = place(position.stones, point, position.to_play, position.size)
        _mark(marks, 20 + min(len(taken), 7), point)
    return marks


def self_atari_size(position: Position) -> Marks:
    """Planes 28-35: size of the own chain that a legal move leaves with one liberty."""
    marks: Marks = {}
    for point in legal_moves(position):
        after, _ = place(position.stones, point, position.to_play, position.size)
        group = chain(after, point, position.size)
        if len(liberties(after, group, position.size)) == 1:
            _mark(marks, 28 + min(len(group), 8) - 1, point)
    return marks


def liberties_after(position: Position) -> Marks:
    """Planes 36-43: liberties of the own chain after a legal move."""
    marks: Marks = {}
    for point in legal_moves(position):
        after, _ = place(position.stones, point, position.to_play, position.size)
        group = chain(after, point, position.size)
        count = len(liberties(after, group, position.size))
        _mark(marks, 36 + min(count, 8) - 1, point)
    return marks


def ladder_capture(position: Position) -> Marks:
    """Plane 44: moves that capture in a ladder."""
    return {44: ladder_captures(position)[0]}


def ladder_escape(position: Position) -> Marks:
    """Plane 45: last liberties that save a chain from a ladder."""
    return {45: ladder_escapes(position)[0]}


def sensibleness(position: Position) -> Marks:
    """Plane 46: legal moves that do not fill an own true eye."""
    return {
        46: {
            point
            for point in points(position.size)
            if is_legal(position, point)
            and not is_true_eye(position.stones, point, position.to_play, position.size)
        }
    }


def player_colour(position: Position) -> Marks:
    """Plane 48: one everywhere if Black is to move."""
    return {48: set(points(position.size)) if OTHER[position.to_play] == "O" else set()}


FEATURES = (
    stone_colour,
    ones,
    turns_since,
    chain_liberties,
    capture_size,
    self_atari_size,
    liberties_after,
    ladder_capture,
    ladder_escape,
    sensibleness,
    player_colour,
)


def encode(position: Position) -> Marks:
    """Collect the marks of all 49 planes; planes that are missing hold zeros."""
    marks: Marks = {}
    for feature in FEATURES:
        marks.update(feature(position))
    return marks
