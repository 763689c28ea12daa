"""A place where a folder cannot be is named in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.system.folder_lock import LOCK, locked
from cnncore.system.folders import FolderError, make_folder


def test_a_folder_and_its_parents_are_made(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("below", ["", "b", "b/c"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    with pytest.raises(FolderError, match=r"a is a file, not a folder.*give another") as caught:
        make_folder(file / below)
    assert "Errno" not in str(caught.value) and file.read_text() == "x"


def test_a_folder_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FolderError, match=r"written in .*new \(Permission denied\); mend that"):
        make_folder(tmp_path / "new")


def test_a_folder_without_room_for_the_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()
    with pytest.raises(FolderError, match="nothing can be written in"), locked(tmp_path):
        raise AssertionError("held without a lock")
