"""Commands name a device or a number of threads that is not there; every failure is a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

import selfplay.commands.travel.lease
from selfplay.__main__ import main
from selfplay.training.failures import fail
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)


def _words(command: str, folder: Path) -> list[str]:
    """Return a complete command on an archive in `folder`."""
    data = ["--data", str(folder / "archive")]
    if command == "evaluate":
        return [command, "policy-64", *data, "--limit", "2"]
    minutes = ["--minutes", "2", "--work", str(folder / "work")] if command == "lease" else []
    sizes = ["filters=4", "layers=3", "grow=[]", "positions=16", "batch=8", "validate_positions=8"]
    settings = [word for size in sizes for word in ("--set", size)]
    return [command, "policy-64", *data, "--out", str(folder / "out"), *minutes, *settings]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    make_archive(folder / "archive", games=60)
    return folder


@pytest.mark.parametrize("command", ["train", "lease", "evaluate"])
def test_an_absent_device_is_named(
    command: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([*_words(command, folder), "--device", "cuda"]) == 2
    told = "device 'cuda' is not available on this machine: use cpu"
    assert capsys.readouterr().err == f"selfplay {command}: {told}\n"
    assert main([*_words(command, folder), "--device", "graphics"]) == 2
    told = "'graphics' is not a device: use cuda, mps or cpu"
    assert capsys.readouterr().err == f"selfplay {command}: {told}\n"


@pytest.mark.parametrize("command", ["train", "lease", "evaluate"])
@pytest.mark.parametrize("count", ["0", "-2", "many"])
def test_threads_are_counted_from_one(
    command: str, count: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*_words(command, folder), "--threads", count])
    assert end.value.code == 2
    assert (
        f"--threads: {count!r} is not possible: use a whole number from 1"
        in capsys.readouterr().err
    )


def test_a_lease_says_that_the_disk_is_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pack(runs: dict[str, Path], out: Path) -> list[Path]:
        raise OSError(errno.ENOSPC, "No space left on device", str(out))

    monkeypatch.setattr(selfplay.commands.travel.lease, "pack_runs", pack)
    words = ["--device", "cpu", "--threads", "1", "--workers", "1"]
    assert main([*_words("lease", folder), *words]) == 1
    assert "selfplay lease: the disk takes no more" in capsys.readouterr().err
    assert (folder / "work" / "policy-64" / "checkpoint.safetensors").is_file()


def test_a_reader_who_has_gone_is_no_failure_of_the_command() -> None:
    with pytest.raises(BrokenPipeError):
        fail("evaluate", BrokenPipeError())
