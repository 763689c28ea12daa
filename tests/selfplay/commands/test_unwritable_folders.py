"""A place where a folder cannot be is named in one sentence, by every command that writes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfplay.__main__ import main
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import small_run


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
