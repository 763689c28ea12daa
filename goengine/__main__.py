"""`goengine`: the command line. A subcommand's module is imported when it is used, not before."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from goengine._version import __version__
from goengine.types import GoError

SUBCOMMANDS = {
    "gtp": ("goengine.commands.gtp", "play and analyse in Sabaki and other GTP clients"),
    "play": ("goengine.commands.play", "play a game in the terminal"),
    "match": ("goengine.commands.match", "let two engines play games and count the wins"),
    "benchmark": ("goengine.commands.benchmark", "measure the speed of this machine"),
    "policy": ("goengine.commands.policy", "list and draw a network's moves in a position"),
    "planes": ("goengine.commands.planes", "draw the feature planes of a position"),
}
"""Name -> the module with `configure(parser)` and `run(args) -> int`, and a line of help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status: 0, 1 or 2 where the input was bad."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(
        prog="goengine", description="An AlphaGo-style Go engine: rules, policy network, GTP."
    )
    parser.add_argument("--version", action="version", version=f"goengine {__version__}")
    subparsers = parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for name, (module, text) in SUBCOMMANDS.items():
        subparser = subparsers.add_parser(name, help=text, description=text)
        if name == chosen:
            import_module(module).configure(subparser)
    args = parser.parse_args(words)
    if args.subcommand != "gtp":  # which sees to its streams itself
        from cnncore.system.console import tolerate_characters

        tolerate_characters()
    try:
        status: int = import_module(SUBCOMMANDS[args.subcommand][0]).run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        from cnncore.system.interruption import reader_gone

        return reader_gone()
    except GoError as error:
        print(f"goengine {args.subcommand}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
