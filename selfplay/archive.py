"""Games on disk: a folder of .npy files that numpy maps into memory.

============  =====================  ======================================================
file          dtype, shape           content
============  =====================  ======================================================
moves.npy     int16 (M,)             all moves of all games, one after the other (N*N = pass)
setup.npy     int16 (S,)             set-up stones of all games: black ones, then white ones
games.npy     GAME_DTYPE (G,)        one record a game, in the order of ``moves``
manifest.json                        version, digest, counts, the names behind the numbers
============  =====================  ======================================================

Colours alternate from ``first``. Games lie without gaps, so a random index into ``moves`` is a
random (game, ply), and ``moves[offset : offset + ply]`` are the moves before it. Reading needs
numpy only; no SGF parser is imported.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.record import GameRecord
from goengine.types import opponent
from selfplay.layout import (
    COLUMN_TABLE,
    GAME_DTYPE,
    SPLITS,
    TABLES,
    ArchiveError,
    Block,
    Games,
    Moves,
    NameTable,
    game_digest,
    split_of,
)

__all__ = [
    "ARCHIVE_VERSION",
    "GAME_DTYPE",
    "SPLITS",
    "Archive",
    "ArchiveError",
    "ArchiveWriter",
    "Block",
    "game_digest",
    "split_of",
]

ARCHIVE_VERSION = 1


class Archive:
    """A read-only archive; the arrays are mapped, so opening one costs nothing."""

    def __init__(self, path: Path, games: Games, moves: Moves, setup: Moves, manifest: Any) -> None:
        self.path = path
        self.games = games
        self.moves = moves
        self.setup = setup
        self.manifest: dict[str, Any] = manifest

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Archive:
        """Open an archive folder.

        Raises:
            ArchiveError: there is none, it is damaged, or another version wrote it.
        """
        folder = Path(path)
        manifest = _read_manifest(folder)
        try:
            games, moves, setup = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in ("games", "moves", "setup")
            )
        except (OSError, ValueError, EOFError) as error:
            raise ArchiveError(
                f"archive {folder} is damaged ({error}): run `selfplay ingest` again"
            ) from error
        _check_shapes(folder, manifest, games, moves, setup)
        return cls(folder, games, moves, setup, manifest)

    def __len__(self) -> int:
        return len(self.games)

    @property
    def digest(self) -> str:
        """Hex digest over all games, moves and set-up stones."""
        return str(self.manifest["digest"])

    @property
    def sources(self) -> list[str]:
        """Names of the sources, by the number in ``games["source"]``; number 0 is no source."""
        return list(self.manifest["sources"])

    @property
    def ranks(self) -> list[str]:
        """Ranks as written (``9p``, ``6d``, ``ama``, titles), by number; number 0 is unknown."""
        return list(self.manifest["ranks"])

    @property
    def rules(self) -> list[str]:
        """Rule sets as written, by number; number 0 is unknown."""
        return list(self.manifest["rules"])

    def split(self, name: str, *, sources: Sequence[str] | None = None) -> npt.NDArray[np.int64]:
        """Return the indices of the games of one split, of all sources or of those named.

        Raises:
            ArchiveError: no such split or source.
        """
        if name not in SPLITS:
            raise ArchiveError(f"{name!r} is not a split: use {', '.join(SPLITS)}")
        keep = split_of(self.games["digest"]) == SPLITS.index(name)
        if sources is not None:
            keep &= np.isin(self.games["source"], self.source_numbers(sources))
        return np.flatnonzero(keep)

    def source_numbers(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of sources.

        Raises:
            ArchiveError: a name is not in the archive.
        """
        known = self.sources
        for name in names:
            if name not in known[1:]:
                raise ArchiveError(f"no source {name!r} in {self.path}: it has {known[1:]}")
        return [known.index(name) for name in names]

    def game(self, index: int) -> GameRecord:
        """Return one game; names and event are not kept in archives."""
        row = self.games[index]
        moves = self.moves[row["offset"] : row["offset"] + row["length"]].tolist()
        stones = self.setup[row["setup"] :]
        black, total = int(row["black_stones"]), int(row["black_stones"]) + int(row["white_stones"])
        first = int(row["first"])
        colours = (first, opponent(first))
        komi = float(row["komi"])
        return GameRecord(
            size=int(row["size"]),
            komi=None if math.isnan(komi) else komi,
            rules=self.manifest["rules"][row["rules"]] or None,
            handicap=int(row["handicap"]),
            setup_black=tuple(stones[:black].tolist()),
            setup_white=tuple(stones[black:total].tolist()),
            to_play=first,
            moves=tuple((colours[ply % 2], move) for ply, move in enumerate(moves)),
            result=row["result"].decode("ascii") or None,
            black_rank=self.manifest["ranks"][row["black_rank"]] or None,
            white_rank=self.manifest["ranks"][row["white_rank"]] or None,
            date=_format_date(int(row["date"])),
        )

    def block(self, indices: npt.NDArray[np.int64]) -> Block:
        """Return some games (ascending indices) as a block, for a new archive."""
        keep = np.zeros(len(self), dtype=bool)
        keep[indices] = True
        tables = {name: list(self.manifest[name]) for name in TABLES}
        return Block(self.games, self.moves, self.setup, tables).select(keep)

    def verify(self) -> None:
        """Read everything and compare it with the digest.

        Raises:
            ArchiveError: some byte has changed.
        """
        if _digest(self.games, self.moves, self.setup) != self.digest:
            raise ArchiveError(f"archive {self.path} is damaged: run `selfplay ingest` again")


def _read_manifest(folder: Path, *, any_version: bool = False) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ArchiveError(
            f"{folder} is not an archive (no manifest.json): make one with `selfplay ingest`"
        ) from None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{path} is damaged ({error}): run `selfplay ingest` again") from error
    version = manifest.get("version") if isinstance(manifest, dict) else None
    if any_version and isinstance(version, int):
        return dict(manifest)
    if version != ARCHIVE_VERSION:
        raise ArchiveError(
            f"archive {folder} has version {version}, this program reads version "
            f"{ARCHIVE_VERSION}: run `selfplay ingest` again"
        )
    missing = [key for key in ("digest", "games", "positions", *TABLES) if key not in manifest]
    if missing:
        raise ArchiveError(f"{path} is damaged (no {missing[0]!r}): run `selfplay ingest` again")
    return dict(manifest)


def _check_shapes(folder: Path, manifest: Any, games: Games, moves: Moves, setup: Moves) -> None:
    sound = (
        games.dtype == GAME_DTYPE
        and moves.dtype == np.int16
        and setup.dtype == np.int16
        and len(games) == manifest["games"]
        and len(moves) == manifest["positions"] == int(games["length"].sum(dtype=np.int64))
    )
    if not sound:
        raise ArchiveError(
            f"archive {folder} is damaged (the files do not fit each other): "
            f"run `selfplay ingest` again"
        )


def _format_date(date: int) -> str | None:
    if not date:
        return None
    text = f"{date // 10000:04d}"
    for part in (date // 100 % 100, date % 100):
        if not part:
            break
        text += f"-{part:02d}"
    return text


class ArchiveWriter:
    """Write an archive beside its final place and move it there when it is whole.

    Use it as a context manager: leaving it by an exception leaves nothing behind. After a crash
    a hidden folder may stay; the next writer of the same archive removes it.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Prepare to write a folder.

        Raises:
            ArchiveError: the folder exists and is not to be overwritten, or is no archive.
        """
        self.path = Path(path).absolute()
        if self.path.exists():
            if not overwrite:
                raise ArchiveError(f"{self.path} exists: choose another name or use --overwrite")
            _read_manifest(self.path, any_version=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(self.path)
        self._folder = _partial(self.path, os.getpid())
        self._folder.mkdir()
        self._file = (self._folder / "moves.npy").open("wb+")
        self._header(0)
        self._start = self._file.tell()
        self._positions = 0
        self._stones = 0
        self._games: list[Games] = []
        self._setup: list[Moves] = []
        self._tables = {name: NameTable() for name in TABLES}

    def add(self, record: GameRecord, source: str) -> None:
        """Append one game.

        Raises:
            ArchiveError: its colours do not alternate.
        """
        self.extend(Block.from_records([record], [source]))

    def extend(self, block: Block) -> None:
        """Append the games of a block."""
        games = block.games.copy()
        games["offset"] += self._positions
        games["setup"] += self._stones
        for column, name in COLUMN_TABLE.items():
            used = np.unique(games[column])
            renumber = np.zeros(len(block.tables[name]), dtype=np.uint16)
            renumber[used] = [self._tables[name].number(block.tables[name][i]) for i in used]
            games[column] = renumber[games[column]]
        self._file.write(np.ascontiguousarray(block.moves, dtype=np.int16).data)
        self._games.append(games)
        self._setup.append(np.array(block.setup))
        self._positions += len(block.moves)
        self._stones += len(block.setup)

    def commit(self, notes: Mapping[str, Any] | None = None) -> Archive:
        """Finish the files, move the archive to its place and open it.

        ``notes`` go into the manifest as they are (how the archive was made).
        """
        self._file.seek(0)
        self._header(self._positions)
        if self._file.tell() != self._start:
            raise ArchiveError("numpy wrote a header of another length: update numpy")
        self._file.close()
        games = np.concatenate([np.zeros(0, GAME_DTYPE), *self._games])
        setup = np.concatenate([np.zeros(0, np.int16), *self._setup])
        np.save(self._folder / "games.npy", games)
        np.save(self._folder / "setup.npy", setup)
        moves = np.load(self._folder / "moves.npy", mmap_mode="r")
        manifest = {
            "version": ARCHIVE_VERSION,
            "digest": _digest(games, moves, setup),
            "games": len(games),
            "positions": self._positions,
            **{name: table.names for name, table in self._tables.items()},
            "notes": dict(notes or {}),
        }
        del moves
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (self._folder / "manifest.json").write_text(text + "\n", "utf-8")
        old = self.path.with_name(f".{self.path.name}.old-{os.getpid()}")
        if self.path.exists():
            self.path.rename(old)
        self._folder.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)
        return Archive.open(self.path)

    def abort(self) -> None:
        """Remove what was written so far; harmless after ``commit``."""
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


def _partial(path: Path, pid: int | str) -> Path:
    return path.parent / f".{path.name}.partial-{pid}"


def _remove_stale(path: Path) -> None:
    """Remove what killed writers of the same archive have left."""
    for folder in path.parent.glob(_partial(path, "*").name):
        pid = folder.name.rpartition("-")[2]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    if sys.platform == "win32":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _digest(*arrays: npt.NDArray[Any]) -> str:
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(np.ascontiguousarray(array).view(np.uint8).data)
    return state.hexdigest()
