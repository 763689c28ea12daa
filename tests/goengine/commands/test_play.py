"""The game in the terminal, line by line."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from goengine.board import Board
from goengine.commands import play as command
from goengine.commands.play import start_game
from goengine.games.game import Game
from goengine.games.sgf import read_sgf
from goengine.players.policy_player import PolicyPlayer
from goengine.terminal.conversation import Session
from goengine.types import BLACK, RESIGN, WHITE, GoError
from tests.helpers.counting_players import counting_player
from tests.helpers.diagrams import DEAD
from tests.helpers.stub_players import InOrder, StubEvaluator


def session(*moves: int, human: int = BLACK, game: Game | None = None) -> Session:
    rng = np.random.default_rng(1)
    return Session(game or Game(9), InOrder(*moves), human=human, rng=rng)


def test_a_move_is_answered_and_both_show():
    game = session(10)
    assert game.answer("e5") == "White: B8"
    assert game.board.grid[4, 4] == BLACK and game.board.grid[1, 1] == WHITE
    shown = game.prompt()
    assert "(O)" in shown and "move 3, black to play" in shown and "komi 7.5" in shown
    assert shown.count("A B C D E F G H J") == 2


def test_the_player_begins_where_it_has_the_move():
    game = session(10, human=WHITE)
    assert game.respond() == "Black: B8"
    assert game.respond() == ""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("e5", "black E5 is illegal: the point is occupied"),
        ("zz", "'zz' is not a vertex such as D4; type help for the commands"),
        ("i5", "'i5' is not a vertex such as D4: columns leave out the letter I; type help"),
        ("t19", "off the 9x9 board"),
        ("save", "name a file: save FILE.sgf"),
        ("hint", "this player gives no hints"),
    ],
)
def test_mistakes_are_explained_and_change_nothing(line, text):
    game = session(10)
    game.answer("e5")
    before = game.board.copy()
    assert text in game.answer(line)
    assert game.board == before and not game.game.over


def test_help_and_empty_lines():
    game = session()
    for word in ("pass", "undo", "hint", "score", "save", "resign", "quit"):
        assert word in game.answer("help")
    assert game.answer("   ") == ""


def test_undo_takes_back_both_moves():
    game = session(10, 11)
    assert game.answer("undo") == "nothing to undo"
    game.answer("e5")
    game.answer("undo")
    assert not game.board.grid.any() and game.record().moves == ()
    assert game.answer("e5") == "White: C8"


def test_resigning_and_quitting():
    game = session()
    assert game.answer("resign") == "The game is over: W+R"
    assert game.game.over and game.game.result == "W+R"
    game = session(RESIGN)
    assert game.answer("e5").endswith("The game is over: B+R")
    game = session()
    game.answer("quit")
    assert game.left and game.game.result is None


def test_a_finished_game_can_be_saved_and_only_then_be_left(tmp_path):
    game = session(10, 49)
    game.answer("e5")
    game.answer("resign")
    assert "W+R, use save FILE.sgf, undo or quit" in game.prompt()
    assert game.answer("d4") == "the game is over: use save FILE.sgf, undo or quit"
    assert game.answer("resign").startswith("the game is over")
    path = tmp_path / "end.sgf"
    assert game.answer(f"save {path}") == f"saved {path}"
    assert read_sgf(path.read_bytes()).result == "W+R"
    assert not game.left
    game.answer("quit")
    assert game.left and game.game.result == "W+R"


def test_a_resignation_is_taken_back_alone():
    game = session(10, 49)
    game.answer("e5")
    game.answer("resign")
    assert game.answer("undo") == "" and not game.game.over
    assert game.board.turn == 2 and game.board.to_play == BLACK
    assert game.answer("d4") == "White: E4"


def test_the_move_that_made_the_player_resign_is_taken_back():
    game = session(10, RESIGN, 49)
    game.answer("e5")
    assert game.answer("d4").endswith("The game is over: B+R")
    game.answer("undo")
    assert not game.game.over and game.record().moves == ((BLACK, 40), (WHITE, 10))
    assert game.answer("d4") == "White: E4"


def test_the_passes_that_ended_a_game_are_taken_back():
    game = session(81)
    assert "The game is over" in game.answer("pass")
    game.answer("undo")
    assert not game.game.over and game.board.passes == 0 and game.record().moves == ()
    game = session(81, human=WHITE)
    game.respond()
    assert "The game is over" in game.answer("pass")
    game.answer("undo")
    assert not game.game.over and game.board.passes == 1 and game.board.to_play == WHITE


def test_two_passes_end_the_game_and_count_it():
    board = Board.from_diagram(DEAD)
    board.komi = 0.5
    game = session(49, game=Game.at(board))
    text = game.answer("pass")
    assert "White: pass" in text
    assert "The game is over: B+6.5" in text and "taken as dead: G7 B2" in text


def test_the_score_is_an_estimate():
    assert " % of the points settled)" in session().answer("score")


def test_hints_come_from_the_network():
    def likes(records):
        priors = np.zeros((len(records), 81), dtype=np.float32)
        priors[:, 40], priors[:, 0] = 0.75, 0.25
        return priors

    rng = np.random.default_rng(1)
    game = Session(Game(9), PolicyPlayer(StubEvaluator(likes)), human=BLACK, rng=rng)
    assert game.answer("hint").split() == ["E5", "75.0", "%", "A9", "25.0", "%"]


def test_a_game_can_be_saved(tmp_path):
    game = session(10, 49, game=start_game(9, "japanese", None, 2), human=BLACK)
    game.respond()
    game.answer("e5")
    path = tmp_path / "my game.sgf"
    assert game.answer(f"save {path}") == f"saved {path}"
    record = read_sgf(path.read_bytes())
    assert (record.handicap, record.komi, record.black) == (2, 0.5, "human")
    assert record.moves == ((WHITE, 10), (BLACK, 40), (WHITE, 49))
    assert "cannot write" in game.answer(f"save {tmp_path}/no/where.sgf")
    assert "no file can have that name" in game.answer("save a\0b")


def test_handicaps_that_do_not_fit():
    assert start_game(9, "chinese", None, 0).komi == 7.5
    assert start_game(9, "chinese", 3, 4).komi == 3
    with pytest.raises(GoError, match="10 handicap stones do not fit 9x9: use 2 to 9"):
        start_game(9, "chinese", None, 10)
    with pytest.raises(GoError, match=r"use --komi 0.5 without --handicap, or --handicap 2 to 9"):
        start_game(9, "chinese", None, 1)
    with pytest.raises(GoError, match="5x5 has no handicap points: use 7x7 or larger"):
        start_game(5, "chinese", None, 2)


@pytest.mark.parametrize(
    "words",
    [
        ["--seed", "-1"],
        ["--temperature", "nan"],
        ["--temperature", "-1"],
        ["--komi", "nan"],
        ["--size", "20"],
        ["--rules", "house"],
    ],
)
def test_options_that_make_no_sense_are_named(words, capsys):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(words)
    errors = capsys.readouterr().err
    assert f"argument {words[0]}: {words[1]!r} is not" in errors and "use" in errors


@pytest.fixture
def network(tmp_path):
    """A small network in a file whose name would be settings in the text of an entrant."""
    from goengine.networks.files import save_network
    from goengine.networks.policy_network import PolicyConfig, PolicyNet

    path = tmp_path / "a=b,tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    return path


def play(monkeypatch, lines, *words: str) -> int:
    """Run the command with these lines as the person's, then the end of the input.

    A `^C` is the person's Ctrl+C.
    """
    typed = iter(lines)

    def read(prompt):
        try:
            line = next(typed)
        except StopIteration:
            raise EOFError from None
        if line == "^C":
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr("builtins.input", read)
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(words))


def test_options_are_checked_before_a_network_is_loaded(monkeypatch, capsys):
    with pytest.raises(GoError, match="--think is for an opponent by rank"):
        play(monkeypatch, [], "--think", "0")
    assert capsys.readouterr().err == ""


def test_an_opponent_by_rank_says_what_it_does_not_listen_to(monkeypatch, capsys, caplog):
    words = ["--size", "9", "--rank", "12k", "--think", "0", "--visits", "9"]
    assert play(monkeypatch, ["e5", "hint"], *words) == 0
    assert "You play black against ranks-96 12k" in capsys.readouterr().out
    assert [record.getMessage() for record in caplog.records] == [
        "an opponent by rank plays as its rank does, so without effect: --visits"
    ]


def test_the_command_plays_a_game_and_saves_it(network, tmp_path, monkeypatch, capsys):
    target = tmp_path / "end.sgf"
    lines = ["e5", "hint", "resign", f"save {target}", "quit", "never read"]
    words = ["--size", "9", "--network", str(network), "--seed", "1"]
    assert play(monkeypatch, lines, *words) == 0
    out = capsys.readouterr().out
    assert "You play black against a=b,tiny" in out and "The game is over: W+R" in out
    assert "never" not in out
    assert read_sgf(target.read_bytes()).result == "W+R"


def test_the_end_of_input_ends_the_game(network, monkeypatch, capsys):
    assert play(monkeypatch, [], "--size", "9", "--network", str(network), "--colour", "white") == 0
    assert "Black: " in capsys.readouterr().out


def test_two_interruptions_at_the_prompt_leave_an_unsaved_game(network, monkeypatch, capsys):
    words = ["--size", "9", "--network", str(network)]
    assert play(monkeypatch, ["^C", "never read"], *words) == 130
    assert play(monkeypatch, ["e5", "^C", "help", "^C", "^C", "never read"], *words) == 130
    out = capsys.readouterr().out
    assert out.count("not saved: save FILE.sgf keeps it, quit or Ctrl+C once more leaves") == 2
    assert play(monkeypatch, ["e5", "^C", "quit"], *words) == 0


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ([], "1 s a move"),
        (["--seconds", "2"], "2 s a move"),
        (["--time", "10", "--byoyomi", "3x30"], "by the clock, 10 min + 3 x 30 s"),
        (["--time", "0.5", "--visits", "9"], "9 visits, by the clock, 0.5 min"),
        (["--byoyomi", "1x5", "--seconds", "2"], "at most 2 s a move, by the clock, 1 x 5 s"),
    ],
)
def test_the_opening_names_what_limits_a_move(words, limits, monkeypatch, capsys):
    def reader(network, *, search, **options):
        return counting_player(visits=search.visits, seconds=search.seconds)

    monkeypatch.setattr(command, "make_player", reader)
    assert play(monkeypatch, [], *words) == 0
    assert f"You play black against counting, {limits}. Type help" in capsys.readouterr().out


def test_a_partner_begins_at_the_rank_that_is_asked_for(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(command, "make_ranked_player", lambda *_, **__: InOrder())
    assert play(monkeypatch, [], "--rank", "15k", "--adapt") == 0
    out = capsys.readouterr().out
    assert "your partner is 15k\n  begun at 15k\n" in out and "12k" not in out
