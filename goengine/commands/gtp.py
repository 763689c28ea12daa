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
from goengine.commands.rating.rank_options import (
    Opponent,
    add_rank,
    asked_opponent,
    say_what_a_rank_leaves_out,
)
from goengine.foreign_options import add_foreign_options, take_foreign_options
from goengine.gtp.engine import Engine
from goengine.gtp.server import Server, reserve_stdout
from goengine.gtp.session import SessionSettings
from goengine.players.ranked.own_rank import RankFollower
from goengine.rules import RULES
from goengine.types import PLAY_SYMMETRY

if TYPE_CHECKING:
    from goengine.players.player import Player
    from goengine.players.settings import SearchSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `goengine gtp`."""
    network = parser.add_argument_group("network")
    options.add_network(network)
    options.add_backend(network)
    options.add_precision(network)
    network.add_argument(
        "--symmetry",
        choices=["none", "random", "all"],
        default=PLAY_SYMMETRY,
        help="views of the board for the bare network: one, a random one, or the mean of all 8 "
        f"(default: {PLAY_SYMMETRY})",
    )
    options.add_threads(network)
    play = parser.add_argument_group("play")
    play.add_argument(
        "--player",
        type=player_kind,
        default=("search", ""),
        metavar="KIND[:NETWORK]",
        help="search, or policy for the bare network (default: search, if the network judges)",
    )
    play.add_argument(
        "--seconds",
        type=options.positive,
        help="time for a move where no clock says otherwise (default: 1)",
    )
    play.add_argument(
        "--visits",
        type=options.number_from_0,
        help="positions that the search looks at for a move; 0 is the bare network "
        "(default: as many as the time allows)",
    )
    play.add_argument(
        "--ponder", action="store_true", help="think on the opponent's time (default: no)"
    )
    play.add_argument(
        "--memory",
        type=options.megabytes,
        default=1000.0,
        metavar="MB",
        help="bound of the search's memory (default: 1000)",
    )
    play.add_argument(
        "--temperature",
        type=options.not_negative,
        default=0.0,
        help="0 plays the best move; 1 plays as varied as the games learnt from, or by the "
        "search's visits (default: 0)",
    )
    play.add_argument(
        "--resign",
        type=options.not_negative,
        metavar="POINTS",
        help="the bare network gives up late games when behind by this much (default: play on)",
    )
    play.add_argument(
        "--resign-below",
        type=options.percent,
        default=5.0,
        metavar="PERCENT",
        help="the search gives up a game whose win chance stays below this; 0 plays on (default: "
        "5)",
    )
    add_rank(play)
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
    options.add_verbose(parser)
    add_foreign_options(parser)


def run(args: argparse.Namespace) -> int:
    """Serve GTP on standard input and output until `quit` or the end of the input."""
    options.log_to_stderr(verbose=args.verbose)
    take_foreign_options(args)
    try:
        log = _open_log(args.log)
    except OSError as error:
        print(f"goengine gtp: cannot write the log file: {error}", file=sys.stderr)
        return 2
    _say_if_missing(_network(args))
    if os.isatty(0):
        _say_to_people()
    opponent = asked_opponent(args)
    warn_of_unheard(args, opponent)
    engine = Engine(partial(make_player, args, opponent), make_settings(args))
    if opponent is not None and opponent.kept is not None:
        engine.session.follower = RankFollower(opponent.kept)
        print(
            f"goengine gtp: {opponent.kept.described().splitlines()[0]}",
            file=sys.stderr,
            flush=True,
        )
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


def warn_of_unheard(args: argparse.Namespace, opponent: Opponent | None) -> None:
    """Warn of options that an opponent by rank does not listen to."""
    given = {
        "--visits": args.visits is not None,
        "--temperature": args.temperature > 0,
        "--ponder": args.ponder,
        "--player": args.player[0] == "policy",
    }
    say_what_a_rank_leaves_out(opponent, given)


def make_settings(args: argparse.Namespace) -> SessionSettings:
    """Return how the session begins."""
    return SessionSettings(
        size=args.size,
        rules=args.rules,
        komi=args.komi,
        seed=args.seed,
        ponder=args.ponder,
        seconds=args.seconds,
    )


def make_player(args: argparse.Namespace, opponent: Opponent | None = None) -> Player:
    """Load the network and return the player, ready to answer without delay."""
    from goengine.inference.machine import Machine
    from goengine.players.making import make_player, make_ranked_player
    from goengine.players.settings import SEARCH_DEFAULTS, PolicySettings

    machine = Machine(args.backend, args.device, args.precision, args.threads)
    if opponent is not None:
        return make_ranked_player(
            opponent.rank,
            _network(args),
            think=opponent.think,
            best=_search(args) or SEARCH_DEFAULTS,
            megabytes=args.memory,
            machine=machine,
            seed=args.seed,
            size=args.size,
        )
    player = make_player(
        _network(args),
        search=_search(args),
        policy=PolicySettings(
            temperature=args.temperature, symmetry=args.symmetry, resign=args.resign
        ),
        machine=machine,
        seed=args.seed,
        size=args.size,
    )
    sort = "search with" if player.settings.reads else "policy network"
    player.name = f"{sort} {player.name}"
    return player


def _search(args: argparse.Namespace) -> SearchSettings | None:
    """Return how the player reads, None where it is the bare network."""
    from goengine.players.settings import SearchSettings

    kind, _ = args.player
    if kind == "policy" or args.visits == 0:
        return None
    return SearchSettings(
        visits=args.visits,
        seconds=1.0 if args.seconds is None else args.seconds,
        temperature=args.temperature,
        resign_below=args.resign_below / 100 or None,
        megabytes=args.memory,
    )


def player_kind(text: str) -> tuple[str, str]:
    """Return the kind and the network in `search`, `policy` or `policy:NAME`."""
    kind, _, network = text.partition(":")
    if kind not in ("search", "policy"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not possible: use search, policy, or either with :NETWORK"
        )
    return kind, network


def _network(args: argparse.Namespace) -> str:
    """Return the network that the arguments name, `""` for the default."""
    return args.player[1] or args.network or ""


def _say_if_missing(network: str) -> None:
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


def _say_to_people() -> None:
    """Say, where a person has started this by hand, what it waits for and what they may want."""
    print(
        "goengine gtp: this is the engine for Go programs such as Sabaki and waits for GTP "
        "commands (quit ends it); to play here yourself use goengine play",
        file=sys.stderr,
        flush=True,
    )


def _open_log(path: Path | None) -> TextIO | None:
    """Open the log file for appending, if one is wanted."""
    return None if path is None else path.open("a", encoding="utf-8")
