"""How hard the engine looks when the clock is short, and when it looks properly again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from goengine.clock import Clock
from goengine.gtp.engine import Engine
from goengine.players.effort import HASTY_PLAYOUTS, Pace, quick, saving
from goengine.players.policy_player import PolicyPlayer
from goengine.players.settings import PolicySettings
from tests.helpers.stub_players import StubEvaluator, make_engine, result


class Wall:
    """A clock on the wall that only moves when told."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def make(views: Sequence[float], settings: str) -> tuple[Engine, StubEvaluator]:
    """Return an engine whose network takes the given times, move by move, for each view."""
    wall, times = Wall(), list(views)

    def slow(records: np.ndarray) -> np.ndarray:
        wall.seconds += times.pop(0) * (8 if source.symmetries[-1] == "all" else 1)
        return np.full((len(records), 81), 1 / 81)

    source = StubEvaluator(slow)
    player = PolicyPlayer(source, PolicySettings(symmetry="all"), pace=Pace(now=wall))
    engine = make_engine(lambda: player, clock=Clock(now=wall))
    result(engine, f"time_settings {settings}")
    return engine, source


def play(engine: Engine, moves: int) -> None:
    for turn in range(moves):
        result(engine, f"genmove {'bw'[turn % 2]}")


def test_a_short_clock_makes_hasty_moves() -> None:
    engine, source = make([0.05] * 4, "0 600 1")
    play(engine, 2)
    assert source.symmetries == ["all"] * 2
    result(engine, "time_settings 1 0 0")
    play(engine, 2)
    assert source.symmetries == ["all"] * 2 + ["none"] * 2


def test_one_slow_move_is_followed_by_one_hasty_one() -> None:
    engine, source = make([0.4, *[0.01] * 4], "0 5 1")
    play(engine, 5)
    assert source.symmetries == ["all", "none", "all", "all", "all"]


def test_a_period_that_was_overrun_does_not_leave_the_engine_in_haste() -> None:
    engine, source = make([1.0, *[0.01] * 4], "0 5 1")
    for _ in range(5):
        result(engine, "genmove b")
    assert source.symmetries == ["all", "none", "all", "all", "all"]


def test_a_machine_that_is_slow_does_not_try_again() -> None:
    engine, source = make([0.5] * 6, "0 5 1")
    play(engine, 6)
    assert source.symmetries == ["all"] + ["none"] * 5


@pytest.mark.parametrize(
    ("symmetry", "playouts", "expected"),
    [("all", 200, 8), ("none", 300, 300 / HASTY_PLAYOUTS), ("none", HASTY_PLAYOUTS - 1, 1)],
)
def test_what_haste_saves(symmetry: str, playouts: int, expected: float) -> None:
    settings = PolicySettings(symmetry=symmetry, playouts=playouts)
    assert saving(settings) == expected
    hasty = quick(settings)
    assert (hasty.symmetry, hasty.playouts) == ("none", min(playouts, HASTY_PLAYOUTS))
    assert saving(hasty) == 1
    assert replace(hasty, symmetry=symmetry, playouts=playouts) == settings
