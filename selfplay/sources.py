"""SGF text out of files, folders and packed collections, one piece at a time.

A piece is the bytes of one game where a collection has one game a line, else of a whole file. The
source of a game is the name of the file that it came in, without suffixes and a trailing ``-NN``;
loose .sgf files in a folder carry the name of the folder.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from goengine.types import GoError

MAX_PIECE = 256 * 2**20
"""Bytes of the biggest piece; what is bigger is not a game record."""

_SGF = (".sgf", ".mgt")
_PACKED = (".bz2", ".gz", ".xz", ".lzma")
_TARS = (".tar", ".tgz", ".tbz", ".tbz2", ".txz")
_PART = re.compile(r"-\d+\Z")
_FAILURES = (
    OSError,
    EOFError,
    RuntimeError,  # encrypted members
    NotImplementedError,  # unknown compression
    ValueError,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class SourceError(GoError):
    """An input that is not there."""


@dataclass(frozen=True)
class Piece:
    """Bytes of SGF text, or the reason why a file could not be read."""

    source: str
    data: bytes
    failure: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """A file to read and the name of its source."""

    path: Path
    source: str


def find_files(paths: Sequence[str | Path]) -> list[SourceFile]:
    """Return the files that paths name; folders are searched for SGF files, packed or not.

    Raises:
        SourceError: a path does not exist.
    """
    found = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            for member in sorted(path.rglob("*")):
                if member.is_file() and _wanted(member.name):
                    loose = member.name.lower().endswith(_SGF)
                    name = path.resolve().name if loose else source_name(member.name)
                    found.append(SourceFile(member, name))
        elif path.exists():
            found.append(SourceFile(path, source_name(path.name)))
        else:
            raise SourceError(f"{path} does not exist: name SGF files, packed collections, folders")
    return found


def source_name(file_name: str) -> str:
    """Return the name of a source: ``pro-01.sgf.bz2`` is part of ``pro``."""
    stem = file_name
    while True:
        shorter, dot, suffix = stem.rpartition(".")
        if not shorter or f"{dot}{suffix}".lower() not in (*_SGF, *_PACKED, *_TARS, ".zip"):
            return _PART.sub("", stem) or stem
        stem = shorter


class PieceReader:
    """Iterate over the pieces of many files, knowing how many bytes of them are done."""

    def __init__(self, files: Sequence[SourceFile]) -> None:
        self.files = files
        self.total = sum(file.path.stat().st_size for file in files)
        self._done = 0
        self._raw: IO[bytes] | None = None

    @property
    def done(self) -> int:
        """Bytes of the files (packed as they are) that have been read."""
        return self._done + (self._raw.tell() if self._raw and not self._raw.closed else 0)

    def __iter__(self) -> Iterator[Piece]:
        for file in self.files:
            size = 0
            try:
                size = file.path.stat().st_size
                with file.path.open("rb") as self._raw:
                    for data in _texts(self._raw, file.path.name):
                        yield Piece(file.source, data)
            except _FAILURES as error:
                yield Piece(file.source, b"", f"{file.path.name}: {error}")
            self._raw = None
            self._done += size


def _wanted(name: str) -> bool:
    lower = name.lower()
    if lower.endswith(_PACKED):
        inner = lower.rpartition(".")[0]
        return inner.endswith((*_SGF, ".tar"))
    return lower.endswith((*_SGF, *_TARS, ".zip"))


def _texts(raw: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the SGF texts in one file, packed as its name says."""
    lower = name.lower()
    if lower.endswith(".zip"):
        yield from _zip_members(raw)
    elif lower.endswith(_TARS) or any(lower.endswith(f".tar{suffix}") for suffix in _PACKED):
        yield from _tar_members(raw)
    else:
        yield from _split(_unpacked(raw, lower))


def _unpacked(raw: IO[bytes], lower: str) -> IO[bytes]:
    if lower.endswith(".bz2"):
        return cast(IO[bytes], bz2.open(raw))
    if lower.endswith(".gz"):
        return cast(IO[bytes], gzip.open(raw))
    if lower.endswith((".xz", ".lzma")):
        return cast(IO[bytes], lzma.open(raw))
    return raw


def _zip_members(raw: IO[bytes]) -> Iterator[bytes]:
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if not info.is_dir() and _wanted(info.filename):
                with archive.open(info) as member:
                    yield from _split(_unpacked(member, info.filename.lower()))


def _tar_members(raw: IO[bytes]) -> Iterator[bytes]:
    with tarfile.open(fileobj=raw, mode="r:*") as archive:
        for info in archive:
            member = archive.extractfile(info) if info.isfile() and _wanted(info.name) else None
            if member is not None:
                yield from _split(_unpacked(member, info.name.lower()))


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield one line at a time while every line is a whole game, then the rest in one piece."""
    while True:
        line = stream.readline(MAX_PIECE)
        if not line:
            return
        text = line.strip()
        if not text:
            continue
        if not (text.startswith(b"(;") and text.endswith(b")")) or (
            text.count(b"(") != text.count(b")")
        ):
            break
        yield text
    rest = line + stream.read(MAX_PIECE)
    if len(rest) >= MAX_PIECE:
        raise ValueError(f"more than {MAX_PIECE} bytes in one piece of text")
    yield rest
