"""`goengine rank`: the partner that follows a person, and the table of ranks."""

from __future__ import annotations

import argparse

from goengine.commands.rating.rank_options import rank
from goengine.players.ranked.own_rank import OwnRank
from goengine.types import GoError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine rank`."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=["show", "undo", "set", "table"],
        default="show",
        help="show your partner's rank, take its last step back, set it, or print what the ranks "
        "measured (show)",
    )
    parser.add_argument("rank", nargs="?", type=rank, help="the rank to set")
    parser.add_argument("--size", type=int, default=19, help="board of the table: 9, 13 or 19 (19)")


def run(args: argparse.Namespace) -> int:
    """Show or change what is kept."""
    if (args.action == "set") != (args.rank is not None):
        raise GoError("a rank goes with set, and set needs one: goengine rank set 8k")
    if args.action == "table":
        from goengine.match.rating_table import printed
        from goengine.players.ranked.rank_table import shipped_table

        print(printed(shipped_table(), args.size))
        return 0
    kept = OwnRank()
    if args.action == "undo":
        last = kept.undo()
        print(f"taken back: your partner was {last.after}")
    elif args.action == "set":
        kept.set(args.rank)
    print(kept.described())
    return 0
