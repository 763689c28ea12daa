"""The playout kernels against the board and against positions whose end is known."""

from __future__ import annotations

import numpy as np
import pytest

from goengine._kernels import playout_board
from goengine._kernels import playouts as kernels
from goengine._kernels.chains import move_of, point_of
from goengine._kernels.state import POINTS
from goengine.board import Board
from goengine.types import BLACK, EMPTY, WHITE
from tests.helpers.diagrams import SEKI


def state_of(board: Board) -> np.ndarray:
    state = np.empty((playout_board.ROWS, POINTS), dtype=np.int32)
    playout_board.build(board.records["colour"][0], state)
    return state


def check(state: np.ndarray, board: Board) -> None:
    """Compare stones, empty points, chains and liberties with the board's."""
    size = board.size
    grid = board.grid.ravel()
    empty = set()
    for move in range(size * size):
        point = point_of(move, size)
        assert state[playout_board.COLOUR, point] == grid[move]
        if grid[move] == EMPTY:
            empty.add(point)
            continue
        head = state[playout_board.HEAD, point]
        chain = board.chain(move)
        assert state[playout_board.SIZE, head] == len(chain)
        ring = [point]
        while (after := state[playout_board.NEXT, ring[-1]]) != point:
            ring.append(after)
        assert sorted(move_of(stone, size) for stone in ring) == chain
        liberties = [
            point + step
            for point in ring
            for step in (-20, -1, 1, 20)
            if state[playout_board.COLOUR, point + step] == EMPTY
        ]
        assert state[playout_board.LIBS, head] == len(liberties)
        assert state[playout_board.SUM, head] == sum(liberties)
        assert state[playout_board.SQUARES, head] == sum(x * x for x in liberties)
        assert bool(playout_board.in_atari(state, head)) == (board.liberties(move) == 1)
    count = state[playout_board.NOTE, playout_board.EMPTIES]
    assert set(state[playout_board.FREE, :count].tolist()) == empty


@pytest.mark.parametrize("size", [2, 5, 9])
def test_playing_keeps_the_same_books_as_the_board(size):
    rng = np.random.default_rng(size)
    for _ in range(6):
        board = Board(size, rules="replay")
        state = state_of(board)
        for _ in range(3 * size * size):
            moves = np.flatnonzero(board.sensible()[:-1])
            if not len(moves):
                break
            move = int(rng.choice(moves))
            colour = board.to_play
            before = sum(board.captures)
            board.play(move)
            playout_board.place(state, point_of(move, size), colour)
            check(state, board)
            assert state[playout_board.NOTE, playout_board.CAPTURED] == sum(board.captures) - before
            ko = 0 if board.ko is None else point_of(board.ko, size)
            assert state[playout_board.NOTE, playout_board.KO] == ko
        check(state_of(board), board)


def test_playout_moves_are_legal_and_fill_no_eye():
    size = 7
    for seed in range(1, 8):
        board = Board(size, rules="replay")
        state = state_of(board)
        numbers = np.array([seed], dtype=np.uint64)
        last = 0
        passes = 0
        for _ in range(200):
            colour = board.to_play
            point = int(kernels.choose(state, last, colour, numbers))
            move = size * size if point == 0 else int(move_of(point, size))
            assert board.is_legal(move)
            assert board.sensible()[move]
            board.play(move)
            if point:
                playout_board.place(state, point, colour)
            last = point
            passes = 0 if point else passes + 1
            if passes == 2:
                break
        assert passes == 2


SHAPES = {
    "two": ("XX", True),
    "straight three": ("XXX", True),
    "bent three": ("XX|X.", True),
    "square": ("XX|XX", True),
    "pyramid": ("XXX|.X.", True),
    "straight four": ("XXXX", False),
    "bent four": ("XXX|X..", False),
    "zigzag": ("XX.|.XX", False),
    "bulky five": ("XX.|XXX", True),
    "cross": (".X.|XXX|.X.", True),
    "straight five": ("XXXXX", False),
    "long T": ("XXXX|.X..", False),
    "rabbity six": ("XX.|XXX|.X.", True),
    "two by three": ("XXX|XXX", False),
    "seven": ("XXXX|XXX.", False),
}


@pytest.mark.parametrize("name", SHAPES)
def test_nakade_shapes_whichever_stone_comes_last(name):
    text, dead = SHAPES[name]
    cells = [
        (row, column)
        for row, line in enumerate(text.split("|"))
        for column, letter in enumerate(line)
        if letter == "X"
    ]
    for last in cells:
        board = Board(9)
        board.setup(black=[(r + 2) * 9 + c + 2 for r, c in cells if (r, c) != last])
        point = point_of((last[0] + 2) * 9 + last[1] + 2, 9)
        state = state_of(board)
        assert bool(kernels._dead_shape(state, point, BLACK, len(cells))) == dead
        assert state[playout_board.COLOUR, point] == EMPTY


def playouts(board: Board, count: int = 200, seed: int = 1) -> np.ndarray:
    work = np.empty((2, playout_board.ROWS, POINTS), dtype=np.int32)
    out = np.full((count, board.size**2), 9, dtype=np.int8)
    numbers = np.array([seed], dtype=np.uint64)
    ko = 0 if board.ko is None else point_of(board.ko, board.size)
    kernels.run_playouts(
        board.records["colour"][0],
        board.size,
        ko,
        board.to_play,
        kernels.NO_MOVE,
        numbers,
        work,
        out,
    )
    return out


def test_the_same_seed_gives_the_same_playouts():
    board = Board(9)
    assert (playouts(board, seed=5) == playouts(board, seed=5)).all()
    assert (playouts(board, seed=5) != playouts(board, seed=6)).any()


def test_playouts_of_an_empty_board_favour_nobody():
    out = playouts(Board(9), 1000)
    assert set(np.unique(out)) <= {-1, 0, 1}
    assert abs(out.sum(axis=1).mean()) < 5


TWO_EYES = """
. X . X O . .
X X X X O . .
O O O O O . .
. . . . . . .
. . . . . . .
. . . . . . .
. . . . . . .
"""


def test_two_eyes_live():
    out = playouts(Board.from_diagram(TWO_EYES))
    assert (out[:, :4] == 1).all()
    assert (out[:, 7:11] == 1).all()


def test_a_seki_stays_a_seki():
    out = playouts(Board.from_diagram(SEKI)).reshape(-1, 7, 7)
    assert (out[:, :2, 3] == 0).mean() > 0.9
    assert (out[:, 0, 2] == 1).mean() > 0.9
    assert (out[:, 0, 4] == -1).mean() > 0.9


def test_a_nakade_kills_a_single_eye_of_three():
    board = Board.from_diagram(
        """
        . . . X O . .
        X X X X O . .
        O O O O O . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . . . . . .
        """,
        to_play=WHITE,
    )
    board.play(1)
    out = playouts(board)
    assert (out[:, 3] == -1).mean() > 0.8


SHARED = """
. O O X . X .
X . O X . X X
X X O X X X X
O O X X X . .
. O X X X X X
O O X . . X .
. O X . . X .
"""
EYE_OF_THREE = """
. O . X O O .
X X X X O O .
O O O O O . .
. . . . . . .
. . . . . . .
. . . . . . .
. . . . . . .
"""


@pytest.mark.parametrize(("colour", "stones"), [(BLACK, 4), (WHITE, 5)])
def test_a_dead_shape_is_not_thrown_away_beside_living_chains(colour, stones):
    state = state_of(Board.from_diagram(SHARED))
    point = point_of(8, 7)
    assert kernels._dead_shape(state, point, colour, stones)
    assert not kernels.sound(state, point, colour)
    assert not kernels.sound(state, point_of(0, 7), colour)
    out = playouts(Board.from_diagram(SHARED)).reshape(-1, 7, 7)
    assert (out[:, [0, 1], [0, 1]] == 0).mean() > 0.95


@pytest.mark.parametrize(
    ("opened", "right"),
    [([], True), ([4], False), ([4, 11], False)],
    ids=["no liberty outside", "one", "two"],
)
def test_stones_are_sacrificed_only_in_an_eye_without_other_liberties(opened, right):
    board = Board.from_diagram(EYE_OF_THREE)
    board.setup(empty=opened)
    state = state_of(board)
    assert bool(kernels.sound(state, point_of(0, 7), WHITE)) == right
    assert (playouts(board)[:, [3, 7, 8, 9, 10]] == -1).mean() > 0.9


def test_a_single_stone_may_be_thrown_in():
    board = Board.from_diagram(EYE_OF_THREE)
    board.setup(empty=[1, 4], black=[2])
    assert board.liberties(3) > 2
    assert kernels.sound(state_of(board), point_of(0, 7), WHITE)
