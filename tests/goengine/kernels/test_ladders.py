"""Planes 44 and 45 on drawn ladders; the oracle's reading is judged by the same drawings.

In a drawing ``c`` marks the points of plane 44 (captures) and ``e`` those of plane 45 (escapes);
every other point of the board must be zero in both. ``n`` names points that tempt.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from goengine._kernels import ladders
from goengine.board import Board
from goengine.encoding.features import encode
from goengine.feature_table import POLICY_PLANES
from tests.helpers.diagrams import draw
from tests.oracle.ladders import Reader, ladder_captures, ladder_escapes
from tests.oracle.lockstep import run_uncompiled
from tests.oracle.rules import Point, is_possible, points

CASES = {
    "a ladder runs to the edge": (
        "X",
        """
        . . X X . . .
        . X O c . . .
        . X c . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "a breaker helps on one side only": (
        "X",
        """
        . . X X . . .
        . X O n . . .
        . X c . . . .
        . . . . . . .
        . . . . . . .
        . . . . . O .
        . . . . . . .
        """,
    ),
    "a breaker off the path is none": (
        "X",
        """
        . . X X . . .
        . X O c . . .
        . X c . . . .
        . . . . . . .
        . . . . . . .
        . O . . . . .
        . . . . . . .
        """,
    ),
    "the prey cannot run": (
        "O",
        """
        . . X X . . .
        . X O X . . .
        . X n . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "the prey runs to its friend": (
        "O",
        """
        . . X X . . .
        . X O X . . .
        . X e . . . .
        . . . . . . .
        . . . . . . .
        . . . . . O .
        . . . . . . .
        """,
    ),
    "three liberties are an escape": (
        "O",
        """
        . . X . . . .
        . X O X . . .
        . . e . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "on the second line only one side catches": (
        "X",
        """
        . . . . . . .
        X . . . . . .
        O c . . . . .
        n X . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "the prey gets out by capturing a hunter": (
        "X",
        """
        . O X X . . .
        . X O c . . .
        . X n . . . .
        . . X . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "two captures in one position": (
        "X",
        """
        . . X X X X . . .
        . X O c c O X . .
        . X c . . c X . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        """,
    ),
    "two escapes in one position": (
        "O",
        """
        . . X . . . X . .
        . X O X . X O X .
        . . e . . . e . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        """,
    ),
    "a throw-in fails that gives the prey a capture": (
        "O",
        """
        . . . . . . .
        . O O O O . .
        O O X X O . .
        O X n n X . .
        O O X X X . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "a snapback catches the prey that takes the bait": (
        "X",
        """
        X O O c c X .
        X X O O O X .
        . X X X X X .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
    ),
    "the ko rule holds inside the reading": (
        "O",
        """
        . . . .
        O X O .
        X . O .
        . c X c
        """,
    ),
    "a reading without end favours the prey": (
        "X",
        """
        . n .
        . O X
        O X .
        """,
    ),
    "a chain with three liberties is no prey": (
        "X",
        """
        . . . . .
        . . X . .
        . . O . .
        . . . . .
        . . . . .
        """,
    ),
    "a capture elsewhere is not the last liberty": (
        "O",
        """
        . . . . .
        O X X X .
        X O O n X
        n X X X .
        . . . . .
        """,
    ),
}


def marked(plane: np.ndarray) -> set[Point]:
    return {(row, col) for row, col in np.argwhere(plane).tolist()}


@pytest.mark.parametrize("name", CASES)
def test_drawn_ladders(name: str) -> None:
    to_play, text = CASES[name]
    drawn = draw(text)
    position = drawn.position(to_play)
    assert ladder_captures(position)[0] == drawn.named("c"), "the oracle"
    assert ladder_escapes(position)[0] == drawn.named("e"), "the oracle"
    planes = encode(drawn.board(to_play))
    assert marked(planes[44]) == drawn.named("c")
    assert marked(planes[45]) == drawn.named("e")


@pytest.mark.parametrize("name", CASES)
def test_drawn_ladders_with_the_colours_exchanged(name: str) -> None:
    to_play, text = CASES[name]
    drawn = draw(text.translate(str.maketrans("XO", "OX")))
    planes = encode(drawn.board({"X": "O", "O": "X"}[to_play]))
    assert marked(planes[44]) == drawn.named("c")
    assert marked(planes[45]) == drawn.named("e")


def test_a_long_ladder_on_the_full_board() -> None:
    """From one corner to the other it takes more than 60 plies; a breaker at the end saves it."""
    for breaker in (None, (17, 17), (18, 18), (16, 17)):
        stones = {(0, 1): "X", (1, 0): "X", (0, 2): "X", (1, 1): "O"}
        if breaker:
            stones[breaker] = "O"
        rows = ["".join(stones.get((row, col), ".") for col in range(19)) for row in range(19)]
        drawn = draw("\n".join(rows))
        position = drawn.position("X")
        captures, nodes = ladder_captures(position)
        assert nodes > 60
        planes = encode(drawn.board("X"))
        assert marked(planes[44]) == captures
        assert ((2, 1) in captures) == (breaker not in {(17, 17), (16, 17)})


def test_the_simple_ko_point_is_no_ladder_move() -> None:
    """A ladder may start at a ko point only once the ko is open."""
    drawn = draw("""
        . . . . . . .
        . X O . . . .
        X O n O . . .
        . X O . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
    """)
    board = drawn.board("X", rules="japanese")
    board.play(drawn.move("n"))
    taken = (2, 1)
    assert board.ko == 2 * 7 + 1
    planes = encode(board)
    assert not planes[44:46, taken[0], taken[1]].any()


@pytest.mark.parametrize("size", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_every_small_position(size: int) -> None:
    """All legal positions of a size, no ko open, Black to move."""
    everywhere = points(size)
    for colours in product(".XO", repeat=len(everywhere)):
        stones = {p: c for p, c in zip(everywhere, colours, strict=True) if c != "."}
        if is_possible(stones, size):
            text = "\n".join("".join(colours[r * size : (r + 1) * size]) for r in range(size))
            drawn = draw(text)
            position = drawn.position()
            planes = encode(drawn.board())
            assert marked(planes[44]) == ladder_captures(position)[0], text
            assert marked(planes[45]) == ladder_escapes(position)[0], text


def test_the_limits_are_those_of_the_definition() -> None:
    assert ladders.PLIES == 80
    assert ladders.NODES >= 4000


def test_the_depth_limit_counts_plies_as_the_oracle_does() -> None:
    """With limits low enough to be met all the time: a capture has failed, an escape succeeded."""
    code = """
import numpy as np
from tests.oracle.lockstep import Twin, random_game
from tests.oracle import ladders as slow
from goengine._kernels import ladders as fast
for limit in (1, 2, 3, 4, 5, 6):
    slow.DEPTH_LIMIT = fast.PLIES = limit
    rng = np.random.default_rng(limit)
    for twin in random_game(Twin(5), rng, 30, fill_eyes=True):
        if twin.position.turn > 8:
            twin.check_planes()
"""
    run_uncompiled(code)


def test_a_crowded_board_is_read_in_no_time(rng: np.random.Generator) -> None:
    """The node budget bounds what hostile positions cost, and exhausts on none of these."""
    work = ladders.new_workspace()
    for _ in range(20):
        board = Board(19, rules="replay")
        for _ in range(300):
            board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
        planes = np.zeros((1, POLICY_PLANES, 19, 19), dtype=np.uint8)
        assert ladders.mark_ladders(board.records, planes, work) == 0


def test_the_oracle_counts_what_it_plays() -> None:
    to_play, text = CASES["a ladder runs to the edge"]
    drawn = draw(text)
    position = drawn.position(to_play)
    assert 10 < ladder_captures(position)[1] < 100
    assert Reader().nodes == 0
