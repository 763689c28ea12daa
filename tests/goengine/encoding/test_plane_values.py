"""The planes of positions drawn by hand, feature by feature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from goengine.board import Board
from goengine.encoding.features import encode, forget_last_moves
from goengine.feature_table import (
    CAPTURES,
    LIBERTIES,
    LIBERTIES_AFTER,
    PLAYER_COLOUR,
    SELF_ATARI,
    SENSIBLE,
    TURNS,
)
from tests.helpers.diagrams import draw, picture, tidy
from tests.oracle.eyes import greatest_true_eyes, is_true_eye
from tests.oracle.planes import sensibleness
from tests.oracle.rules import points


def test_stone_colour_is_seen_by_the_player_to_move() -> None:
    drawn = draw("""
        X O . . .
        . . . . .
        . . X . .
        . . . . .
        . . . . O
    """)
    expected = """
        0 1 2 2 2
        2 2 2 2 2
        2 2 0 2 2
        2 2 2 2 2
        2 2 2 2 1
    """
    assert picture(encode(drawn.board("X")), 0, 3) == tidy(expected)
    swapped = expected.translate(str.maketrans("01", "10"))
    assert picture(encode(drawn.board("O")), 0, 3) == tidy(swapped)


def test_turns_since_counts_moves_and_passes() -> None:
    board = Board(5, rules="replay")
    for move in (0, 1, 2, 3, 4):
        board.play(move)
    expected = """
        4 3 2 1 0
        . . . . .
        . . . . .
        . . . . .
        . . . . .
    """
    assert picture(encode(board), TURNS, 8) == tidy(expected)
    board.play(25)
    board.play(25)
    assert picture(encode(board), TURNS, 8).splitlines()[0] == "6 5 4 3 2"
    board.play(24)
    assert picture(encode(board), TURNS, 8).splitlines()[0] == "7 6 5 4 3"
    board.play(25)
    assert picture(encode(board), TURNS, 8).splitlines()[0] == "7 7 6 5 4"
    assert picture(encode(board), TURNS, 8).splitlines()[4] == ". . . . 1"


def test_a_position_that_forgets_its_last_moves_looks_set_up(rng: np.random.Generator) -> None:
    boards = [Board(9, rules="replay") for _ in range(4)]
    twins = []
    for moves, board in zip((0, 3, 30, 60), boards, strict=True):
        for _ in range(moves):
            board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
        grid = board.grid.ravel()
        twin = Board(9, rules="replay")
        twin.setup(black=np.flatnonzero(grid == 1), white=np.flatnonzero(grid == 2))
        twin.to_play = board.to_play
        twins.append(encode(twin))
        assert board.ko is None
    planes = np.stack([encode(board) for board in boards])
    tensor = torch.from_numpy(planes.copy())
    assert not np.array_equal(planes[2], twins[2])
    forget_last_moves(planes)
    forget_last_moves(tensor)
    np.testing.assert_array_equal(planes, np.stack(twins))
    np.testing.assert_array_equal(tensor.numpy(), planes)


def test_turns_since_puts_handicap_and_set_up_stones_first() -> None:
    board = Board(5)
    board.place_handicap([6, 18])
    board.play(12)
    board.setup(black=[0], white=[4])
    expected = """
        7 . . . 7
        . 7 . . .
        . . 0 . .
        . . . 7 .
        . . . . .
    """
    assert picture(encode(board), TURNS, 8) == tidy(expected)


def test_turns_since_forgets_captured_stones() -> None:
    board = Board(5, rules="replay")
    for move in (1, 0, 5):  # White's corner stone is taken
        board.play(move)
    expected = """
        . 2 . . .
        0 . . . .
        . . . . .
        . . . . .
        . . . . .
    """
    assert picture(encode(board), TURNS, 8) == tidy(expected)
    board.play(25)
    board.play(0)
    assert picture(encode(board), TURNS, 8).splitlines()[0] == "0 4 . . ."


def test_liberties() -> None:
    drawn = draw("""
        X . . . . O O
        O . . . . . .
        . . X X X . .
        . . . . . . .
        . . O . . . .
        . . . . . X X
        . . . . . X .
    """)
    expected = """
        0 . . . . 2 2
        1 . . . . . .
        . . 7 7 7 . .
        . . . . . . .
        . . 3 . . . .
        . . . . . 4 4
        . . . . . 4 .
    """
    assert picture(encode(drawn.board()), LIBERTIES, 8) == tidy(expected)


def test_capture_size_marks_legal_moves_even_if_they_capture_nothing() -> None:
    drawn = draw("""
        . O O X .
        X X X O O
        . . X O .
        X X X O O
        O O . O .
    """)
    expected = """
        2 . . . .
        . . . . .
        0 0 . . .
        . . . . .
        . . 2 . .
    """
    # The three free points at the right are suicide.
    assert picture(encode(drawn.board("X")), CAPTURES, 8) == tidy(expected)


def test_capture_size_reaches_seven() -> None:
    for length, plane in ((5, 5), (6, 6), (7, 7), (8, 7)):
        drawn = draw(
            "\n".join(
                [
                    "O" * length + "a" + "." * (8 - length),
                    "X" * length + "." * (9 - length),
                    *["." * 9] * 7,
                ]
            )
        )
        planes = encode(drawn.board("X"))
        assert planes[CAPTURES : CAPTURES + 8, 0, length].tolist() == [
            int(k == plane) for k in range(8)
        ]


def test_self_atari_size_and_liberties_after_the_move() -> None:
    drawn = draw("""
        . O . . . . .
        . . X O . . .
        . X O . O . .
        O X X O . . .
        . O O . . . .
        . . . . O O O
        . . . . O X .
    """)
    board = drawn.board("X")
    planes = encode(board)
    atari = """
        0 . . . . . .
        . . . . . . .
        . . . 0 . . .
        . . . . . . .
        0 . . . . . .
        . . . . . . .
        . . . . . . .
    """
    assert picture(planes, SELF_ATARI, 8) == tidy(atari)
    after = """
        0 . 1 1 2 2 1
        2 2 . . 1 3 2
        1 . . 0 . 2 2
        . . . . 1 3 2
        0 . . 1 2 2 1
        2 2 2 2 . . .
        1 2 2 1 . . .
    """
    assert picture(planes, LIBERTIES_AFTER, 8) == tidy(after)


@pytest.mark.parametrize("length", range(9))
def test_self_atari_size_counts_the_chain(length: int) -> None:
    rows = ["X" * length + "a" + "." * (9 - length), "O" * (length + 1) + "." * (9 - length)]
    drawn = draw("\n".join([*rows, *["." * 10] * 8]))
    planes = encode(drawn.board("X"))
    expected = [int(k == min(length + 1, 8) - 1) for k in range(8)]
    assert planes[SELF_ATARI:LIBERTIES_AFTER, 0, length].tolist() == expected
    assert planes[LIBERTIES_AFTER, 0, length] == 1


@pytest.mark.parametrize("length", range(9))
def test_liberties_after_the_move_end_at_eight(length: int) -> None:
    rows = ["X" * length + "a" + "." * (9 - length)]
    drawn = draw("\n".join([*rows, *["." * 10] * 9]))
    planes = encode(drawn.board("X"))
    expected = [int(k == min(length + 2, 8) - 1) for k in range(8)]
    assert planes[LIBERTIES_AFTER:44, 0, length].tolist() == expected


def test_self_atari_is_counted_after_captures() -> None:
    drawn = draw("""
        a O X . .
        O X . . .
        X . . . .
        . . . . .
        . . . . .
    """)
    planes = encode(drawn.board("X"))
    assert planes[CAPTURES + 2, 0, 0] == 1
    assert planes[SELF_ATARI:LIBERTIES_AFTER, 0, 0].sum() == 0
    assert planes[LIBERTIES_AFTER + 1, 0, 0] == 1


def test_the_ko_point_is_zero_in_every_move_plane() -> None:
    drawn = draw("""
        . X O . .
        X O a O .
        . X O . .
        . . . . .
        . . . . .
    """)
    for rules in ("japanese", "chinese"):
        board = drawn.board("X", rules=rules)
        board.play(drawn.move("a"))
        assert board.ko == 6
        assert encode(board)[CAPTURES:47, 1, 1].sum() == 0
        board.play(25)
        board.play(25)
        planes = encode(board)
        assert planes[CAPTURES + 1, 1, 1] == 1, "superko is not a matter of the planes"
        assert planes[SELF_ATARI, 1, 1] == 1
        assert planes[SENSIBLE, 1, 1] == 1


def test_suicide_is_zero_in_every_move_plane_whatever_the_rules() -> None:
    drawn = draw("""
        . X O . .
        X O O . .
        O O . . .
        . . . . .
        . . . . .
    """)
    board = drawn.board("X", rules="tromp-taylor")
    assert board.is_legal(0)
    assert encode(board)[CAPTURES:47, 0, 0].sum() == 0


def test_a_snapback_is_a_self_atari_that_is_sensible() -> None:
    drawn = draw("""
        O O a b X
        X O O O X
        X X X X X
        . . . . .
        . . . . .
    """)
    board = drawn.board("X")
    planes = encode(board)
    assert planes[SELF_ATARI, 0, 2] == 1
    assert planes[SENSIBLE, 0, 2] == 1
    board.play(drawn.move("a"))
    board.play(drawn.move("b"))
    planes = encode(board)
    assert planes[CAPTURES + 6, 0, 2] == 1
    assert planes[LIBERTIES_AFTER + 2, 0, 2] == 1, "the captured stones become liberties"


EYES = {
    # e: own true eyes, n: empty and no true eye, as Black sees them
    "centre, one bad diagonal": """
        . . . . .
        . O X X .
        . X e X .
        . X X X .
        . . . . .
    """,
    "false with two bad diagonals": """
        . . . . .
        . O X X .
        . X n X .
        . X X O .
        . . . . .
    """,
    "the edge allows no bad diagonal": """
        . X n X .
        . O X X .
        . . . . .
        . X X X .
        . X e X .
    """,
    "the corner neither": """
        n X . X e
        X O . X X
        . . . . .
        . . . . .
        . . . . .
    """,
    "an empty diagonal counts as bad": """
        . . . . .
        . . X X .
        . X n X .
        . X X . .
        . . . . .
    """,
    "two eyes lean on each other": """
        e X X X X
        X e X . X
        X X X . X
        X . . . X
        X X X X X
    """,
    "a point that leans on a false eye is false": """
        n X O . .
        X n X . .
        O X O . .
        . . . . .
        . . . . .
    """,
    "checkerboard: all true, each by the others": """
        e X e X e
        X e X e X
        e X e X e
        X e X e X
        e X e X e
    """,
    "checkerboard: a hole in the edge spoils what leans on it": """
        e X e X e
        X e X e X
        e X e X n
        X e X n X
        e X n . n
    """,
}


@pytest.mark.parametrize("name", EYES)
def test_true_eyes(name: str) -> None:
    drawn = draw(EYES[name])
    eyes = {p for p in points(5) if is_true_eye(drawn.stones, p, "X", 5)}
    assert eyes >= drawn.named("e")
    assert not eyes & drawn.named("n")
    assert eyes == greatest_true_eyes(drawn.stones, "X", 5, set(points(5)))
    board = drawn.board("X")
    sensible = encode(board)[SENSIBLE]
    for row, col in drawn.named("e"):
        assert not sensible[row, col]
    for row, col in drawn.named("n"):
        assert sensible[row, col] == board.legal()[row * 5 + col]
    marked = {(row, col) for row, col in np.argwhere(sensible).tolist()}
    assert marked == sensibleness(drawn.position("X"))[46]
    assert sensible.ravel().tolist() == board.sensible()[:-1].tolist()


def test_a_checkerboard_is_asked_in_no_time() -> None:
    """On 19x19 the recursion has more paths than anyone can walk."""
    stones = {
        (row, col): "X" for row, col in points(19) if (row + col) % 2 and (row, col) != (0, 1)
    }
    everywhere = set(points(19))
    for hole in (None, (10, 9)):
        black = {p for p in stones if p != hole}
        board = Board(19)
        board.setup(black=[row * 19 + col for row, col in black])
        eyes = greatest_true_eyes(dict.fromkeys(black, "X"), "X", 19, everywhere)
        sensible = encode(board)[SENSIBLE].astype(bool)
        legal = board.legal()[:-1].reshape(19, 19)
        for point in everywhere - black:
            assert sensible[point] == (legal[point] and point not in eyes)


def test_the_colour_plane() -> None:
    board = Board(9)
    assert encode(board, planes=49)[PLAYER_COLOUR].all()
    board.play(81)
    assert not encode(board, planes=49)[PLAYER_COLOUR].any()
