"""Games on disk: a folder of .npy files that numpy maps into memory.

============  =====================  ======================================================
file          dtype, shape           content
============  =====================  ======================================================
moves.npy     int16 (M,)             all moves of all games, one after the other (N*N = pass)
setup.npy     int16 (S,)             set-up stones of all games: black ones, then white ones
games.npy     GAME_DTYPE (G,)        one record a game, in the order of `moves`
learn.npy     uint8 (G,)             bits of the colours whose moves are to be learnt; absent: both
manifest.json                        version, digest, counts, the names behind the numbers
============  =====================  ======================================================

Colours alternate from `first`. Games lie without gaps, so a random index into `moves` is a random
(game, ply), and `moves[offset : offset + ply]` are the moves before it. Reading needs numpy only;
an SGF parser is not imported.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.games.record import GameRecord
from goengine.types import opponent
from selfplay.archive.game_blocks import (
    BOTH,
    GAME_DTYPE,
    TABLES,
    ArchiveError,
    Block,
    Colours,
    Games,
    Moves,
)
from selfplay.archive.splits import SPLITS, enlarge_split, split_of

__all__ = ["ARCHIVE_VERSION", "Archive", "ArchiveError"]

ARCHIVE_VERSION = 1


class Archive:
    """A read-only archive; the arrays are mapped, so opening one costs nothing."""

    def __init__(
        self,
        path: Path,
        games: Games,
        moves: Moves,
        setup: Moves,
        learn: Colours,
        manifest: dict[str, Any],
    ) -> None:
        self.path = path
        self.games = games
        self.moves = moves
        self.setup = setup
        self.learn = learn
        self.manifest = manifest
        self._splits: npt.NDArray[np.int8] = split_of(games["digest"])

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Archive:
        """Open an archive folder.

        Raises:
            ArchiveError: the folder is not an archive, is damaged, or another version wrote it.
        """
        folder = Path(path)
        manifest = read_manifest(folder)
        try:
            games, moves, setup = (
                np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in ("games", "moves", "setup")
            )
            chosen = folder / "learn.npy"
            learn = (
                np.load(chosen, allow_pickle=False)
                if chosen.exists()
                else np.full(len(games), BOTH, dtype=np.uint8)
            )
        except PermissionError as error:
            raise _forbidden(folder, error) from error
        except (OSError, ValueError, EOFError) as error:
            raise ArchiveError(
                f"archive {folder} is damaged ({error}): run `selfplay ingest` again"
            ) from error
        _check_shapes(folder, manifest, games, moves, setup, learn)
        return cls(folder, games, moves, setup, learn, manifest)

    def __len__(self) -> int:
        return len(self.games)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the folder and the splits, so that another process maps the files itself."""
        return _reopen, (self.path.absolute(), self.digest, self._splits)

    @property
    def digest(self) -> str:
        """Hex digest over all games, moves and set-up stones."""
        return str(self.manifest["digest"])

    @property
    def disk_size(self) -> str:
        """Size of the files on disk in words: "238.0 MiB", or "12 KiB" of a small one."""
        size = sum(file.stat().st_size for file in self.path.iterdir())
        return f"{size / 2**20:.1f} MiB" if size >= 2**20 else f"{size / 2**10:.0f} KiB"

    @property
    def sources(self) -> list[str]:
        """Names of the sources, by the number in `games["source"]`; number 0 is unknown."""
        return list(self.manifest["sources"])

    @property
    def ranks(self) -> list[str]:
        """Ranks as written (`9p`, `6d`, `ama`, titles), by number; number 0 is unknown."""
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
        keep = self._splits == SPLITS.index(name)
        if sources is not None:
            keep &= np.isin(self.games["source"], self.source_numbers(sources))
        return np.flatnonzero(keep)

    def with_held_out(self, *, validation: int, test: int) -> Archive:
        """Return this archive with at least so many games in each held-out split.

        By the digests a small archive may lack some; they are taken from the training games.

        Raises:
            ArchiveError: nothing would be left to train on.
        """
        twin = copy.copy(self)
        for name, count in (("validation", validation), ("test", test)):
            twin._splits = enlarge_split(twin._splits, self.games["digest"], name, count)
        if not len(twin.split("train")):
            raise ArchiveError(
                f"{self.path} has {len(self)} games, too few to hold out {validation + test} and "
                "train on the others: add games"
            )
        return twin

    def source_numbers(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of sources.

        Raises:
            ArchiveError: a name is not in the archive.
        """
        known = self.sources
        for name in names:
            if name not in known[1:]:
                raise ArchiveError(
                    f"{self.path} has no source {name!r}: choose from {', '.join(known[1:])}"
                )
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
        return Block(self.games, self.moves, self.setup, tables, self.learn).select(keep)

    def verify(self) -> None:
        """Read everything and compare it with the digest.

        Raises:
            ArchiveError: some byte has changed.
        """
        if (
            archive_digest(self.games, self.moves, self.setup, *restricted(self.learn))
            != self.digest
        ):
            raise ArchiveError(f"archive {self.path} is damaged: run `selfplay ingest` again")


def _reopen(folder: Path, digest: str, splits: npt.NDArray[np.int8]) -> Archive:
    """Return the archive that another process has open, with its splits."""
    archive = Archive.open(folder)
    if archive.digest != digest:
        raise ArchiveError(f"archive {folder} has changed since it was opened: begin again")
    archive._splits = splits
    return archive


def read_manifest(folder: Path, *, any_version: bool = False) -> dict[str, Any]:
    """Return the manifest of an archive folder.

    Raises:
        ArchiveError: the folder is not an archive, is damaged or forbidden, or of another version.
    """
    path = folder / "manifest.json"
    if folder.is_file():
        raise ArchiveError(
            f"{folder} is a file, and an archive is a folder: make one of SGF files with "
            f"`selfplay ingest {folder} --out ARCHIVE`, and give ARCHIVE"
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ArchiveError(
            f"{folder} is not an archive (no manifest.json): make one with `selfplay ingest`"
        ) from None
    except PermissionError as error:
        raise _forbidden(folder, error) from error
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


def _forbidden(folder: Path, error: PermissionError) -> ArchiveError:
    return ArchiveError(f"archive {folder} cannot be read ({error}): change its permissions")


def _check_shapes(
    folder: Path, manifest: Any, games: Games, moves: Moves, setup: Moves, learn: Colours
) -> None:
    sound = (
        games.dtype == GAME_DTYPE
        and moves.dtype == np.int16
        and setup.dtype == np.int16
        and learn.dtype == np.uint8
        and len(learn) == len(games)
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


def restricted(learn: Colours) -> list[Colours]:
    """Return the colours to learn if they are not simply both in every game."""
    return [] if (learn == BOTH).all() else [learn]


def archive_digest(*arrays: npt.NDArray[Any]) -> str:
    """Return a hex digest over the bytes of arrays."""
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(np.ascontiguousarray(array).view(np.uint8).data)
    return state.hexdigest()
