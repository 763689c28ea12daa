"""What no player of a rank does: every rule on a small board, and the exceptions to it."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import gtp_to_move
from goengine.players.ranked.vetoes import (
    IN_ATARI,
    LOST_LADDER,
    OWN_EYE,
    REFUSED,
    SELF_ATARI,
    TENUKI,
    VETOES,
    Vetoes,
    is_killing_shape,
)
from goengine.types import opponent


def position(text: str, last: str = "") -> Board:
    """Return a position with Black to play, where White made the last move if there is one."""
    board = Board.from_diagram(text.strip())
    if last:
        board.to_play = opponent(board.to_play)
        board.play(gtp_to_move(last, board.size))
    return board


def verdicts(board: Board, *moves: str, ownership: np.ndarray | None = None) -> list[str | None]:
    rules = Vetoes(board, ownership)
    return [rules.of(gtp_to_move(move, board.size)) for move in moves]


def test_own_eyes_are_not_filled() -> None:
    board = position(". X . . . | X X . . . | . . . . . | . . . . . | . . . . .")
    assert verdicts(board, "A5", "C5", "pass") == [OWN_EYE, None, None]


SQUEEZED = """
. X X X X . O
O O O O O O .
. . . . . . .
. . . . . . .
. . . . . . .
. . . . . . .
. . . . . . .
"""


def test_a_big_chain_does_not_put_itself_into_atari() -> None:
    assert verdicts(position(SQUEEZED), "A7", "F7", "D3") == [SELF_ATARI, SELF_ATARI, None]
    three = SQUEEZED.replace(". X X X X . O", "O . X X . O .")
    assert verdicts(position(three), "B7") == [None]  # three stones are not many


def test_a_capture_is_not_a_self_atari() -> None:
    taking = SQUEEZED.replace(". X X X X . O", "O X X X X . O")
    taking = taking.replace("O O O O O O .", "O O O O O O X")
    assert verdicts(position(taking), "F7") == [None]  # it takes G7 and has that liberty


def test_a_killing_shape_is_not_a_self_atari() -> None:
    eye = """
    O . X X O . .
    O . X O . . .
    . O O . . . .
    . . . . . . .
    . . . . . . .
    . . . . . . .
    . . . . . . .
    """
    assert verdicts(position(eye), "B7") == [None]  # a pyramid of four
    line = eye.replace("O . X X O . .", "O . X X X O .").replace("O . X O . . .", "O . O O O . .")
    assert verdicts(position(line), "B7") == [SELF_ATARI]  # four in a row


@pytest.mark.parametrize(
    ("cells", "kills"),
    [
        ("0,0 0,1 0,2", True),
        ("0,0 0,1 1,0", True),
        ("0,0 0,1 1,0 1,1", True),
        ("0,0 0,1 0,2 1,1", True),
        ("0,0 0,1 0,2 0,3", False),
        ("0,0 0,1 0,2 1,2", False),
        ("0,0 0,1 1,0 1,1 1,2", True),
        ("0,1 1,0 1,1 1,2 2,1", True),
        ("0,0 0,1 0,2 0,3 0,4", False),
        ("0,0 0,1 1,0 1,1 1,2 2,1", True),
        ("0,0 0,1 0,2 1,0 1,1 1,2", False),
    ],
)
def test_killing_shapes(cells: str, kills: bool) -> None:
    stones = [5 * int(cell[0]) + int(cell[2]) for cell in cells.split()]
    assert is_killing_shape(stones, 5) is kills


CAUGHT = """
. . . . . . . . .
. O O O O O . . .
O X X X X X . . .
. O O O O O . . .
. . . . . . . . .
. . . . . . . . .
. . . . . . . . .
. . . . . . . . .
. . . . . . . . .
"""


def test_a_large_group_is_not_left_in_atari() -> None:
    board = position(CAUGHT)
    assert verdicts(board, "G7", "E3", "G8") == [None, IN_ATARI, IN_ATARI]
    small = CAUGHT.replace("O X X X X X", "O O X X X X")
    assert verdicts(position(small), "E3") == [None]  # four stones are not many


def test_what_cannot_be_saved_may_be_left() -> None:
    stopped = CAUGHT.replace("O X X X X X . . .", "O X X X X X . O .")
    assert verdicts(position(stopped), "E3", "G7") == [None, LOST_LADDER]


def test_what_is_lost_anyway_may_be_left() -> None:
    owned = np.zeros((9, 9))
    owned[2, 1:6] = -0.9
    assert verdicts(position(CAUGHT), "E3", ownership=owned) == [None]
    assert verdicts(position(CAUGHT), "E3", ownership=-owned) == [IN_ATARI]


def test_capturing_beside_it_saves_a_group_too() -> None:
    taking = """
    . . . . . . . . .
    X O O O O O O . .
    O X X X X X . O .
    . O O O O O O . .
    X X . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    . . . . . . . . .
    """
    assert verdicts(position(taking), "A6", "E3") == [None, IN_ATARI]


def test_of_two_duties_the_larger_one_comes_first() -> None:
    two = """
    . . . . . . . . .
    . O O O O O . . .
    O X X X X X . . .
    . O O O O O . . .
    . . . . . . . . .
    . O O O O O O . .
    O X X X X X X . .
    . O O O O O O . .
    . . . . . . . . .
    """
    assert verdicts(position(two), "H3", "G7", "J9") == [None, IN_ATARI, IN_ATARI]


def test_the_capture_of_a_large_group_that_gets_away_is_not_refused() -> None:
    swapped = CAUGHT.translate(str.maketrans("XO", "OX"))
    assert verdicts(position(swapped), "G7", "E3") == [None, REFUSED]
    stopped = swapped.replace("X O O O O O . . .", "X O O O O O . X .")
    assert verdicts(position(stopped), "E3") == [None]  # it does not get away


LADDER = """
. . . . . . . . .
. . . . . . . . .
. . . . . . . . .
. . X X . . . . .
. X O O X . . . .
. . X . . . . . .
. . . . . . . . .
. . . . . . . . .
. . . . . . . . .
"""


def test_a_ladder_is_played_on() -> None:
    board = position(LADDER, last="D4")
    assert verdicts(board, "D3", "E4", "G7") == [None, TENUKI, TENUKI]


def test_a_broken_ladder_need_not_be_played_on() -> None:
    rows = LADDER.strip().splitlines()
    rows[6] = ". . . . . . O . ."
    board = position("\n".join(rows), last="D4")
    assert verdicts(board, "G7") == [None]


def test_only_a_chain_that_has_just_run_is_in_a_ladder() -> None:
    elsewhere = position(LADDER.replace(". . X . . . . . .", ". . X O . . . . .", 1), last="J9")
    assert verdicts(elsewhere, "G7") == [None]


def test_every_duty_has_a_move_that_no_rule_forbids() -> None:
    rng = np.random.default_rng(3)
    duties = 0
    for _ in range(60):
        board = Board(7)
        for _ in range(60):
            moves = np.flatnonzero(board.sensible()[:-1])
            if not len(moves):
                break
            board.play(int(rng.choice(moves)))
            rules = Vetoes(board)
            if rules.duties:
                duties += 1
                assert any(rules.of(move) is None for move in rules.duties[0].answers)
                assert rules.duties[0].name in VETOES
    assert duties > 50
