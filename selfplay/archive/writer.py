"""Write archives whole or not at all; the table of files is in reader.py."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from cnncore.system.atomic import temporary_beside
from goengine.games.record import GameRecord
from selfplay.archive.game_blocks import (
    COLUMN_TABLE,
    GAME_DTYPE,
    TABLES,
    ArchiveError,
    Block,
    Colours,
    Games,
    Moves,
    NameTable,
)
from selfplay.archive.reader import (
    ARCHIVE_VERSION,
    Archive,
    archive_digest,
    read_manifest,
    restricted,
)


class ArchiveWriter:
    """Write an archive beside its final place and move it there when it is whole.

    Use it as a context manager: leaving it by an exception leaves nothing behind. After a crash
    a hidden folder may stay; the next writer of the same archive removes it.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Prepare to write a folder.

        Raises:
            ArchiveError: the folder exists and is not to be overwritten, or is not an archive,
                or cannot be made.
        """
        self.path = Path(path).absolute()
        if self.path.exists():
            if not overwrite:
                raise ArchiveError(f"{self.path} exists: choose another name or use --overwrite")
            read_manifest(self.path, any_version=True)
        self._folder = temporary_beside(self.path)
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir()
            self._file = (self._folder / "moves.npy").open("wb+")
            self._header(0)
        self._start = self._file.tell()
        self._positions = 0
        self._stones = 0
        self._games: list[Games] = []
        self._setup: list[Moves] = []
        self._learn: list[Colours] = []
        self._tables = {name: NameTable() for name in TABLES}

    def add(self, record: GameRecord, source: str) -> None:
        """Append one game.

        Raises:
            ArchiveError: its colours do not alternate.
        """
        self.extend(Block.from_records([record], [source]))

    def extend(self, block: Block) -> None:
        """Append the games of a block.

        Raises:
            ArchiveError: the disk refuses.
        """
        games = block.games.copy()
        games["offset"] += self._positions
        games["setup"] += self._stones
        for column, name in COLUMN_TABLE.items():
            used = np.unique(games[column])
            renumber = np.zeros(len(block.tables[name]), dtype=np.uint16)
            renumber[used] = [self._tables[name].number(block.tables[name][i]) for i in used]
            games[column] = renumber[games[column]]
        with _writing(self.path):
            self._file.write(np.ascontiguousarray(block.moves, dtype=np.int16).data)
        self._games.append(games)
        self._setup.append(np.array(block.setup))
        self._learn.append(np.array(block.learn))
        self._positions += len(block.moves)
        self._stones += len(block.setup)

    def commit(self, notes: Mapping[str, Any] | None = None) -> Archive:
        """Finish the files, move the archive to its place and open it.

        `notes` go into the manifest as they are (how the archive was made).

        Raises:
            ArchiveError: the disk refuses.
        """
        with _writing(self.path):
            self._finish(dict(notes or {}))
        return Archive.open(self.path)

    def _finish(self, notes: dict[str, Any]) -> None:
        self._file.seek(0)
        self._header(self._positions)
        if self._file.tell() != self._start:
            raise ArchiveError("numpy wrote a header of another length: update numpy")
        self._file.close()
        games = np.concatenate([np.zeros(0, GAME_DTYPE), *self._games])
        setup = np.concatenate([np.zeros(0, np.int16), *self._setup])
        learn = np.concatenate([np.zeros(0, np.uint8), *self._learn])
        np.save(self._folder / "games.npy", games)
        np.save(self._folder / "setup.npy", setup)
        for chosen in restricted(learn):
            np.save(self._folder / "learn.npy", chosen)
        moves = np.load(self._folder / "moves.npy", mmap_mode="r")
        manifest = {
            "version": ARCHIVE_VERSION,
            "digest": archive_digest(games, moves, setup, *restricted(learn)),
            "games": len(games),
            "positions": self._positions,
            **{name: table.names for name, table in self._tables.items()},
            "notes": notes,
        }
        del moves
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (self._folder / "manifest.json").write_text(text + "\n", "utf-8")
        old = temporary_beside(self.path.with_name(f"{self.path.name}.old"))
        if self.path.exists():
            self.path.rename(old)
        self._folder.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)

    def abort(self) -> None:
        """Remove what was written so far; harmless after `commit`."""
        with suppress(OSError):  # a full disk refuses what is still to be flushed
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _header(self, positions: int) -> None:
        """Write the header of moves.npy; numpy pads it so that its length stays the same."""
        header = {"descr": "<i2", "fortran_order": False, "shape": (positions,)}
        np.lib.format.write_array_header_1_0(self._file, header)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say which archive cannot be written when the disk refuses."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"cannot write archive {path} ({error}): make room there or name another folder"
        ) from error
