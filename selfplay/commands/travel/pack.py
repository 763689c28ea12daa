"""The command `selfplay pack`: an archive, and the ownership beside it, in one small file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cnncore.system.command_line import FAILED, MISUSED
from selfplay.archive.reader import Archive
from selfplay.training.travel.archive_file import pack_archive


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay pack`."""
    parser.add_argument("archive", type=Path, help="archive made by 'selfplay ingest'")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace a file of that name")


def run(args: argparse.Namespace) -> int:
    """Write the file and say on stdout how large it is."""
    if args.out.exists() and (args.out.is_dir() or not args.overwrite):
        more = "" if args.out.is_dir() else " or --overwrite"
        sys.stderr.write(f"selfplay pack: {args.out} exists: give another name{more}\n")
        return MISUSED
    if not args.out.parent.is_dir():
        sys.stderr.write(f"selfplay pack: there is no folder {args.out.parent}: make it first\n")
        return FAILED
    sizes = pack_archive(Archive.open(args.archive), args.out)
    share = sizes.game_bytes / max(sizes.positions, 1)
    line = (
        f"{sizes.positions:,} positions of {sizes.games:,} games: {sizes.game_bytes:,} bytes, "
        f"{share:.3f} a position"
    )
    if sizes.owned:
        line += f"; ownership of {sizes.owned:,} games: {sizes.owner_bytes:,} bytes more"
    sys.stdout.write(line + "\n")
    return 0
