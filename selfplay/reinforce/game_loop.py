"""A run of self-play: the network on one batch while threads prepare the others.

The main thread does nothing but ask the network; playing moves, judging positions and encoding
planes happen in `threads - 1` other threads, none of which holds the GIL for long (with one thread
all of it happens in turns). Whose turn it is does not matter to any game, for each depends on its
own number alone, and the network always gets batches of one size.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from goengine.inference.evaluator import Evaluator
from goengine.lockstep import Floats
from selfplay.reinforce.finished_games import FinishedGame
from selfplay.reinforce.lanes import Lanes
from selfplay.reinforce.plan import Plan, Setup
from selfplay.reinforce.shards import Shards

log = logging.getLogger(__name__)

FLUSH_SECONDS = 300.0
"""Games that are over are written at least so often, in parts of shards if need be."""

Priors = Callable[[npt.NDArray[np.uint8]], Floats]


class GameQueue:
    """The games that are still to be played, handed out by size in the order of their numbers."""

    def __init__(self, plan: Plan, shards: Shards, games: int) -> None:
        self._plan = plan
        self._numbers = iter([n for n in range(games) if n not in shards])
        self._ready: dict[int, deque[Setup]] = {size: deque() for size in plan.sizes}
        self._lock = threading.Lock()

    def take(self, size: int) -> Setup | None:
        """Return how the next game of a size begins, None when all have begun."""
        with self._lock:
            while not self._ready[size]:
                number = next(self._numbers, None)
                if number is None:
                    return None
                setup = self._plan.setup(number)
                self._ready[setup.size].append(setup)
            return self._ready[size].popleft()


class GameBar:
    """A bar of finished games on stderr, with the moves of all games beside.

    Many games are played side by side, so the first ones end late and several at once: how long
    the rest will take is told by moves, once a game has shown how many there are to a point of the
    board.
    """

    def __init__(self, plan: Plan, games: int, done: int, *, silent: bool) -> None:
        self._plan, self._left = plan, games - done
        self._area = sum(size**2 for size in plan.sizes) / len(plan.sizes)
        self._began = self._drawn = time.monotonic()
        self._moves = self._finished_moves = 0
        self._finished_area = 0
        self._bar = tqdm(
            total=games,
            initial=done,
            file=sys.stderr,
            disable=silent,
            postfix="starting",
            bar_format="{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} games [{elapsed}{postfix}]",
        )

    def moved(self, moves: int) -> None:
        """Show that so many moves were chosen in all; drawn once a second at most."""
        self._moves = moves
        now = time.monotonic()
        if now - self._drawn >= 1:
            self._drawn = now
            self._bar.set_postfix_str(self.words(now - self._began))

    def finished(self, game: FinishedGame) -> None:
        """Count a game that is over."""
        self._left -= 1
        self._finished_moves += len(game.moves)
        self._finished_area += self._plan.setup(game.number).size ** 2
        self._bar.set_postfix_str(self.words(time.monotonic() - self._began), refresh=False)
        self._bar.update()

    def words(self, seconds: float) -> str:
        """Return what stands beside the games after so many seconds."""
        rate = self._moves / max(seconds, 1e-9)
        told = f"{self._moves:,} moves, {rate:,.0f} moves/s"
        if not self._finished_area or not rate:
            return told
        length = self._area * self._finished_moves / self._finished_area
        begun = self._moves - self._finished_moves
        left = max(0.0, self._left * length - begun) / rate
        return f"{told}, about {tqdm.format_interval(left)} left"

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def play_games(
    evaluator: Evaluator,
    shards: Shards,
    games: int,
    *,
    threads: int = 1,
    seconds: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
) -> int:
    """Play the games 0 ... games - 1 that `shards` lacks, and return how many moves were chosen.

    It ends early after `seconds`, or when `stop` says so; games in progress are then given up, and
    played again next time.
    """
    plan = shards.plan
    queue = GameQueue(plan, shards, games)
    groups = [
        Lanes(plan, size, lambda size=size: queue.take(size))  # type: ignore[misc]
        for _ in range(-(-threads // len(plan.sizes)))
        for size in plan.sizes
    ]
    moves = 0
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads - 1)) if threads > 1 else None
        done = shards.count(games)
        bar = stack.enter_context(closing(GameBar(plan, games, done, silent=not progress)))
        began = flushed = time.monotonic()
        pending = {lanes: _run(pool, lanes, None) for lanes in groups}
        while pending:
            lanes = _next(pending)
            for game in pending.pop(lanes).result():
                shards.add(game)
                bar.finished(game)
            now = time.monotonic()
            if stop() or (seconds is not None and now - began >= seconds):
                break
            if now - flushed >= FLUSH_SECONDS:
                shards.flush()
                flushed = now
            if not lanes.live:
                continue
            moves += lanes.live
            priors = evaluator.evaluate_planes(lanes.planes, symmetry="none").priors[:, :-1]
            pending[lanes] = _run(pool, lanes, priors)
            bar.moved(moves)
        for future in pending.values():
            for game in future.result():
                shards.add(game)
                bar.finished(game)
        shards.flush()
    return moves


def _run(
    pool: ThreadPoolExecutor | None, lanes: Lanes, priors: Floats | None
) -> Future[list[FinishedGame]]:
    """Prepare lanes for the network in a thread of the pool, or at once where there is none."""
    if pool is not None:
        return pool.submit(lanes.prepare, priors)
    future: Future[list[FinishedGame]] = Future()
    future.set_result(lanes.prepare(priors))
    return future


def _next(pending: dict[Lanes, Future[list[FinishedGame]]]) -> Lanes:
    """Return lanes that are ready for the network, those with the oldest game first."""
    wait(pending.values(), return_when=FIRST_COMPLETED)
    ready = [lanes for lanes, future in pending.items() if future.done()]
    return min(ready, key=lambda lanes: lanes.oldest)
