"""Batches made by threads ahead of time, in the order of their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
T = TypeVar("T")


class MakeBatch(Protocol[B_co]):
    """Makes the batch of a number."""

    def __call__(self, *, number: int) -> B_co:
        """Return batch `number`."""
        ...


def stream_batches(
    make: MakeBatch[B],
    *,
    prepare: Callable[[B], T],
    first: int = 0,
    workers: int = 1,
    ahead: int = 4,
) -> Generator[T, None, None]:
    """Yield batches `first`, `first + 1`, ... without end, made by `workers` threads.

    `prepare` is applied in the threads as well. Closing the generator ends the threads.
    """

    def one(number: int) -> T:
        return prepare(make(number=number))

    with ThreadPoolExecutor(workers, thread_name_prefix="positions") as pool:
        waiting: deque[Future[T]] = deque()
        number = first
        try:
            while True:
                while len(waiting) < ahead + workers:
                    waiting.append(pool.submit(one, number))
                    number += 1
                yield waiting.popleft().result()
        finally:
            for job in waiting:
                job.cancel()
