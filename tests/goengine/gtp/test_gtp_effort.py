"""How hard the engine looks when the clock is short, and when it looks properly again."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from goengine.board import Board
from goengine.clock import Clock
from goengine.gtp.engine import Engine
from goengine.players.effort import HASTY_PLAYOUTS, quick, saving
from tests.helpers.gtp_player import CentrePlayer, make_engine, result


class Wall:
    """A clock on the wall that only moves when told."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Timed(CentrePlayer):
    """A player that takes the times it is given, for each view of the board."""

    def __init__(self, wall: Wall, views: Sequence[float]) -> None:
        super().__init__(playouts=200)
        self.evaluator = SimpleNamespace(symmetry="all")
        self.wall = wall
        self.times = list(views)
        self.seen: list[str] = []

    def choose(self, boards: Sequence[Board], *, rng: np.random.Generator) -> list[int]:
        assert (self.evaluator.symmetry == "none") == (self.playouts == HASTY_PLAYOUTS)
        self.seen.append(self.evaluator.symmetry)
        self.wall.seconds += self.times.pop(0) * (8 if self.evaluator.symmetry == "all" else 1)
        return super().choose(boards, rng=rng)


def make(views: Sequence[float], settings: str) -> tuple[Engine, Timed]:
    wall = Wall()
    player = Timed(wall, views)
    engine = make_engine(lambda: player)
    engine.session.clock = Clock(now=wall)
    result(engine, f"time_settings {settings}")
    return engine, player


def play(engine: Engine, moves: int) -> None:
    for turn in range(moves):
        result(engine, f"genmove {'bw'[turn % 2]}")


def test_a_short_clock_makes_hasty_moves() -> None:
    engine, player = make([0.05] * 4, "0 600 1")
    play(engine, 2)
    assert player.seen == ["all"] * 2
    result(engine, "time_settings 1 0 0")
    play(engine, 2)
    assert player.seen == ["all"] * 2 + ["none"] * 2


def test_one_slow_move_is_followed_by_one_hasty_one() -> None:
    engine, player = make([0.4, *[0.01] * 4], "0 5 1")
    play(engine, 5)
    assert player.seen == ["all", "none", "all", "all", "all"]


def test_a_period_that_was_overrun_does_not_leave_the_engine_in_haste() -> None:
    engine, player = make([1.0, *[0.01] * 4], "0 5 1")
    for _ in range(5):
        result(engine, "genmove b")
    assert player.seen == ["all", "none", "all", "all", "all"]


def test_a_machine_that_is_slow_does_not_try_again() -> None:
    engine, player = make([0.5] * 6, "0 5 1")
    play(engine, 6)
    assert player.seen == ["all"] + ["none"] * 5


@pytest.mark.parametrize(
    ("symmetry", "playouts", "expected"),
    [("all", 200, 8), ("none", 300, 300 / HASTY_PLAYOUTS), ("none", HASTY_PLAYOUTS - 1, 1)],
)
def test_what_haste_saves(symmetry: str, playouts: int, expected: float) -> None:
    player = CentrePlayer(playouts=playouts)
    player.evaluator = SimpleNamespace(symmetry=symmetry)  # type: ignore[attr-defined]
    assert saving(player) == expected
    assert saving(quick(player)) == 1
    assert saving(SimpleNamespace(name="neither")) == 1  # type: ignore[arg-type]
