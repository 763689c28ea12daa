"""One program at a time in a folder: a lock that the system takes back when its holder dies.

The lock is on a file `.lock` in the folder, which stays there and means nothing by itself, so that
after `kill -9` or a power cut nobody has to remove it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

from cnncore.system.folders import folder_error, make_folder

log = logging.getLogger(__name__)

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Make a folder and lock it until the block ends; yield False where another process has it.

    Where the file system knows no locks a warning says so, and the folder counts as locked.

    Raises:
        FolderError: the folder cannot be made or written into.
    """
    make_folder(folder)
    try:
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise folder_error(folder, error) from error
    with file:  # closing it unlocks it
        try:
            _lock(file.fileno())
            mine = True
        except (BlockingIOError, PermissionError):
            mine = False
        except OSError as error:
            log.warning("%s cannot be locked (%s): start nothing else there", folder, error)
            mine = True
        yield mine


def _lock(descriptor: int) -> None:
    """Lock an open file for this process, at once or not at all."""
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
