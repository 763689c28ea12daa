"""A place where no folder can be is named in one sentence, by every command that writes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnncore.system.folder_lock import LOCK, locked
from cnncore.system.folders import FolderError, make_folder
from selfplay.__main__ import main
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import small_run


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


@pytest.mark.parametrize("below", ["", "deeper"])
def test_commands_say_it_in_one_line(
    tmp_path: Path, below: str, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = make_archive(tmp_path / "archive", games=60)
    run = small_run(tmp_path / "run", archive)
    run.fit(minutes=0.0)
    file = tmp_path / "file"
    file.write_text("x")
    train = ["train", "policy-64", "--data", str(archive.path), "--out", str(file / below)]
    export = ["export", str(run.folder), "--out", str(file / below / "net.safetensors")]
    for words in (train, export):
        assert main(words) == 1
        told = capsys.readouterr().err.splitlines()[-1]
        assert told.startswith(f"selfplay {words[0]}: {file} is a file, not a folder")
        assert "Errno" not in told
