"""`goengine review`: whole games reviewed, as annotated SGF, a page and a picture."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from goengine import options
from goengine.types import GoError

if TYPE_CHECKING:
    from goengine.inference.evaluator import Evaluator


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine review`."""
    parser.add_argument("games", nargs="+", type=Path, help="SGF files, or folders of them")
    parser.add_argument(
        "--visits",
        type=options.count,
        default=50,
        help="positions of the search for each move (default: 50)",
    )
    parser.add_argument(
        "--seconds", type=options.positive, help="time for each move at the most (no limit)"
    )
    parser.add_argument(
        "--player",
        metavar="NAME",
        help="whose moves to dwell on: black, white, or a part of a name (both)",
    )
    parser.add_argument(
        "--language", choices=["en", "ko"], default="en", help="of page and comments (default: en)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where reviews go (beside each game)"
    )
    options.add_network(parser, judging=True)
    options.add_threads(parser)
    parser.add_argument(
        "--megabytes",
        type=options.positive,
        default=1000.0,
        help="bound of the memory of searches (default: 1000)",
    )


def run(args: argparse.Namespace) -> int:
    """Review the games one after the other; a game that cannot be reviewed does not stop others.

    Raises:
        GoError: a path does not exist, or the network cannot analyse.
    """
    from tqdm import tqdm

    from goengine.analysis.evaluators import judging_network, make_analysis_evaluator
    from goengine.inference.machine import Machine
    from goengine.review.review_files import (
        ReviewPlan,
        check_apart,
        files_of,
        find_games,
        review_file,
    )
    from goengine.review.review_words import ENGLISH, LANGUAGES

    games = list(dict.fromkeys(find_games(args.games)))
    plan = ReviewPlan(
        visits=args.visits,
        seconds=args.seconds,
        player=args.player,
        words=LANGUAGES[args.language],
        folder=args.out,
        roots=tuple(path for path in args.games if path.is_dir()),
        megabytes=args.megabytes,
    )
    check_apart(games, plan)
    evaluators = cache(
        lambda name: make_analysis_evaluator(name, machine=Machine(threads=args.threads))
    )
    evaluators(args.network or judging_network())  # a wrong one is said before any game is read

    def network_for(size: int) -> tuple[str, Evaluator]:
        return evaluators(args.network or judging_network(size))

    failed = 0
    for game in games:
        bars: list[tqdm[None]] = []

        def tell(
            done: int, total: int, bars: list[tqdm[None]] = bars, name: str = game.name
        ) -> None:
            """Draw the bar; it appears with the first word of progress, not before an error."""
            if not bars:
                bars.append(tqdm(unit="move", desc=name, total=total, file=sys.stderr))
            bars[0].n = done
            bars[0].refresh()

        failure: Exception | None = None
        try:
            summary = review_file(game, network_for, plan, progress=tell)
        except (GoError, OSError) as error:
            failure = error
        finally:
            for bar in bars:
                bar.close()
        if failure is not None:
            failed += 1
            print(f"goengine review: {game}: {failure}", file=sys.stderr)
            continue
        for player in summary.players:
            colour = ENGLISH.colour(player.colour)
            name = colour if player.name is None else f"{player.name} ({colour})"
            said = f"{player.accuracy:.0f} % accurate, {player.points_lost:.2f} points lost a move"
            print(f"{game.name}: {name} {said if player.moves else 'made no moves'}")
        print(files_of(game, plan).page)
    return 1 if failed else 0
