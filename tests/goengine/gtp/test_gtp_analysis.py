"""Analyses over GTP: when reports come, what is in them, and which move follows them."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from goengine._kernels import chains
from goengine.players.policy_player import PolicyPlayer
from tests.helpers.stub_players import StubEvaluator, make_engine, result


def test_ownership_is_there_on_request_and_for_the_player_asked() -> None:
    engine = make_engine(size=7)
    for line in range(1, 8):
        result(engine, f"play b C{line}")
        result(engine, f"play w D{line}")
    for colour, sign in (("b", 1), ("w", -1)):
        line = result(engine, f"kata-analyze {colour} 50 maxmoves 1 ownership true")
        values = [float(word) for word in line.partition(" ownership ")[2].split()]
        assert len(values) == 49
        assert values[0] * sign > 0.4 and values[6] * sign < -0.4
    assert "ownership" not in result(engine, "kata-analyze b 50")


def test_an_analysis_repeats_until_input_comes() -> None:
    engine = make_engine()
    pauses = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) == 3

    engine.session.pause = pause
    pieces = list(engine.handle_line("9 lz-analyze b 30 maxmoves 1"))
    assert pieces[0] == "=9\n" and pieces[-1] == "\n"
    assert len(pieces) == 2 + 3 and len(set(pieces[1:-1])) == 1
    assert pauses == [0.3, 0.3, 0.3]
    pauses.clear()
    list(engine.handle_line("lz-analyze 0"))
    assert pauses == [0.1, 0.1, 0.1]
    pauses.clear()
    list(engine.handle_line("lz-analyze 999999999999999999"))
    assert 3600 < max(pauses) < threading.TIMEOUT_MAX


def test_no_report_offers_a_pass() -> None:
    engine = make_engine(size=2)
    for line in ("b A1", "w pass", "b B2", "w pass"):
        result(engine, f"play {line}")
    assert engine.answer("1 lz-analyze b 10") == "=1\n\n"
    assert engine.answer("2 kata-analyze b 10 rootInfo true") == "=2\n\n"
    assert engine.answer("3 lz-genmove_analyze b 10") == "=3\nplay pass\n\n"


# Moves to avoid or to allow


def corner_lover() -> PolicyPlayer:
    """Return a player that likes A5 best, then B5, and so on row by row."""

    def weights(records: np.ndarray) -> np.ndarray:
        masks = np.empty((len(records), 26), dtype=np.bool_)
        chains.sensible_masks(records, masks)
        likes = masks[:, :-1] * np.arange(25, 0, -1)
        return likes / np.maximum(1, likes.sum(axis=1, keepdims=True))

    return PolicyPlayer(StubEvaluator(weights))


@pytest.mark.parametrize("form", ["lz-genmove_analyze", "kata-genmove_analyze"])
@pytest.mark.parametrize(
    ("options", "move"),
    [
        ("", "A5"),
        ("avoid b A5,B5 1", "C5"),
        ("avoid w A5,B5 1", "A5"),
        ("allow b E1,D1 1", "D1"),
        ("allow b E1,D1 1 avoid b D1 1", "E1"),
        ("allow b pass 1", "pass"),
    ],
)
def test_the_move_keeps_to_what_the_report_was_asked_for(
    form: str, options: str, move: str
) -> None:
    engine = make_engine(corner_lover, size=5)
    assert result(engine, f"{form} b 50 {options}").split("\n")[-1] == f"play {move}"
    if move != "pass":
        assert result(engine, "last_move") == f"black {move}"


def test_a_pass_is_avoided_too_while_a_point_is_sensible() -> None:
    engine = make_engine(corner_lover, size=5)
    for line in range(1, 6):
        for vertex in ("b C", "w D"):
            result(engine, f"play {vertex}{line}")
    result(engine, "play w pass")
    result(engine, "komi 0")
    assert result(engine, "lz-genmove_analyze b 50").endswith("play pass")
    result(engine, "undo")
    assert result(engine, "lz-genmove_analyze b 50 avoid b pass 1").endswith("play A5")


def test_any_player_can_be_restricted() -> None:
    engine = make_engine()
    assert result(engine, "lz-genmove_analyze b 50 avoid b E5 1").endswith("play E6")
    assert result(engine, "last_move") == "black E6"
