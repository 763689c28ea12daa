"""Two programs never train in one folder, and a killed one leaves no locked folder behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

import cnncore.system.folder_lock
from cnncore.system.folder_lock import LOCK, locked
from cnncore.training.run_folder import FolderInUseError, RunFolder
from tests.helpers.occupied import occupied


def test_a_folder_is_held_by_one_process_until_it_dies(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run"
    files = RunFolder(folder)
    with occupied(folder):
        for _ in range(2):
            with pytest.raises(FolderInUseError, match=r"run: wait for its end, stop it, or give"):
                with files.held():
                    raise AssertionError("held by two")
        with RunFolder(tmp_path / "other").held():
            assert (tmp_path / "other" / LOCK).is_file()
    with files.held():
        assert [path.name for path in folder.iterdir()] == [LOCK]
    with occupied(folder), locked(folder) as mine:  # it was given back at the end of the block
        assert not mine


def test_without_locks_a_warning_stands_in_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(cnncore.system.folder_lock, "_lock", refuse)
    with locked(tmp_path) as mine:
        assert mine
    assert f"{tmp_path} cannot be locked" in caplog.text
