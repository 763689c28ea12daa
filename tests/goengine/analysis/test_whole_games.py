"""Whole games analysed from Python: records, games and files, and what moves cost."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import goengine
from goengine.analysis import evaluators
from goengine.analysis.position_analysis import PositionAnalysis
from goengine.analysis.whole_games import analyse, record_rules
from goengine.board import Board
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.games.sgf import read_sgf
from goengine.inference.evaluator import Evaluator
from goengine.types import BLACK, WHITE, GoError
from tests.helpers.analysis_client import InstantBackend, instant_evaluator

ROOT = Path(__file__).resolve().parents[3]
RECORD = GameRecord(
    size=5,
    komi=0.5,
    rules="Chinese",
    moves=((BLACK, 12), (WHITE, 6), (BLACK, 25), (WHITE, 8), (BLACK, 7)),
)


def test_every_position_is_analysed_in_order_and_told_of() -> None:
    told: list[PositionAnalysis] = []
    found = analyse(RECORD, visits=20, evaluator=instant_evaluator(), progress=told.append)
    assert [position.turn for position in found] == [0, 1, 2, 3, 4, 5] and len(found) == 6
    assert all(position.visits == 20 for position in found)
    assert [position.to_play for position in found] == [1, 2, 1, 2, 1, 2]
    assert sorted(position.turn for position in told) == [0, 1, 2, 3, 4, 5]
    assert found.at(3).turn == 3 and found.visits == 20 and found.record == RECORD
    position = found.at(1)
    assert position.black_lead == -position.lead
    assert position.black_winrate == pytest.approx(1 - position.winrate)
    first = position.moves[0]
    assert position.find(first.move) is first and position.find(99) is None
    assert position.vertex(12) == "C3"
    assert position.ownership is not None and position.ownership.shape == (5, 5)
    with pytest.raises(FrozenInstanceError):
        position.turn = 3  # type: ignore[misc]


def test_moves_cost_what_the_best_one_would_have_kept() -> None:
    """A pass costs the stone that it does not place, as the instant network counts."""
    found = analyse(RECORD, visits=30, evaluator=instant_evaluator())
    assert [move.number for move in found.moves] == [1, 2, 3, 4, 5]
    passed = found.moves[2]
    assert (passed.colour, passed.move, passed.agrees) == (BLACK, 25, False)
    assert passed.points_lost > 0.1 and passed.winrate_lost > 0
    assert passed.best is not None
    assert passed.best.lead - passed.lead == pytest.approx(passed.points_lost)
    for move in found.moves:
        assert move.points_lost >= 0 and move.winrate_lost >= 0
        assert not (move.agrees and move.points_lost)


def test_some_turns_only() -> None:
    found = analyse(RECORD, visits=5, turns=[4, 2, 4], evaluator=instant_evaluator())
    assert [position.turn for position in found] == [2, 4] and found.moves == ()
    with pytest.raises(GoError, match="turn 3 was not analysed"):
        found.at(3)


def test_a_game_in_progress_and_a_file_are_taken_too(tmp_path: Path) -> None:
    game = Game(5, rules="japanese", komi=5.5)
    game.play(12)
    found = analyse(game, visits=4, evaluator=instant_evaluator())
    assert found.record.moves == ((BLACK, 12),) and found.record.rules == "japanese"
    file = tmp_path / "game.sgf"
    file.write_text("(;SZ[5]KM[5.5]RU[Japanese];B[cc])")
    same = analyse(file, visits=4, evaluator=instant_evaluator())
    assert [p.black_lead for p in same] == [p.black_lead for p in found]
    other = analyse(file, visits=4, komi=7.5, evaluator=instant_evaluator())
    assert other.at(0).raw_lead == pytest.approx(found.at(0).raw_lead - 2)


def test_what_cannot_be_analysed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(GoError, match="turn 9 is not in the game"):
        analyse(RECORD, turns=[9], evaluator=instant_evaluator())
    with pytest.raises(GoError, match="0 visits"):
        analyse(RECORD, visits=0, evaluator=instant_evaluator())
    for komi in (float("nan"), 1e9):
        with pytest.raises(GoError, match="komi"):
            analyse(RECORD, komi=komi, evaluator=instant_evaluator())
    with pytest.raises(GoError, match="-1 seconds"):
        analyse(RECORD, seconds=-1, evaluator=instant_evaluator())
    with pytest.raises(GoError, match="Illegal move 1"):
        analyse(GameRecord(size=5, moves=((1, 3), (2, 3))), evaluator=instant_evaluator())
    with pytest.raises(OSError):
        analyse(tmp_path / "nothing.sgf", evaluator=instant_evaluator())


def test_unknown_rules_of_a_record_are_taken_as_chinese() -> None:
    assert record_rules(GameRecord(rules="Fischer random")).name == "chinese"
    assert record_rules(GameRecord(rules="AGA")).name == "aga"


def test_the_front_door_has_it() -> None:
    assert goengine.analyse is analyse


def test_ownership_adds_up_to_the_lead_of_a_finished_game() -> None:
    """Under area scoring a game is worth what its owners' points add up to."""
    record = read_sgf((ROOT / "data" / "samples" / "self-play-19x19.sgf").read_bytes())
    last = len(record.moves)
    assert [move for _, move in record.moves[-2:]] == [361, 361]
    found = analyse(record, visits=10, turns=[last], rules="chinese", komi=7.5, network="dual-96")
    position = found.at(last)
    assert position.ownership is not None
    assert abs(float(position.ownership.sum()) - 7.5 - position.black_lead) <= 3


def test_every_size_is_judged_by_its_best_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network is opened when a board of its sizes comes, and only once."""
    monkeypatch.setattr(evaluators, "default_judge", lambda size: "small" if size < 13 else "large")
    made: list[int] = []
    backends = {"small": InstantBackend(), "large": InstantBackend()}

    def make(size: int) -> tuple[str, Evaluator]:
        made.append(size)
        name = evaluators.judging_network(size)
        return name, Evaluator(backends[name])

    found = evaluators.EvaluatorBySize(make)
    assert made == [19] and found.network == "large"
    for size in (5, 9, 13, 19, 5):
        found.evaluate([Board(size)])
    assert made == [19, 5]
    assert len(backends["small"].batches) == 3 and len(backends["large"].batches) == 2
