"""The command `selfplay label`: who owns which point at the end of an archive's counted games."""

from __future__ import annotations

import argparse
import os
import sys

from cnncore.system.command_line import DONE, INTERRUPTED
from cnncore.system.interruption import interruptible
from goengine.options import count
from selfplay.archive.reader import Archive
from selfplay.labelling.label_run import PLAYOUTS, label_archive
from selfplay.labelling.owners_file import owners_path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay label`."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive whose games are judged")
    parser.add_argument("--workers", type=count, help="processes (default: all cores)")
    parser.add_argument(
        "--playouts",
        type=count,
        default=PLAYOUTS,
        help=f"playouts that find a game's dead stones (default {PLAYOUTS})",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> int:
    """Judge the games and print how many agree with their records; 0, or 130 when interrupted.

    Raises:
        GoError: the archive cannot be read or is damaged, or the labels cannot be written.
    """
    archive = Archive.open(args.archive)
    archive.verify()
    with interruptible() as interrupted:
        made = label_archive(
            archive,
            workers=args.workers or os.cpu_count() or 1,
            playouts=args.playouts,
            stop=interrupted,
            progress=not args.quiet,
        )
    if made.ownership is None:
        sys.stdout.write("not all games are judged yet: start the command again to go on\n")
        return INTERRUPTED
    sys.stdout.write(
        f"{owners_path(archive.path)}: {len(made.ownership):,} of {made.counted:,} counted games "
        f"agree with their recorded margins ({len(archive):,} games in all)\n"
    )
    return DONE
