"""Training runs of policy networks: exact resume, growth, compilation, no waiting."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.training.loop import _step
from cnncore.training.run_folder import CHECKPOINT
from selfplay.archive.reader import Archive
from selfplay.batches.packing import stage
from selfplay.learners.policy_loss import policy_loss
from selfplay.recipes import Growth
from selfplay.training.policy_run import Run, training_plan
from selfplay.training.trained_network import averaged_network
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import RECIPE, metrics, same, small_run, weights

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("training") / "archive")


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
    staged = stage(run.lessons.train.random_batch(8, seed=1, number=2), pinned=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(run.state, run.state.model, staged, loss, training_plan(recipe, "bfloat16"), 1.0, 0)
    finally:
        torch.cuda.set_sync_debug_mode("default")


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
