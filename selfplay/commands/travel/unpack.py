"""The command `selfplay unpack`: what travelled becomes an archive, or folders of runs, again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from selfplay.training.travel.archive_file import unpack_archive
from selfplay.training.travel.home_parts import unpack_runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay unpack`."""
    parser.add_argument(
        "source", type=Path, help="file made by 'selfplay pack', or what a lease brought home"
    )
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        help="folder of the archive; of a lease, folder in which each run gets its own",
    )


def run(args: argparse.Namespace) -> int:
    """Unpack and say on stdout what is there."""
    if args.source.is_dir():
        for name in unpack_runs(args.source, args.out):
            sys.stdout.write(f"{args.out / name}\n")
        return 0
    archive = unpack_archive(args.source, args.out)
    sys.stdout.write(f"{args.out}: {len(archive):,} games, {len(archive.moves):,} positions\n")
    return 0
