"""Bent four in the corner: which chains it kills, and which it does not."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.scoring.corners import bent_fours
from goengine.scoring.counting import score
from goengine.scoring.status import status
from goengine.types import BLACK, WHITE

BENT = """
O O O . X O . O O
. X X X X O O O O
X X O O O O O . O
O O O O O O O O O
X X X X X X X X X
X X X X X X X X X
X . X X X X X . X
X X X X X X X X X
X X X X X X X X X
"""
WITH_AN_EYE = """
O O O . X X X O O
. X X X X . X O O
X X O O O X X O O
O O O O O O O O O
O . O . O O O O O
O O O O O O O O O
X X X X X X X X X
X . X X X X X . X
X X X X X X X X X
"""
STRAIGHT = """
. O O O . X O . O
X X X X X X O O O
O O O O O O O . O
O O O O O O O O O
X X X X X X X X X
X X X X X X X X X
X . X X X X X . X
X X X X X X X X X
X X X X X X X X X
"""


def grids() -> list[np.ndarray]:
    """Return BENT under the eight symmetries and with the colours swapped."""
    grid = Board.from_diagram(BENT).grid
    turned = [np.rot90(one, k) for one in (grid, grid.T) for k in range(4)]
    swap = np.array([0, WHITE, BLACK], dtype=np.int8)
    return [np.ascontiguousarray(one) for one in turned] + [swap[one] for one in turned]


def board_of(grid: np.ndarray, rules: str = "japanese") -> Board:
    board = Board(len(grid), rules=rules)
    black, white = (np.flatnonzero(grid == colour).tolist() for colour in (BLACK, WHITE))
    board.setup(black=black, white=white)
    board.komi = 0
    return board


@pytest.mark.parametrize("rules", ["japanese", "chinese"])
def test_the_chain_around_is_dead_in_every_corner(rules):
    found = set()
    for grid in grids():
        board = board_of(grid, rules)
        judged = status(board, rng=np.random.default_rng(1))
        assert len(judged.dead) == 7
        assert not judged.seki
        assert judged.settled.all()
        assert judged.lead == pytest.approx(float(judged.ownership.sum()), abs=0.01)
        found.add(abs(score(board, judged.dead, status=judged)))
    assert found == ({9 + 2 + 7 - 2} if rules == "japanese" else {45 - 36})


def test_a_chain_with_an_eye_elsewhere_lives():
    board = board_of(Board.from_diagram(WITH_AN_EYE).grid)
    judged = status(board, rng=np.random.default_rng(1))
    assert judged.dead == {0, 1, 2}


def test_another_shape_is_seki():
    board = board_of(Board.from_diagram(STRAIGHT).grid)
    judged = status(board, rng=np.random.default_rng(1))
    assert not judged.dead
    assert {0 + 1, 2, 3} <= judged.seki


def test_only_chains_in_seki_are_looked_at():
    grid = Board.from_diagram(BENT).grid
    around = frozenset(np.flatnonzero(grid.ravel() == BLACK).tolist())
    taken = bent_fours(grid, around)
    assert set(taken.values()) == {WHITE}
    assert len(taken) == 7 + 5
    assert bent_fours(grid, frozenset()) == {}
    assert bent_fours(np.zeros((3, 3), dtype=np.int8), frozenset()) == {}
