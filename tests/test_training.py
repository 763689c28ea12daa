"""The training loop learns, resumes to the bit, survives kills, and stops at NaN."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.checkpoint import save_checkpoint
from cnncore.curves import MetricsLog, plot_curves
from cnncore.optim import Muon
from cnncore.run_folder import CHECKPOINT
from cnncore.training import Plan, TrainingError, TrainingState, _step, best_precision, fit
from goengine.networks import PolicyConfig, PolicyNet, read_network, save_network
from selfplay.archive import Archive
from selfplay.learner import policy_loss
from selfplay.packing import stage
from selfplay.recipes import Growth, Recipe
from selfplay.runs import Run, averaged_network, training_plan
from tests.small_archive import make_archive
from tests.small_runs import ROOT, environment, metrics, same, wait_for_metrics, weights

torch.set_num_threads(1)

RECIPE = Recipe(
    filters=8,
    layers=4,
    positions=480,
    batch=8,
    future_moves=1,
    report_steps=4,
    validate_every=160,
    validate_positions=16,
    warmup=40,
    precision="float32",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("training") / "archive")


def _run(folder: Path, archive: Archive, recipe: Recipe = RECIPE) -> Run:
    return Run(folder, recipe, archive, device=torch.device("cpu"))


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
    run = _run(tmp_path / "run", archive, recipe)
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
    _run(tmp_path / "run", archive, replace(RECIPE, positions=16)).fit()
    muon = _run(tmp_path / "run", archive, replace(RECIPE, positions=32)).state.optimizers[0]
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
    assert _run(tmp_path / "plain", archive, recipe).fit() == "finished"
    monkeypatch.setattr(torch, "compile", refuse)
    compiled = _run(tmp_path / "compiled", archive, replace(recipe, compile=True))
    assert compiled.fit() == "finished"
    assert "going on without: no C++ compiler" in caplog.text
    assert same(weights(tmp_path / "compiled"), weights(tmp_path / "plain"))


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(archive: Archive, tmp_path: Path, caplog: Any) -> None:
    recipe = replace(RECIPE, positions=32, layers=3, validate_every=0)
    plain, compiled = tmp_path / "plain", tmp_path / "compiled"
    assert _run(plain, archive, recipe).fit() == "finished"
    assert _run(compiled, archive, replace(recipe, compile=True)).fit() == "finished"
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
    assert _run(tmp_path / "whole", archive, recipe).fit() == "finished"
    outcomes = [_run(tmp_path / "parts", archive, recipe).fit(minutes=0.0) for _ in range(20)]
    assert outcomes == ["time"] * 19 + ["finished"]
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_a_growing_run_resumes_to_the_bit(archive: Archive, tmp_path: Path) -> None:
    grow = (Growth(0.4, 12), Growth(0.7, 20))
    recipe = replace(RECIPE, positions=80, validate_every=40, grow=grow, grow_noise=0.01)
    whole = _run(tmp_path / "whole", archive, recipe)
    assert whole.fit() == "finished"
    assert averaged_network(tmp_path / "whole").config.filters == 20
    while _run(tmp_path / "parts", archive, recipe).fit(minutes=0.0) == "time":
        assert (tmp_path / "parts" / CHECKPOINT).is_file()
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def _command(archive: Archive, out: Path, *extra: str) -> list[str]:
    settings = [f"{k}={json.dumps(v)}" for k, v in RECIPE.table().items() if k != "sources"]
    sets = [
        word for setting in [*settings, "checkpoint_seconds=0.4"] for word in ("--set", setting)
    ]
    where = ["--data", str(archive.path), "--out", str(out), "--quiet", "--threads", "1"]
    return [sys.executable, "-m", "selfplay", "train", "policy-64", *where, *sets, *extra]


@pytest.mark.slow
def test_killed_runs_equal_an_uninterrupted_one(archive: Archive, tmp_path: Path) -> None:
    length = ["--set", "positions=2400"]
    subprocess.run(
        _command(archive, tmp_path / "whole", *length), cwd=ROOT, env=environment(), check=True
    )
    parts = tmp_path / "parts"
    for kill in (True, True, False):
        process = subprocess.Popen(_command(archive, parts, *length), cwd=ROOT, env=environment())
        if kill:
            _wait_for_newer(parts / CHECKPOINT, process)
            process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=300) == (-signal.SIGKILL if kill else 0)
    assert metrics(parts) == metrics(tmp_path / "whole")
    assert same(weights(parts), weights(tmp_path / "whole"))


def _wait_for_newer(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a checkpoint is there that is not the present one."""
    before = file.stat().st_mtime_ns if file.is_file() else 0
    while process.poll() is None:
        if file.is_file() and file.stat().st_mtime_ns > before:
            return
        time.sleep(0.02)
    raise AssertionError("the run ended before its first checkpoint")


def test_ctrl_c_saves_and_says_so(archive: Archive, tmp_path: Path) -> None:
    process = subprocess.Popen(
        _command(archive, tmp_path / "run", "--set", "positions=10_000_000"),
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for_metrics(tmp_path / "run", seconds=60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "" and "stopped" in err and "goes on from there" in err and "Traceback" not in err
    state = _run(tmp_path / "run", archive, replace(RECIPE, positions=10_000_000)).state
    assert state.samples > 0 and metrics(tmp_path / "run")[-1]["step"] <= state.step


def _train(archive: Archive, out: Path, *extra: str) -> tuple[int, list[str]]:
    """Run the command in this process; return its exit status and its arguments."""
    from selfplay.__main__ import main

    arguments = _command(archive, out, *extra)[3:]
    return main(arguments), arguments


def test_another_recipe_or_archive_is_refused(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = ["--set", "positions=16", "--set", "validate_every=0"]
    assert _train(archive, tmp_path / "run", *short)[0] == 0
    assert "finished; 16 positions seen" in capsys.readouterr().err
    assert _train(archive, tmp_path / "run", *short, "--set", "batch=4")[0] == 1
    assert "has batch = 8, not 4" in capsys.readouterr().err
    other = make_archive(tmp_path / "other", seed=3)
    more = [*short, "--set", "positions=32"]
    assert _train(other, tmp_path / "run", *more)[0] == 1
    assert "began with another archive" in capsys.readouterr().err
    assert _train(other, tmp_path / "run", *more, "--other-data")[0] == 0
    assert "finished; 32 positions seen" in capsys.readouterr().err


def test_failures_are_one_sentence(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(archive, tmp_path / "run", "--set", "colour=3")[0] == 1
    assert "unknown key 'colour'" in capsys.readouterr().err
    assert _train(archive, tmp_path / "run", "--widen", "16")[0] == 1
    assert "--widen needs a network" in capsys.readouterr().err
    run = tmp_path / "run"
    run.mkdir(exist_ok=True)
    (run / CHECKPOINT).write_bytes(b"nonsense")
    assert _train(archive, run)[0] == 1
    err = capsys.readouterr().err
    assert "damaged" in err and "Traceback" not in err
    save_checkpoint(run / CHECKPOINT, {"x": torch.zeros(1)}, kind="training-state", metadata={})
    assert _train(archive, run)[0] == 1
    assert "not the checkpoint of a run of this kind" in capsys.readouterr().err
    evaluate = ["evaluate", "policy-7", "--data", str(archive.path)]
    from selfplay.__main__ import main

    assert main(evaluate) == 1
    assert "no network named 'policy-7'" in capsys.readouterr().err
    assert main([*evaluate, "--limit", "0"]) == 1
    assert "--limit 0" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 1
    assert "no checkpoint at" in capsys.readouterr().err


def test_a_full_disk_leaves_the_last_checkpoint(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cnncore.checkpoint

    run = _run(tmp_path / "run", archive, replace(RECIPE, positions=160, checkpoint_seconds=0.0))
    run.fit(minutes=0.0)
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cnncore.checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        run.fit()
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before


def test_export_evaluate_and_start_again(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from selfplay.__main__ import main

    run, file = tmp_path / "run", tmp_path / "small.safetensors"
    assert _train(archive, run, "--set", "positions=160")[0] == 0
    assert main(["export", str(run), "--out", str(file)]) == 0
    assert "8 filters" in capsys.readouterr().out
    net, facts = read_network(file)
    assert facts["positions_seen"] == 160 and facts["archive"] == archive.digest
    assert facts["recipe"]["filters"] == 8 and not net.config.norm
    wider = tmp_path / "wider.safetensors"
    assert main(["export", str(run), "--out", str(wider), "--widen", "12"]) == 0
    capsys.readouterr()
    wide, wide_facts = read_network(wider)
    assert wide.config.filters == 12 and wide_facts["widened_from"] == 8
    planes = torch.randint(0, 2, (2, 48, 19, 19), dtype=torch.uint8)
    assert torch.allclose(wide(planes), net(planes), atol=1e-4)
    arguments = ["evaluate", str(file), "--data", str(archive.path), "--limit", "50"]
    assert main([*arguments, "--json", "--sources", "even"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["source"] == "even" and report["top1"]["count"] == 50
    assert main([*arguments, "--symmetry", "all"]) == 0
    out = capsys.readouterr().out
    assert "even: top-1" in out and "handicap: top-1" in out
    again = ["--from", str(run), "--widen", "12", "--set", "filters=12", "--set", "positions=16"]
    assert _train(archive, tmp_path / "wide", *again)[0] == 0
    assert averaged_network(tmp_path / "wide").config.filters == 12


def test_a_folded_network_starts_a_run_without_normalisation(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    file = tmp_path / "plain.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=8, layers=4)), file, metadata={})
    start = ["--from", str(file), "--set", "positions=16"]
    assert _train(archive, tmp_path / "a", *start)[0] == 1
    assert "add --set norm=false" in capsys.readouterr().err
    assert _train(archive, tmp_path / "a", *start, "--set", "norm=false")[0] == 0


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


def test_precision_is_one_the_device_has() -> None:
    precision = best_precision(torch.device("cpu"))
    assert precision in ("float32", "bfloat16")
    assert best_precision(torch.device("meta")) == "float32"
