"""A product board and an oracle position that play the same game, and the games they play."""

from __future__ import annotations

import bz2
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.encoding.features import encode as encode_product
from tests.helpers.diagrams import COLOURS, grid_of
from tests.oracle import ladders
from tests.oracle.planes import Marks, encode
from tests.oracle.rules import Point, Position, chain, liberties, points

READ_IN_FULL = 1000
"""Up to so many nodes of the oracle a ladder is surely within the product's node budget."""


class Twin:
    """One game on both boards."""

    def __init__(self, size: int, *, rules: str = "replay", handicap: tuple[Point, ...] = ()):
        self.board = Board(size, rules=rules)
        self.position = Position(size, dict.fromkeys(handicap, "X"), "O" if handicap else "X")
        if handicap:
            self.board.place_handicap([self.number(p) for p in handicap])

    def number(self, point: Point | None) -> int:
        """Turn a point, or None for a pass, into a move."""
        size = self.position.size
        return size * size if point is None else point[0] * size + point[1]

    def play(self, point: Point | None, colour: str | None = None) -> None:
        """Play the same move on both."""
        colour = colour or self.position.to_play
        self.board.play(self.number(point), COLOURS[colour])
        self.position = self.position.play(point, colour)

    def check_board(self) -> None:
        """Compare all that both boards know about stones, chains and the last move."""
        board, position = self.board, self.position
        size = position.size
        np.testing.assert_array_equal(board.grid, grid_of(position.stones, size))
        assert board.to_play == COLOURS[position.to_play]
        assert board.turn == position.turn
        assert board.ko == (None if position.ko is None else self.number(position.ko))
        assert board.captures == position.captured_by
        for point in points(size):
            move = self.number(point)
            if point in position.stones:
                group = chain(position.stones, point, size)
                assert sorted(board.chain(move)) == sorted(self.number(p) for p in group)
                assert board.liberties(move) == len(liberties(position.stones, group, size))
            else:
                assert board.liberties(move) == 0

    def check_planes(self) -> None:
        """Compare all 49 planes."""
        planes = encode_product(self.board, planes=49)
        found = differences(planes, self.position)
        assert not found, f"turn {self.position.turn}\n{self.board}\n" + "\n".join(found)


def laid_out(marks: Marks, size: int) -> npt.NDArray[np.uint8]:
    """Turn the oracle's marks into an array of 49 planes."""
    planes = np.zeros((49, size, size), dtype=np.uint8)
    for plane, marked in marks.items():
        for point in marked:
            planes[plane][point] = 1
    return planes


def differences(planes: npt.NDArray[np.uint8], position: Position) -> list[str]:
    """Say where product and oracle differ, plane by plane.

    A ladder plane is left out when one of its ladders is too long to be read in full for sure.
    """
    expected = laid_out(encode(position), position.size)
    found = []
    for plane in range(49):
        wrong = np.argwhere(planes[plane] != expected[plane])
        if not len(wrong):
            continue
        if plane == 44 and ladders.ladder_captures(position)[1] > READ_IN_FULL:
            continue
        if plane == 45 and ladders.ladder_escapes(position)[1] > READ_IN_FULL:
            continue
        where = ", ".join(
            f"({row}, {col}) is {planes[plane, row, col]}" for row, col in wrong.tolist()
        )
        found.append(f"plane {plane}: {where}")
    return found


def random_game(
    twin: Twin, rng: np.random.Generator, moves: int, *, fill_eyes: bool = False
) -> Iterator[Twin]:
    """Play random moves on both boards, sometimes a pass, and yield the twin before each."""
    size = twin.position.size
    for _ in range(moves):
        yield twin
        choice = twin.board.legal() if fill_eyes else twin.board.sensible()
        candidates = np.flatnonzero(choice[:-1])
        if len(candidates) == 0 or rng.random() < 0.02:
            twin.play(None)
        else:
            row, col = divmod(int(rng.choice(candidates)), size)
            twin.play((row, col))
    yield twin


Game = tuple[tuple[Point, ...], tuple[tuple[str, Point | None], ...]]


def real_games(folder: Path, name: str, count: int) -> Iterator[Game]:
    """Read handicap points and moves of the first games of a collection, one game a line."""
    with bz2.open(folder / name, "rt", encoding="utf-8") as lines:
        for line in islice(lines, count):
            stones = re.search(r"AB((?:\[[a-s]{2}\])+)", line)
            handicap = re.findall(r"\[(..)\]", stones.group(1)) if stones else []
            moves = re.findall(r";([BW])\[([a-s]{2})?\]", line)
            yield (
                tuple(_point(text) for text in handicap),
                tuple(("XO"["BW".index(c)], _point(text) if text else None) for c, text in moves),
            )


def _point(text: str) -> Point:
    return ord(text[1]) - ord("a"), ord(text[0]) - ord("a")


def run_uncompiled(code: str) -> None:
    """Run a piece of Python in a process in which the kernels are plain Python; it must succeed."""
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
