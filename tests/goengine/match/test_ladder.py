"""The ladder and its table: who meets whom, resuming, handicaps, ratings, better levels."""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from goengine.commands.rating import calibrate
from goengine.inference.evaluator import Evaluator
from goengine.match.folder import MatchError, Result
from goengine.match.ladder import Ladder, Meeting, Pairing, handicap_pairs, neighbours_of, rungs
from goengine.match.rating_table import ELO_A_RANK, adjusted, entry, printed, ratings, with_entry
from goengine.players.ranked.rank_table import RankTable, read_table
from goengine.players.ranked.ranks import rank_number
from goengine.types import GoError
from tests.goengine.search.test_tree_search import CountingBackend

LEVELS = {"20k": 2.0, "8k": 14.0, "2d": 27.0}


def table(**levels: float) -> RankTable:
    found = {"levels": levels or LEVELS, "command": "", "matches": [], "ratings": {}}
    return RankTable("stub", {9: found, 19: found}, {})


def ladder(folder: Path, *, seed: int = 1, levels: RankTable | None = None) -> Ladder:
    one = levels or table()
    return Ladder(one, Evaluator(CountingBackend()), folder, size=9, seed=seed, batch=3)


def meeting(a: str, b: str, won: int, games: int, handicap: int = 0) -> Meeting:
    winners = [0] * won + [1] * (games - won)
    results = [
        Result(n, n % 2, winner, "B+1", "score", 50, (1.0, 1.0), (25, 25))
        for n, winner in enumerate(winners)
    ]
    return Meeting(Pairing(a, b, handicap), tuple(results))


def test_rungs_are_three_ranks_apart_and_meet_their_neighbours() -> None:
    steps = rungs()
    assert len(steps) == 8 and "8k" in steps
    assert {rank_number(b) - rank_number(a) for a, b in pairwise(steps)} == {3}
    assert neighbours_of(["12k", "9k", "6k"]) == [Pairing("12k", "9k"), Pairing("9k", "6k")]
    assert handicap_pairs(["12k", "9k"]) == [Pairing("12k", "9k", 3)]


def test_names_of_folders_tell_pairs_apart() -> None:
    names = {
        Pairing("12k", "9k").name,
        Pairing("12k", "9k", 3).name,
        Pairing("8k", "gtp:gnugo --mode gtp").name,
    }
    assert names == {"12k-9k", "12k-9k-handicap-3", "8k-gtp-gnugo---mode-gtp"}


def test_a_ladder_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pairing = Pairing("20k", "8k")
    first = ladder(tmp_path).play(pairing, 4)
    next(first)
    first.close()
    assert ladder(tmp_path).meeting(pairing).games == 1
    stands = list(ladder(tmp_path).play(pairing, 4))
    assert stands[-1].games == 4 and 0 <= stands[-1].points <= 4
    assert list(ladder(tmp_path).play(pairing, 4)) == []
    blacks = [result.black for result in stands[-1].results]
    assert sorted(blacks) == [0, 0, 1, 1]
    assert len(list((tmp_path / "9x9" / "20k-8k").glob("*.sgf"))) == 4


def test_games_by_other_levels_are_not_mixed(tmp_path: Path) -> None:
    pairing = Pairing("20k", "8k")
    next(ladder(tmp_path).play(pairing, 1))
    other = ladder(tmp_path, levels=table(**{**LEVELS, "8k": 15.0}))
    with pytest.raises(MatchError, match="another match: the players were others;"):
        other.meeting(pairing)


def test_with_a_handicap_the_weaker_player_has_black_and_the_stones(tmp_path: Path) -> None:
    pairing = Pairing("20k", "17k", 3)
    *_, last = ladder(tmp_path).play(pairing, 2)
    assert [result.black for result in last.results] == [0, 0]
    sgf = next((tmp_path / "9x9" / pairing.name).glob("*.sgf")).read_text()
    assert "HA[3]" in sgf and "KM[0.5]" in sgf and "PB[20k]" in sgf


def test_a_handicap_needs_two_ranks(tmp_path: Path) -> None:
    with pytest.raises(GoError, match="name two ranks"):
        ladder(tmp_path).meeting(Pairing("20k", "random", 2))


def test_an_anchor_is_an_entrant_of_a_match(tmp_path: Path) -> None:
    pairing = Pairing("2d", "random")
    *_, last = ladder(tmp_path).play(pairing, 2)
    assert last.games == 2


# Ratings and the table


def test_ratings_count_even_games_from_the_anchor() -> None:
    found = ratings(
        [
            meeting("11k", "8k", 15, 60),
            meeting("8k", "5k", 15, 60),
            meeting("8k", "5k", 50, 60, handicap=3),
            meeting("8k", "random", 60, 60),
        ]
    )
    assert set(found) == {"11k", "8k", "5k"} and found["8k"] == [0.0, 0.0]
    assert found["5k"][0] == pytest.approx(-found["11k"][0], abs=0.2)
    assert 180 < found["5k"][0] < 190  # 75 % are 191, less what a draw more says
    assert 80 < found["5k"][1] < 120


def test_a_gap_in_the_ladder_is_said() -> None:
    with pytest.raises(GoError, match="the ladder has a gap"):
        ratings([meeting("11k", "8k", 5, 9), meeting("5k", "2k", 4, 9)])


def test_levels_are_adjusted_to_even_steps() -> None:
    start = table(**{"11k": 10.0, "8k": 13.0, "5k": 16.0})
    played = [meeting("11k", "8k", 6, 60), meeting("8k", "5k", 24, 60)]
    measured = with_entry(start, 9, entry(start, 9, played, "command"))
    better = adjusted(measured, 9)
    levels, rated = better.sizes[9]["levels"], measured.sizes[9]["ratings"]
    assert levels["8k"] == 13.0
    assert levels["11k"] == pytest.approx(13 + 3 * 3 * ELO_A_RANK[9] / rated["11k"][0], abs=0.01)
    assert levels["5k"] == pytest.approx(13 + 3 * 3 * ELO_A_RANK[9] / rated["5k"][0], abs=0.01)
    assert better.sizes[9]["matches"] == [] and better.sizes[19] == start.sizes[19]


def test_ranks_that_did_not_play_are_adjusted_along() -> None:
    start = table(**{"11k": 10.0, "8k": 13.0, "5k": 16.0, "3d": 24.0})
    played = [meeting("11k", "8k", 6, 60), meeting("8k", "5k", 24, 60)]
    better = adjusted(with_entry(start, 9, entry(start, 9, played, "command")), 9)
    levels = better.sizes[9]["levels"]
    assert list(levels) == ["11k", "8k", "5k", "3d"]
    assert list(levels.values()) == sorted(levels.values()) and levels["3d"] > levels["5k"]


def test_ratings_say_what_they_are_counted_from() -> None:
    start = table(**{"20k": 1.0, "17k": 2.0})
    measured = with_entry(start, 9, entry(start, 9, [meeting("20k", "17k", 15, 60)], ""))
    assert "Elo above 17k" in printed(measured, 9) and "Elo above 8k" in printed(start, 9)


@pytest.mark.parametrize(
    "sizes",
    ["{}", '{"9": {"levels": {}}}', '{"9": {"levels": {"8k": 99}}}', '{"9": {"levels": {"x": 1}}}'],
)
def test_a_table_without_levels_is_refused(tmp_path: Path, sizes: str) -> None:
    path = tmp_path / "ranks.json"
    path.write_text(f'{{"network": "stub", "sizes": {sizes}}}')
    with pytest.raises(GoError, match="is not a table of ranks"):
        read_table(path)


def test_a_table_may_be_levels_alone(tmp_path: Path) -> None:
    path = tmp_path / "ranks.json"
    path.write_text('{"network": "stub", "sizes": {"9": {"levels": {"8k": 9, "2k": 20}}}}')
    found = read_table(path)
    assert "8k" in printed(found, 9) and calibrate.table_text(found)


def test_ratings_that_do_not_rise_are_not_adjusted() -> None:
    start = table(**{"11k": 10.0, "8k": 13.0})
    measured = with_entry(start, 9, entry(start, 9, [meeting("11k", "8k", 40, 60)], ""))
    with pytest.raises(GoError, match="do not rise"):
        adjusted(measured, 9)


def test_the_table_is_printed_with_ranks_and_matches() -> None:
    start = table()
    measured = with_entry(start, 9, entry(start, 9, [meeting("20k", "8k", 15, 60)], ""))
    text = printed(measured, 9)
    assert " 8k  14.00       +0" in text
    assert "8k against 20k: won 45 of 60, 75.0 % (62.8 to 84.2), Elo +191" in text
    with pytest.raises(GoError, match="boards of 9, 19 lines, not 7"):
        printed(start, 7)


# The command


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command with players that judge by stones."""
    start = tmp_path / "start.json"
    start.write_text(calibrate.table_text(table()))
    parser = argparse.ArgumentParser()
    calibrate.configure(parser)
    monkeypatch.setattr(calibrate, "make_search_player", lambda *args, **options: None)
    monkeypatch.setattr(calibrate, "evaluator_of", lambda player: Evaluator(CountingBackend()))
    out = ["--size", "9", "--out", str(tmp_path / "out"), "--table", str(start)]
    return calibrate.run(parser.parse_args([*out, *words]))


def test_the_command_plays_and_writes_a_table_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "table.json"
    words = ("--ranks", "20k,8k", "--games", "2", "--write", str(written), "--anchor", "8k=random")
    assert run(tmp_path, monkeypatch, *words) == 0
    assert "8k against 20k: won" in capsys.readouterr().out
    found = read_table(written).sizes[9]
    assert found["levels"] == LEVELS and set(found["ratings"]) == {"20k", "8k"}
    assert [match["games"] for match in found["matches"]] == [2, 2]
    assert found["command"].startswith("goengine calibrate --size 9 --games 2")
    json.loads(written.read_text())


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--ranks", "8k"], "is not a ladder: name two ranks"),
        (["--ranks", "8k,12k"], "does not rise"),
        (["--ranks", "8k,best"], "is not a ladder"),
        (["--ranks", "8k,9d"], "there is no opponent of 9d"),
        (["--anchor", "gnugo"], "is not an anchor: write it as 8k=ENTRANT"),
        (["--anchor", "8k= "], "is not an anchor"),
        (["--anchor", "best=random"], "is not an anchor"),
        (["--anchor", "8k=20k"], "a player that is not one"),
        (["--anchor", "8k=random", "--anchor", "8k=random"], "kept in the folder 8k-random"),
        (
            ["--handicap", "20k,8k"],
            "12 between 20k and 8k is not possible on 9x9: name ranks 2 to 9",
        ),
        (["--handicap", "9k,8k"], "a handicap of 1 between 9k and 8k is not possible"),
        (["--write", "/nowhere/at/all.json"], "no file can be written at /nowhere/at/all.json"),
        (["--size", "13"], r"start.json has boards of 9, 19 lines: give one of them as --size"),
        (["--adjust"], "name the file for them with --write"),
    ],
)
def test_ladders_that_make_no_sense(
    words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GoError, match=error):
        run(tmp_path, monkeypatch, *words)


def test_an_anchor_that_does_not_start_is_noticed_before_the_ladder_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GoError, match="'foo' is not an entrant"):
        run(tmp_path, monkeypatch, "--ranks", "20k,8k", "--games", "2", "--anchor", "8k=foo")
    assert not list((tmp_path / "out").rglob("*.sgf"))


def test_interrupting_keeps_what_was_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(self: Ladder, *args: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Ladder, "play", broken_off)
    assert run(tmp_path, monkeypatch, "--ranks", "20k,8k", "--games", "2") == 130
