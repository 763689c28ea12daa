"""Whole games of an opponent by rank against itself, every move looked at again.

    python -m benchmarks.ranked_games --rank 12k --size 9 --games 100

Counted are illegal moves, games lost on time by a clock that each game has, moves that the rules of
`goengine.players.ranked.vetoes` name, passes that a search of many visits would not make, and games
that do not come to an end. With `--out` finished games are kept, and the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from goengine.board import Board
from goengine.clock import Clock, gtp_settings
from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.inference.machine import Machine
from goengine.match.openings import corner_openings
from goengine.players.effort import time_budget
from goengine.players.making import make_ranked_player
from goengine.players.player import Budget, Choice
from goengine.players.ranked.ranked_player import ENDING, RankedPlayer
from goengine.players.ranked.vetoes import Vetoes
from goengine.players.reading.ending import QUIET
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings
from goengine.rules import get_rules
from goengine.scoring.regions import neighbours
from goengine.scoring.status import status
from goengine.types import RESIGN

JUDGE_VISITS = 200
"""Positions of the search that looks at passes."""
EARLY = 2.0
"""Points that a move must gain over a pass for the pass to have been early."""


class Referee:
    """Looks at moves after they were chosen, with eyes of its own."""

    def __init__(self, player: RankedPlayer) -> None:
        self.player = player
        self.judge = SearchPlayer(
            player.evaluator,
            SearchSettings(visits=JUDGE_VISITS, megabytes=50.0, resign_below=None),
            rng=np.random.default_rng(9),
        )

    def faults(self, board: Board, choice: Choice) -> list[str]:
        """Return what is wrong with a choice."""
        move = choice.move
        if move == RESIGN:
            return []
        if not board.is_legal(move):
            return ["illegal move"]
        if move == board.size**2:
            return ["early pass"] if not board.passes and self.is_early(board) else []
        if choice.reason == ENDING:
            return []
        owned = self.player.evaluator.evaluate([board], symmetry="none").ownership
        assert owned is not None
        broken = Vetoes(board, owned[0]).of(move)
        return [] if broken is None else [broken]

    def is_early(self, board: Board) -> bool:
        """Tell whether a longer search gains points over the pass, where playouts find it open."""
        rng = np.random.default_rng(1)
        judged = status(board, rng=rng)
        if judged.settled_share > QUIET:
            return False
        found = self.judge.choose(Game.at(board), Budget(visits=JUDGE_VISITS), rng=rng)
        if found.move == board.size**2:
            return False
        settled = judged.settled.ravel()
        near = [found.move, *neighbours(board.size)[found.move]]
        leads = {one.move: one.lead or 0.0 for one in found.candidates}
        passing = leads.get(board.size**2)
        gains = passing is None or leads.get(found.move, passing) - passing > EARLY
        return gains and not settled[near].all()


def play(
    player: RankedPlayer, referee: Referee, number: int, args: argparse.Namespace
) -> dict[str, object]:
    """Play one game and return what was wrong with it."""
    opening = corner_openings(args.size, 4, seed=args.seed)(number)
    rng = np.random.default_rng([args.seed, number])
    clock = Clock(gtp_settings(args.seconds, 0, 0))
    komi = 7.0 if args.size == 9 else get_rules("chinese").komi
    game = Game(args.size, komi=komi, clock=clock)
    for move in opening:
        game.play(move)
    faults: Counter[str] = Counter()
    endings = 0
    began = time.process_time()
    while game.board.passes < 2 and not game.over:
        colour = game.board.to_play
        budget = time_budget(game)
        clock.start()
        choice = player.choose(game, budget, rng=rng)
        clock.stop(colour)
        if clock.overrun:
            faults["time"] += 1
        wrong = referee.faults(game.board, choice)
        faults.update(wrong)
        if wrong:
            vertex = "resign" if choice.move == RESIGN else move_to_gtp(choice.move, args.size)
            print(f"{game.board}\n{vertex}: {', '.join(wrong)}", file=sys.stderr)
        endings += choice.reason == ENDING
        if choice.move == RESIGN or "illegal move" in faults:
            game.lose(colour, "R")
        elif len(game.moves) >= 2 * args.size**2:
            faults["no end"] += 1
            break
        else:
            game.play(choice.move)
    return {
        "game": number,
        "moves": len(game.moves),
        "endings": endings,
        "result": game.result or "counted",
        "faults": dict(faults),
        "cpu": round(time.process_time() - began, 2),
    }


def main() -> int:
    """Play the games that are missing and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rank", default="12k", help="the rank (12k)")
    parser.add_argument("--size", type=int, default=9, help="lines of the board (9)")
    parser.add_argument("--games", type=int, default=100, help="games (100)")
    parser.add_argument("--seconds", type=int, default=120, help="main time of both players (120)")
    parser.add_argument("--seed", type=int, default=1, help="seed (1)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a line of JSON for each game")
    args = parser.parse_args()
    player = make_ranked_player(
        args.rank, machine=Machine(threads=1), seed=args.seed, size=args.size
    )
    assert isinstance(player, RankedPlayer), "best is not a rank"
    referee = Referee(player)
    found: list[dict[str, object]] = []
    if args.out is not None and args.out.exists():
        found = [json.loads(line) for line in args.out.read_text().splitlines()]
    done = {one["game"] for one in found}
    for number in range(args.games):
        if number in done:
            continue
        one = play(player, referee, number, args)
        found.append(one)
        print(one, file=sys.stderr, flush=True)
        if args.out is not None:
            with args.out.open("a") as lines:
                lines.write(json.dumps(one) + "\n")
    faults: Counter[str] = Counter()
    for one in found:
        faults.update(one["faults"])  # type: ignore[call-overload]
    moves = sum(int(str(one["moves"])) for one in found)
    endings = sum(int(str(one["endings"])) for one in found)
    print(
        f"{args.rank} on {args.size}x{args.size}: {len(found)} games, {moves:,} moves "
        f"({endings:,} chosen by the search at the end), faults: {dict(faults) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
