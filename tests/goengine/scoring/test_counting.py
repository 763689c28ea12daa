"""Counting: area and territory scores, rules, komi and handicap."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.scoring.counting import (
    area_owners,
    area_score,
    format_score,
    points_given,
    score,
    territory_score,
)
from goengine.scoring.status import status
from goengine.types import BLACK, WHITE, opponent
from tests.goengine.scoring.positions import DEAD, SPLIT


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


def test_area_and_territory_differ_by_the_stones_that_were_placed(rng):
    for number in range(30):
        board = Board(5, rules="japanese", komi=6.5)
        if number % 2:
            board.place_handicap([6, 8, 16, 18][: 2 + number % 3])
        for _ in range(int(rng.integers(0, 60))):
            move = 25 if rng.random() < 0.1 else int(rng.choice(np.flatnonzero(board.legal())))
            board.play(move)
        mover = board.to_play if board.passes % 2 == 0 else opponent(board.to_play)
        extra = area_score(board) - territory_score(board)
        assert points_given(board) == 6.5 + extra - (mover == WHITE)
        area = Board(5, rules="tromp-taylor", komi=6.5)
        area.records = board.records
        assert points_given(area) == 6.5


def test_a_game_in_turns_gives_komi_alone_and_a_handicap_its_stones_under_territory_rules():
    even, ahead = Board(9, rules="japanese", komi=6.5), Board(9, rules="japanese", komi=0.5)
    ahead.place_handicap([20, 24, 56, 60])
    for move in (40, 30, 81, 81):
        assert points_given(even) == 6.5 and points_given(ahead) == 0.5 + 3
        even.play(move)
        ahead.play(move)
    passed = Board(9, rules="japanese", komi=6.5)
    passed.play(81)
    passed.play(40)
    assert points_given(passed) == 5.5, "White's stone is a point of area only"


@pytest.mark.parametrize(
    ("points", "text"), [(3.5, "B+3.5"), (-0.5, "W+0.5"), (0, "0"), (-12, "W+12"), (0.0, "0")]
)
def test_format(points, text):
    assert format_score(points) == text


def test_an_empty_board_is_nobodys():
    board = Board(9, komi=7.5)
    assert area_score(board) == -7.5
    assert territory_score(board) == -7.5


def test_owners_of_points_add_up_to_the_area_score(rng):
    for number in range(12):
        board = Board(7, komi=0.0)
        for _ in range(10 + 4 * number):
            board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
        judged = status(board, rng=rng, playouts=40)
        for dead, given in (((), None), (judged.dead, None), (judged.dead, judged)):
            owners = area_owners(board, dead, status=given)
            points = (owners == BLACK).sum() - (owners == WHITE).sum()
            assert points == score(board, dead, status=given)
        if not judged.dead:
            assert (area_owners(board) == board.area()).all()
