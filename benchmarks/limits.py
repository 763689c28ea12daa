"""Whether a search keeps its limits: the seconds of a move, and the memory of long pondering.

Moves: a player that reads chooses in middle games with so many seconds for each. It may stop
early, but it must not think longer than that; what a move took is printed beside what it had.
Pondering: one position is thought about for so many minutes. What the process holds beyond its
start is printed now and then, beside the bound; it must stay below it. The exit status is 1 where
a limit was not kept.

    python benchmarks/limits.py --moves 40 --seconds 1 --minutes 0
    python benchmarks/limits.py --moves 0 --minutes 10 --megabytes 50
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time

import numpy as np

from goengine.games.game import Game
from goengine.inference.machine import Machine
from goengine.options import number_from_0, positive, threads
from goengine.players.making import make_search_player
from goengine.players.player import Budget
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings

LATE = 0.05
"""Seconds that a move may take beyond its limit: the answer itself, after the search."""
ARENA = 40.0
"""Megabytes beside the bound: the network's own buffers, and whole pages of large arrays."""
POINTS = 20
"""Lines of the curve of memory."""


def middle_game(size: int, seed: int) -> Game:
    """Return a game after as many sensible random moves as a third of its points."""
    rng = np.random.default_rng(seed)
    game = Game(size)
    for _ in range(size * size // 3):
        game.play(int(rng.choice(np.flatnonzero(game.board.sensible()[:-1]))))
    return game


def keeps_time(player: SearchPlayer, arguments: argparse.Namespace) -> bool:
    """Print what moves took; tell whether none took longer than it had."""
    took, visits = [], []
    for number in range(arguments.moves):
        game = middle_game(arguments.size, number)
        rng = np.random.default_rng(number)
        began = time.perf_counter()
        player.choose(game, Budget(seconds=arguments.seconds), rng=rng)
        took.append(time.perf_counter() - began)
        visits.append(player.tree.visits)
    late = sum(seconds > arguments.seconds + LATE for seconds in took)
    early = sum(seconds < 0.9 * arguments.seconds for seconds in took)
    print(
        f"{len(took)} moves of {arguments.seconds:g} s: median {statistics.median(took):.3f} s, "
        f"longest {max(took):.3f} s, {early} stopped early, {late} later than {LATE:g} s after "
        f"the limit; {statistics.median(visits):.0f} visits",
        flush=True,
    )
    return late == 0


def keeps_memory(player: SearchPlayer, arguments: argparse.Namespace) -> bool:
    """Print how memory grows while a position is pondered; tell whether it stays in the bound."""
    game = Game(arguments.size)
    player.choose(game, Budget(visits=200), rng=np.random.default_rng(0))
    seconds = 60.0 * arguments.minutes
    before, began, next_line = resident(), time.perf_counter(), 0.0
    most = 0.0

    def over() -> bool:
        nonlocal next_line, most
        passed = time.perf_counter() - began
        if passed >= next_line or passed >= seconds:
            held = resident() - before
            most = max(most, held)
            print(
                f"{passed:6.0f} s {held:7.1f} MB of {arguments.megabytes:g}, "
                f"{player.tree.visits:,} visits, {int(player.tree.pool.used[0]):,} nodes",
                flush=True,
            )
            next_line += seconds / POINTS
        return passed >= seconds

    while not over():  # a full tree ends pondering; reading goes on on what is known
        player.ponder(game, over)
        player.choose(game, Budget(visits=player.tree.visits + 500), rng=np.random.default_rng(0))
    print(f"at most {most:.1f} MB more than before, of {arguments.megabytes:g}", flush=True)
    return bool(most <= arguments.megabytes + ARENA)


def resident() -> float:
    """Return the megabytes that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def main() -> int:
    """Run the checks that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--net", default="dual-96")
    parser.add_argument("--threads", type=threads, default=1)
    parser.add_argument("--size", type=int, default=19)
    parser.add_argument("--moves", type=number_from_0, default=20)
    parser.add_argument("--seconds", type=positive, default=1.0, help="of a move")
    parser.add_argument("--minutes", type=float, default=1.0, help="of pondering; 0: none")
    parser.add_argument("--megabytes", type=positive, default=100.0, help="the bound")
    arguments = parser.parse_args()
    player = make_search_player(
        arguments.net,
        SearchSettings(megabytes=arguments.megabytes),
        machine=Machine(threads=arguments.threads),
        size=arguments.size,
    )
    kept = arguments.moves == 0 or keeps_time(player, arguments)
    kept &= arguments.minutes <= 0 or keeps_memory(player, arguments)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
