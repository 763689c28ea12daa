"""`goengine planes`: list the feature planes of a position, or draw them beside its board."""

from __future__ import annotations

import argparse

import numpy as np

from goengine.commands.study.position import chosen_position, configure_position, tell
from goengine.encoding.features import encode
from goengine.feature_table import POLICY_PLANES, VALUE_PLANES, plane_names
from goengine.pictures.png import planes_figure, save_png
from goengine.types import colour_name


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    configure_position(parser)
    parser.add_argument(
        "--planes",
        type=int,
        default=POLICY_PLANES,
        choices=(POLICY_PLANES, VALUE_PLANES),
        help="48 for the policy network, 49 with the player's colour (48)",
    )


def run(args: argparse.Namespace) -> int:
    """Draw the planes and say where, or list how many points each has where none is drawn."""
    board = chosen_position(args)
    tell(args, "computing the planes")
    if args.png is None:
        for number, plane in enumerate(encode(board, args.planes)):
            print(f"{number:>2} {plane_names()[number]:22} {np.count_nonzero(plane):>3} points")
    else:
        save_png(planes_figure(board, args.planes, args.file.name), args.png)
    picture = "" if args.png is None else f": {args.png}"
    print(
        f"{args.planes} planes, {colour_name(board.to_play)} to play, "
        f"before move {board.turn + 1}{picture}"
    )
    return 0
