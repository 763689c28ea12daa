"""Boards drawn as text, with named points, for tests.

``X`` is black, ``O`` white and ``.`` empty; any other letter is a named empty point, and the same
letter may name several. Blanks inside a row are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.types import BLACK, WHITE
from tests.oracle.rules import Point, Position, Stones

COLOURS = {"X": BLACK, "O": WHITE}

SEKI = """
O O X . O X .
. O X . O X X
O O X O O X .
. O X O X X X
O O O X X X X
O O O X X X X
O . O X . X X
"""
DEAD = """
. X . X O . X
X X X X O O O
. X . X O . O
X X X X O O .
. X X X O . O
. O . X O O .
X X X X O . O
"""
SETTLED = """
. X . X O . .
X X X X O O O
. X . X O . O
X X X X O O .
. X X X O . O
. . . X O O .
X X X X O . O
"""


@dataclass(frozen=True)
class Diagram:
    """A drawn board: its stones and its named points, as (row, column)."""

    size: int
    stones: Stones
    names: dict[str, set[Point]] = field(default_factory=dict)

    def named(self, letters: str) -> set[Point]:
        """Collect the points with any of these names."""
        return set().union(*(self.names.get(letter, set()) for letter in letters))

    def move(self, letter: str) -> int:
        """Return the one point of that name as a move."""
        ((row, col),) = self.names[letter]
        return row * self.size + col

    def position(self, to_play: str = "X") -> Position:
        """Set the stones up for the oracle."""
        return Position(self.size, dict(self.stones), to_play)

    def board(self, to_play: str = "X", *, rules: str = "chinese") -> Board:
        """Set the stones up on the product's board."""
        board = Board(self.size, rules=rules)
        board.setup(
            black=self.moves(p for p, stone in self.stones.items() if stone == "X"),
            white=self.moves(p for p, stone in self.stones.items() if stone == "O"),
        )
        board.to_play = COLOURS[to_play]
        return board

    def moves(self, points: Iterable[Point]) -> list[int]:
        """Turn (row, column) points into moves."""
        return sorted(row * self.size + col for row, col in points)


def draw(text: str) -> Diagram:
    """Read a drawn board."""
    rows = [row.replace(" ", "") for row in text.strip().splitlines()]
    size = len(rows)
    assert all(len(row) == size for row in rows), f"not a square board:\n{text}"
    stones: Stones = {}
    names: dict[str, set[Point]] = {}
    for row, line in enumerate(rows):
        for col, mark in enumerate(line):
            if mark in "XO":
                stones[row, col] = mark
            elif mark != ".":
                names.setdefault(mark, set()).add((row, col))
    return Diagram(size, stones, names)


def grid_of(stones: Stones, size: int) -> npt.NDArray[np.int8]:
    """Lay the oracle's stones out as the product's colour grid."""
    grid = np.zeros((size, size), dtype=np.int8)
    for point, stone in stones.items():
        grid[point] = COLOURS[stone]
    return grid


def picture(planes: npt.NDArray[np.uint8], first: int, count: int) -> str:
    """Draw a one-hot group: at each point the number of its plane within the group, or a dot."""
    rows = []
    for row in range(planes.shape[1]):
        marks = []
        for col in range(planes.shape[2]):
            here = np.flatnonzero(planes[first : first + count, row, col])
            marks.append("." if len(here) == 0 else "".join(map(str, here)))
        rows.append(" ".join(marks))
    return "\n".join(rows)


def tidy(text: str) -> str:
    """Strip the indentation from a drawn picture, to compare it with ``picture``."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
