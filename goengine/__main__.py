"""`goengine`: the command line. A subcommand's module is imported when it is used, not before."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cnncore.system.command_line import Program, run_program
from goengine._version import __version__
from goengine.types import GoError

SUBCOMMANDS = {
    "gtp": ("goengine.commands.gtp", "play and analyse in Sabaki and other GTP clients"),
    "web": ("goengine.commands.web", "open a board in the browser, to play and to study"),
    "play": ("goengine.commands.play", "play a game in the terminal"),
    "analysis": (
        "goengine.commands.study.analysis",
        "analyse for KaTrain and scripts, in JSON lines",
    ),
    "review": ("goengine.commands.study.review", "review whole games: SGF, page and picture"),
    "match": ("goengine.commands.match", "let two engines play games and count the wins"),
    "rank": ("goengine.commands.rating.rank", "show or change the rank of your partner"),
    "calibrate": (
        "goengine.commands.rating.calibrate",
        "measure the ranks by matches and write their table",
    ),
    "setup": ("goengine.commands.setup", "compile, try a move, say what to enter in Sabaki"),
    "networks": ("goengine.commands.networks", "list the networks that are shipped"),
    "benchmark": ("goengine.commands.benchmark", "measure the speed of this machine"),
    "policy": ("goengine.commands.study.policy", "list and draw a network's moves in a position"),
    "planes": ("goengine.commands.study.planes", "draw the feature planes of a position"),
}
"""Name -> the module with `configure(parser)` and `run(args) -> int`, and a line of help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status, one of those in `command_line`."""
    program = Program(
        name="goengine",
        description="An AlphaGo-style Go engine: rules, policy network, GTP.",
        version=__version__,
        commands=SUBCOMMANDS,
        errors=(GoError, OSError),
        own_stdout=("gtp", "analysis"),
    )
    return run_program(program, argv)


if __name__ == "__main__":
    sys.exit(main())
