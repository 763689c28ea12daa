"""`goengine policy`: list the moves that a network likes best in a position, and draw them."""

from __future__ import annotations

import argparse

import numpy as np

from goengine.commands.study.position import chosen_position, configure_position, tell
from goengine.coords import move_to_gtp
from goengine.inference.choosing import make_evaluator
from goengine.networks.files import default_network, name_of
from goengine.options import count
from goengine.pictures.png import policy_figure, position_title, save_png
from goengine.types import PLAY_SYMMETRY


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    configure_position(parser)
    parser.add_argument(
        "--network", help="a shipped network's name or a file (default: the one that plays best)"
    )
    parser.add_argument(
        "--symmetry",
        choices=("none", "all"),
        default=PLAY_SYMMETRY,
        help=f"one view of the board, or the mean of all 8 ({PLAY_SYMMETRY})",
    )
    parser.add_argument("--top", type=count, default=10, metavar="N", help="moves to list (10)")


def run(args: argparse.Namespace) -> int:
    """List the likeliest moves, and draw them all where a picture is wanted."""
    board = chosen_position(args)
    name = args.network or default_network()
    tell(args, f"asking the network {name_of(name)}")
    evaluator = make_evaluator(name, symmetry=args.symmetry)
    priors = evaluator.evaluate([board]).priors[0, :-1]
    if args.png is not None:
        source = f"{args.file.name}, network {name_of(name)}"
        save_png(policy_figure(board, priors, source), args.png)
    for move in np.argsort(-priors)[: min(args.top, np.count_nonzero(priors))].tolist():
        print(f"{move_to_gtp(move, board.size):>4} {100 * priors[move]:5.1f} %")
    picture = "" if args.png is None else f"; picture: {args.png}"
    print(f"{position_title(board)}{picture}")
    return 0
