"""Whatever goes wrong ends with one sentence, exit status 1, and the last good checkpoint."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import cnncore.training.run_folder
import cnncore.weights.checkpoint
import selfplay.learners.policy_lessons
from cnncore.system.command_line import FAILED, MISUSED
from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import load_checkpoint, previous_checkpoint, save_checkpoint
from selfplay.__main__ import main
from selfplay.archive.reader import ARCHIVE_VERSION
from selfplay.training.failures import sentence
from tests.helpers.occupied import occupied
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import same

torch.set_num_threads(1)

SETTINGS = [
    "filters=4", "layers=3", "grow=[]", "positions=64", "batch=8", "warmup=0", "report_steps=2",
    "validate_every=0", "checkpoint_seconds=0", "future_moves=0", "precision=float32",
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive and a run that is at half of its way, once."""
    folder = tmp_path_factory.mktemp("reliability")
    make_archive(folder / "archive", games=120)
    assert train(folder / "archive", folder / "run", "--minutes", "0") == 0
    assert train(folder / "archive", folder / "run", "--minutes", "0") == 0
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path) -> Path:
    """Return a folder with a copy of that archive and that run."""
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture(autouse=True)
def without_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnncore.training.run_folder, "plot_curves", lambda *args, **kwargs: None)


def train(archive: Path, out: Path, *extra: str) -> int:
    words = ["train", "policy-64", "--data", str(archive), "--out", str(out), "--quiet"]
    words += ["--threads", "1", "--device", "cpu"]
    for setting in SETTINGS:
        words += ["--set", setting]
    return main([*words, *extra])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one sentence of a command that failed."""
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    lines = [line for line in captured.err.splitlines() if not line.startswith(("INFO", "WARN"))]
    assert len(lines) == 1, captured.err
    return lines[0]


def tensors(run: Path) -> dict[str, Tensor]:
    return load_checkpoint(run / CHECKPOINT).tensors


def failed(here: Path, capsys: pytest.CaptureFixture[str], status: int = FAILED) -> str:
    """Return the one sentence of a run that fails and leaves its checkpoint alone."""
    before = tensors(here / "run")
    capsys.readouterr()
    assert train(here / "archive", here / "run") == status
    assert same(tensors(here / "run"), before)
    return said(capsys)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-100] ^= 16
    file.write_bytes(data)


@pytest.mark.parametrize("damage", [truncate, empty, flip])
def test_a_damaged_checkpoint_is_replaced_by_the_one_before(
    here: Path,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = here / "run"
    whole = here / "whole"
    assert train(here / "archive", whole) == 0
    damage(run / CHECKPOINT)
    damaged = (run / CHECKPOINT).read_bytes()
    assert train(here / "archive", run) == 0
    assert "going on from checkpoint.previous.safetensors" in caplog.text
    assert (run / "checkpoint.damaged.safetensors").read_bytes() == damaged
    assert same(tensors(run), tensors(whole))


def test_two_programs_do_not_train_in_one_folder(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with occupied(here / "run"):
        text = failed(here, capsys)
    assert f"another program trains in {here / 'run'}: wait for its end, stop it, or" in text
    assert train(here / "archive", here / "run") == 0


def test_two_damaged_checkpoints_end_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(here / "run" / CHECKPOINT)
    flip(previous_checkpoint(here / "run" / CHECKPOINT))
    capsys.readouterr()
    assert train(here / "archive", here / "run") == 2
    text = said(capsys)
    assert "checkpoint.safetensors is damaged" in text and "restore or write it again" in text


def test_a_checkpoint_of_another_version(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cnncore.weights.checkpoint, "CHECKPOINT_VERSION", 99)
    save_checkpoint(here / "run" / CHECKPOINT, {}, kind="training-state", metadata={})
    monkeypatch.undo()
    capsys.readouterr()
    assert train(here / "archive", here / "run") == 2
    text = said(capsys)
    assert "checkpoint version 99, this program reads 1; use the release that wrote it" in text


def break_version(archive: Path) -> None:
    manifest = json.loads((archive / "manifest.json").read_text())
    manifest["version"] = ARCHIVE_VERSION + 1
    (archive / "manifest.json").write_text(json.dumps(manifest))


def break_moves(archive: Path) -> None:
    flip(archive / "moves.npy")


def cut_moves(archive: Path) -> None:
    truncate(archive / "moves.npy")


def lose_moves(archive: Path) -> None:
    (archive / "moves.npy").unlink()


def empty_manifest(archive: Path) -> None:
    empty(archive / "manifest.json")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (shutil.rmtree, "is not an archive (no manifest.json): make one with `selfplay ingest`"),
        (break_version, f"version {ARCHIVE_VERSION + 1}, this program reads"),
        (break_moves, "is damaged: run `selfplay ingest` again"),
        (cut_moves, "run `selfplay ingest` again"),
        (lose_moves, "moves.npy'): run `selfplay ingest` again"),
        (empty_manifest, "manifest.json is damaged"),
    ],
)
def test_an_unreadable_archive(
    here: Path,
    damage: Callable[[Path], None],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(here / "archive")
    assert words in failed(here, capsys, MISUSED)


@pytest.mark.parametrize("name", ["manifest.json", "moves.npy"])
def test_an_archive_without_permission(
    here: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    if name == "manifest.json":
        monkeypatch.setattr(Path, "read_text", refuse)
    else:
        monkeypatch.setattr(np, "load", refuse)
    capsys.readouterr()
    assert train(here / "archive", here / "run") == 2
    text = said(capsys)
    assert "cannot be read" in text and "Permission denied" in text
    assert "change its permissions" in text


def test_a_full_disk(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = pytest.importorskip("resource", reason="no limits on the size of files here")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    small = (here / "run" / CHECKPOINT).stat().st_size // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (small, old[1]))
    try:
        text = failed(here, capsys)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert "cannot write" in text and "make room there" in text and "still stands" in text
    assert not list((here / "run").glob(".*.tmp"))


def test_no_room_for_the_metrics(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cnncore.training.curves.MetricsLog.write", full)
    capsys.readouterr()
    assert train(here / "archive", here / "run") == 1
    text = said(capsys)
    assert "disk takes no more" in text and "make room" in text
    assert tensors(here / "run")


def test_a_loss_that_is_not_finite(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    poison_loss(monkeypatch, lambda value: value * float("nan"))
    assert "no longer finite" in failed(here, capsys)


def test_weights_that_are_not_finite_are_never_saved(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Poison(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: Tensor) -> Tensor:
            return value.clone()

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * float("nan")

    poison_loss(monkeypatch, Poison.apply)
    text = failed(here, capsys)
    assert "no longer finite" in text and "lower learning rate" in text


def poison_loss(monkeypatch: pytest.MonkeyPatch, poison: Callable[[Tensor], Any]) -> None:
    sound = selfplay.learners.policy_lessons.policy_loss

    def poisoned(*args: Any, **kwargs: Any) -> Any:
        loss = sound(*args, **kwargs)

        def spoil(*inner: Any) -> Any:
            value, measures = loss(*inner)
            return poison(value), measures

        return spoil

    monkeypatch.setattr(selfplay.learners.policy_lessons, "policy_loss", poisoned)


def no_room_for_an_array() -> None:
    np.empty(10**17)


def no_room_for_a_tensor() -> None:
    torch.empty(10**17)


def no_room_on_the_device() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


@pytest.mark.parametrize(
    "fail", [no_room_for_an_array, no_room_for_a_tensor, no_room_on_the_device]
)
def test_too_little_memory(
    here: Path,
    fail: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def poison(value: Tensor) -> Tensor:
        fail()
        return value

    poison_loss(monkeypatch, poison)
    text = failed(here, capsys)
    assert "not enough memory" in text and "--set batch=" in text


def test_a_defect_of_the_program_is_no_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(value: Tensor) -> Tensor:
        raise ZeroDivisionError("a defect")

    assert sentence(ZeroDivisionError("a defect")) is None
    poison_loss(monkeypatch, fail)
    with pytest.raises(ZeroDivisionError):
        train(here / "archive", here / "run")


def test_same_seed_same_weights(here: Path) -> None:
    for name, workers in (("one", "1"), ("two", "3")):
        assert train(here / "archive", here / name, "--workers", workers) == 0
    assert same(tensors(here / "one"), tensors(here / "two"))
    assert train(here / "archive", here / "other", "--set", "seed=2") == 0
    assert not same(tensors(here / "one"), tensors(here / "other"))
