"""Neighbours and regions of a board."""

from __future__ import annotations

from goengine.board import Board
from goengine.scoring.regions import neighbours, regions
from tests.goengine.scoring.positions import SPLIT


def test_regions_and_neighbours_cover_the_board():
    board = Board.from_diagram(SPLIT)
    found = regions(board.grid)
    assert sorted(move for _, inside, _ in found for move in inside) == list(range(25))
    for colour, inside, around in found:
        assert {int(board.grid.ravel()[move]) for move in inside} == {colour}
        assert colour not in {int(board.grid.ravel()[move]) for move in around}
    assert neighbours(5)[0] == (1, 5)
    assert neighbours(5)[12] == (7, 11, 13, 17)
