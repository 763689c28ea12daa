"""Opponents by rank behind GTP: the rank as a parameter, a rank that follows, what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from goengine.commands.gtp import configure, make_player, warn_of_unheard
from goengine.commands.rating.rank_options import asked_opponent
from goengine.gtp.engine import Engine
from goengine.gtp.session import SessionSettings
from goengine.players.ranked.own_rank import OwnRank, RankFollower
from goengine.players.ranked.styles import RankedSettings
from goengine.players.settings import SearchSettings
from goengine.types import RESIGN, GoError
from tests.helpers.counting_players import counting_engine
from tests.helpers.ranked_players import counting_opponent
from tests.helpers.stub_players import result


def engine(follower: RankFollower | None = None) -> Engine:
    one = Engine(counting_opponent, SessionSettings(size=7, seed=1))
    one.session.follower = follower
    return one


@pytest.fixture
def kept(tmp_path: Path) -> OwnRank:
    found = OwnRank(tmp_path / "rank.json")
    found.set("8k")
    return found


def idle(one: Engine) -> None:
    """Let the engine do what it does between two commands."""
    one.idle(lambda: True)


def rank_of(one: Engine) -> str:
    settings = one.session.player.settings
    assert isinstance(settings, RankedSettings)
    return settings.rank


def test_the_rank_is_a_parameter() -> None:
    one = engine()
    assert "[string] rank 8k" in result(one, "gogui-param").splitlines()
    assert result(one, "kata-set-param rank 5k") == ""
    assert result(one, "kata-get-param rank") == "5k" and rank_of(one) == "5k"
    for word, error in (("9d", "there is no opponent of 9d"), ("best", "in a running engine")):
        assert error in one.answer(f"kata-set-param rank {word}")
    unheard = one.answer("kata-set-param maxVisits 9")
    assert "'maxVisits' is not a parameter of this player, which has only rank" in unheard


def test_other_players_do_not_have_a_rank() -> None:
    one = counting_engine()
    assert "rank" not in result(one, "kata-list-params").split()
    answer = one.answer("kata-set-param rank 5k")
    assert answer.startswith("? 'rank' is not a parameter") and "--rank, 8k" in answer
    assert "start the engine with --rank" in one.answer("goengine-weak_moves")


def test_it_shows_where_it_was_weak_on_purpose() -> None:
    one = engine()
    assert result(one, "goengine-weak_moves") == "none by a point or more"
    for turn in range(20):
        result(one, f"genmove {'bw'[turn % 2]}")
    told = result(one, "goengine-weak_moves")
    assert told == "none by a point or more" or "was better by about" in told


@pytest.mark.parametrize(
    "name", ["lz-genmove_analyze", "kata-genmove_analyze", "cgos-genmove_analyze"]
)
def test_it_explains_nothing_while_it_moves(name: str) -> None:
    one = engine()
    lines = result(one, f"{name} b").splitlines()
    assert len(lines) == 1 and lines[0].startswith("play ")
    assert len(one.session.game.moves) == 1


def test_hints_and_analysis_are_at_full_strength() -> None:
    one = engine()
    line = result(one, "kata-analyze b 10")
    assert "visits" in line and "winrate" in line


def test_the_rank_follows_the_counted_game(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    result(one, "komi 100.5")  # whatever Black does, White wins
    result(one, "genmove b")
    idle(one)
    for line in ("play w pass", "play b pass"):
        result(one, line)
    idle(one)
    assert kept.rank == "7k" and rank_of(one) == "8k"
    idle(one)
    assert len(kept.steps) == 2
    result(one, "clear_board")
    idle(one)
    assert rank_of(one) == "7k"


def test_undo_takes_the_step_back(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    result(one, "komi -100.5")
    result(one, "genmove b")
    for line in ("play w pass", "play b pass"):
        result(one, line)
    idle(one)
    assert kept.rank == "9k"
    result(one, "undo")
    idle(one)
    assert kept.rank == "8k"


def test_the_rank_follows_a_resignation(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    result(one, "genmove b")
    assert one.session.make(1, RESIGN) == RESIGN
    idle(one)
    assert kept.rank == "7k"


def test_a_game_that_the_engine_did_not_play_counts_for_nothing(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    for line in ("play b pass", "play w pass"):
        result(one, line)
    idle(one)
    assert kept.rank == "8k"


def test_a_game_of_the_engine_with_itself_counts_for_nothing(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    for line in ("genmove b", "genmove w", "play b pass", "play w pass"):
        result(one, line)
        idle(one)
    assert kept.rank == "8k" and len(kept.steps) == 1


def test_a_finished_game_from_a_file_counts_for_nothing(kept: OwnRank, tmp_path: Path) -> None:
    one = engine(RankFollower(kept))
    result(one, "genmove b")
    idle(one)
    path = tmp_path / "game.sgf"
    path.write_text("(;SZ[7];B[aa];W[gg];B[];W[])")
    result(one, f"loadsgf {path}")
    idle(one)
    assert one.session.game.board.passes == 2
    assert kept.rank == "8k" and len(kept.steps) == 1


def test_a_rank_that_a_person_sets_meanwhile_plays_the_next_game(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    result(one, "genmove b")
    OwnRank(kept.path).set("5k")
    idle(one)
    assert rank_of(one) == "8k"
    result(one, "clear_board")
    idle(one)
    assert rank_of(one) == "5k"


def test_the_parameter_sets_the_rank_that_follows(kept: OwnRank) -> None:
    one = engine(RankFollower(kept))
    for line in ("genmove b", "clear_board", "kata-set-param rank 5k"):
        result(one, line)
        idle(one)
    assert rank_of(one) == "5k" and OwnRank(kept.path).rank == "5k"


def test_a_file_that_cannot_be_written_does_not_end_the_game(
    kept: OwnRank, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept.path = tmp_path / "rank.json" / "below" / "rank.json"
    one = engine(RankFollower(kept))
    result(one, "genmove b")
    for line in ("play w pass", "play b pass"):
        result(one, line)
    idle(one)
    assert one.session.follower is None and "does not follow this sitting" in caplog.text
    assert result(one, "protocol_version") == "2"


# Options


def parsed(*words: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> object:
    import argparse

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def test_options_name_the_opponent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def asked(*words: str) -> tuple[str, tuple[float, float], bool]:
        found = asked_opponent(parsed(*words, monkeypatch=monkeypatch, home=tmp_path))  # type: ignore[arg-type]
        assert found is not None
        return found.rank, found.think, found.kept is not None

    assert asked("--rank", "8 kyu") == ("8k", (1.0, 4.0), False)
    assert asked("--rank", "best", "--think", "0") == ("best", (0.0, 0.0), False)
    assert asked("--adapt") == ("12k", (1.0, 4.0), True)
    assert asked("--adapt", "--rank", "5k", "--think", "0.5-2") == ("5k", (0.5, 2.0), True)
    assert asked("--adapt", "--rank", "9k")[0] == "5k"  # the kept rank counts
    assert asked_opponent(parsed(monkeypatch=monkeypatch, home=tmp_path)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--think", "1-4"], "--think is for an opponent by rank"),
        (["--adapt", "--rank", "best"], "--adapt moves a rank, and best is not one"),
    ],
)
def test_options_that_contradict_each_other(
    words: list[str], error: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(GoError, match=error):
        asked_opponent(parsed(*words, monkeypatch=monkeypatch, home=tmp_path))  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [["--rank", "9d"], ["--rank", "strong"], ["--think", "4-1"]])
def test_words_that_are_not_possible(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        parsed(*words, monkeypatch=monkeypatch, home=tmp_path)


@pytest.mark.parametrize(
    ("words", "unheard"),
    [
        (["--rank", "8k", "--visits", "0", "--ponder"], "--visits, --ponder"),
        (["--adapt", "--player", "policy", "--temperature", "1"], "--temperature, --player"),
        (["--rank", "best", "--visits", "9", "--ponder"], ""),
        (["--visits", "9", "--ponder"], ""),
        (["--rank", "8k", "--seconds", "3"], ""),
    ],
)
def test_options_that_a_rank_leaves_out_are_named(
    words: list[str],
    unheard: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    args = parsed(*words, monkeypatch=monkeypatch, home=tmp_path)
    warn_of_unheard(args, asked_opponent(args))  # type: ignore[arg-type]
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition("without effect: ")[2] for text in said] == [unheard] * bool(unheard)


def test_the_best_listens_to_the_options_of_a_search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    args = parsed(
        "--rank", "best", "--visits", "9", "--seconds", "3", "--temperature", "0.5",
        "--resign-below", "0", "--memory", "30", "--size", "9", "--threads", "1",
        monkeypatch=monkeypatch, home=tmp_path,
    )  # fmt: skip
    player = make_player(args, asked_opponent(args))  # type: ignore[arg-type]
    assert player.settings == SearchSettings(
        visits=9, seconds=3.0, temperature=0.5, resign_below=None, megabytes=30.0
    )


def test_gtp_makes_the_opponent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    args = parsed(
        "--rank", "8k", "--think", "0", "--size", "9", "--threads", "1",
        monkeypatch=monkeypatch, home=tmp_path,
    )  # fmt: skip
    player = make_player(args, asked_opponent(args))  # type: ignore[arg-type]
    assert player.name == "ranks-96 8k"
