"""A smaller archive out of an archive: some sources, a fair sample of so many positions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goengine.types import GoError
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter


def choose_games(
    archive: Archive, *, sources: Sequence[str] | None = None, limit: int | None = None
) -> npt.NDArray[np.int64]:
    """Return ascending indices of games of some sources with at most ``limit`` moves together.

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


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``selfplay subset``."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to take games from")
    parser.add_argument("--out", required=True, metavar="ARCHIVE", help="folder to make")
    parser.add_argument("--sources", metavar="NAMES", help="kgs_6d,pro (default: all)")
    parser.add_argument("--limit-positions", type=int, metavar="N", help="at most N moves")
    parser.add_argument("--overwrite", action="store_true", help="replace an archive")


def run(args: argparse.Namespace) -> int:
    """Run ``selfplay subset``."""
    if args.limit_positions is not None and args.limit_positions < 1:
        raise GoError(f"--limit-positions {args.limit_positions} is too few: use 1 or more")
    archive = Archive.open(args.archive)
    if Path(args.out).absolute() == archive.path.absolute():
        raise GoError(f"--out {args.out} is the archive itself: choose another name")
    sources = args.sources.split(",") if args.sources else None
    chosen = choose_games(archive, sources=sources, limit=args.limit_positions)
    with ArchiveWriter(args.out, overwrite=args.overwrite) as writer:
        writer.extend(archive.block(chosen))
        small = writer.commit({"subset of": archive.digest, **archive.manifest.get("notes", {})})
    size = sum(file.stat().st_size for file in small.path.iterdir())
    print(
        f"{small.path}: {len(small):,} games, {len(small.moves):,} moves, "
        f"{size / 2**20:.1f} MiB, {small.digest}"
    )
    return 0
