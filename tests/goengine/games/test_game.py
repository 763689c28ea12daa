"""The game of a GTP session: what loading and undoing leave on the board."""

from __future__ import annotations

from dataclasses import replace

import pytest

from goengine.games.game import Game
from goengine.games.sgf import read_sgf
from goengine.rules import RULES
from goengine.scoring.counting import handicap_bonus
from goengine.types import BLACK, WHITE, IllegalMoveError

TWICE = read_sgf("(;SZ[9]KM[0.5];B[ee];B[cc];W[gg])")


def state() -> Game:
    return Game(19, rules=RULES["chinese"], komi=7.5)


def test_a_loaded_game_goes_on_with_whoever_moved_next() -> None:
    game = state()
    for count, colour in ((0, BLACK), (1, BLACK), (2, WHITE), (3, BLACK), (None, BLACK)):
        game.load(TWICE, count=count)
        assert game.board.to_play == colour
        assert game.board.komi == 0.5
    game.load(TWICE, count=1)
    game.set_rules(RULES["japanese"])
    assert game.board.to_play == BLACK


def test_undo_of_a_loaded_game_shows_whoever_moved_there() -> None:
    game = state()
    game.load(TWICE)
    game.undo(2)
    assert game.moves == [(BLACK, 40)]
    assert game.board.to_play == BLACK


def test_another_line_than_the_loaded_one_alternates() -> None:
    game = state()
    game.load(TWICE, count=0)
    game.play(0, BLACK)
    game.play(1, WHITE)
    game.undo()
    assert game.board.to_play == WHITE


def test_an_illegal_game_is_refused_and_changes_nothing() -> None:
    game = state()
    game.load(TWICE)
    with pytest.raises(IllegalMoveError):
        game.load(read_sgf("(;SZ[5];B[aa];W[aa])"))
    assert game.size == 9
    assert len(game.moves) == 3
    assert game.record() == replace(TWICE, rules="chinese")


@pytest.mark.parametrize(("head", "stones"), [("HA[1]", 0), ("HA[2]", 0), ("HA[2]AB[aa][ii]", 2)])
def test_only_stones_on_the_board_are_a_handicap(head: str, stones: int) -> None:
    game = state()
    record = read_sgf(f"(;SZ[9]{head})")
    game.load(record)
    assert game.board.handicap == stones
    assert game.record().handicap == record.handicap


def test_stones_set_up_one_by_one_are_no_handicap() -> None:
    game = state()
    game.place_handicap([0, 10, 20])
    game.play(40, WHITE)
    assert game.board.handicap == 3
    game.play(42, WHITE)
    assert game.board.handicap == 0 and handicap_bonus(game.board) == 0
    game.play(44, WHITE)
    assert game.before_last().handicap == 0
    game.undo(2)
    assert game.board.handicap == 3 and handicap_bonus(game.board) == 3
    game.play(30, BLACK)
    game.play(31, WHITE)
    assert game.board.handicap == 3
