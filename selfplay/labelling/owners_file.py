"""The final ownership of an archive's games, in a file beside the archive.

`ARCHIVE.owners.npz` belongs to one archive and says so by its digest.

=========  ==================  ================================================================
array      dtype, shape        content
=========  ==================  ================================================================
archive    str ()              digest of the archive
games      int32 (R,)          indices of the games, ascending
points     int32 (R,)          points of each game's board
black      uint8 (ceil(P/8),)  bits of all points that Black owns, game after game, row by row
white      uint8 (ceil(P/8),)  the same for White
=========  ==================  ================================================================
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from cnncore.system import atomic
from selfplay.archive.game_blocks import run_starts
from selfplay.archive.reader import Archive, ArchiveError

ENDING = ".owners.npz"
"""Behind the archive's name."""

Owners = npt.NDArray[np.int8]
"""int8 (N*N,): 1 where Black owns, -1 where White does, 0 where nobody does."""


class Ownership:
    """Final owners of the points of some games of an archive.

    `games` int (R,) are ascending indices; `owners` int8 is flat, game after game.
    """

    def __init__(
        self,
        archive: str,
        games: npt.NDArray[np.integer],
        points: npt.NDArray[np.integer],
        owners: Owners,
    ) -> None:
        self.archive = archive
        """Digest of the archive."""
        self.games: npt.NDArray[np.int64] = games.astype(np.int64)
        self.points: npt.NDArray[np.int64] = points.astype(np.int64)
        self.owners = owners
        self._starts = run_starts(self.points)

    @classmethod
    def of(cls, archive: str, found: Sequence[tuple[int, Owners]]) -> Ownership:
        """Return the ownership of (game, owners) pairs."""
        ordered = sorted(found, key=lambda pair: pair[0])
        return cls(
            archive,
            np.array([game for game, _ in ordered], dtype=np.int64),
            np.array([len(owners) for _, owners in ordered], dtype=np.int64),
            np.concatenate([np.zeros(0, np.int8), *(owners for _, owners in ordered)]),
        )

    def __len__(self) -> int:
        """Return the number of games."""
        return len(self.games)

    def rows(self, games: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return where each of some games is among these, -1 where it is not, int64 (B,)."""
        if not len(self):
            return np.full(len(games), -1, dtype=np.int64)
        places = np.searchsorted(self.games, games).clip(max=len(self) - 1)
        return np.where(self.games[places] == games, places, -1)

    def of_games(self, games: npt.NDArray[np.int64], points: int) -> npt.NDArray[np.int8]:
        """Return int8 (B, P): owners of games whose boards have `points` points, 0 where unknown.

        Raises:
            ArchiveError: one of the boards has another size.
        """
        rows = self.rows(games)
        known = rows >= 0
        if (self.points[rows[known]] != points).any():
            raise ArchiveError(f"a board has not {points} points: ask for one size at a time")
        result = np.zeros((len(games), points), dtype=np.int8)
        places = self._starts[rows[known]][:, None] + np.arange(points)
        result[known] = self.owners[places]
        return result


def owners_path(archive: Path) -> Path:
    """Return where the ownership of an archive lies."""
    return archive.with_name(archive.name + ENDING)


def write_ownership(path: Path, found: Ownership) -> None:
    """Write a file of ownership; it is there whole or not at all."""
    with atomic.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            archive=np.array(found.archive),
            games=found.games.astype(np.int32),
            points=found.points.astype(np.int32),
            black=np.packbits(found.owners == 1),
            white=np.packbits(found.owners == -1),
        )


def read_ownership(path: Path, archive: Archive) -> Ownership:
    """Read the ownership of an archive's games.

    Raises:
        ArchiveError: the file is missing, damaged, or of another archive.
    """
    again = f"run `selfplay label {archive.path}` again"
    try:
        with np.load(path, allow_pickle=False) as file:
            digest = str(file["archive"])
            games, points = file["games"], file["points"]
            total = int(points.sum(dtype=np.int64))
            black, white = (np.unpackbits(file[name])[:total] for name in ("black", "white"))
    except FileNotFoundError:
        raise ArchiveError(
            f"no ownership at {path}: make it with `selfplay label {archive.path}`"
        ) from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise ArchiveError(f"{path} is damaged ({error}): {again}") from error
    if digest != archive.digest:
        raise ArchiveError(
            f"{path} labels another archive ({digest}), not {archive.path} ({archive.digest}): "
            f"{again}"
        )
    if not _fit(games, points, archive) or not len(black) == len(white) == total:
        raise ArchiveError(f"{path} is damaged (its arrays do not fit the archive): {again}")
    return Ownership(digest, games, points, black.astype(np.int8) - white.astype(np.int8))


def _fit(games: npt.NDArray[np.integer], points: npt.NDArray[np.integer], archive: Archive) -> bool:
    """Tell whether ascending games and the points of their boards are those of an archive."""
    whole = games.dtype.kind in "iu" and points.dtype.kind in "iu"
    if not whole or games.ndim != 1 or games.shape != points.shape:
        return False
    if not len(games):
        return True
    inside = games.min() >= 0 and games.max() < len(archive) and (np.diff(games) > 0).all()
    return bool(inside and (points == archive.games["size"][games].astype(np.int64) ** 2).all())
