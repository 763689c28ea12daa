"""Files are whole or not there, and nothing else stays beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cnncore.system.atomic import replacing, temporary_beside, write_bytes, write_text

ROOT = Path(__file__).resolve().parents[3]
DIES = """
import os, signal, sys
from pathlib import Path
from cnncore.system.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_text(file, "old é\n")
    with replacing(file) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name == f".x.json.{os.getpid()}.tmp" and not temporary.exists()
        temporary.write_text("new")
        assert file.read_bytes() == "old é\n".encode()
    assert file.read_text() == "new" and names(tmp_path) == ["x.json"]
    write_bytes(file, b"\r\n")
    assert file.read_bytes() == b"\r\n"


def test_an_exception_leaves_the_old_file_alone(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "old")
    with pytest.raises(KeyboardInterrupt):
        with replacing(tmp_path / "x") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt
    assert (tmp_path / "x").read_text() == "old" and names(tmp_path) == ["x"]


def test_a_second_name_of_the_same_file_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "text")
    with replacing(tmp_path / "x") as temporary:
        os.link(tmp_path / "x", temporary)  # os.replace does nothing then
    assert (tmp_path / "x").read_text() == "text" and names(tmp_path) == ["x"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_killed_writers_leave_at_most_one_file_each_until_the_next(tmp_path: Path) -> None:
    file = tmp_path / "a[1].txt"
    for _ in range(3):
        killed = subprocess.run([sys.executable, "-c", DIES, str(file)], cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert len(names(tmp_path)) == 1 and not file.exists()
    write_text(file, "whole")
    assert names(tmp_path) == ["a[1].txt"]


def test_the_living_and_other_files_keep_theirs(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with other:
        kept = {
            f".x.{other.pid}.tmp",
            f".x.old.{os.getpid()}.tmp",
            ".x.y.tmp",
            f"x.{other.pid}.tmp",
        }
        for name in kept:
            (tmp_path / name).touch()
        (tmp_path / f".x.{os.getpid()}.tmp").mkdir()
        assert not temporary_beside(tmp_path / "x").exists()
        assert set(names(tmp_path)) == kept
        other.communicate(b"\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
        write_text(tmp_path / "pipe", "text")
        assert reader.communicate()[0] == b"text"
    assert (tmp_path / "pipe").is_fifo()


def test_nothing_else_is_imported() -> None:
    code = "import sys, cnncore.system.atomic; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"torch", "numba", "numpy"} & set(done.stdout.split())
