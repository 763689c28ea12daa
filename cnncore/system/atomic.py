"""Files that are there whole or not at all: written beside their place, then moved into it.

A process writes under a hidden name of its own, `.NAME.PID.tmp`, in the same folder. An exception
takes that away; what a killed process left goes when another one next writes the same file, so that
at most one lies there for each (on Windows, where nobody can ask so simply whether a process lives,
they stay). Only the standard library is imported, for programs that must answer before torch is
loaded.
"""

from __future__ import annotations

import glob
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield where to write what takes the place of `path` when the block ends without exception.

    Pipes and devices are written directly: they are yielded themselves.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        yield path
        return
    temporary = temporary_beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path | str, data: bytes, *, lasting: bool = False) -> None:
    """Write a file of bytes; `path` holds the old file or the complete new one.

    A `lasting` one does so after a power cut too, for it waits for the disk.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        if lasting:
            file.flush()
            os.fsync(file.fileno())


def write_text(path: Path | str, text: str) -> None:
    """Write a file of text in UTF-8; `path` holds the old file or the complete new one."""
    write_bytes(path, text.encode("utf-8"))


def temporary_beside(path: Path) -> Path:
    """Return where this process writes what is to become `path`, a file or a folder.

    Nothing is there: what this process or one that has ended left of earlier attempts is removed.
    """
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        pid = left.name[len(path.name) + 2 : -len(".tmp")]
        if pid.isdecimal() and (int(pid) == os.getpid() or not _alive(int(pid))):
            _remove(left)
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _alive(pid: int) -> bool:
    if sys.platform == "win32":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):  # another process may have removed it first
            path.unlink()
