"""Matches: external engines good and bad, resuming, referees, reports."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import sys

import pytest

from cnncore.system.command_line import DONE, INTERRUPTED
from goengine.board import Board
from goengine.clock import TimeSettings, gtp_settings
from goengine.commands import match as match_command
from goengine.commands.match import configure, points, report, run
from goengine.games.sgf import read_sgf
from goengine.match.contest import Contest, MatchGame, Terms, engine_referee, own_referee
from goengine.match.entrants import ExternalEntrant, OwnEntrant
from goengine.match.external import EngineError
from goengine.match.folder import MatchError, MatchFolder, Result
from goengine.match.random_player import RandomPlayer
from goengine.players.player import NO_LIMIT
from goengine.rules import get_rules
from goengine.types import BLACK, RESIGN, WHITE
from tests.helpers.stub_players import Passes


def terms(**changes) -> Terms:
    values = {
        "size": 5,
        "rules": get_rules("chinese"),
        "komi": 7.5,
        "seed": 1,
        "move_cap": 50,
        "time": TimeSettings(),
    }
    return Terms(**(values | changes))


def play(one, two, count=2, *, opening=(), **changes) -> list[MatchGame]:
    contest = Contest(
        (one, two), terms(**changes), openings=lambda number: opening, referee=own_referee(1)
    )
    try:
        return sorted(contest.games(range(count)), key=lambda game: game.number)
    finally:
        one.close()
        two.close()


def own(player) -> OwnEntrant:
    return OwnEntrant(player, name=player.name)


# Games


def test_colours_alternate_and_openings_are_shared():
    contest = Contest(
        (own(RandomPlayer(name="a")), own(RandomPlayer(name="b"))),
        terms(move_cap=4),
        openings=lambda number: (number, 24),
        referee=own_referee(1),
        batch=3,
    )
    games = sorted(contest.games(range(4)), key=lambda game: game.number)
    assert [game.black for game in games] == [0, 1, 0, 1]
    assert [game.opening for game in games] == [(0, 24), (0, 24), (1, 24), (1, 24)]
    for game in games:
        assert game.game.reason == "move cap" and len(game.game.moves) == 4
        assert [move for _, move in game.game.moves[:2]] == list(game.opening)
        assert game.chosen == [1, 1]
        record = game.record(("a", "b"))
        assert record.black == "ab"[game.black]


def test_two_passes_are_counted_by_the_referee():
    games = play(own(Passes()), own(Passes()))
    assert [game.game.result for game in games] == ["W+7.5", "W+7.5"]
    assert [game.winner for game in games] == [1, 0]
    assert {game.game.reason for game in games} == {"score"}


@pytest.mark.parametrize(
    ("mode", "letter", "reason"),
    [
        ("occupied", "F", "illegal move A1"),
        ("resigns", "R", "resignation"),
        ("dies", "F", "failure: the engine ended at 'genmove [BW]' with status 3: out of cheese"),
        ("hangs", "F", "failure: no answer to 'genmove [BW]' within 3 s"),
        ("babbles", "F", "failure: genmove answered 'the centre', which is not a vertex"),
        ("noise", "F", "failure: 'thinking' is not a GTP response"),
        ("chatters", "F", "failure: no answer to 'genmove [BW]' within 3 s"),
    ],
)
def test_bad_engines_lose_and_the_next_game_goes_on(fake, mode, letter, reason):
    timeout = 3 if mode in ("hangs", "chatters") else 30
    engine = ExternalEntrant(fake(mode), timeout=timeout)
    games = play(engine, own(RandomPlayer()), 2, opening=(20, 4))
    assert [game.winner for game in games] == [1, 1]
    for game in games:
        assert game.game.result == f"{'W' if game.black == 0 else 'B'}+{letter}"
        assert re.match(reason, game.game.reason), game.game.reason


@pytest.mark.parametrize(
    ("mode", "reason"), [("dozes", "no answer to 'play"), ("banner", "'thinking' is not a GTP")]
)
def test_an_engine_out_of_step_loses_one_game_and_starts_anew(fake, mode, reason):
    engine = ExternalEntrant(fake(mode), timeout=3)
    first, *others = play(engine, own(Passes()), 3, opening=(20, 4))
    assert first.winner == 1 and reason in first.game.reason
    assert {game.game.reason for game in others} == {"score"}


def test_a_good_engine_plays_to_the_end(fake):
    engine = ExternalEntrant(fake("good"), timeout=30)
    assert engine.name == "Fake 1.good"
    games = play(engine, own(Passes()))
    assert [game.game.result for game in games] == ["W+7.5", "W+7.5"]


def test_a_slow_engine_loses_on_time(fake):
    engine = ExternalEntrant(fake("slow"), timeout=30)
    (game,) = play(engine, own(Passes()), 1, time=gtp_settings(1, 0, 0), opening=(0, 1))
    assert (game.winner, game.game.reason) == (1, "score")
    engine = ExternalEntrant(fake("slow"), timeout=30)
    games = play(engine, own(RandomPlayer()), 1, time=gtp_settings(1, 0, 0))
    assert games[0].game.result == "W+T" and games[0].game.reason == "time"
    assert games[0].seconds[0] > 1
    engine = ExternalEntrant(fake("slow"), timeout=30)
    overtime = TimeSettings("canadian", 0, 0.2, stones=1)
    games = play(engine, own(RandomPlayer()), 1, time=overtime)
    assert games[0].game.result == "W+T" and games[0].chosen[0] == 1


def test_own_illegal_moves_lose_too():
    class Rude(Passes):
        def move(self, board):
            return 0

    (game,) = play(own(Passes()), own(Rude()), 1, opening=(0,))
    assert (game.game.result, game.game.reason) == ("B+F", "illegal move A5")


def test_an_engine_can_be_the_referee(fake):
    board = Board(5)
    assert engine_referee(fake("good"), timeout=30)(board, [(BLACK, 3), (WHITE, 25)]) == "W+12.5"


def test_moves_are_told_while_games_run():
    contest = Contest(
        (own(RandomPlayer(name="a")), own(RandomPlayer(name="b"))),
        terms(move_cap=4),
        openings=lambda number: (),
        referee=own_referee(1),
        batch=2,
    )
    told: list[int] = []
    assert len(list(contest.games(range(2), moved=told.append))) == 2
    assert sum(told) == 8 and len(told) > 2


def test_the_bar_shows_moves_before_a_game_is_over(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(match_command.time, "monotonic", lambda: now[0])
    bar = match_command.MatchBar(14, 0)
    bar.moved(16)
    now[0] = 2.0
    bar.moved(1616)
    bar.finished("A 1 of 1")
    bar.close()
    said = capsys.readouterr().err
    assert "0/14" in said and "1,632 moves" in said and "A 1 of 1, 1,632 moves" in said


def test_a_game_that_cannot_be_counted_has_no_result_and_the_next_one_begins(fake):
    referees = [engine_referee(fake(mode), timeout=30) for mode in ("unable", "vague", "good")]
    contest = Contest(
        (own(Passes()), own(Passes())),
        terms(),
        openings=lambda number: (),
        referee=lambda board, moves: referees.pop(0)(board, moves),
        batch=1,
    )
    games = list(contest.games(range(3)))
    assert [game.game.result for game in games] == ["Void", "Void", "W+12.5"]
    assert [game.winner for game in games] == [None, None, 1]
    assert games[0].game.reason == "no result: 'final_score': cannot score"
    assert (
        games[1].game.reason == "no result: final_score answered 'about even', which is not a score"
    )


def test_a_resignation_is_no_move():
    class Quits(Passes):
        def move(self, board):
            return RESIGN

    (game,) = play(own(Quits()), own(Passes()), 1)
    assert game.game.result == "W+R" and game.game.moves == []


# The command


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def test_a_match_writes_games_and_goes_on_after_a_kill(tmp_path, capsys):
    words = ["random", "random", "--size", "5", "--batch", "2", "--out", str(tmp_path / "m")]
    assert run(arguments(*words, "--games", "3")) == 0
    first = capsys.readouterr().out
    assert "3 games, 5x5, chinese, komi 7.5" in first
    results = tmp_path / "m" / "results.jsonl"
    lines = results.read_text().splitlines()
    assert sorted(json.loads(line)["game"] for line in lines) == [0, 1, 2]
    whole = {json.loads(line)["game"]: line for line in lines}
    results.write_text(whole[0] + "\n" + whole[2][:20])
    assert run(arguments(*words, "--games", "4")) == 0
    found = MatchFolder(tmp_path / "m", {}).results()
    assert [result.game for result in found] == [0, 1, 2, 3]
    assert "4 games" in capsys.readouterr().out
    for number in range(1, 5):
        game = read_sgf((tmp_path / "m" / f"game-{number:04d}.sgf").read_bytes())
        assert game.result == found[number - 1].result
        assert len(game.moves) == found[number - 1].turns


def test_an_interrupted_match_reports_what_was_played_and_says_so(tmp_path, capsys, monkeypatch):
    whole_match = match_command._games

    def broken_off(contests, numbers, moved):
        yield from itertools.islice(whole_match(contests, numbers, moved), 2)
        raise KeyboardInterrupt

    words = ["random", "random", "--size", "5", "--games", "5", "--out", str(tmp_path / "m")]
    monkeypatch.setattr(match_command, "_games", broken_off)
    assert run(arguments(*words)) == INTERRUPTED
    assert "2 games" in capsys.readouterr().out
    monkeypatch.undo()
    assert run(arguments(*words)) == DONE
    assert "5 games" in capsys.readouterr().out


def test_engines_play_in_parallel_and_every_game_once(tmp_path, fake, capsys):
    engine = f"gtp:{fake('good')}"
    words = ["--size", "5", "--games", "7", "--parallel", "3", "--out", str(tmp_path / "m")]
    assert run(arguments(engine, "random", *words)) == 0
    assert "7 games" in capsys.readouterr().out
    lines = (tmp_path / "m" / "results.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["game"] for line in lines) == list(range(7))
    assert len({json.loads(line)["black"] for line in lines}) == 2


def test_engines_that_die_at_once_stop_the_match(tmp_path):
    script = tmp_path / "stuck.py"
    script.write_text("raise SystemExit(4)")
    stuck = f"'{sys.executable}' '{script}'"
    with pytest.raises(EngineError, match="status 4"):
        run(arguments(f"gtp:{stuck}", "random", "--parallel", "2"))
    words = ["--size", "5", "--referee", stuck, "--out", str(tmp_path / "m")]
    with pytest.raises(EngineError, match="status 4"):
        run(arguments("random", "random", *words))
    assert not (tmp_path / "m").exists()


def test_a_match_goes_on_without_the_games_that_the_referee_cannot_count(tmp_path, fake, capsys):
    words = ["random", "random", "--size", "3", "--referee", fake("unable"), "--move-cap", "4"]
    words += ["--out", str(tmp_path)]
    assert run(arguments(*words, "--games", "2")) == 0
    out = capsys.readouterr().out
    assert "2 games, 2 without a result, 3x3" in out and "ended by no result 2" in out
    assert "A  won 0" in out and "B  won 0" in out
    assert "game 1: no result: 'final_score': cannot score" in out
    assert read_sgf((tmp_path / "game-0001.sgf").read_bytes()).result == "Void"
    assert run(arguments(*words, "--games", "3")) == 0
    assert "3 games, 3 without a result" in capsys.readouterr().out


def test_another_match_in_the_folder_is_refused(tmp_path):
    words = ["random", "random", "--size", "3", "--games", "1", "--out", str(tmp_path)]
    run(arguments(*words))
    with pytest.raises(
        MatchError, match=r"the komi was 7\.5, now 1; the seed was 1, now 2; repeat"
    ):
        run(arguments(*words, "--seed", "2", "--komi", "1"))


def test_a_match_of_another_player_says_who_it_was(tmp_path):
    words = ["random", "--size", "3", "--games", "1", "--out", str(tmp_path)]
    run(arguments("random", *words))
    shipped = "policy-64,temperature=1,threads=1"
    told = f"another match: the first player was random, now {shipped}; repeat what was"
    with pytest.raises(MatchError, match=told):
        run(arguments(shipped, *words))
    with pytest.raises(MatchError, match="the time was 0 0 0, now 9 0 0"):
        run(arguments("random", *words, "--time", "9", "0", "0"))


def test_one_game_is_not_games_and_a_clock_is_told(capsys):
    assert run(arguments("random", "random", "--size", "3", "--games", "1")) == 0
    assert "(B): 1 game, 3x3" in capsys.readouterr().out
    words = ["--size", "3", "--games", "1", "--time", "9", "1", "5", "--move-cap", "4"]
    assert run(arguments("dual-96,threads=1", "random", *words)) == 0
    out = capsys.readouterr().out
    assert "dual-96, by the clock (A) against random (B): 1 game" in out
    assert "openings corners, time 9 1 5" in out


def test_policy_openings_need_a_policy():
    with pytest.raises(MatchError, match="need a policy player"):
        run(arguments("random", "random", "--openings", "policy", "--size", "5"))


def test_the_report_counts_wins_draws_and_failures():
    results = [
        Result(0, 0, 0, "B+3.5", "score", 200, (2.0, 10.0), (100, 100)),
        Result(1, 1, 0, "W+R", "resignation", 100, (1.0, 5.0), (50, 50)),
        Result(2, 0, None, "0", "score", 200, (2.0, 10.0), (100, 100)),
        Result(3, 1, 1, "B+F", "illegal move Q16", 9, (0.1, 0.1), (4, 5)),
    ]
    assert points(results, 0) == 2.5 and points(results, 1) == 1.5
    text = report(results, ("ours", "theirs"), "19x19")
    assert "ours (A) against theirs (B): 4 games, 19x19" in text
    assert "A  won 2.5: 62.5 %" in text and "as Black 1.5/2, as White 1/2" in text
    assert "0.020 s a move" in text and "0.098 s a move" in text
    assert "score 2, resignation 1, illegal 1" in text
    assert "game 4: ours lost by illegal move Q16" in text
    void = Result(4, 0, None, "Void", "no result: cannot score", 200, (2.0, 10.0), (100, 100))
    text = report([*results, void], ("ours", "theirs"), "19x19")
    assert "5 games, 1 without a result, 19x19" in text
    assert "A  won 2.5: 62.5 %" in text and "as Black 1.5/2, as White 1/2" in text
    assert "game 5: no result: cannot score" in text
    assert report([], ("a", "b"), "") == "a against b: no game was finished"


@pytest.mark.gnugo
@pytest.mark.slow
def test_gnu_go_beats_a_random_player(tmp_path, capsys):
    program = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    if program is None:
        pytest.skip("GNU Go is not installed")
    engine = f"{program} --mode gtp --level 1 --chinese-rules"
    words = ["--size", "9", "--games", "2", "--referee", engine, "--out", str(tmp_path)]
    assert run(arguments("random", f"gtp:{engine}", *words)) == 0
    out = capsys.readouterr().out
    assert "GNU Go 3.8" in out and "B  won 2: 100.0 %" in out


def test_a_player_alone_with_a_game_is_told_what_its_clock_allows():
    seen = []

    class Watcher(RandomPlayer):
        def choose_each(self, games, budget=NO_LIMIT, *, rng):
            seen.append(budget.seconds)
            return super().choose_each(games, budget, rng=rng)

    timed = TimeSettings("absolute", main=60.0)
    play(own(Watcher()), own(RandomPlayer()), count=1, time=timed)
    assert seen and all(seconds is not None and 0 < seconds < 60 for seconds in seen)
