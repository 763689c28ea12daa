"""Folders to write into: the user's cache and configuration, and others made with a sentence.

Imports only the standard library.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


class FolderError(OSError):
    """A folder that cannot be made or written into."""


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, where they are not there yet.

    Raises:
        FolderError: the folder cannot be made or written into.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_error(folder, error) from error


def folder_error(folder: Path, error: OSError) -> FolderError:
    """Return the sentence for a folder that the system refuses to make or to write into."""
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not there.is_dir():
        whole = "" if there == folder else f", so that {folder} cannot be made"
        return FolderError(f"{there} is a file, not a folder{whole}; give another folder")
    return FolderError(
        f"nothing can be written in {folder} ({error.strerror}); mend that or give another folder"
    )


def cache_folder(program: str) -> Path:
    """Return where this user's system keeps what a program can make again; it need not be there."""
    local = ("LOCALAPPDATA", "AppData/Local")
    return _user_folder(program, local, "Library/Caches", ("XDG_CACHE_HOME", ".cache"))


def config_folder(program: str) -> Path:
    """Return where this user's system keeps what a program must not forget; it may not be there."""
    roaming = ("APPDATA", "AppData/Roaming")
    mac = "Library/Application Support"
    return _user_folder(program, roaming, mac, ("XDG_CONFIG_HOME", ".config"))


def _user_folder(program: str, windows: tuple[str, str], mac: str, others: tuple[str, str]) -> Path:
    """Return a program's folder below the one that this system names.

    `windows`, `others`: the variable that names it, and its place in the user's home without that.
    """
    home = Path.home()
    if sys.platform == "darwin":
        return home / mac / program
    variable, place = windows if sys.platform == "win32" else others
    return Path(os.environ.get(variable) or home / place) / program
