"""Ctrl+C: the player stops to think, and the game stays whole and in the person's hands."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.games.game import Game
from goengine.terminal.conversation import Session
from goengine.types import BLACK, WHITE
from tests.helpers.counting_players import counting_player
from tests.helpers.ranked_players import counting_opponent
from tests.helpers.stub_players import InOrder


class Interrupted(InOrder):
    """A player during whose first thoughts the person presses Ctrl+C so many times."""

    def __init__(self, *moves: int, times: int = 1, seconds: float = 0.0) -> None:
        super().__init__(*moves)
        self.times, self.seconds, self.wall = times, seconds, 0.0

    def move(self, board: Board) -> int:
        times, self.times = self.times, 0
        self.wall += self.seconds
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        return super().move(board)


def session(player: Interrupted, *, human: int = BLACK, game: Game | None = None) -> Session:
    return Session(game or Game(9), player, human=human, rng=np.random.default_rng(1))


def test_the_players_move_is_given_up_and_go_lets_it_think_again() -> None:
    game = session(Interrupted(10, 11))
    assert game.answer("e5").splitlines() == [
        "white has stopped thinking: go lets it move, undo takes your move back",
        "this game is not saved: save FILE.sgf keeps it, Ctrl+C once more leaves",
    ]
    assert game.game.moves == [(BLACK, 40)] and "white to play" in game.screen("")
    assert game.answer("d4") == game.answer("pass") == "it is white's turn: go lets it move"
    assert game.answer("go") == "White: C8" and game.board.turn == 2
    assert game.answer("genmove") == "it is your turn: hint names good moves"
    assert "not saved" in game.answer("quit") and not game.left


def test_a_stopped_player_leaves_undo_resigning_and_saving(tmp_path: Path) -> None:
    game = session(Interrupted(10, 11))
    game.answer("e5")
    assert game.answer(f"save {tmp_path / 'game.sgf'}").startswith("saved")
    assert game.answer("resign") == "The game is over: W+R"
    assert "the game is over" in game.answer("go")
    other = session(Interrupted(10, 11))
    other.answer("e5")
    assert other.answer("undo") == "" and other.game.moves == []
    assert other.answer("d4") == "White: C8"


def test_a_player_that_begins_is_stopped_too() -> None:
    game = session(Interrupted(10, 11), human=WHITE)
    assert game.respond() == "black has stopped thinking: go lets it move"
    assert game.answer("undo") == "nothing to undo"
    assert game.answer("go") == "Black: C8"


def test_twice_in_a_row_leaves() -> None:
    game = session(Interrupted(10))
    game.answer("e5")
    assert game.answer("quit") == "" and game.left
    with pytest.raises(KeyboardInterrupt):
        session(Interrupted(10, times=2)).answer("e5")


def test_the_clock_of_a_stopped_player_is_charged_and_stands_still() -> None:
    player = Interrupted(10, 11, seconds=20.0)
    clock = Clock(TimeSettings("absolute", 60), now=lambda: player.wall)
    game = session(player, game=Game(9, clock=clock))
    game.respond()
    game.answer("e5")
    player.wall += 30
    assert game.answer("clock") == "black 1:00, white 0:40"
    game.answer("go")
    assert game.answer("clock") == "black 1:00, white 0:20"


def test_a_search_stops_long_before_its_time() -> None:
    player = counting_player(visits=None, seconds=300.0, megabytes=50.0)
    game = Session(Game(7), player, human=BLACK, rng=np.random.default_rng(1))
    began = time.monotonic()
    for line, said in (("a1", "white has stopped thinking"), ("hint", " wins "), ("go", "white")):
        Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
        text = game.answer(line)
        assert said in text and text.endswith("keeps it, Ctrl+C once more leaves")
    assert time.monotonic() - began < 60
    assert game.game.moves == [(BLACK, 42)]
    assert game.answer("quit") == "" and game.left


def test_an_opponent_by_rank_stops_to_seem_to_think() -> None:
    player = counting_opponent(think_least=300.0, think_most=300.0)
    game = Session(Game(7), player, human=BLACK, rng=np.random.default_rng(1))
    began = time.monotonic()
    Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    assert "has stopped thinking" in game.answer("d4")
    assert time.monotonic() - began < 60
