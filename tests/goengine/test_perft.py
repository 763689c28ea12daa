"""Counting: legal positions of the smallest boards, and sequences of legal moves."""

from __future__ import annotations

from itertools import product

import pytest

from goengine.board import Board
from goengine.rules import Rules
from goengine.types import BLACK, EMPTY, WHITE, GoError
from tests.oracle.rules import Position, count_legal_positions, perft, points

# size, depth, ko, suicide, number of sequences (a pass is a move and ends nothing)
PERFT = [
    (2, 7, "simple", False, 2697),
    (2, 7, "simple", True, 2769),
    (2, 7, "positional", False, 2617),
    (2, 7, "positional", True, 2617),
    (2, 7, "situational", False, 2641),
    (2, 7, "situational", True, 2713),
    (3, 4, "simple", True, 5453),
    (3, 4, "situational", False, 5453),
    (4, 3, "positional", True, 4129),
    (5, 3, "simple", False, 15676),
]


def count_sequences(board: Board, depth: int) -> int:
    legal = board.legal().nonzero()[0].tolist()
    if depth == 1:
        return len(legal)
    total = 0
    for move in legal:
        after = board.copy()
        after.play(move)
        total += count_sequences(after, depth - 1)
    return total


@pytest.mark.parametrize(("size", "depth", "ko", "suicide", "expected"), PERFT)
def test_perft(size: int, depth: int, ko: str, suicide: bool, expected: int) -> None:
    rules = Rules("test", "area", ko, suicide, 0.0, "none")  # type: ignore[arg-type]
    assert perft(Position(size), depth, ko, suicide) == expected
    assert count_sequences(Board(size, rules=rules), depth) == expected


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (2, 57), (3, 12_675)])
def test_oracle_counts_the_legal_positions(size: int, expected: int) -> None:
    assert count_legal_positions(size) == expected


@pytest.mark.parametrize(("size", "expected"), [(2, 57), (3, 12_675)])
def test_setup_accepts_exactly_the_legal_positions(size: int, expected: int) -> None:
    accepted = 0
    for colours in product((EMPTY, BLACK, WHITE), repeat=len(points(size))):
        stones = {colour: [m for m, c in enumerate(colours) if c == colour] for colour in (1, 2)}
        board = Board(size)
        try:
            board.setup(black=stones[BLACK], white=stones[WHITE])
        except GoError:
            continue
        assert board.grid.ravel().tolist() == list(colours)
        accepted += 1
    assert accepted == expected


def test_play_reaches_exactly_the_legal_positions() -> None:
    """Every legal 2x2 position can be reached by legal moves, and no other."""
    rules = Rules("test", "area", "simple", True, 0.0, "none")
    start = Board(2, rules=rules)
    seen = {start.grid.tobytes()}
    pending = [start]
    while pending:
        board = pending.pop()
        for colour in (BLACK, WHITE):
            for move in board.legal(colour)[:-1].nonzero()[0].tolist():
                after = board.copy()
                after.play(move, colour)
                if after.grid.tobytes() not in seen:
                    seen.add(after.grid.tobytes())
                    pending.append(after)
    assert len(seen) == 57
