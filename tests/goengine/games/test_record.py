"""GameRecord: replaying, winners, and errors that say where."""

import numpy as np
import pytest

from goengine.games.record import GameRecord
from goengine.games.sgf import read_sgf
from goengine.scoring.counting import area_score
from goengine.types import BLACK, WHITE, IllegalMoveError

CAPTURE = GameRecord(
    size=5,
    komi=6.5,
    moves=((BLACK, 1), (WHITE, 0), (BLACK, 5), (WHITE, 25), (BLACK, 25)),
    result="B+R",
)


def test_positions_are_before_the_move_and_the_callers_own():
    pairs = list(CAPTURE.positions())
    assert [move for _, move in pairs] == [1, 0, 5, 25, 25]
    boards = [board for board, _ in pairs]
    assert [int((board.grid != 0).sum()) for board in boards] == [0, 1, 2, 2, 2]
    assert [board.to_play for board in boards] == [BLACK, WHITE, BLACK, WHITE, BLACK]
    boards[0].play(24)
    assert boards[1].grid[4, 4] == 0


def test_final_board_captures():
    board = CAPTURE.final_board()
    assert board.grid[0, 0] == 0
    assert board.turn == 5
    assert tuple(board.captures)[-2:] == (1, 0)
    assert board.komi == 6.5


def test_board_at_counts_moves():
    assert CAPTURE.board_at(2).grid[0, 0] == WHITE
    assert CAPTURE.board_at(0).turn == 0
    assert CAPTURE.board_at(-1).turn == 4
    assert CAPTURE.board_at(99).turn == 5


def test_setup_and_handicap_reach_the_board():
    record = GameRecord(
        size=9, handicap=2, setup_black=(20, 60), setup_white=(40,), to_play=WHITE, komi=0.5
    )
    board = record.initial_board()
    assert np.flatnonzero(board.grid.ravel() == BLACK).tolist() == [20, 60]
    assert np.flatnonzero(board.grid.ravel() == WHITE).tolist() == [40]
    assert board.to_play == WHITE
    assert board.handicap == 2
    assert board.komi == 0.5


@pytest.mark.parametrize(
    ("head", "stones"),
    [
        ("HA[2]AB[cc][gg];W[ee]", 2),
        ("AB[cc][gg];W[ee]", 2),
        ("HA[2];B[cc];B[gg];W[ee]", 2),
        ("HA[2];B[cc];W[ee];B[gg]", 0),
        ("HA[3]AB[cc][gg];W[ee]", 2),
        ("HA[2]AB[cc][gg][gc]AW[cg];W[ee]", 2),
        ("HA[2]AB[cc];W[ee]", 0),
        ("HA[4]", 0),
        ("HA[1];B[cc];W[ee]", 0),
        ("HA[1]AB[cc];W[ee]", 0),
        ("HA[0];B[cc];W[ee]", 0),
    ],
)
def test_rules_pay_for_the_handicap_that_was_given(head: str, stones: int):
    board = read_sgf(f"(;SZ[9]KM[0.5]{head})").final_board("chinese")
    assert board.handicap == stones
    plain = board.copy()
    plain.handicap = 0
    assert area_score(plain) - area_score(board) == stones


def test_moves_out_of_turn_are_replayed_as_written():
    record = GameRecord(size=5, moves=((BLACK, 0), (BLACK, 2), (WHITE, 4)))
    assert record.final_board().grid[0].tolist() == [BLACK, 0, BLACK, 0, WHITE]
    assert [board.to_play for board, _ in record.positions()] == [BLACK, BLACK, WHITE]


def test_before_a_move_whoever_made_it_is_to_play():
    record = GameRecord(size=5, moves=((BLACK, 0), (BLACK, 2), (WHITE, 4)))
    found = [record.board_at(count).to_play for count in (0, 1, 2, -2, -9)]
    assert found == [BLACK, BLACK, WHITE, BLACK, BLACK]
    assert record.final_board().to_play == BLACK


def test_illegal_move_is_named():
    record = GameRecord(size=5, moves=((BLACK, 3), (WHITE, 3)))
    with pytest.raises(IllegalMoveError, match=r"move 2 \(white\)"):
        record.final_board()
    with pytest.raises(IllegalMoveError, match="move 2"):
        list(record.positions())


@pytest.mark.parametrize(
    ("result", "winner"),
    [("B+R", BLACK), ("W+3.5", WHITE), ("b+", BLACK), ("0", None), ("Void", None), (None, None)],
)
def test_winner(result, winner):
    assert GameRecord(result=result).winner == winner
