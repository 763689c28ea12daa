"""The command line: `selfplay COMMAND`; COMMANDS lists the commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cnncore.system.command_line import Program, run_program
from cnncore.system.version import __version__
from goengine.types import GoError

COMMANDS = {
    "ingest": ("selfplay.commands.ingest", "make an archive of SGF files"),
    "subset": ("selfplay.commands.subset", "make a smaller archive of an archive"),
    "label": ("selfplay.commands.label", "find who owned which point at the end of games"),
    "generate": ("selfplay.commands.generate", "let a network play against itself"),
    "train": ("selfplay.commands.train", "train a network"),
    "recipes": ("selfplay.commands.recipes", "list the recipes of `train`"),
    "lease": ("selfplay.commands.travel.lease", "train on a machine lent for minutes"),
    "pack": ("selfplay.commands.travel.pack", "put an archive into one small file"),
    "unpack": ("selfplay.commands.travel.unpack", "unpack such a file, or what a lease brought"),
    "export": ("selfplay.commands.export", "write the network of a training run to a file"),
    "evaluate": ("selfplay.commands.evaluate", "measure a network on held-out games"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status, one of those in `command_line`."""
    program = Program(
        name="selfplay",
        description="From SGF files to a policy network that plays Go.",
        version=__version__,
        commands=COMMANDS,
        errors=(GoError, OSError),
        informative=COMMANDS,
    )
    return run_program(program, argv)


if __name__ == "__main__":
    sys.exit(main())
