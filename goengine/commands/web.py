"""`goengine web`: a board in the browser, to play and to study."""

from __future__ import annotations

import argparse
from pathlib import Path

from goengine import options


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `goengine web`."""
    parser.add_argument(
        "game", nargs="?", type=Path, metavar="GAME.sgf", help="a game to begin with (optional)"
    )
    server = parser.add_argument_group("server")
    server.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; 0.0.0.0 opens the board to others, who then need the token of "
        "the printed address (default: 127.0.0.1, this machine only)",
    )
    server.add_argument(
        "--port", type=options.port, help="port to listen at (default: 8361 or a free one)"
    )
    server.add_argument("--token", help="token of the address instead of a random one")
    server.add_argument(
        "--no-browser", action="store_true", help="do not open the browser (default: open it)"
    )
    network = parser.add_argument_group("network")
    options.add_network(network, judging=True)
    options.add_backend(network)
    options.add_threads(network)
    search = parser.add_argument_group("search")
    search.add_argument(
        "--visits",
        type=options.count,
        default=1000,
        help="positions of an analysis where the page does not say it (default: 1000)",
    )
    search.add_argument(
        "--megabytes",
        type=options.megabytes,
        default=1000.0,
        help="bound of all trees and remembered evaluations together (default: 1000)",
    )
    options.add_verbose(parser)


def run(args: argparse.Namespace) -> int:
    """Serve the board until Ctrl+C.

    Raises:
        GoError: the address cannot be had, or there is no such network.
        OSError: the game cannot be read.
    """
    options.log_to_stderr(verbose=args.verbose)
    from goengine.inference.machine import Machine
    from goengine.web.serving.web_server import Address, read_first, serve
    from goengine.web.thinking.opponents import EngineOptions

    serve(
        EngineOptions(
            network=args.network,
            machine=Machine(args.backend, args.device, threads=args.threads),
            visits=args.visits,
            megabytes=args.megabytes,
        ),
        Address(args.host, args.port, args.token),
        first=read_first(args.game),
        browser=not args.no_browser,
        say=lambda text: print(text, flush=True),
    )
    return 0
