"""What the commands that show one position share: which game, which move, which picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from goengine.board import Board
from goengine.games.sgf import read_sgf
from goengine.types import GoError, IllegalMoveError


def configure_position(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose a position and a PNG file to draw it in."""
    parser.add_argument("file", type=Path, help="a game in SGF")
    parser.add_argument(
        "--move", type=int, metavar="N", help="the position before move N (default: after the last)"
    )
    parser.add_argument("--png", type=png_file, metavar="FILE", help="draw a picture (none)")


def png_file(text: str) -> Path:
    """Return the path of a picture to draw, a PNG file.

    Raises:
        argparse.ArgumentTypeError: its name says that it holds something else.
    """
    path = Path(text)
    if path.suffix.lower() not in ("", ".png"):
        better = path.with_suffix(".png")
        raise argparse.ArgumentTypeError(
            f"{text!r} is not possible: pictures are PNG files, use '{better}'"
        )
    return path


def tell(args: argparse.Namespace, doing: str) -> None:
    """Say on stderr what is done, for it may take seconds; the picture is told where one is."""
    picture = "" if args.png is None else f", then drawing {args.png}"
    print(f"{doing}{picture} ...", file=sys.stderr, flush=True)


def chosen_position(args: argparse.Namespace) -> Board:
    """Return the position that the arguments choose.

    Raises:
        GoError: the file cannot be read, is not SGF or has fewer moves.
    """
    try:
        record = read_sgf(args.file.read_bytes())
    except OSError as error:
        raise GoError(f"cannot read {args.file}: {error.strerror or error}") from None
    last = len(record.moves) + 1
    number = last if args.move is None else args.move
    if not 1 <= number <= last:
        raise GoError(f"--move {number} is not in {args.file}: it has positions 1 to {last}")
    try:
        return record.board_at(number - 1)
    except IllegalMoveError as error:
        raise GoError(f"{args.file}: {error}: show an earlier position with --move") from None
