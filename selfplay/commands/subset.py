"""The command `selfplay subset`: a smaller archive out of an archive."""

from __future__ import annotations

import argparse
from pathlib import Path

from goengine.types import GoError
from selfplay.archive.reader import Archive
from selfplay.archive.subset import write_subset


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay subset`."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to take games from")
    parser.add_argument("--out", required=True, type=Path, metavar="ARCHIVE", help="folder to make")
    parser.add_argument("--sources", metavar="NAMES", help="kgs_6d,pro (default: all)")
    parser.add_argument("--limit-positions", type=int, metavar="N", help="at most N moves")
    parser.add_argument("--overwrite", action="store_true", help="replace an archive")


def run(args: argparse.Namespace) -> int:
    """Write the smaller archive and print what it holds; returns 0.

    Raises:
        GoError: an option means nothing, or an archive cannot be read or written.
    """
    if args.limit_positions is not None and args.limit_positions < 1:
        raise GoError(f"--limit-positions {args.limit_positions} is too few: use 1 or more")
    archive = Archive.open(args.archive)
    if args.out.absolute() == archive.path.absolute():
        raise GoError(f"--out {args.out} is the archive itself: choose another name")
    archive.verify()
    sources = args.sources.split(",") if args.sources else None
    small = write_subset(
        archive, args.out, sources=sources, limit=args.limit_positions, overwrite=args.overwrite
    )
    print(
        f"{small.path}: {len(small):,} games, {len(small.moves):,} moves, "
        f"{small.disk_size}, {small.digest}"
    )
    return 0
