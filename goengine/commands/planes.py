"""`goengine planes`: draw every feature plane of a position beside its board."""

from __future__ import annotations

import argparse

from goengine.commands.position import chosen_position, configure_position
from goengine.feature_table import POLICY_PLANES, VALUE_PLANES
from goengine.pictures.png import planes_figure, save_png
from goengine.types import colour_name


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    configure_position(parser, "planes.png")
    parser.add_argument(
        "--planes",
        type=int,
        default=POLICY_PLANES,
        choices=(POLICY_PLANES, VALUE_PLANES),
        help="48 for the policy network, 49 with the player's colour (48)",
    )


def run(args: argparse.Namespace) -> int:
    """Draw the planes and say where."""
    board = chosen_position(args)
    save_png(planes_figure(board, args.planes, args.file.name), args.png)
    print(
        f"{args.planes} planes, {colour_name(board.to_play)} to play, "
        f"before move {board.turn + 1}: {args.png}"
    )
    return 0
