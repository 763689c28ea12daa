"""Hard endings, scored: GNU Go's recorded answers, and GNU Go itself where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import gtp_to_move
from goengine.scoring.counting import format_score, score
from goengine.scoring.status import Status, status
from tests.goengine.scoring.endings.generate import PLAN, positions
from tests.goengine.scoring.endings.gnugo import GnuGo, gnugo

LINES = Path(__file__).with_name("recorded.jsonl").read_text(encoding="utf-8").splitlines()
RECORDED: list[dict[str, Any]] = [json.loads(line) for line in LINES]
USED = [position for position in RECORDED if "left out" not in position]
AGREED = 0.97
"""The share of final scores that must be GNU Go's."""


def board_of(position: dict[str, Any]) -> Board:
    board = Board.from_diagram("\n".join(position["rows"].split()), rules=position["rules"])
    board.komi = position["komi"]
    return board


def judge(position: dict[str, Any]) -> tuple[Board, Status]:
    board = board_of(position)
    return board, status(board, rng=np.random.default_rng(1))


def moves(text: str, size: int) -> set[int]:
    return {gtp_to_move(vertex, size) for vertex in text.split()}


def points(text: str) -> float:
    return 0.0 if text in {"0", "0.0"} else float(text[2:]) * (1 if text[0] == "B" else -1)


def test_two_hundred_positions_are_recorded():
    assert len(USED) == 200
    assert {position["size"] for position in USED} == {7, 9, 11, 13, 19}
    for rules in ("chinese", "japanese"):
        assert sum(position["rules"] == rules for position in USED) >= 90


@pytest.mark.parametrize("kind", PLAN)
def test_scores_and_statuses_are_those_of_gnugo(kind):
    wanted = [position for position in USED if position["kind"] == kind]
    assert len(wanted) == PLAN[kind]
    wrong: dict[str, list[str]] = {"score": [], "dead": [], "seki": []}
    for position in wanted:
        board, judged = judge(position)
        ours = score(board, judged.dead, status=judged)
        name = f"{position['rules']} {position['rows']}"
        if ours != points(position["score"]):
            wrong["score"].append(f"{name}: {format_score(ours)}, not {position['score']}")
        if judged.dead != moves(position["dead"], board.size):
            wrong["dead"].append(name)
        if judged.seki != moves(position["seki"], board.size):
            wrong["seki"].append(name)
    for what, names in wrong.items():
        assert len(names) <= (1 - AGREED) * len(wanted), f"{what}: " + "\n".join(names)


def test_no_finished_position_is_too_early_to_score():
    assert not any(judge(position)[1].is_early for position in USED[::10])


def test_the_positions_are_those_of_the_script():
    for made in positions(1, 0):
        first = next(position for position in RECORDED if position["kind"] == made["kind"])
        assert made["rows"] == first["rows"]
        assert (made["rules"], made["komi"]) == (first["rules"], first["komi"])


@pytest.mark.gnugo
def test_gnugo_still_answers_as_recorded(tmp_path):
    if gnugo() is None:
        pytest.skip("GNU Go is not installed")
    engines = {rules: GnuGo(rules) for rules in ("chinese", "japanese")}
    try:
        for position in USED[::10]:
            answers = engines[position["rules"]].judge(position, tmp_path)
            assert answers == {name: position[name] for name in ("score", "dead", "seki")}
    finally:
        for engine in engines.values():
            engine.close()
