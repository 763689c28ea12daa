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
from contextlib import ExitStack

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
        bar = stack.enter_context(
            tqdm(total=games, initial=done, unit="game", file=sys.stderr, disable=not progress)
        )
        began = flushed = time.monotonic()
        pending = {lanes: _run(pool, lanes, None) for lanes in groups}
        while pending:
            lanes = _next(pending)
            for game in pending.pop(lanes).result():
                shards.add(game)
                bar.update()
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
            rate = moves / max(now - began, 1e-9)
            bar.set_postfix_str(f"{rate:,.0f} moves/s", refresh=False)
        for future in pending.values():
            for game in future.result():
                shards.add(game)
                bar.update()
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
