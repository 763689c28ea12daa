"""The board against the oracle and sgfmill's board; set-up, diagrams, copies and area."""

from __future__ import annotations

import numpy as np
import pytest
from sgfmill import boards

from goengine.board import Board
from goengine.rules import RULES, Rules
from goengine.types import BLACK, EMPTY, WHITE, GoError, IllegalMoveError
from tests.helpers.diagrams import COLOURS, draw, grid_of
from tests.oracle.lockstep import Twin, random_game, real_games
from tests.oracle.rules import Position, area, is_legal, is_legal_by_rules, points

SIZES_AND_MOVES = [(2, 60), (3, 80), (5, 200), (9, 250), (13, 300), (19, 500)]


def rule_set(ko: str, suicide: bool) -> Rules:
    return Rules("test", "area", ko, suicide, 0.0, "none")  # type: ignore[arg-type]


# Games against the oracle


@pytest.mark.parametrize("fill_eyes", [False, True])
@pytest.mark.parametrize(("size", "moves"), SIZES_AND_MOVES)
def test_random_games_agree_with_the_oracle(
    size: int, moves: int, fill_eyes: bool, rng: np.random.Generator
) -> None:
    for twin in random_game(Twin(size, rules="japanese"), rng, moves, fill_eyes=fill_eyes):
        position = twin.position
        if size > 9 and position.turn % 5:
            continue
        twin.check_board()
        expected = [is_legal(position, point) for point in points(size)]
        assert twin.board.legal().tolist() == [*expected, True]


@pytest.mark.parametrize("ko", ["simple", "positional", "situational"])
@pytest.mark.parametrize("suicide", [False, True])
def test_rule_sets_agree_with_the_oracle(ko: str, suicide: bool, rng: np.random.Generator) -> None:
    """Small boards repeat positions all the time, so superko and suicide are really asked."""
    forbidden = 0
    suicides = 0
    for size in [2] * 10 + [3] * 10 + [4] * 2:
        twin = Twin(size, rules=rule_set(ko, suicide))
        for _ in random_game(twin, rng, 60, fill_eyes=True):
            position = twin.position
            legal = [is_legal_by_rules(position, p, ko, suicide) for p in points(size)]
            assert twin.board.legal().tolist() == [*legal, True]
            for point in points(size):
                move = twin.number(point)
                assert twin.board.is_legal(move) == legal[move]
                simple = is_legal_by_rules(position, point, "simple", suicide)
                forbidden += simple and not legal[move]
                suicides += legal[move] and not is_legal(position, point) and point != position.ko
    assert (forbidden > 0) == (ko != "simple")
    assert (suicides > 0) == suicide


def test_real_games_agree_with_the_oracle(games_folder) -> None:
    for handicap, moves in real_games(games_folder, "kgs_6d.sgf.bz2", 6):
        twin = Twin(19, rules="chinese", handicap=handicap)
        for colour, point in moves:
            twin.play(point, colour)
            if twin.position.turn % 10 == 0:
                twin.check_board()
        twin.check_board()


# sgfmill as a second witness


@pytest.mark.parametrize("size", [5, 9, 19])
def test_random_games_agree_with_sgfmill(size: int, rng: np.random.Generator) -> None:
    board = Board(size, rules="japanese")
    witness = boards.Board(size)
    names = {"b": BLACK, "w": WHITE, None: EMPTY}
    for _ in range(4 * size * size):
        move = int(rng.choice(np.flatnonzero(board.sensible())))
        if move < size * size:
            row, col = divmod(move, size)
            ko = witness.play(size - 1 - row, col, "bw"[board.to_play == WHITE])
        else:
            ko = None
        board.play(move)
        grid = [
            [names[witness.get(size - 1 - row, col)] for col in range(size)] for row in range(size)
        ]
        assert board.grid.tolist() == grid
        assert board.ko == (None if ko is None else (size - 1 - ko[0]) * size + ko[1])
    grid = board.area()
    assert witness.area_score() == int((grid == BLACK).sum()) - int((grid == WHITE).sum())


# Hash, copy, equality


def test_hash_depends_on_the_stones_alone(rng: np.random.Generator) -> None:
    twin = Twin(9, rules="japanese")
    hashes: dict[frozenset, int] = {}
    for _ in random_game(twin, rng, 300):
        board = twin.board
        fresh = Board(9)
        grid = board.grid.ravel()
        fresh.setup(white=np.flatnonzero(grid == WHITE), black=np.flatnonzero(grid == BLACK))
        assert board.hash == fresh.hash == hashes.setdefault(twin.position.grid(), board.hash)
    assert len(set(hashes.values())) == len(hashes) > 100


def test_order_of_moves_does_not_change_the_position() -> None:
    one, two = Board(9), Board(9)
    for move in (10, 20, 30, 40):
        one.play(move)
    for move in (30, 40, 10, 20):
        two.play(move)
    assert one.hash == two.hash
    assert one == two
    two.to_play = WHITE
    assert one.hash == two.hash
    assert one != two


def test_a_copy_and_its_source_live_apart(rng: np.random.Generator) -> None:
    twin = Twin(9, rules="chinese")
    for _ in random_game(twin, rng, 150):
        board = twin.board
        records, last_move, legal = board.records.copy(), board.last_move, board.legal()
        played = board.copy()
        assert played == board
        assert (played.records == board.records).all()
        move = int(rng.choice(np.flatnonzero(board.legal())))
        played.play(move)
        played.komi = 0.5
        assert (board.records == records).all()
        assert board.last_move == last_move
        assert (board.legal() == legal).all()
        assert board.komi != played.komi
    source = Board(9)
    copied = source.copy()
    source.play(0)
    assert copied.grid.sum() == 0
    assert copied.is_legal(0)


def test_boards_compare_by_value() -> None:
    assert Board(9) == Board(9)
    assert Board(9) != Board(13)
    assert Board(9) != Board(9, rules="japanese")
    assert Board(9) != 9
    with pytest.raises(TypeError):
        hash(Board(9))


# Set-up, diagrams, small facts


def test_setup_keeps_what_it_does_not_touch() -> None:
    board = Board(9)
    for move in (0, 10, 20):
        board.play(move)
    board.setup(black=[40], white=[41], empty=[10])
    assert board.grid.ravel()[[0, 10, 20, 40, 41]].tolist() == [BLACK, EMPTY, BLACK, BLACK, WHITE]
    assert board.turn == 3
    assert board.to_play == WHITE
    board.setup(white=[0])
    assert board.grid[0, 0] == WHITE


def test_setup_refuses_what_cannot_be() -> None:
    board = Board(3)
    board.play(4)
    with pytest.raises(GoError, match="libert"):
        board.setup(black=[1, 3], white=[0])
    assert board.grid.sum() == BLACK
    with pytest.raises(GoError, match="9"):
        board.setup(black=[9])


def test_setup_forgets_a_ko() -> None:
    drawn = draw("""
        . X O .
        X O a O
        . X O .
        . . . .
    """)
    board = drawn.board("X", rules="japanese")
    board.play(drawn.move("a"))
    assert board.ko is not None
    board.setup(black=[15])
    assert board.ko is None


def test_handicap() -> None:
    board = Board(9)
    board.place_handicap([20, 24])
    assert board.to_play == WHITE
    assert board.handicap == 2
    assert board.turn == 0
    with pytest.raises(GoError, match="empty board"):
        board.place_handicap([40])
    with pytest.raises(GoError, match="repeated"):
        Board(9).place_handicap([20, 20])


def test_passes_without_end_stay_a_count() -> None:
    board = Board(5)
    for number in range(1, 400):
        board.play(25)
        assert board.turn == number
        assert board.passes == number or 126 <= board.passes <= 127
        assert board.passes % 2 == number % 2


def test_turns_passes_and_the_last_move() -> None:
    board = Board(5)
    assert (board.turn, board.passes, board.last_move) == (0, 0, None)
    board.play(12)
    board.play(25)
    assert (board.turn, board.passes, board.last_move, board.to_play) == (2, 1, 25, BLACK)
    board.play(25)
    assert (board.turn, board.passes) == (3, 2)
    board.play(0)
    assert (board.turn, board.passes, board.last_move) == (4, 0, 0)
    board.play(1, WHITE)
    assert board.to_play == BLACK
    board.play(2, WHITE)
    assert board.to_play == BLACK
    assert board.grid[0].tolist() == [WHITE, WHITE, WHITE, EMPTY, EMPTY]


@pytest.mark.parametrize("move", [-1, 26, 1000])
def test_moves_off_the_board_are_illegal(move: int) -> None:
    board = Board(5)
    assert not board.is_legal(move)
    with pytest.raises(IllegalMoveError, match=str(move)):
        board.play(move)
    assert board.turn == 0


def test_an_occupied_point_is_illegal() -> None:
    board = Board(9)
    board.play(40)
    assert not board.is_legal(40)
    with pytest.raises(IllegalMoveError, match=r"white E5.*occupied"):
        board.play(40)


@pytest.mark.parametrize("size", [0, 1, 20, -3])
def test_sizes_out_of_range_are_refused(size: int) -> None:
    with pytest.raises(GoError, match=str(size)):
        Board(size)


def test_a_diagram_round_trips(rng: np.random.Generator) -> None:
    for twin in random_game(Twin(9), rng, 60):
        board = twin.board
        rows = ["".join(".XO"[colour] for colour in row) for row in board.grid.tolist()]
        for separator in ("\n", "|"):
            again = Board.from_diagram(separator.join(rows), to_play=board.to_play)
            assert (again.grid == board.grid).all()
            assert again.to_play == board.to_play
        drawn = str(board).replace("(", " ").replace(")", " ").splitlines()[1:-1]
        assert ["".join(line.split()[1:-1]) for line in drawn] == rows


def test_a_drawn_board_names_its_coordinates() -> None:
    board = Board(9)
    board.play(0)
    lines = str(board).splitlines()
    assert lines[0].split() == lines[-1].split() == list("ABCDEFGHJ")
    assert lines[1].startswith(" 9(X)")
    assert lines[1].endswith(" 9")
    assert lines[-2].startswith(" 1 ")


@pytest.mark.parametrize("text", ["X.|.", "X.Q|...|...", ".X|XO|..", ""])
def test_bad_diagrams_are_refused(text: str) -> None:
    with pytest.raises(GoError):
        Board.from_diagram(text)


def test_area(rng: np.random.Generator) -> None:
    for size in (2, 5, 9, 13):
        for twin in random_game(Twin(size), rng, 3 * size * size):
            if twin.position.turn % 7 == 0 or size == 2:
                owners = area(twin.position.stones, size)
                only = {p: owner for p, owner in owners.items() if owner != "."}
                np.testing.assert_array_equal(twin.board.area(), grid_of(only, size))
    drawn = draw("""
        . X . O .
        X X . O O
        . . . . .
        X X X X X
        . . X . O
    """)
    assert drawn.board().area().tolist() == [
        [1, 1, 0, 2, 2],
        [1, 1, 0, 2, 2],
        [0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0, 2],
    ]


@pytest.mark.parametrize("name", RULES)
def test_every_preset_plays_a_game(name: str, rng: np.random.Generator) -> None:
    board = Board(5, rules=name)
    assert board.komi == RULES[name].komi
    assert Board(5, rules=name, komi=-3.5).komi == -3.5
    for _ in range(120):
        board.play(int(rng.choice(np.flatnonzero(board.legal()))))
    assert board.turn == 120


def test_sensible_moves_are_legal_moves_but_own_true_eyes(rng: np.random.Generator) -> None:
    drawn = draw("""
        e X . . .
        X X . . .
        . . O O O
        . . O f O
        . . O O O
    """)
    eye, theirs = drawn.move("e"), drawn.move("f")
    board = drawn.board("X")
    assert board.legal()[eye]
    assert not board.sensible()[eye]
    assert not board.legal()[theirs]
    assert not board.sensible()[theirs]
    assert board.sensible(WHITE).tolist() == [
        bool(legal) and move != theirs for move, legal in enumerate(board.legal(WHITE))
    ]


def test_the_oracle_and_the_board_speak_of_the_same_colours() -> None:
    assert COLOURS == {"X": BLACK, "O": WHITE}
    assert Position(5).to_play == "X"
    assert Board(5).to_play == BLACK


@pytest.mark.parametrize("size", range(2, 20))
def test_what_is_drawn_can_be_read_back(size: int, rng: np.random.Generator) -> None:
    board = Board(size, rules="japanese")
    for _ in range(size * size // 2):
        board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
    again = Board.from_diagram(str(board), to_play=board.to_play)
    assert (again.grid == board.grid).all() and again.to_play == board.to_play
