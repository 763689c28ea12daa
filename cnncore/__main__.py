"""The command line: look models up, train and measure them, classify pictures and sentences."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from cnncore.system.console import tolerate_characters
from cnncore.system.interruption import reader_gone

# command: (module, function that adds arguments, function that runs, help)
_COMMANDS = {
    "list": ("commands.describe", "configure_list", "run_list", "list the models"),
    "info": (
        "commands.describe",
        "configure_info",
        "run_info",
        "describe a model, or say what a checkpoint holds",
    ),
    "train": ("commands.train", "configure", "run", "train a model on images or sentences"),
    "evaluate": ("commands.evaluate", "configure", "run", "measure models, alone and together"),
    "classify": ("commands.classify", "configure", "run", "say what a picture or sentence is"),
    "explain": (
        "commands.explain",
        "configure",
        "run",
        "show what a network sees, as PNG or, for words, as text",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 for bad input, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    tolerate_characters()
    parser = argparse.ArgumentParser(
        prog="cnncore",
        description="Classic convolutional networks: look models up, train and measure them, "
        "classify pictures and sentences.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in arguments if word in _COMMANDS), None)
    for name, (module, configure, _, text) in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name == chosen:  # only the chosen command pays for its imports
            getattr(import_module(f"cnncore.{module}"), configure)(command)
    args = parser.parse_args(arguments)
    level = logging.INFO if args.command == "train" else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(message)s")
    module, _, run, _ = _COMMANDS[args.command]
    try:
        status = int(getattr(import_module(f"cnncore.{module}"), run)(args))
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()
    except (ValueError, RuntimeError, OSError) as error:
        sys.stderr.write(f"cnncore {args.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"cnncore {args.command}: interrupted\n")
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
