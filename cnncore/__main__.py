"""`cnncore`: look models up, train and measure them, classify pictures and sentences."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cnncore.system.command_line import Program, run_program
from cnncore.system.version import __version__

COMMANDS = {
    "list": ("cnncore.commands.list", "list the models"),
    "info": ("cnncore.commands.info", "describe a model, or say what a checkpoint holds"),
    "train": ("cnncore.commands.train", "train a model on images or sentences"),
    "evaluate": ("cnncore.commands.evaluate", "measure models, alone and together"),
    "classify": ("cnncore.commands.classify", "say what a picture or sentence is"),
    "explain": (
        "cnncore.commands.explain",
        "show what a network sees, as PNG or, for words, as text",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status, one of those in `command_line`."""
    program = Program(
        name="cnncore",
        description="Classic convolutional networks: look models up, train and measure them, "
        "classify pictures and sentences.",
        version=__version__,
        commands=COMMANDS,
        errors=(ValueError, RuntimeError, OSError),
        informative=("train",),
    )
    return run_program(program, argv)


if __name__ == "__main__":
    sys.exit(main())
