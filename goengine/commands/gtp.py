"""`goengine gtp`: the engine that Sabaki and other clients start.

Nothing heavy is imported here: the network and the board load in the background, after `name`
was answered.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from goengine import options
from goengine.gtp.engine import Engine
from goengine.gtp.server import Server, reserve_stdout
from goengine.gtp.session import SessionSettings
from goengine.rules import RULES
from goengine.types import PLAY_SYMMETRY

if TYPE_CHECKING:
    from goengine.players.player import Player


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `goengine gtp`."""
    network = parser.add_argument_group("network")
    network.add_argument(
        "--network",
        metavar="NAME|PATH",
        help="a shipped network or a file (default: the one that plays best)",
    )
    network.add_argument(
        "--backend",
        choices=["onnx", "torch"],
        help="what computes the network: ONNX Runtime or PyTorch (default: the fastest here)",
    )
    network.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    network.add_argument(
        "--precision",
        choices=["float32", "bfloat16", "float16", "int8"],
        help="default: the fastest here; int8 is ONNX Runtime's",
    )
    network.add_argument(
        "--symmetry",
        choices=["none", "random", "all"],
        default=PLAY_SYMMETRY,
        help="views of the board: one, a random one, or the mean of all 8; none is the fastest "
        f"(default: {PLAY_SYMMETRY})",
    )
    network.add_argument(
        "--threads",
        type=options.threads,
        help="processor threads of the network (default: all cores but one)",
    )
    play = parser.add_argument_group("play")
    play.add_argument(
        "--temperature",
        type=options.not_negative,
        default=0.0,
        help="0 plays the best move; 1 plays as varied as the games learnt from (default: 0)",
    )
    play.add_argument(
        "--resign",
        type=options.not_negative,
        metavar="POINTS",
        help="give up lost late games when behind by this much (default: play on)",
    )
    play.add_argument(
        "--seed", type=options.seed, help="repeat the random choices of an earlier run"
    )
    game = parser.add_argument_group("first game")
    game.add_argument(
        "--size", type=options.board_size, default=19, help="board size (default: 19)"
    )
    game.add_argument(
        "--rules",
        type=options.rule_set,
        default="chinese",
        help=f"one of {', '.join(RULES)} (default: chinese)",
    )
    game.add_argument("--komi", type=options.finite, help="default: the komi of the rules")
    parser.add_argument("--log", type=Path, metavar="FILE", help="append the conversation to FILE")
    parser.add_argument("--verbose", action="store_true", help="more about loading on stderr")


def run(args: argparse.Namespace) -> int:
    """Serve GTP on standard input and output until `quit` or the end of the input."""
    level = logging.DEBUG if args.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level, format="goengine: %(message)s")
    logging.getLogger("numba").setLevel(logging.WARNING)
    try:
        log = _open_log(args.log)
    except OSError as error:
        print(f"goengine gtp: cannot write the log file: {error}", file=sys.stderr)
        return 2
    _say_if_missing(args.network)
    engine = Engine(partial(make_player, args), make_settings(args))
    server = Server(engine, input_fd=0, output_fd=reserve_stdout(), log=log)
    try:
        server.run()
    except KeyboardInterrupt:
        return 130
    if server.loading:
        # A thread inside the import of a C++ library cannot be stopped; leaving through the
        # interpreter's shutdown would wait for it or crash in it. All output is written already.
        logging.shutdown()
        os._exit(0)
    return 0


def make_settings(args: argparse.Namespace) -> SessionSettings:
    """Return how the session begins."""
    return SessionSettings(size=args.size, rules=args.rules, komi=args.komi, seed=args.seed)


def make_player(args: argparse.Namespace) -> Player:
    """Load the network and return the player, ready to answer without delay."""
    from goengine.players.making import make_policy_player
    from goengine.players.settings import PolicySettings

    player = make_policy_player(
        args.network,
        PolicySettings(temperature=args.temperature, symmetry=args.symmetry, resign=args.resign),
        backend=args.backend,
        device=args.device,
        precision=args.precision,
        threads=args.threads,
        size=args.size,
    )
    player.name = f"policy network {player.name}"
    return player


def _say_if_missing(network: str | None) -> None:
    """Say at once, long before anything is loaded, that there is no such network."""
    if not network or Path(network).is_file():
        return
    if not (resources.files("goengine") / "nets" / f"{network}.safetensors").is_file():
        print(
            f"goengine gtp: no network {network!r}: give the path of a .safetensors file or a "
            "name that 'goengine networks' lists; the board works, moves do not",
            file=sys.stderr,
            flush=True,
        )


def _open_log(path: Path | None) -> TextIO | None:
    """Open the log file for appending, if one is wanted."""
    return None if path is None else path.open("a", encoding="utf-8")
