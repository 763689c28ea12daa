"""What a person meets beyond moves: typos, clocks, files, and nothing lost without a question."""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.games.sgf import read_sgf
from goengine.players.making import evaluator_of
from goengine.players.ranked.own_rank import OwnRank, RankFollower
from goengine.scoring.counting import format_score, score
from goengine.scoring.status import status
from goengine.search.playing_out import verdict_by
from goengine.terminal.conversation import Session
from goengine.types import BLACK, WHITE
from tests.helpers.counting_players import counting_player
from tests.helpers.diagrams import DEAD
from tests.helpers.ranked_players import counting_opponent
from tests.helpers.stub_players import InOrder


class Watch:
    """A clock's clock that goes on only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def session(*moves: int, game: Game | None = None, **options: Any) -> Session:
    rng = np.random.default_rng(1)
    return Session(game or Game(9), InOrder(*moves), human=BLACK, rng=rng, **options)


def timed(settings: TimeSettings, *moves: int) -> tuple[Session, Watch]:
    watch = Watch()
    game = session(*moves, game=Game(9, clock=Clock(settings, now=watch)))
    game.respond()
    return game, watch


@pytest.mark.parametrize("line", ["play E5", "PLAY b e5", "e5"])
def test_a_move_may_be_typed_as_in_gtp(line: str) -> None:
    game = session(10)
    assert game.answer(line) == "White: B8"
    assert game.board.grid[4, 4] == BLACK


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("play C3 C4 C5", "one move at a time, C3 or C4 C5"),
        ("play b D4 D5", "one move at a time, D4 or D5"),
        ("D4 D5", "one move at a time, D4 or D5"),
        ("pass D4", "one move at a time, pass or D4"),
        ("undo 3", "undo stands alone, without '3'"),
    ],
)
def test_words_too_many_do_nothing(line: str, said: str) -> None:
    game = session(10, 11)
    game.answer("e5")
    assert game.answer(line).startswith(f"{said}: nothing was ")
    assert game.game.moves == [(BLACK, 40), (WHITE, 10)]


@pytest.mark.parametrize(
    ("typo", "meant"), [("undoo", "undo"), ("hnt", "hint"), ("scroe", "score"), ("qiut", "quit")]
)
def test_a_typo_is_met_with_what_it_was_meant_to_be(typo: str, meant: str) -> None:
    assert f"did you mean {meant}?" in session().answer(typo)


def test_a_question_mark_asks_for_help() -> None:
    game = session()
    assert game.answer("?") == game.answer("help") and "load FILE.sgf" in game.answer("?")


def test_what_was_asked_for_comes_last_and_the_board_only_where_it_is_new() -> None:
    game = session(10, 11)
    first = game.screen(game.answer("e5"))
    assert first.endswith("White: B8") and "A B C D E F G H J" in first
    assert len(first.split("\n")) <= 23
    asked = game.screen(game.answer("help"))
    assert "A B C" not in asked and asked.endswith("leave without a result")
    assert "A B C" in game.screen(game.answer("board"))
    assert "A B C" in game.screen(game.answer("undo"))


def test_a_large_board_with_an_answer_fits_a_terminal_of_24_lines() -> None:
    game = Session(Game(19), InOrder(10), human=BLACK, rng=np.random.default_rng(1))
    lines = (game.screen(game.answer("q16")) + "\n> ").split("\n")
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


def test_leaving_asks_once_where_a_game_would_be_lost(tmp_path: Path) -> None:
    game = session(10, 11)
    game.answer("e5")
    assert "not saved" in game.answer("quit") and not game.left
    game.answer("help")
    assert "not saved" in game.answer("quit") and not game.left
    assert game.answer("quit") == "" and game.left
    kept = session(10, 11)
    kept.answer("e5")
    kept.answer(f"save {tmp_path / 'game.sgf'}")
    assert kept.answer("quit") == "" and kept.left


def test_a_move_after_saving_is_unsaved_again(tmp_path: Path) -> None:
    game = session(10, 11)
    game.answer("e5")
    game.answer(f"save {tmp_path / 'game.sgf'}")
    game.answer("e4")
    assert game.unsaved


def test_another_file_is_replaced_only_when_asked_twice(tmp_path: Path) -> None:
    file = tmp_path / "precious.sgf"
    file.write_bytes(b"precious")
    game = session(10, 11)
    game.answer("e5")
    assert "there already" in game.answer(f"save {file}")
    assert file.read_bytes() == b"precious"
    assert game.answer(f"save {file}") == f"saved {file}"
    game.answer("e4")
    assert game.answer(f"save {file}") == f"saved {file}", "one's own file is no loss"
    assert len(read_sgf(file.read_bytes()).moves) == 4


def test_a_saved_game_has_its_day_and_names(tmp_path: Path) -> None:
    game = session(10, name="Ann", day=date(2026, 11, 27))
    game.answer("e5")
    game.answer(f"save {tmp_path / 'game.sgf'}")
    record = read_sgf((tmp_path / "game.sgf").read_bytes())
    assert (record.date, record.black, record.white) == ("2026-11-27", "Ann", "in order")


def test_a_game_is_loaded_and_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "game.sgf"
    file.write_bytes(b"(;SZ[9];B[ee];W[cc];B[gg])")
    game = session(10, 11)
    assert game.answer(f"load {file}") == f"loaded {file}: 3 moves\nWhite: B8"
    assert game.board.to_play == BLACK and game.board.turn == 4
    game.answer("e4")
    assert "not saved" in game.answer(f"load {file}") and game.board.turn == 6


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"(;SZ[9];B[ee])(;SZ[9])",
            "1 move; only the first game was read: the file holds several",
        ),
        (b"(;SZ[9]RE[B+R];B[ee];W[cc])", "2 moves, result B+R"),
        (b"(;SZ[9]RE[W+2.5];B[];W[])", "2 moves, result W+2.5; two passes have ended it, undo"),
        (b"(;SZ[9]RE[B+R];B[ee];W[cc];AB[aa])", "2 moves; kept the first 2 moves: setup in mid"),
    ],
)
def test_what_a_file_holds_besides_the_moves_is_told(
    tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "game.sgf"
    file.write_bytes(content)
    assert session(10).answer(f"load {file}").startswith(f"loaded {file}: {said}")


def test_a_game_that_two_passes_ended_goes_on_with_undo_only(tmp_path: Path) -> None:
    file = tmp_path / "game.sgf"
    file.write_bytes(b"(;SZ[9];B[ee];W[];B[])")
    game = session(10)
    game.answer(f"load {file}")
    ended = "two passes have ended it, undo goes back into it"
    assert [game.answer(line) for line in ("d4", "go")] == [ended, ended]
    assert len(game.game.moves) == 3


@pytest.mark.parametrize(
    ("content", "text"), [(None, "cannot read"), (b"no game", "cannot load"), ("", "name a file")]
)
def test_a_file_that_cannot_be_loaded_changes_nothing(
    tmp_path: Path, content: Any, text: str
) -> None:
    file = tmp_path / "bad.sgf"
    if content:
        file.write_bytes(content)
    game = session(10)
    assert text in game.answer("load" if content == "" else f"load {file}")
    assert game.game.moves == [] and not game.left


def test_time_runs_out_on_the_main_clock() -> None:
    game, watch = timed(TimeSettings("absolute", 60), 10, 11)
    watch.seconds += 20
    game.answer("e5")
    assert game.answer("clock") == "black 0:40, white 1:00"
    watch.seconds += 41
    assert "Black has run out of time" in game.answer("e4")
    assert game.game.result == "W+T" and game.board.turn == 2


def test_periods_are_counted_and_the_last_one_loses() -> None:
    game, watch = timed(TimeSettings("byoyomi", 0, 30, periods=2), 10, 11)
    assert game.answer("clock") == "black 2 x 30 s, white 2 x 30 s"
    watch.seconds += 35
    game.answer("e5")
    assert game.answer("clock") == "black 1 x 30 s, white 2 x 30 s"
    watch.seconds += 31
    game.answer("e4")
    assert game.game.result == "W+T"


def test_the_clock_counts_the_running_move_of_the_person() -> None:
    game, watch = timed(TimeSettings("byoyomi", 60, 30, periods=3), 10, 11)
    for seconds, black in (
        (20, "0:40"),
        (39.5, "0:01"),
        (10.5, "3 x 20 s"),
        (25, "2 x 25 s"),
        (54, "1 x 1 s"),
        (2, "0:00"),
    ):
        watch.seconds += seconds
        assert game.answer("clock") == f"black {black}, white 1:00"
    assert f"human  {black}" in game.screen(game.answer("board"))
    game.answer("e5")
    assert game.game.result == "W+T"


def test_who_takes_back_a_loss_by_time_plays_on_without_a_clock() -> None:
    game, watch = timed(TimeSettings("byoyomi", 0, 5, periods=1), 10, 11)
    game.answer("e5")
    watch.seconds += 6
    game.answer("e4")
    assert game.game.result == "W+T"
    assert game.answer("clock") == "black 0:00, white 1 x 5 s"
    assert game.answer("undo") == (
        "the loss on time is taken back, and the game goes on without a clock"
    )
    assert game.board.turn == 2 and game.answer("clock").startswith("no clock")
    watch.seconds += 60
    assert game.answer("e4") == "White: C8"


def test_a_resignation_taken_back_keeps_the_clock() -> None:
    game, watch = timed(TimeSettings("absolute", 60), 10, 11)
    watch.seconds += 20
    game.answer("e5")
    game.answer("resign")
    assert game.answer("undo") == "" and game.answer("clock") == "black 0:40, white 1:00"


def test_questions_and_illegal_moves_do_not_stop_the_clock() -> None:
    game, watch = timed(TimeSettings("absolute", 60), 10, 11)
    game.answer("e5")
    watch.seconds += 61
    assert "occupied" in game.answer("e5") and not game.game.over
    game.answer("help")
    game.answer("e4")
    assert game.game.result == "W+T"


def test_a_score_is_told_only_where_enough_is_settled() -> None:
    game = session(10)
    game.answer("e5")
    assert game.answer("score").startswith("too early to say (")
    ended = session(game=Game.at(Board.from_diagram(DEAD)))
    assert " if it ended now (" in ended.answer("score")


# A player that reads


def reading(*, told: list[str] | None = None, limit: float | None = None, **by: Any) -> Session:
    def thinking(text: str) -> AbstractContextManager[None]:
        if told is not None:
            told.append(text)
        return nullcontext()

    rng = np.random.default_rng(1)
    player = counting_player(**by)
    return Session(Game(7), player, human=BLACK, rng=rng, thinking=thinking, seconds=limit)


def test_a_hint_has_win_rate_points_and_visits() -> None:
    lines = reading().answer("hint").split("\n")
    assert len(lines) == 5
    for line in lines:
        assert re.fullmatch(
            r"  [A-G][1-7]    wins +\d+ %, [+-]\d+\.\d points, visits \d+, likely \d+ %", line
        ), line


def test_an_early_score_is_what_the_search_expects() -> None:
    game = reading()
    game.answer("a1")
    found = re.match(r"about ([BW])\+([\d.]+), Black wins (\d+) % \(", game.answer("score"))
    assert found is not None and found[1] == "W" and int(found[3]) < 50
    assert 3 < float(found[2]) < 12


def test_a_game_that_two_passes_ended_is_counted_by_the_network_too() -> None:
    game = reading()
    game.game = Game.at(Board.from_diagram(DEAD, to_play=WHITE))
    game.game.play(49)
    game.answer("pass")
    judged = status(game.board, rng=np.random.default_rng(1))
    evaluator = evaluator_of(game.player)
    assert evaluator is not None
    found = verdict_by(evaluator, game.board, judged)
    assert found is not None and found.lead != score(game.board, judged.dead, status=judged)
    assert game.game.result == format_score(found.lead)
    assert game.answer("score") == f"The game is over: {game.game.result}"


def test_who_thinks_is_told_before_it_does() -> None:
    told: list[str] = []
    game = reading(told=told)
    game.answer("a1")
    assert told == ["white thinks ..."]
    game.answer("hint")
    assert len(told) == 2
    assert session(10).answer("e5") and told == told[:2]


def test_a_limit_in_seconds_holds_beside_the_clock() -> None:
    game = reading(visits=None, seconds=30.0, limit=0.05)
    began = time.monotonic()
    game.answer("a1")
    assert time.monotonic() - began < 10


# Opponents by rank


def test_where_it_was_weak_is_told_after_the_game() -> None:
    one = Session(Game(7), counting_opponent(), human=WHITE, rng=np.random.default_rng(3))
    one.respond()
    assert one.answer("weak") == "that is told when the game is over"
    for _ in range(3):
        spot = next(m for m in range(49) if one.board.is_legal(m))
        one.answer(move_to_gtp(spot, 7))
    one.answer("resign")
    told = one.answer("weak")
    assert "was better by about" in told or told == "no move was weak on purpose by a point or more"
    assert "never weak on purpose" in session().answer("weak")


def test_a_rank_that_cannot_be_kept_does_not_end_the_sitting(tmp_path: Path) -> None:
    kept = OwnRank(tmp_path / "rank.json")
    one = session(10, 11, follower=RankFollower(kept))
    one.answer("e5")
    kept.path.write_text("damaged")
    said = one.answer("resign").splitlines()[-1]
    assert "is damaged: delete it to begin again; your partner's rank does not follow" in said
    assert one.answer(f"save {tmp_path / 'game.sgf'}").startswith("saved")


def test_a_finished_game_from_a_file_is_shown_and_moves_no_rank(tmp_path: Path) -> None:
    kept, path = OwnRank(tmp_path / "rank.json"), tmp_path / "game.sgf"
    one = session(10, 11, follower=RankFollower(kept))
    path.write_text("(;SZ[9];B[ee];W[];B[])")  # the player would be next
    said = one.answer(f"load {path}")
    assert said.endswith("3 moves; two passes have ended it, undo goes back into it")
    assert len(one.game.moves) == 3 and not one.game.over and kept.is_new
    one.answer("undo")
    assert len(one.game.moves) < 3


def test_the_partners_rank_follows_the_game_and_undo(tmp_path: Path) -> None:
    kept = OwnRank(tmp_path / "rank.json")
    kept.set("8k")
    one = session(10, 11, follower=RankFollower(kept))
    assert "partner" not in one.answer("e5")
    said = one.answer("resign")
    assert said.splitlines()[-1] == "your partner was 8k and is 9k from the next game on"
    assert one.answer("undo").endswith("the game goes on, and your partner is 8k again")
    assert one.answer("score") and kept.rank == "8k"
