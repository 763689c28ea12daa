"""The partner's rank: what moves it, what takes it back, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnncore.system.folders import FolderError, config_folder
from goengine.games.game import Game
from goengine.players.ranked.own_rank import FIRST, OwnRank, RankFollower, winner_of
from goengine.players.ranked.ranks import RANKS
from goengine.types import BLACK, WHITE, GoError


@pytest.fixture
def kept(tmp_path: Path) -> OwnRank:
    return OwnRank(tmp_path / "there" / "rank.json")


def test_a_win_moves_it_up_and_a_loss_down(kept: OwnRank) -> None:
    assert kept.is_new and kept.rank == FIRST
    kept.set("8k")
    assert kept.note(True, 19).after == "7k"
    assert kept.note(False, 9).after == "8k"
    assert kept.note(None, 9).after == "8k"
    again = OwnRank(kept.path)
    assert (again.rank, again.steps, again.is_new) == ("8k", kept.steps, False)


def test_every_step_can_be_taken_back(kept: OwnRank) -> None:
    with pytest.raises(GoError, match="there is no game to take back"):
        kept.undo()
    kept.note(True, 19)
    kept.set("5k")
    assert kept.undo().after == "5k" and kept.rank == "11k"
    assert kept.undo().before == FIRST and OwnRank(kept.path).rank == FIRST


def test_it_stays_among_the_ranks(kept: OwnRank) -> None:
    kept.set(RANKS[-1])
    assert kept.note(True, 19).after == RANKS[-1]
    kept.set(RANKS[0])
    assert kept.note(False, 19).after == RANKS[0]
    with pytest.raises(GoError, match="best does not follow anybody"):
        kept.set("best")
    with pytest.raises(GoError, match="there is no opponent of 9d"):
        kept.set("9d")


def test_it_is_shown_with_the_games_behind_it(kept: OwnRank) -> None:
    assert kept.described() == "your partner is 12k"
    kept.set("8k")
    kept.note(True, 19)
    kept.note(False, 9)
    assert kept.described().splitlines() == [
        "your partner is 8k after 2 games, of which you won 1",
        "  begun at 8k",
        "  won on 19x19: 8k to 7k",
        "  lost on 9x9: 7k to 8k",
    ]


def with_step(**changed: object) -> str:
    step = {"won": True, "size": 9, "before": "9k", "after": "8k", **changed}
    return json.dumps({"rank": "8k", "steps": [step]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"rank": "9d", "steps": []}',
        '{"rank": "8k"}',
        "[]",
        '{"rank": 8, "steps": []}',
        '{"rank": "best", "steps": []}',
        pytest.param("[" * 100_000, id="nested too deeply"),
        with_step(won="yes"),
        with_step(size="nine"),
        with_step(before="strong"),
        with_step(after=None),
    ],
)
def test_a_damaged_file_is_said_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rank.json"
    path.write_text(text)
    with pytest.raises(GoError, match="is damaged: delete it to begin again"):
        OwnRank(path)


def test_it_is_kept_in_the_users_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert OwnRank().path == tmp_path / "goengine" / "rank.json"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config_folder("goengine") == Path.home() / ".config" / "goengine"
    monkeypatch.setattr("sys.platform", "darwin")
    assert config_folder("x") == Path.home() / "Library" / "Application Support" / "x"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert config_folder("x") == tmp_path / "x"


def test_two_programs_keep_their_games_in_one_file(kept: OwnRank) -> None:
    other = OwnRank(kept.path)
    kept.note(True, 19)
    step = other.note(True, 9)
    assert step.before == "11k" and OwnRank(kept.path).rank == "10k"
    kept.set("5k")
    assert other.note(False, 9).after == "6k"
    assert len(OwnRank(kept.path).steps) == 4


def test_a_step_is_taken_back_from_among_others(kept: OwnRank) -> None:
    kept.set("8k")
    mine = kept.note(True, 19)
    OwnRank(kept.path).note(True, 9)
    assert kept.undo(mine) == mine and kept.rank == "7k"
    assert [step.size for step in OwnRank(kept.path).steps] == [0, 9]
    with pytest.raises(GoError, match="no game to take back"):
        kept.undo(mine)


def test_what_cannot_be_written_is_a_sentence_and_changes_nothing(
    kept: OwnRank, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.set("8k")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cnncore.system.atomic.write_text", refuse)
    with pytest.raises(FolderError, match=r"nothing can be written in .*there \(Permission denied"):
        kept.note(True, 9)
    assert kept.rank == "8k" and len(kept.steps) == 1


def test_nothing_is_kept_once_all_is_taken_back(kept: OwnRank) -> None:
    kept.set("5k")
    kept.undo()
    assert kept.is_new and OwnRank(kept.path).is_new


# Following a sitting


def test_a_game_is_noted_once_and_undo_takes_it_back(kept: OwnRank) -> None:
    follower, game = RankFollower(kept), Game(9)
    assert follower.see(game, None, over=False, person=BLACK) == ""
    game.play(10)
    said = follower.see(game, BLACK, over=True, person=BLACK)
    assert said == "your partner was 12k and is 11k from the next game on"
    assert follower.see(game, BLACK, over=True, person=BLACK) == ""
    assert follower.see(game, None, over=False, person=BLACK) == (
        "the game goes on, and your partner is 12k again"
    )
    assert follower.see(game, WHITE, over=True, person=BLACK).endswith(
        "is 13k from the next game on"
    )


def test_a_new_game_does_not_take_the_last_one_back(kept: OwnRank) -> None:
    follower, game = RankFollower(kept), Game(9)
    game.play(10)
    follower.see(game, WHITE, over=True, person=WHITE)
    game.clear()
    assert follower.see(game, None, over=False, person=WHITE) == ""
    game.play(11)
    assert follower.see(game, None, over=False, person=WHITE) == ""
    assert kept.rank == "11k"
    follower.see(game, WHITE, over=True, person=WHITE)
    assert kept.rank == "10k"


def test_a_game_that_goes_on_after_two_passes_counts_once(kept: OwnRank) -> None:
    follower, game = RankFollower(kept), Game(9)
    for move in (10, 81, 81):
        game.play(move)
    follower.see(game, BLACK, over=True, person=BLACK)
    game.play(81)  # a third pass changes nothing
    assert follower.see(game, BLACK, over=True, person=BLACK) == ""
    game.play(40)
    assert follower.see(game, None, over=False, person=BLACK).startswith("the game goes on")
    for move in (81, 81):
        game.play(move)
    follower.see(game, WHITE, over=True, person=BLACK)
    assert kept.rank == "13k" and len(kept.steps) == 1


def test_a_step_that_a_person_has_taken_back_is_not_taken_back_again(kept: OwnRank) -> None:
    follower, game = RankFollower(kept), Game(9)
    game.play(10)
    follower.see(game, BLACK, over=True, person=BLACK)
    OwnRank(kept.path).undo()
    assert follower.see(game, None, over=False, person=BLACK) == ""
    assert kept.rank == FIRST


@pytest.mark.parametrize(
    ("rank", "winner", "said"),
    [
        ("8k", None, "nobody won, so your partner stays 8k"),
        (RANKS[-1], BLACK, "your partner stays 3d, which is the strongest there is"),
        (RANKS[0], WHITE, "your partner stays 20k, which is the weakest there is"),
    ],
)
def test_a_rank_that_stays_is_said_to_stay(
    kept: OwnRank, rank: str, winner: int | None, said: str
) -> None:
    kept.set(rank)
    game = Game(9)
    game.play(10)
    assert RankFollower(kept).see(game, winner, over=True, person=BLACK) == said


@pytest.mark.parametrize(
    ("result", "winner"),
    [("B+R", BLACK), ("W+0.5", WHITE), ("0", None), (None, None), ("Void", None), ("W+T", WHITE)],
)
def test_winners_of_results(result: str | None, winner: int | None) -> None:
    assert winner_of(result) == winner
