"""The training loop learns, resumes to the bit, keeps its schedule, and stops at NaN."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.training.curves import MetricsLog, plot_curves
from cnncore.training.loop import Plan, TrainingError, TrainingState, _step, fit
from cnncore.training.muon import Muon
from cnncore.training.run_folder import CHECKPOINT
from selfplay.archive.reader import Archive
from selfplay.batches.packing import stage
from selfplay.recipes import Growth
from selfplay.training.learner import policy_loss
from selfplay.training.policy_run import Run, training_plan
from selfplay.training.trained_network import averaged_network
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import RECIPE, metrics, same, small_run, weights

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("training") / "archive")


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
    settings: dict[str, Any] = {"report": lines.append, "checkpoint": lambda: None, **changes}
    outcome = fit(state, settings.pop("batches", _sums), _sum_loss, plan, **settings)
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


def test_between_reports_nothing_waits_for_the_device(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, positions=96, report_steps=6, validate_every=0, clip=1.0)
    run = small_run(tmp_path / "run", archive, recipe)
    asked: list[tuple[int, str]] = []

    def counting(name: str, original: Any) -> Any:
        def ask(tensor: Tensor, *args: Any) -> Any:
            caller = sys._getframe(1).f_code.co_filename
            if "optim" not in Path(caller).parts:  # step counters live on the host
                asked.append((run.state.step, name))
            return original(tensor, *args)

        return ask

    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__"):
        monkeypatch.setattr(Tensor, name, counting(name, getattr(Tensor, name)))
    monkeypatch.setattr(run, "checkpoint", lambda: None)
    assert run.fit() == "finished"
    assert asked == [(6, "tolist"), (12, "tolist")]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("optimizer", ["muon", "sgd"])
def test_no_step_on_a_gpu_waits_for_it(archive: Archive, tmp_path: Path, optimizer: str) -> None:
    recipe = replace(RECIPE, positions=160, report_steps=1000, validate_every=0)
    recipe = replace(recipe, optimizer=optimizer, precision="bfloat16")
    run = Run(tmp_path / "run", recipe, archive, device=torch.device("cuda"))
    assert run.fit(until=16) == "finished"
    loss = policy_loss(recipe, run.device)
    staged = stage(run.train.random_batch(8, seed=1, number=2), pinned=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(run.state, run.state.model, staged, loss, training_plan(recipe, "bfloat16"), 0)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_muon_moves_equal_shapes_as_it_moves_each_alone() -> None:
    torch.manual_seed(0)
    shapes = [(6, 2, 3, 3), (6, 2, 3, 3), (4, 5), (6, 2, 3, 3), (9, 4)]
    together = [nn.Parameter(torch.randn(shape)) for shape in shapes]
    alone = [nn.Parameter(p.detach().clone()) for p in together]
    optimizers = [Muon(together, lr=0.1), *(Muon([p], lr=0.1) for p in alone)]
    for _ in range(3):
        for p, q in zip(together, alone, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(together, alone, strict=True):
        torch.testing.assert_close(p, q)


def test_a_loaded_optimiser_keeps_the_layout_of_the_weights(
    archive: Archive, tmp_path: Path
) -> None:
    small_run(tmp_path / "run", archive, replace(RECIPE, positions=16)).fit()
    muon = small_run(tmp_path / "run", archive, replace(RECIPE, positions=32)).state.optimizers[0]
    for weight, entries in muon.state.items():
        assert entries["momentum_buffer"].stride() == weight.stride()
    assert len(muon.state) == 3


def test_a_network_that_cannot_be_compiled_trains_as_it_is(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def refuse(module: nn.Module) -> Any:
        def call(*inputs: Any) -> Any:
            raise RuntimeError("no C++ compiler")

        return call

    recipe = replace(RECIPE, positions=32, validate_every=0)
    assert small_run(tmp_path / "plain", archive, recipe).fit() == "finished"
    monkeypatch.setattr(torch, "compile", refuse)
    compiled = small_run(tmp_path / "compiled", archive, replace(recipe, compile=True))
    assert compiled.fit() == "finished"
    assert "going on without: no C++ compiler" in caplog.text
    assert same(weights(tmp_path / "compiled"), weights(tmp_path / "plain"))


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(archive: Archive, tmp_path: Path, caplog: Any) -> None:
    recipe = replace(RECIPE, positions=32, layers=3, validate_every=0)
    plain, compiled = tmp_path / "plain", tmp_path / "compiled"
    assert small_run(plain, archive, recipe).fit() == "finished"
    assert small_run(compiled, archive, replace(recipe, compile=True)).fit() == "finished"
    if "going on without" in caplog.text:
        pytest.skip("torch.compile does not work on this machine")
    expected = weights(plain)
    for name, value in weights(compiled).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4)


def test_the_average_follows_the_model() -> None:
    state, _, _ = _fit_sums(Plan(samples=320, average=0.0, decay=0.0))
    assert same(dict(state.model.state_dict()), dict(state.average.state_dict()))
    state, _, _ = _fit_sums(Plan(samples=320, average=0.99, decay=0.0))
    assert not same(dict(state.model.state_dict()), dict(state.average.state_dict()))


@pytest.mark.parametrize("optimizer", ["muon", "sgd"])
def test_a_resumed_run_equals_an_uninterrupted_one(
    archive: Archive, tmp_path: Path, optimizer: str
) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, lr=0.02, positions=160, validate_every=80)
    assert small_run(tmp_path / "whole", archive, recipe).fit() == "finished"
    outcomes = [small_run(tmp_path / "parts", archive, recipe).fit(minutes=0.0) for _ in range(20)]
    assert outcomes == ["time"] * 19 + ["finished"]
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_a_growing_run_resumes_to_the_bit(archive: Archive, tmp_path: Path) -> None:
    grow = (Growth(0.4, 12), Growth(0.7, 20))
    recipe = replace(RECIPE, positions=80, validate_every=40, grow=grow, grow_noise=0.01)
    whole = small_run(tmp_path / "whole", archive, recipe)
    assert whole.fit() == "finished"
    assert averaged_network(tmp_path / "whole").config.filters == 20
    while small_run(tmp_path / "parts", archive, recipe).fit(minutes=0.0) == "time":
        assert (tmp_path / "parts" / CHECKPOINT).is_file()
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_metrics_forget_what_a_crash_cut_short(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for step in (1, 2, 3):
        log.write({"event": "train", "step": step, "samples": step, "loss": 1.0})
    with log.path.open("a") as file:
        file.write('{"event": "tr')
    assert [line["step"] for line in log.read()] == [1, 2, 3]
    log.forget_after(2)
    assert [line["step"] for line in log.read()] == [1, 2]


def test_the_curve_is_a_png(tmp_path: Path) -> None:
    lines = [
        {"event": event, "step": s, "samples": s, "loss": 1.0 / s, "top1": 0.1 * s}
        for s in (1, 2, 3)
        for event in ("train", "validation")
    ]
    plot_curves(lines, tmp_path / "curve.png", title="run")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
