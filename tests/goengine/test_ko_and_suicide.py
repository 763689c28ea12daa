"""Ko, superko, snapback and suicide, in positions drawn by hand."""

from __future__ import annotations

import pytest

from goengine.types import EMPTY, IllegalMoveError
from tests.helpers.diagrams import draw

SEND_TWO = """
    a O b O .
    X X O O .
    . X X O .
    . . . . .
    . . . . .
"""


def test_ko() -> None:
    drawn = draw("""
        . . . . .
        . X O . .
        X O a O .
        . X O . .
        . . . . .
    """)
    board = drawn.board("X", rules="japanese")
    assert board.ko is None
    board.play(drawn.move("a"))
    taken = 2 * 5 + 1
    assert board.ko == taken
    assert board.captures == (1, 0)
    assert not board.is_legal(taken)
    with pytest.raises(IllegalMoveError, match=r"white B3.*ko"):
        board.play(taken)
    elsewhere = board.copy()
    elsewhere.play(0)
    assert elsewhere.ko is None
    elsewhere.play(24)
    assert elsewhere.is_legal(taken)
    board.play(25)
    assert board.ko is None
    board.play(25)
    assert board.is_legal(taken)
    board.play(taken)
    assert board.captures == (1, 1)
    assert board.ko == drawn.move("a")


def test_a_snapback_is_no_ko() -> None:
    drawn = draw("""
        O O a b X
        X O O O X
        X X X X X
        . . . . .
        . . . . .
    """)
    board = drawn.board("X", rules="japanese")
    board.play(drawn.move("a"))
    board.play(drawn.move("b"))
    assert board.captures == (0, 1)
    assert board.liberties(drawn.move("b")) == 1
    assert board.ko is None
    board.play(drawn.move("a"))
    assert board.captures == (6, 1)


def test_a_stone_that_joins_a_chain_takes_no_ko() -> None:
    drawn = draw("""
        O a X . .
        X X X . .
        . . . . .
        . . . . .
        . . . . .
    """)
    board = drawn.board("X", rules="japanese")
    board.play(drawn.move("a"))
    assert board.captures == (1, 0)
    assert board.ko is None


def test_two_stones_captured_are_no_ko() -> None:
    drawn = draw("""
        X O O a O
        . X X O .
        . . . . .
        . . . . .
        . . . . .
    """)
    board = drawn.board("X", rules="japanese")
    board.play(drawn.move("a"))
    assert board.captures == (2, 0)
    assert board.ko is None


def test_suicide() -> None:
    drawn = draw("""
        a O . X b
        O O . O X
        . . . O O
        . . O . .
        . . . . .
    """)
    single, several = drawn.move("a"), drawn.move("b")
    board = drawn.board("X", rules="japanese")
    assert not board.is_legal(single)
    assert board.is_legal(several)
    drawn = draw("""
        a X O . .
        X O O . .
        O O . . .
        . . . . .
        . . . . .
    """)
    corner = drawn.move("a")
    for rules, allowed in (("japanese", False), ("chinese", False), ("tromp-taylor", True)):
        board = drawn.board("X", rules=rules)
        assert board.is_legal(corner) == allowed
        assert bool(board.legal()[corner]) == allowed
    board.play(corner)
    assert board.grid.ravel()[[0, 1, 5]].tolist() == [EMPTY] * 3
    assert board.captures == (0, 3)
    board = drawn.board("X", rules="japanese")
    with pytest.raises(IllegalMoveError, match=r"black A5.*suicide"):
        board.play(corner)


@pytest.mark.parametrize(
    ("rules", "allowed"), [("japanese", True), ("aga", True), ("chinese", False)]
)
def test_send_two_return_one(rules: str, allowed: bool) -> None:
    """The stones stand as before, but the other player is to move: positional superko only."""
    drawn = draw(SEND_TWO)
    board = drawn.board("O", rules=rules)
    start = board.grid
    board.play(drawn.move("a"))
    board.play(drawn.move("b"))
    assert board.captures == (2, 0)
    assert board.ko is None
    assert board.is_legal(1) == allowed
    if allowed:
        board.play(1)
        assert (board.grid == start).all()
    else:
        with pytest.raises(IllegalMoveError, match=r"white B5.*positional superko"):
            board.play(1)


def test_a_pass_does_not_open_a_superko() -> None:
    drawn = draw("""
        . X O .
        X O a O
        . X O .
        . . . .
    """)
    for rules, allowed in (("japanese", True), ("aga", False), ("chinese", False)):
        board = drawn.board("X", rules=rules)
        board.play(drawn.move("a"))
        board.play(16)
        board.play(16)
        assert board.is_legal(5) == allowed


def test_history_is_copied_too() -> None:
    drawn = draw(SEND_TWO)
    board = drawn.board("O")
    board.play(drawn.move("a"))
    copied = board.copy()
    copied.play(drawn.move("b"))
    assert not copied.is_legal(1)
    again = copied.copy()
    assert not again.is_legal(1)
