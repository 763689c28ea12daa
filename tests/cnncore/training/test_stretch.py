"""A plan stretched over a time: the clock says how far it is, and a stopped run goes on exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnncore.training.loop
from cnncore.training.loop import Course, fit
from cnncore.training.schedule import Plan, Stretch
from cnncore.training.training_state import TrainingState

PLAN = Plan(samples=1000, warmup=100, decay=0.75, report_steps=1, validate_samples=250)


@dataclass
class Clock:
    """A clock that only a step of training moves."""

    now: float = 100.0
    step: float = 1.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(cnncore.training.loop, "time", clock)
    return clock


def _state() -> TrainingState:
    torch.manual_seed(1)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    state = TrainingState.start(model, [optimizer])
    state.stretch = Stretch(60.0)
    return state


def _train(
    clock: Clock, state: TrainingState, *, progress: bool = False, **limits: Any
) -> tuple[str, list[dict[str, Any]]]:
    """Train on random batches, each step taking the clock's step; return outcome and metrics."""
    lines: list[dict[str, Any]] = []

    def batches(first: int) -> Iterator[Tensor]:
        while True:
            yield torch.randn(4, 3, generator=torch.Generator().manual_seed(first))
            first += 1

    def loss(model: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        clock.now += clock.step
        value = model(batch).square().mean()
        return value, {}

    course = Course(
        batches,
        loss,
        PLAN,
        report=lines.append,
        checkpoint=lambda: None,
        validate=lambda model: {"measured": 1.0},
        progress=progress,
    )
    return fit(state, course, **limits), lines


@pytest.mark.parametrize("speed", [0.5, 3.0, 7.0])
def test_the_whole_plan_takes_the_time_whatever_the_speed(clock: Clock, speed: float) -> None:
    clock.step = speed
    state, began = _state(), clock.now
    outcome, lines = _train(clock, state)
    assert outcome == "finished" and 60 <= clock.now - began < 60 + speed
    train = [line for line in lines if line["event"] == "train"]
    assert len(train) == math.ceil(60 / speed) == state.step
    for line in train:
        share = min(1.0, line["step"] * speed / 60)
        expected = min(1.0, 10 * share) * min(1.0, (1 - share) / 0.75)
        assert line["rate"] == pytest.approx(expected, abs=0.01)
    assert state.samples == 4 * state.step and state.share == 1.0
    assert len(lines) - len(train) == 4  # validations at every quarter of the plan


def test_the_bar_shows_the_time_and_what_is_really_learnt(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.step = 40.0
    state = _state()
    _train(clock, state, progress=True)
    shown = capsys.readouterr().err
    assert state.samples == 8 and "1000" not in shown
    assert "starting:   0%" in shown and "validating: 100%" in shown
    last = shown.rstrip().splitlines()[-1].split("\r")[-1]
    assert last.startswith("training: 100%")
    assert "60/60 s, 8 samples learnt, 0/s, learning rate x 0.00" in last
    clock.step = 1.0
    state = _state()
    _train(clock, state, minutes=0.25, progress=True)
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    assert f"16/60 s, {state.samples} samples learnt, 4/s" in last


def test_a_stopped_run_goes_on_exactly(clock: Clock, tmp_path: Path) -> None:
    whole = _state()
    _, lines = _train(clock, whole)
    parts, told = _state(), []
    for minutes in (0.25, 0.4, math.inf):
        outcome, more = _train(clock, parts, minutes=minutes)
        told += more
        parts.save(tmp_path / "state.safetensors", metadata={})
        again = _state()
        again.load(tmp_path / "state.safetensors")
        parts = again
    assert outcome == "finished"
    clocked = ("time", "samples_per_second")
    told, lines = (
        [{k: v for k, v in line.items() if k not in clocked} for line in each]
        for each in (told, lines)
    )
    assert told == lines
    assert parts.step == whole.step and parts.share == whole.share == 1.0
    for mine, theirs in ((parts.model, whole.model), (parts.average, whole.average)):
        for name, value in mine.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name])


def test_the_rest_of_a_plan_lies_in_the_rest_of_another_time() -> None:
    stretch = Stretch(900.0, since=300.0, share=0.5)
    assert stretch.share_at(300.0) == 0.5
    assert stretch.share_at(600.0) == pytest.approx(0.75)
    assert stretch.share_at(900.0) == stretch.share_at(1e9) == 1.0
    assert Stretch(200.0, since=300.0, share=0.5).share_at(300.0) == 1.0
