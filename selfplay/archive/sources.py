"""SGF text out of files, folders and packed collections, one piece at a time.

A piece is one line of a collection that has one game a line, else a whole file. A file with a
damaged game comes game by game, so that the others are kept. The source of a game is the name of
its file, without suffixes and a trailing `-NN`. Loose .sgf files carry the name of their folder:
those that a search of a folder finds, and those that are named and hold a single game.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, Self, cast

from goengine.types import GoError

MAX_PIECE = 256 * 2**20
"""Bytes of the biggest piece; what is bigger is not a game record."""

_VALUES = re.compile(rb"(?:\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\])++", re.DOTALL)
# The first node of a game up to a property that only roots have. A value that holds such text, say
# a comment, has a backslash before each of its closing brackets.
_ROOT = re.compile(
    rb"\s*\(\s*;\s*(?:[A-Za-z]+\s*(?:\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\]\s*)++)*?"
    rb"(?:AP|CA|FF|GM|ST|SZ)\s*\[[^\\\]]*+\]",
    re.DOTALL,
)
_HEAD = 4096  # bytes in which a root must show itself
_SGF = (".sgf", ".mgt")
_REVIEW = ".review.sgf"
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
    """SGF text of one game or of a whole file, or the reason why it could not be read."""

    source: str
    """Name of the source that the games count for."""
    data: bytes
    """The text; empty where it could not be read."""
    file: str = ""
    """Path of the file; for a member of a package, the package and the member."""
    number: int = 1
    """Place of the piece among those of its file, from 1."""
    failure: str | None = None
    """Why the file or the member could not be read; None where it could."""
    review: bool = False
    """Whether this is a review that `goengine review` wrote beside a game; it is not read."""


@dataclass(frozen=True)
class SourceFile:
    """A file to read."""

    path: Path
    """Where it is."""
    source: str
    """The name of its source."""


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
            folder = path.parent.resolve().name
            name = folder if folder and _loose(path) else source_name(path.name)
            found.append(SourceFile(path, name))
        else:
            raise SourceError(f"{path} does not exist: name SGF files, packed collections, folders")
    return found


def source_name(file_name: str) -> str:
    """Return the name of a source: `pro-01.sgf.bz2` is part of `pro`."""
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
                    yield from _pieces(self._raw, file)
            except _FAILURES as error:
                failure = f"{file.path.name}: {error}"
                yield Piece(file.source, b"", str(file.path), failure=failure)
            self._raw = None
            self._done += size


def _wanted(name: str) -> bool:
    lower = name.lower()
    if lower.endswith(_PACKED):
        inner = lower.rpartition(".")[0]
        return inner.endswith((*_SGF, ".tar"))
    return lower.endswith((*_SGF, *_TARS, ".zip"))


def _loose(path: Path) -> bool:
    """Tell whether a file is an unpacked .sgf file that does not hold several games."""
    if not path.name.lower().endswith(_SGF):
        return False
    try:
        with path.open("rb") as stream:
            pieces = list(islice(_split(stream), 2))
        return sum(1 for piece in pieces for _ in _games(io.BytesIO(piece))) < 2
    except _FAILURES:
        return True


def _pieces(raw: IO[bytes], file: SourceFile) -> Iterator[Piece]:
    """Yield the pieces of one file, packed as its name says."""
    lower = file.path.name.lower()
    if lower.endswith(_REVIEW):
        yield Piece(file.source, b"", str(file.path), review=True)
    elif lower.endswith(".zip"):
        yield from _zip_members(raw, file)
    elif lower.endswith(_TARS) or any(lower.endswith(f".tar{suffix}") for suffix in _PACKED):
        yield from _tar_members(raw, file)
    else:
        for number, data in enumerate(_split(_unpacked(raw, lower)), start=1):
            yield Piece(file.source, data, str(file.path), number)


def _unpacked(raw: IO[bytes], lower: str) -> IO[bytes]:
    if lower.endswith(".bz2"):
        return cast(IO[bytes], bz2.open(raw))
    if lower.endswith(".gz"):
        return cast(IO[bytes], gzip.open(raw))
    if lower.endswith((".xz", ".lzma")):
        return cast(IO[bytes], lzma.open(raw))
    return raw


def _zip_members(raw: IO[bytes], file: SourceFile) -> Iterator[Piece]:
    with zipfile.ZipFile(raw) as archive:
        for info in archive.infolist():
            if not info.is_dir() and _wanted(info.filename):
                yield from _member(partial(archive.open, info), info.filename, file)


def _tar_members(raw: IO[bytes], file: SourceFile) -> Iterator[Piece]:
    unreadable: list[str] = []

    class Header(tarfile.TarInfo):
        """A header of a tar; the first damaged one is noted, for tarfile skips them silently."""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            try:
                return super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                if buf.strip(b"\0") and not unreadable:
                    unreadable.append(f"{file.path.name}: damaged header of a member: {error}")
                raise

    def skipped() -> Iterator[Piece]:
        """Yield one failure for all that was unreadable since the last good header."""
        if unreadable:
            yield Piece(file.source, b"", str(file.path), failure=unreadable.pop())

    failed = False
    with tarfile.open(fileobj=raw, mode="r:*", tarinfo=Header, ignore_zeros=True) as archive:
        try:
            for info in archive:
                yield from skipped()
                failed = False
                if info.isfile() and _wanted(info.name):
                    for piece in _member(partial(_extracted, archive, info), info.name, file):
                        failed = piece.failure is not None
                        yield piece
        except _FAILURES:
            if not failed:  # else this is the damage that ended the member before
                raise
        yield from skipped()


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    return cast(IO[bytes], archive.extractfile(info))


def _member(opened: Callable[[], IO[bytes]], name: str, file: SourceFile) -> Iterator[Piece]:
    """Yield the pieces of a member of a package, and a failure where it is damaged."""
    place = f"{file.path}: {name}"
    if name.lower().endswith(_REVIEW):
        yield Piece(file.source, b"", place, review=True)
        return
    try:
        with opened() as member:
            for number, data in enumerate(_split(_unpacked(member, name.lower())), start=1):
                yield Piece(file.source, data, place, number)
    except _FAILURES as error:
        yield Piece(file.source, b"", place, failure=f"{file.path.name}: {name}: {error}")


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield one line at a time while every line is a whole game, then the rest."""
    lines = iter(partial(stream.readline, MAX_PIECE), b"")
    for line in lines:
        text = line.strip()
        if text.startswith(b"(;") and text.endswith(b")") and text.count(b"(") == text.count(b")"):
            yield text
        elif text:
            yield from _rest(chain([line], lines))


def _rest(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield text in one piece if every game in it is whole, else one game at a time."""
    found = _games(lines)
    games: list[bytes] = []
    size = 0
    try:
        for game in found:
            games.append(game)
            size += len(game)
            if size >= MAX_PIECE or not _whole(game):
                break
        else:
            games = [b"".join(games)]
    except _FAILURES:
        yield from games
        raise
    yield from games
    yield from found


def _games(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines joined to texts, a new one from every line that starts a game.

    Text without any value, such as a heading, stays with the game that it stands before.
    """
    text = bytearray()
    start = 0  # of the last line in text that may start a game
    for line in lines:
        if line.lstrip().startswith(b"("):
            start = len(text)
        text += line
        if text.find(b"[", 0, start) >= 0 and _ROOT.match(text, start, start + _HEAD) is not None:
            yield bytes(text[:start])
            del text[:start]
            start = 0
        if len(text) >= MAX_PIECE:
            raise ValueError(f"more than {MAX_PIECE} bytes in one piece of text")
    yield bytes(text)


def _whole(game: bytes) -> bool:
    """Tell whether every bracket is closed; those in values do not count."""
    if game.rstrip().endswith(b")") and game.count(b"(") == game.count(b")"):
        return True
    bare = _VALUES.sub(b"", game)
    return b"[" not in bare and bare.count(b"(") == bare.count(b")")
