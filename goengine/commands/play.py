"""`goengine play`: a game against the network in the terminal."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from cnncore.system.command_line import DONE, INTERRUPTED
from goengine.clock import TimeSettings
from goengine.commands.rating.rank_options import (
    add_rank,
    asked_opponent,
    say_what_a_rank_leaves_out,
)
from goengine.games.game import Game
from goengine.handicap import fixed_points, most_fixed
from goengine.options import (
    board_size,
    finite,
    not_negative,
    number_from_0,
    positive,
    rule_set,
    seed,
)
from goengine.players.making import make_player, make_ranked_player
from goengine.players.player import Player
from goengine.players.ranked.own_rank import RankFollower
from goengine.players.settings import SEARCH_DEFAULTS, PolicySettings, SearchSettings
from goengine.rules import RULES
from goengine.terminal.board_text import LETTERS, style_for
from goengine.terminal.clock_words import settings_words
from goengine.terminal.conversation import Session
from goengine.terminal.typed_lines import enable_editing
from goengine.terminal.waiting_line import waiting_line
from goengine.types import PLAY_SYMMETRY, GoError, colour_name, parse_colour


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine play`."""
    parser.add_argument("--size", type=board_size, default=19, help="board size (19)")
    parser.add_argument(
        "--rules", type=rule_set, default="chinese", help=f"{', '.join(RULES)} (chinese)"
    )
    parser.add_argument("--komi", type=finite, help="komi (the rules' own; 0.5 with handicap)")
    parser.add_argument("--handicap", type=int, default=0, help="black handicap stones (0)")
    parser.add_argument("--colour", "--color", default="black", help="your colour (black)")
    parser.add_argument(
        "--network",
        default="",
        help="shipped name, file or folder of a fine-tuning run (the shipped one that plays best)",
    )
    parser.add_argument(
        "--seconds", type=positive, help="its time for a move where there is no clock (1)"
    )
    parser.add_argument("--visits", type=number_from_0,
        help="positions it looks at for a move; 0 plays without search (what the time allows)",
    )  # fmt: skip
    parser.add_argument(
        "--temperature", type=not_negative, default=0.0, help="0 plays its best move (0)"
    )
    parser.add_argument(
        "--symmetry", default=PLAY_SYMMETRY,
        help=f"views of the board without search: none, random or all ({PLAY_SYMMETRY})",
    )  # fmt: skip
    add_rank(parser)
    parser.add_argument("--seed", type=seed, help="seed of its random choices (another each time)")
    parser.add_argument("--name", default="human", help="your name, for saved games (human)")
    parser.add_argument("--load", type=Path, metavar="FILE.sgf", help="go on with a game")
    parser.add_argument("--time", type=not_negative, default=0.0, metavar="MINUTES",
        help="main time of both players (no clock)",
    )  # fmt: skip
    parser.add_argument("--byoyomi", type=byoyomi, default=(0, 0), metavar="PERIODSxSECONDS",
        help="periods after the main time, as in 3x30 (none)",
    )  # fmt: skip
    parser.add_argument(
        "--letters", action="store_true", help="X and O without colours (round stones if possible)"
    )


def _tell(text: str) -> None:
    """Say at once what is being done."""
    print(text, file=sys.stderr, flush=True)


def byoyomi(text: str) -> tuple[int, int]:
    """Return the periods and their seconds in a word such as `3x30`."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,4})", text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not possible: use PERIODSxSECONDS, as 3x30")
    return int(found[1]), int(found[2])


def time_settings(minutes: float, periods: int, seconds: int) -> TimeSettings:
    """Return the clock that the options ask for."""
    if periods:
        return TimeSettings("byoyomi", 60 * minutes, seconds, periods=periods)
    return TimeSettings("absolute", 60 * minutes) if minutes else TimeSettings()


def start_game(size: int, rules: str, komi: float | None, handicap: int) -> Game:
    """Return the game before the first move.

    Raises:
        GoError: the size, the rules or the number of stones is not possible.
    """
    if handicap and komi is None:
        komi = 0.5
    game = Game(size, rules=rules, komi=komi)
    if handicap:
        most = most_fixed(size)
        if most == 0:
            raise GoError(f"{size}x{size} has no handicap points: use 7x7 or larger, or handicap 0")
        if handicap == 1:
            raise GoError(
                "a handicap of 1 stone is the first move without komi: use --komi 0.5 without "
                f"--handicap, or --handicap 2 to {most}"
            )
        if not 2 <= handicap <= most:
            raise GoError(f"{handicap} handicap stones do not fit {size}x{size}: use 2 to {most}")
        game.place_handicap(fixed_points(size, handicap))
    return game


def run(args: argparse.Namespace) -> int:
    """Play one game."""
    game = start_game(args.size, args.rules, args.komi, args.handicap)
    game.clock.configure(time_settings(args.time, *args.byoyomi))
    human = parse_colour(args.colour)
    opponent = asked_opponent(args)
    say_what_a_rank_leaves_out(
        opponent,
        {"--visits": args.visits is not None, "--temperature": args.temperature > 0},
    )
    _tell("loading the network ...")
    player: Player
    if opponent is not None:
        player = make_ranked_player(
            opponent.rank,
            args.network,
            think=opponent.think,
            best=_search(args) or SEARCH_DEFAULTS,
            seed=args.seed,
            size=args.size,
        )
    else:
        player = _strong_player(args)
    kept = None if opponent is None else opponent.kept
    session = Session(
        game,
        player,
        human=human,
        rng=np.random.default_rng(args.seed),
        name=args.name,
        style=LETTERS if args.letters else style_for(sys.stdout, os.environ),
        day=date.today(),
        seconds=args.seconds,
        thinking=partial(waiting_line, stream=sys.stderr),
        follower=None if kept is None else RankFollower(kept),
    )
    enable_editing()
    described = _described(player, game.clock.settings, args)
    print(f"You play {colour_name(human)} against {described}. Type help for the commands.")
    if kept is not None:
        print(kept.described())
    answer = session.answer(f"load {args.load}") if args.load else session.respond()
    status = DONE
    while not session.left:
        status = DONE
        try:
            print(session.screen(answer), flush=True)
            line = input("> ")
        except (EOFError, KeyboardInterrupt) as end:
            line = "quit"
            print()
            status = INTERRUPTED if isinstance(end, KeyboardInterrupt) else DONE
        answer = session.answer(line)
    return status


def _described(player: Player, clock: TimeSettings, args: argparse.Namespace) -> str:
    """Return the name of the player and what limits its moves."""
    limits = player.settings.brief() if player.settings.reads else ""
    if clock.kind != "none":
        if args.visits is None:
            limits = "" if args.seconds is None else f"at most {args.seconds:g} s a move"
        limits = ", ".join(filter(None, [limits, f"by the clock, {settings_words(clock)}"]))
    return ", ".join(filter(None, [player.name, limits]))


def _search(args: argparse.Namespace) -> SearchSettings | None:
    """Return how it reads, None where it is to play without search."""
    if args.visits == 0:
        return None
    return SearchSettings(
        visits=args.visits,
        seconds=1.0 if args.seconds is None else args.seconds,
        temperature=args.temperature,
    )


def _strong_player(args: argparse.Namespace) -> Player:
    """Return the player as strong as the options let it be."""
    return make_player(
        args.network,
        search=_search(args),
        policy=PolicySettings(temperature=args.temperature, symmetry=args.symmetry),
        seed=args.seed,
        size=args.size,
    )
