"""The folder of a run, claimed for one program and left as it was if no run begins there."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnncore.system.parallel import ALONE, Processes
from cnncore.training.run_folder import RunFolder


@contextmanager
def claimed(folder: Path, processes: Processes = ALONE) -> Iterator[None]:
    """Keep other programs from training in a folder in this block, and make the folder.

    If the block fails before a run has begun there and before metrics were written, everything that
    it made is removed, the folder and its parents included.

    Raises:
        FolderInUseError: another program trains there.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    before = set(folder.iterdir()) if folder.is_dir() else set()
    files = RunFolder(folder, processes)
    failed = False
    left: list[Path] = []
    try:
        with files.held():
            try:
                yield
            except BaseException:
                failed = processes.leads and not files.begun and not files.metrics.path.exists()
                if failed:
                    left = _remove(set(folder.iterdir()) - before)
                raise
    finally:
        _remove(left)  # Windows does not remove the lock's file before it is unlocked
        for path in made if failed else ():
            with suppress(OSError):  # another program has put something there
                path.rmdir()


def _remove(paths: Iterable[Path]) -> list[Path]:
    """Remove files and folders, and return those that the system refuses to remove."""
    left = []
    for path in paths:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError:
            left.append(path)
    return left
