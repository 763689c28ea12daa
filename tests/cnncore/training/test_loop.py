"""The training loop learns, keeps its schedule and its limits, and stops at NaN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.training.loop import Course, fit
from cnncore.training.schedule import Plan
from cnncore.training.training_state import TrainingError, TrainingState
from tests.helpers.small_runs import same

torch.set_num_threads(1)


class _Noise(list[Tensor]):
    """A batch of numbers whose sum is to be learnt."""


def _sums(step: int) -> Iterator[_Noise]:
    while True:
        generator = torch.Generator().manual_seed(step)
        yield _Noise(torch.randn(16, 4, generator=generator))
        step += 1


def _sum_loss(model: nn.Module, batch: _Noise) -> tuple[Tensor, dict[str, Tensor]]:
    x = torch.stack(batch)
    error = (model(x)[:, 0] - x.sum(1)).square()
    return error.mean(), {"error": error.sum()}


def _fit_sums(plan: Plan, **changes: Any) -> tuple[TrainingState, list[dict[str, Any]], str]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))
    state = TrainingState.start(model, [torch.optim.Adam(model.parameters(), lr=0.02)])
    lines: list[dict[str, Any]] = []
    limits = {name: changes.pop(name) for name in ("until", "minutes") if name in changes}
    course = Course(_sums, _sum_loss, plan, report=lines.append, checkpoint=lambda: None)
    outcome = fit(state, replace(course, **changes), **limits)
    return state, lines, outcome


def test_the_loop_learns_anything() -> None:
    state, lines, outcome = _fit_sums(Plan(samples=8000, average=0.9, report_steps=100))
    assert outcome == "finished" and state.samples == 8000 and state.step == 500
    assert [line["step"] for line in lines] == [100, 200, 300, 400, 500]
    assert lines[0]["loss"] == pytest.approx(lines[0]["error"])
    x = torch.randn(200, 4)
    with torch.no_grad():
        error = (state.average(x)[:, 0] - x.sum(1)).square().mean()
    assert error < 0.1


def test_the_schedule() -> None:
    plan = Plan(samples=1000, warmup=100, schedule="trapezoid", decay=0.4)
    rates = [plan.rate(s) for s in (0, 50, 100, 600, 800, 1000, 1200)]
    assert rates == pytest.approx([0, 0.5, 1, 1, 0.5, 0, 0])
    cosine = Plan(samples=1000, schedule="cosine")
    assert [cosine.rate(s) for s in (0, 500, 1000)] == pytest.approx([1, 0.5, 0])


def test_the_rates_reach_the_optimiser() -> None:
    state, lines, _ = _fit_sums(Plan(samples=160, decay=1.0, report_steps=1))
    assert state.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.02 * 16 / 160)
    assert [line["rate"] for line in lines] == pytest.approx([1 - i / 10 for i in range(1, 11)])


def test_a_time_limit_stops_with_a_checkpoint() -> None:
    saved: list[int] = []
    state, _, outcome = _fit_sums(
        Plan(samples=10**9), minutes=0.0, checkpoint=lambda: saved.append(1)
    )
    assert outcome == "time" and saved == [1] and 0 < state.samples < 10**9


def test_nan_stops_and_is_never_saved() -> None:
    saved: list[int] = []

    def poisoned(step: int) -> Iterator[_Noise]:
        for number, batch in enumerate(_sums(step), start=1):
            yield _Noise(x * float("nan") for x in batch) if number == 7 else batch

    plan = Plan(samples=1600, report_steps=5, checkpoint_seconds=0.0)
    with pytest.raises(TrainingError, match="no longer finite before step 7"):
        _fit_sums(plan, batches=poisoned, checkpoint=lambda: saved.append(1))
    assert len(saved) == 6


def test_the_average_follows_the_model() -> None:
    state, _, _ = _fit_sums(Plan(samples=320, average=0.0, decay=0.0))
    assert same(dict(state.model.state_dict()), dict(state.average.state_dict()))
    state, _, _ = _fit_sums(Plan(samples=320, average=0.99, decay=0.0))
    assert not same(dict(state.model.state_dict()), dict(state.average.state_dict()))
