"""Batches made ahead of time, in the order of their numbers, by a thread or by processes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Generic, TypeVar

from selfplay.batches.batch_processes import BatchProcesses, MakeBatch

B = TypeVar("B")
T = TypeVar("T")

_STAGED = 2
"""Batches of processes that are prepared while the network learns from another one."""


def stream_batches(
    make: MakeBatch[B],
    *,
    prepare: Callable[[B], T],
    example: MakeBatch[B] | None = None,
    first: int = 0,
    workers: int = 1,
    ahead: int = 4,
) -> Generator[T, None, None]:
    """Yield batches `first`, `first + 1`, ... without end, the same for any number of workers.

    One worker is a thread of this process. Several are processes of their own, for threads would
    share the interpreter lock with the one that trains; `make` goes to them pickled. Where batches
    differ in size, `example` makes one as large as any, here. `prepare` is applied in a thread of
    this process. Closing the generator ends threads and processes.
    """
    if workers == 1:
        yield from _from_thread(make, prepare, first, ahead)
        return
    largest = (example or make)(number=first)
    with closing(BatchProcesses(make, largest, first, workers, ahead)) as source:
        yield from _from_thread(source.take, prepare, first, _STAGED)


def _from_thread(
    make: MakeBatch[B], prepare: Callable[[B], T], first: int, ahead: int
) -> Generator[T, None, None]:
    """Yield batches that a thread takes or makes one after the other."""

    def one(number: int) -> T:
        return prepare(make(number=number))

    with ThreadPoolExecutor(1, thread_name_prefix="positions") as pool:
        waiting: deque[Future[T]] = deque()
        number = first
        try:
            while True:
                while len(waiting) < ahead + 1:
                    waiting.append(pool.submit(one, number))
                    number += 1
                yield waiting.popleft().result()
        finally:
            for job in waiting:
                job.cancel()


class BatchStreams(ABC, Generic[B]):
    """Whatever makes batches that are pure functions of a seed and their number."""

    @abstractmethod
    def random_batch(
        self, count: int, *, seed: int, number: int, part: int = 0, parts: int = 1
    ) -> B:
        """Return batch `number` of the stream of `seed`, every position turned at random.

        Of `parts` processes that share the `count` positions, process `part` gets its own.
        """

    def largest_batch(self, count: int, *, number: int, part: int = 0, parts: int = 1) -> B:
        """Return a batch that is as large in memory as any of so many positions."""
        return self.random_batch(count, seed=0, number=number, part=part, parts=parts)

    def stream(
        self,
        count: int,
        *,
        seed: int,
        prepare: Callable[[B], T],
        first: int = 0,
        part: int = 0,
        parts: int = 1,
        workers: int = 1,
        ahead: int = 4,
    ) -> Generator[T, None, None]:
        """Return batches `first`, `first + 1`, ... without end, made ahead of time.

        By a thread, or by several processes: see `stream_batches`.
        """
        return stream_batches(
            partial(self.random_batch, count, seed=seed, part=part, parts=parts),
            prepare=prepare,
            example=partial(self.largest_batch, count, part=part, parts=parts),
            first=first,
            workers=workers,
            ahead=ahead,
        )
