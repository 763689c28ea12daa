"""Several processes learn what one does: same losses, same weights, one of them writing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from cnncore.system.parallel import Processes
from cnncore.training.recipe_files import RecipeError
from selfplay.archive.reader import Archive
from selfplay.recipes import load_recipe
from selfplay.training.policy_run import Run, read_facts
from tests.helpers.occupied import occupied
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import ROOT, environment, metrics, same, wait_for_metrics, weights

torch.set_num_threads(1)


SETTINGS = {
    "filters": 4,
    "layers": 4,
    "grow": "[]",
    "positions": 96,
    "batch": 8,
    "future_moves": 1,
    "warmup": 0,
    "report_steps": 2,
    "validate_every": 48,
    "validate_positions": 30,
    "precision": "float32",
}


GROWING = "[{at = 0.5, filters = 6}]"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("parallel") / "archive")


def _settings(**changes: Any) -> list[str]:
    return [f"{key}={value}" for key, value in {**SETTINGS, **changes}.items()]


def _command(archive: Archive, out: Path, count: int, **changes: Any) -> list[str]:
    """Return a run of `selfplay train` in `count` processes on CPUs."""
    words = ["train", "policy-64", "--data", str(archive.path), "--out", str(out)]
    words += ["--quiet", "--device", "cpu", "--threads", "1"]
    for setting in _settings(**changes):
        words += ["--set", setting]
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    return [sys.executable, *launch, "-m", "selfplay", *words]


def _train(
    archive: Archive, out: Path, *extra: str, count: int = 2, ends: int = 0, **changes: Any
) -> str:
    """Run the command, which ends with status `ends`; return what it wrote to stderr."""
    done = subprocess.run(
        [*_command(archive, out, count, **changes), *extra],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == ends, done.stderr
    return done.stderr


def test_two_processes_learn_what_one_learns(archive: Archive, tmp_path: Path) -> None:
    recipe = load_recipe("policy-64", _settings())
    alone = Run(tmp_path / "one", recipe, archive, device=torch.device("cpu"))
    assert alone.fit() == "finished"
    said = _train(archive, tmp_path / "two")
    assert said.count("finished; 96 positions seen") == 1
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert [line["event"] for line in two].count("validation") == 2
    for expected, line in zip(one, two, strict=True):
        assert line.keys() == expected.keys() and line["samples"] == expected["samples"]
        assert line["loss"] == pytest.approx(expected["loss"], rel=1e-4)
        assert line["top1"] == pytest.approx(expected["top1"], abs=1e-9)
    expected_weights = weights(tmp_path / "one")
    for name, value in weights(tmp_path / "two").items():
        torch.testing.assert_close(value, expected_weights[name], rtol=2e-3, atol=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_resume_to_the_bit(archive: Archive, tmp_path: Path, count: int) -> None:
    _train(archive, tmp_path / "whole", count=count, grow=GROWING)
    for minutes in ("0", "0", "5"):
        _train(archive, tmp_path / "parts", "--minutes", minutes, count=count, grow=GROWING)
    assert metrics(tmp_path / "parts") == metrics(tmp_path / "whole")
    assert same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


@pytest.mark.slow
def test_ctrl_c_stops_all_processes_with_a_checkpoint(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = _command(archive, out, 2, positions=10_000_000)
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True
    )
    wait_for_metrics(out, seconds=120)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert err.count("the same command goes on from there") == 1
    facts = read_facts(out)
    assert facts["state"]["samples"] > 0 and facts["state"]["samples"] % 8 == 0


@pytest.mark.slow
def test_several_processes_are_refused_in_a_folder_that_is_held(
    archive: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with occupied(out):
        assert "another program trains in" in _train(archive, out, ends=1)
    _train(archive, out, positions=16)


def test_a_batch_that_cannot_be_shared_is_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="batch = 8 cannot be shared evenly by 3 processes"):
        recipe = load_recipe("policy-64", _settings())
        device = torch.device("cpu")
        Run(tmp_path / "run", recipe, archive, device=device, processes=Processes(0, 3))
    assert not (tmp_path / "run").exists()
