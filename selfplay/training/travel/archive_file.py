"""An archive and its final ownership in one file, less than a byte a position for the games.

A zip file (stored, so that any tool lists it) of members that are compressed one by one, in
threads:

================  =========================================================================
member            content
================  =========================================================================
packed.json       version, the archive's manifest, how many set-up stones and chunks
moves.NNNN.bz2    moves.npy as int16, MOVES_A_CHUNK a chunk (bzip2 sorts 900 kB at a time)
setup.xz          setup.npy, int16
learn.xz          learn.npy, uint8; absent as in the archive
games.COLUMN.xz   one column of games.npy, first all lowest bytes, then the next ones;
                  "offset" and "setup" follow from the lengths and are left out
owners.games.xz   int32: the games whose final ownership is known; absent if there is none
owners.points.xz  int32: points of the boards of these games
owners.xz         int8: 1 where Black owns a point, -1 White, 0 nobody, game after game
================  =========================================================================
"""

from __future__ import annotations

import bz2
import json
import lzma
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnncore.system import atomic
from selfplay.archive.game_blocks import GAME_DTYPE, run_starts
from selfplay.archive.reader import Archive, ArchiveError, archive_digest, restricted
from selfplay.labelling.owners_file import (
    Ownership,
    owners_path,
    read_ownership,
    write_ownership,
)

PACKED_VERSION = 1
FACTS = "packed.json"
MOVES_A_CHUNK = 450_000

_FOLLOW = ("offset", "setup")
_DATE = (1980, 1, 1, 0, 0, 0)  # the same file of the same archive

_ZIP = b"PK\x03\x04"
"""How a zip file begins; its directory is at the end."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class PackedSizes:
    """What went into a file."""

    games: int
    """Games of the archive."""
    positions: int
    """Moves of all games."""
    game_bytes: int
    """Bytes of all about the games."""
    owned: int
    """Games whose ownership is known."""
    owner_bytes: int
    """Bytes of the ownership."""


def pack_archive(archive: Archive, path: Path) -> PackedSizes:
    """Write an archive, and the ownership beside it if there is one, into one file.

    Raises:
        ArchiveError: the archive or its ownership is damaged, or the file cannot be written.
    """
    archive.verify()
    beside = owners_path(archive.path)
    owners = read_ownership(beside, archive) if beside.is_file() else None
    stones = archive.games["black_stones"].astype(np.int64) + archive.games["white_stones"]
    starts = {"offset": run_starts(archive.games["length"]), "setup": run_starts(stones)}
    if any(not np.array_equal(archive.games[name], starts[name]) for name in _FOLLOW):
        raise ArchiveError(f"archive {archive.path} has gaps: run `selfplay ingest` again")
    about_games, about_owners = _games_parts(archive), _owner_parts(owners)
    facts = {
        "version": PACKED_VERSION,
        "manifest": archive.manifest,
        "setup": len(archive.setup),
        "chunks": sum(name.startswith("moves.") for name, _ in about_games),
    }
    text = json.dumps(facts, ensure_ascii=False).encode("utf-8")
    try:
        with atomic.replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
            file.writestr(zipfile.ZipInfo(FACTS, _DATE), text)
            sizes = [_add(file, parts) for parts in (about_games, about_owners)]
    except OSError as error:
        raise ArchiveError(
            f"cannot write {path} ({error}): make room there or give another --out"
        ) from error
    owned = 0 if owners is None else len(owners)
    return PackedSizes(len(archive), len(archive.moves), len(text) + sizes[0], owned, sizes[1])


def _games_parts(archive: Archive) -> list[tuple[str, Array]]:
    """Return the members about games, not yet compressed."""
    moves = archive.moves
    chunks = [moves[i : i + MOVES_A_CHUNK] for i in range(0, len(moves), MOVES_A_CHUNK)]
    parts: list[tuple[str, Array]] = [
        (f"moves.{number:04d}.bz2", np.ascontiguousarray(chunk, dtype="<i2"))
        for number, chunk in enumerate(chunks)
    ]
    parts += [
        (f"games.{name}.xz", _bytes_apart(archive.games[name]))
        for name in GAME_DTYPE.names or ()
        if name not in _FOLLOW
    ]
    parts.append(("setup.xz", np.ascontiguousarray(archive.setup, dtype="<i2")))
    parts += [("learn.xz", learn) for learn in restricted(archive.learn)]
    return parts


def _owner_parts(owners: Ownership | None) -> list[tuple[str, Array]]:
    """Return the members about ownership, not yet compressed."""
    if owners is None:
        return []
    return [
        ("owners.games.xz", owners.games.astype("<i4")),
        ("owners.points.xz", owners.points.astype("<i4")),
        ("owners.xz", owners.owners.astype(np.int8)),
    ]


def _bytes_apart(column: Array) -> Array:
    """Return a column's bytes, all first ones, then all second ones, and so on."""
    flat = np.ascontiguousarray(column).view(np.uint8).reshape(len(column), -1)
    return np.ascontiguousarray(flat.T)


def _add(file: zipfile.ZipFile, parts: Iterable[tuple[str, Array]]) -> int:
    """Compress parts in threads and add them to a zip file; return their bytes."""

    def compressed(part: tuple[str, Array]) -> tuple[str, bytes]:
        name, array = part
        return name, (bz2 if name.endswith(".bz2") else lzma).compress(array.tobytes())

    total = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, data in pool.map(compressed, parts):
            file.writestr(zipfile.ZipInfo(name, _DATE), data)
            total += len(data)
    return total


def is_packed(path: Path) -> bool:
    """Tell whether a path is a file that `pack_archive` may have begun, whole or cut short."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def unpack_archive(path: Path, folder: Path) -> Archive:
    """Write the archive of a file as a folder, with its ownership beside it, and open it.

    Every byte is compared with the archive's digest before the folder is there.

    Raises:
        ArchiveError: the file is not a packed archive, is damaged or of another version, or the
            folder exists or cannot be written.
    """
    if folder.exists():
        raise ArchiveError(f"{folder} exists: give another folder")
    try:
        facts, arrays = _read(path)
        games, moves, setup, learn = _archive_arrays(facts, arrays)
        digest = archive_digest(games, moves, setup, *learn)
        fits = len(games) == facts["manifest"]["games"] and digest == facts["manifest"]["digest"]
        owners = _owners(arrays, digest, len(games))
    except FileNotFoundError:
        raise ArchiveError(f"there is no file {path}: make it with `selfplay pack`") from None
    except Exception as error:
        if isinstance(error, ArchiveError):
            raise
        raise _damaged(path, str(error) or type(error).__name__) from error
    if not fits:
        raise _damaged(path, "its games are not those that were packed")
    temporary = atomic.temporary_beside(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        for name, array in (("games", games), ("moves", moves), ("setup", setup)):
            np.save(temporary / f"{name}.npy", array)
        for array in learn:
            np.save(temporary / "learn.npy", array)
        text = json.dumps(facts["manifest"], ensure_ascii=False, indent=1)
        (temporary / "manifest.json").write_text(text + "\n", "utf-8")
        if owners is not None:
            write_ownership(owners_path(folder), owners)
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise ArchiveError(
            f"cannot write {folder} ({error}): make room there or give another folder"
        ) from error
    return Archive.open(folder)


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(
        f"{path} is damaged ({why}): copy it again, or pack the archive again with `selfplay pack`"
    )


def packed_digest(path: Path) -> str:
    """Return the digest of the archive in a file, without unpacking it.

    Raises:
        ArchiveError: the file is not a packed archive.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return str(_facts(path, file)["manifest"]["digest"])
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ArchiveError):
            raise
        raise _damaged(path, str(error)) from error


def _facts(path: Path, file: zipfile.ZipFile) -> dict[str, Any]:
    """Return what a file says about its archive."""
    if FACTS not in file.namelist():
        raise ArchiveError(f"{path} is not a packed archive: make one with `selfplay pack`")
    facts: dict[str, Any] = json.loads(file.read(FACTS))
    if facts["version"] != PACKED_VERSION:
        raise ArchiveError(
            f"{path} was packed in version {facts['version']}, this program reads version "
            f"{PACKED_VERSION}: pack the archive again with this program"
        )
    return facts


def _read(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a file says about its archive, and its other members without compression."""
    if path.is_file() and not zipfile.is_zipfile(path):
        raise ArchiveError(
            f"{path} is not a packed archive, or is cut short: make one with `selfplay pack`"
        )
    with zipfile.ZipFile(path) as file:
        facts = _facts(path, file)
        names = [name for name in file.namelist() if name != FACTS]
        packed = [file.read(name) for name in names]

    def plain(name: str, data: bytes) -> bytes:
        decompress: Callable[[bytes], bytes] = (
            bz2.decompress if name.endswith(".bz2") else lzma.decompress
        )
        return decompress(data)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return facts, dict(zip(names, pool.map(plain, names, packed), strict=True))


def _archive_arrays(
    facts: dict[str, Any], members: dict[str, bytes]
) -> tuple[Array, Array, Array, list[Array]]:
    """Return games, moves, set-up stones and, if any, the colours to learn."""
    chunks = [members[f"moves.{number:04d}.bz2"] for number in range(facts["chunks"])]
    moves = np.frombuffer(b"".join(chunks), dtype="<i2").astype(np.int16, copy=False)
    setup = np.frombuffer(members["setup.xz"], dtype="<i2").astype(np.int16, copy=False)
    games = np.zeros(facts["manifest"]["games"], dtype=GAME_DTYPE)
    for name in GAME_DTYPE.names or ():
        if name not in _FOLLOW:
            kind = GAME_DTYPE[name]
            data = np.frombuffer(members[f"games.{name}.xz"], dtype=np.uint8)
            apart = data.reshape(kind.itemsize, len(games))
            games[name] = np.ascontiguousarray(apart.T).view(kind)[:, 0]
    games["offset"] = run_starts(games["length"])
    stones = games["black_stones"].astype(np.int64) + games["white_stones"]
    games["setup"] = run_starts(stones)
    learn = [np.frombuffer(members[n], dtype=np.uint8) for n in ("learn.xz",) if n in members]
    return games, moves, setup, learn


def _owners(members: dict[str, bytes], digest: str, games: int) -> Ownership | None:
    """Return the ownership, if there is one."""
    if "owners.xz" not in members:
        return None
    mine = np.frombuffer(members["owners.games.xz"], dtype="<i4")
    points = np.frombuffer(members["owners.points.xz"], dtype="<i4")
    owners = np.frombuffer(members["owners.xz"], dtype=np.int8)
    if len(owners) != int(points.sum(dtype=np.int64)) or len(mine) != len(points):
        raise ValueError("its ownership does not fit the games")
    if len(mine) and int(mine.max()) >= games:
        raise ValueError("its ownership is of games that it does not hold")
    return Ownership(digest, mine, points, owners)
