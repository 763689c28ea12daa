"""Area and territory scores, dead stones, and the score of real games."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.scoring.counting import (
    area_score,
    final_score,
    format_score,
    neighbours,
    regions,
    score,
    status,
    territory_score,
)
from goengine.types import BLACK, EMPTY, WHITE
from tests.helpers.diagrams import SEKI

SPLIT = """
. X . O .
X X . O O
. X X O .
X X . O O
. X . O .
"""
DEAD = """
. . . . X O . . .
. . . . X O . . .
. . O . X O . X .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
"""
OPEN = """
. . . . . . .
. X X . O O .
X X X . O O O
. . X . O . .
. . X . O . .
X X X . O O O
. X X . O O .
"""


def test_area_counts_stones_and_own_regions():
    board = Board.from_diagram(SPLIT)
    board.komi = 0.5
    assert area_score(board) == 11 - 10 - 0.5
    assert (board.area() == BLACK).sum() == 11
    assert (board.area() == WHITE).sum() == 10


def test_territory_counts_empty_points_and_prisoners():
    board = Board.from_diagram(SPLIT, rules="japanese")
    board.komi = 6.5
    assert territory_score(board) == 3 - 3 - 6.5
    board.records["captures"][0, BLACK] = 5
    assert territory_score(board) == 3 - 3 + 5 - 6.5


def test_dead_stones_are_taken_off_and_are_prisoners():
    board = Board.from_diagram(DEAD)
    board.komi = 0
    dead = [2 * 9 + 2, 2 * 9 + 7]
    assert area_score(board, dead) == 45 - 36
    assert territory_score(board, dead) == (36 + 1) - (27 + 1)
    assert area_score(board) == 9 - 9 + 1 - 1


def test_the_score_follows_the_rules():
    board = Board.from_diagram(DEAD, rules="japanese")
    board.komi = 0
    dead = [20, 25]
    assert score(board, dead) == territory_score(board, dead)
    board = Board.from_diagram(DEAD, rules="chinese")
    assert score(board, dead) == area_score(board, dead)


@pytest.mark.parametrize(
    ("rules", "bonus"), [("chinese", 4), ("aga", 3), ("tromp-taylor", 0), ("japanese", 0)]
)
def test_handicap_bonus(rules, bonus):
    board = Board(9, rules=rules, komi=0.5)
    board.place_handicap([20, 24, 56, 60])
    free = 0 if rules == "japanese" else 4
    assert score(board) == 81 - 4 + free - 0.5 - bonus


@pytest.mark.parametrize(
    ("points", "text"), [(3.5, "B+3.5"), (-0.5, "W+0.5"), (0, "0"), (-12, "W+12"), (0.0, "0")]
)
def test_format(points, text):
    assert format_score(points) == text


def test_an_empty_board_is_nobodys():
    board = Board(9, komi=7.5)
    assert area_score(board) == -7.5
    assert territory_score(board) == -7.5


def test_regions_and_neighbours_cover_the_board():
    board = Board.from_diagram(SPLIT)
    found = regions(board.grid)
    assert sorted(move for _, inside, _ in found for move in inside) == list(range(25))
    for colour, inside, around in found:
        assert {int(board.grid.ravel()[move]) for move in inside} == {colour}
        assert colour not in {int(board.grid.ravel()[move]) for move in around}
    assert neighbours(5)[0] == (1, 5)
    assert neighbours(5)[12] == (7, 11, 13, 17)


def test_playouts_find_the_dead_stones():
    board = Board.from_diagram(DEAD)
    judged = status(board, rng=np.random.default_rng(1))
    assert judged.dead == {20, 25}
    assert judged.ownership[:, :4].mean() > 0 > judged.ownership[:, 6:].mean()
    assert not judged.seki
    board.komi = 5.5
    assert final_score(board, rng=np.random.default_rng(1)) == 45 - 36 - 5.5


def test_playouts_leave_a_seki_alone():
    board = Board.from_diagram(SEKI, rules="japanese")
    judged = status(board, rng=np.random.default_rng(1))
    assert not judged.dead
    assert {2, 4} <= judged.seki
    assert judged.settled[0, 3]
    board.komi = 0
    flat = board.grid.ravel()
    eyes = {BLACK: 3, WHITE: 3}
    assert score(board, status=judged) == eyes[BLACK] - eyes[WHITE]
    board.rules = Board(7, rules="chinese").rules
    stones = int((flat == BLACK).sum()) - int((flat == WHITE).sum())
    assert score(board, status=judged) == stones + eyes[BLACK] - eyes[WHITE]
    assert (flat == EMPTY).sum() == 8


def test_an_open_border_does_not_lose_the_territory():
    board = Board.from_diagram(OPEN, rules="japanese")
    board.komi = 0
    assert territory_score(board) == 0
    judged = status(board, rng=np.random.default_rng(1))
    assert not judged.dead
    assert score(board, judged.dead, status=judged) == pytest.approx(0, abs=3)
    owned = judged.ownership
    assert owned[4, 0] > 0.5 and owned[4, 6] < -0.5


def test_the_same_rng_gives_the_same_status():
    board = Board.from_diagram(DEAD)
    one = status(board, rng=np.random.default_rng(3))
    two = status(board, rng=np.random.default_rng(3))
    assert (one.ownership == two.ownership).all()
    assert one.lead == two.lead and one.spread == two.spread


@pytest.mark.data
@pytest.mark.slow
def test_the_winner_of_real_games(games_folder):
    import importlib.util
    from pathlib import Path

    path = Path(__file__).resolve().parents[3] / "benchmarks" / "scoring.py"
    spec = importlib.util.spec_from_file_location("scoring_benchmark", path)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    rng = np.random.default_rng(3)
    right = total = 0
    for record in benchmark.games(games_folder / "kgs_6d.sgf.bz2", any_end=False):
        truth = benchmark.counted_points(record)
        ours = final_score(benchmark.final_position(record), rng=rng)
        right += (ours > 0) == (truth > 0)
        total += 1
        if total == 60:
            break
    assert right >= 54
