"""Options that make an opponent of a rank, in the same words for every command that plays."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from goengine.players.ranked.own_rank import OwnRank
from goengine.players.ranked.ranks import BEST, RANKS, parse_rank
from goengine.players.settings import HUMAN_WHILE
from goengine.types import GoError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Opponent:
    """Which opponent by rank is asked for."""

    rank: str
    think: tuple[float, float]
    kept: OwnRank | None
    """What follows the person; None where the rank stays."""


def add_rank(parser: argparse._ActionsContainer) -> None:
    """Declare `--rank`, `--adapt` and `--think`."""
    parser.add_argument(
        "--rank",
        type=rank,
        help=f"play at the strength of a rank, {RANKS[0]} to {RANKS[-1]}, or {BEST} (default: "
        f"{BEST})",
    )
    parser.add_argument(
        "--adapt",
        action="store_true",
        help="the rank follows you: up when you win, down when you lose; --rank says where it "
        "begins the first time; 'goengine rank' shows it",
    )
    parser.add_argument(
        "--think",
        type=think,
        metavar="LEAST-MOST",
        help="seconds that an opponent by rank takes for a move, as in 0.5-3; 0 answers at once "
        f"(default: {HUMAN_WHILE[0]:g}-{HUMAN_WHILE[1]:g}, the clock allowing it)",
    )


def say_what_a_rank_leaves_out(opponent: Opponent | None, given: Mapping[str, bool]) -> None:
    """Warn of options that an opponent by rank does not listen to.

    `given`: for each such option whether a person has given it.
    """
    unheard = [name for name, is_given in given.items() if is_given]
    if opponent is None or opponent.rank == BEST or not unheard:
        return
    log.warning(
        "an opponent by rank plays as its rank does, so without effect: %s", ", ".join(unheard)
    )


def asked_opponent(args: argparse.Namespace) -> Opponent | None:
    """Return the opponent by rank that the options ask for, None where they ask for none.

    With `--adapt` it is the kept rank, and `--rank` says where a person without one begins.

    Raises:
        GoError: the options contradict each other, or what is kept cannot be read.
    """
    thinks = HUMAN_WHILE if args.think is None else args.think
    if not args.adapt:
        if args.rank is None:
            if args.think is not None:
                raise GoError("--think is for an opponent by rank: add --rank, 8k for example")
            return None
        return Opponent(args.rank, thinks, None)
    if args.rank == BEST:
        raise GoError(f"--adapt moves a rank, and {BEST} is not one: name one such as 8k")
    kept = OwnRank()
    if kept.is_new and args.rank is not None:
        kept.set(args.rank)
    elif args.rank is not None and args.rank != kept.rank:
        log.warning(
            "your partner has come to %s; 'goengine rank set %s' begins again from %s",
            kept.rank,
            args.rank,
            args.rank,
        )
    return Opponent(kept.rank, thinks, kept)


def rank(text: str) -> str:
    """Return the rank that a word names."""
    try:
        return parse_rank(text)
    except GoError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def think(text: str) -> tuple[float, float]:
    """Return the seconds in a word such as `1-4`, or `2` for both."""
    least, _, most = text.partition("-")
    try:
        found = float(least), float(most or least)
    except ValueError:
        found = -1.0, -1.0
    if not 0 <= found[0] <= found[1] <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not possible: use LEAST-MOST, as in 1-4")
    return found
