"""The command line: ``selfplay ingest | subset | train | lease | export | evaluate``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from cnncore.system.console import tolerate_characters
from cnncore.system.interruption import reader_gone
from goengine.types import GoError

# command: (module, function that adds arguments, function that runs, help)
_COMMANDS = {
    "ingest": ("selfplay.commands.ingest", "configure", "run", "make an archive of SGF files"),
    "subset": (
        "selfplay.commands.subset",
        "configure",
        "run",
        "make a smaller archive of an archive",
    ),
    "train": ("selfplay.commands.train", "configure", "run", "train a network"),
    "recipes": ("selfplay.commands.recipes", "configure", "run", "list the recipes of `train`"),
    "lease": ("selfplay.commands.lease", "configure", "run", "train on a machine lent for minutes"),
    "export": (
        "selfplay.commands.export",
        "configure",
        "run",
        "write the network of a training run to a file",
    ),
    "evaluate": (
        "selfplay.commands.evaluate",
        "configure",
        "run",
        "measure a network on held-out games",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    tolerate_characters()
    parser = argparse.ArgumentParser(
        prog="selfplay",
        description="From SGF files to a policy network that plays Go.",
        epilog="selfplay COMMAND --help tells what a command takes.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in arguments if word in _COMMANDS), None)
    for name, (module, configure, _, text) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == chosen:  # only the chosen command pays for its imports
            getattr(import_module(module), configure)(command)
    args = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    module, _, run, _ = _COMMANDS[args.command]
    try:
        status = int(getattr(import_module(module), run)(args))
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()
    except GoError as error:
        print(f"selfplay {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"selfplay {args.command}: interrupted", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
