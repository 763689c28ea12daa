"""The quick look at what is open, beside the judgement that it saves."""

from __future__ import annotations

import numpy as np

from goengine.board import Board
from goengine.scoring.regions import neighbours
from goengine.scoring.status import status
from goengine.scoring.unsettled import unsettled
from goengine.types import EMPTY
from tests.goengine.scoring.positions import OPEN

FULL = ". X O . O|X X O O .|X X O O O|X X O O O|. X O O ."
"""Both colours live on eyes, and nothing else is empty."""


def test_it_finds_what_the_judgement_of_the_same_playouts_finds(rng: np.random.Generator) -> None:
    boards = []
    for count in (10, 30, 40, 60):
        board = Board(7)
        for _ in range(count):
            board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
        boards.append(board)
    records = np.concatenate([board.records for board in boards])
    seeds = [int(np.random.default_rng(i).integers(1, 2**63)) for i in range(4)]
    lanes = np.array([3, 0, 1, 2])
    counts, wanted = unsettled(
        records, lanes, seeds=np.array(seeds, dtype=np.uint64)[lanes], playouts=40
    )
    found = 0
    for count, points, lane in zip(counts, wanted, lanes, strict=True):
        board = boards[lane]
        judged = status(board, rng=np.random.default_rng(lane), playouts=40)
        loose = ~judged.settled.ravel()
        assert count == np.count_nonzero(loose)
        beside = loose.copy()
        for move in np.flatnonzero(loose & (board.grid.ravel() != EMPTY)):
            beside[list(neighbours(7)[move])] = True
        assert (points == beside).all()
        found += int(count)
    assert found > 0


def test_a_finished_board_is_settled_and_an_open_one_is_not() -> None:
    for diagram, settled in ((FULL, True), (OPEN, False), (". . . . .|" * 4 + ". . . . .", False)):
        board = Board.from_diagram(diagram)
        counts, wanted = unsettled(
            board.records, np.array([0]), seeds=np.array([7], dtype=np.uint64), playouts=100
        )
        assert (counts[0] == 0) == settled and wanted.any() != settled
