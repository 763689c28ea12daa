"""`goengine setup`: compile, try the network, and say what to enter in other programs."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np

from goengine.coords import move_to_gtp
from goengine.games.game import Game


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--network", default="", help="shipped name or file to try (the one that plays best)"
    )


def installed_command(*, scripts: Path | None = None) -> list[str]:
    """Return how this very installation is started: its program, or Python with the module."""
    folder = Path(sysconfig.get_path("scripts")) if scripts is None else scripts
    program = folder / ("goengine.exe" if os.name == "nt" else "goengine")
    if program.is_file():
        return [str(program)]
    return [sys.executable, "-m", "goengine"]


def instructions(command: list[str], options: list[str]) -> str:
    """Return the lines to enter in Sabaki and in programs that take a whole command line."""
    path, arguments = command[0], [*command[1:], "gtp", *options]
    join = shlex.join if os.name != "nt" else _joined_for_windows
    return "\n".join(
        [
            "Sabaki (Preferences, Engines, Add):",
            "  name               goengine",
            f"  path               {path}",
            f"  arguments          {join(arguments)}",
            "  initial commands   leave empty",
            "GoGui, Lizzie and other programs that take one command line:",
            f"  {join([path, *arguments])}",
        ]
    )


def run(args: argparse.Namespace) -> int:
    """Make everything ready and print the instructions."""
    from goengine.inference.evaluator import Evaluator
    from goengine.players.making import make_player

    began = time.perf_counter()
    _say("making the board code and the network ready ...")
    player = make_player(args.network)
    _say(f"ready after {time.perf_counter() - began:.1f} s: {player.name}")
    if isinstance(player.evaluator, Evaluator):
        backend = player.evaluator.backend
        _say(
            f"the network is computed by {backend.name} on {backend.device} in "
            f"{backend.precision}, in {backend.threads} thread{'s' if backend.threads > 1 else ''}"
        )
    began = time.perf_counter()
    move = player.choose(Game(19), rng=np.random.default_rng(0)).move
    seconds = time.perf_counter() - began
    _say(f"its first move, {move_to_gtp(move, 19)}, took {1000 * seconds:.0f} ms")
    network = args.network
    if network and Path(network).is_file():
        network = str(Path(network).resolve())
    print(instructions(installed_command(), ["--network", network] if network else []))
    return 0


def _joined_for_windows(words: list[str]) -> str:
    """Return words as one command line of Windows."""
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _say(text: str) -> None:
    """Write a line of progress."""
    print(f"goengine setup: {text}", file=sys.stderr, flush=True)
