"""A smaller archive out of an archive: some sources, a fair sample of so many positions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter


def choose_games(
    archive: Archive, *, sources: Sequence[str] | None = None, limit: int | None = None
) -> npt.NDArray[np.int64]:
    """Return ascending indices of games of some sources with at most `limit` moves together.

    The sample is decided by the games' digests alone, so a bigger limit adds to a smaller one.

    Raises:
        ArchiveError: no such source.
    """
    chosen = np.arange(len(archive))
    if sources is not None:
        chosen = np.flatnonzero(np.isin(archive.games["source"], archive.source_numbers(sources)))
    if limit is not None:
        order = np.argsort(archive.games["digest"][chosen], kind="stable")
        ends = np.cumsum(archive.games["length"][chosen][order], dtype=np.int64)
        chosen = np.sort(chosen[order[ends <= limit]])
    return chosen


def write_subset(
    archive: Archive,
    out: Path,
    *,
    sources: Sequence[str] | None = None,
    limit: int | None = None,
    overwrite: bool = False,
) -> Archive:
    """Write the games that `choose_games` returns as an archive of their own, and open it.

    Raises:
        ArchiveError: no such source, or the archive cannot be written there.
    """
    chosen = choose_games(archive, sources=sources, limit=limit)
    with ArchiveWriter(out, overwrite=overwrite) as writer:
        writer.extend(archive.block(chosen))
        return writer.commit({"subset of": archive.digest, **archive.manifest.get("notes", {})})
