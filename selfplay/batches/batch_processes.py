"""Processes that make batches and leave them in memory that they share with this one.

The memory is an anonymous file that the system frees with its last process, however that ends. It
holds, pickled, what makes a batch, and behind it slots for finished batches. A batch is pickled by
protocol 5 (PEP 574): its arrays lie in a slot, and only what describes them goes through a pipe.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import pickle
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

log = logging.getLogger(__name__)

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)

_ALIGNED = 64
"""Arrays begin at multiples of so many bytes."""
_QUEUED = 2
"""Batches that a process is asked for at a time: one that it makes, one that follows at once."""
_PATIENCE = 10.0
"""Seconds for which the status of a process that has ended is waited for."""


class LoaderError(OSError):
    """The processes that make batches have ended."""


class MakeBatch(Protocol[B_co]):
    """Makes the batch of a number."""

    def __call__(self, *, number: int) -> B_co:
        """Return batch `number`."""
        ...


@dataclass(frozen=True)
class _Pickled:
    """An object pickled apart from its arrays, which lie one behind the other in memory."""

    head: bytes
    """The pickle without the arrays."""
    sizes: tuple[int, ...]
    """Bytes of each array; empty if `head` holds them too."""


@dataclass
class _Worker:
    """A process, the pipe to it, and what it has been asked for."""

    process: BaseProcess
    pipe: Connection
    jobs: dict[int, int] = field(default_factory=dict)
    """The slot of each number that it makes."""


class BatchProcesses(Generic[B]):
    """`workers` processes that make the batches `first`, `first + 1`, ..., taken in that order.

    `example` is a batch as large as any; a larger one still arrives, through the pipe. If a process
    is killed the others make its batches.
    """

    def __init__(
        self, make: MakeBatch[B], example: B, first: int, workers: int, ahead: int
    ) -> None:
        context = multiprocessing.get_context("spawn")
        arrays: list[memoryview] = []
        head = pickle.dumps(make, protocol=5, buffer_callback=_collect(arrays))
        order = _Pickled(head, tuple(map(len, arrays)))
        batch: list[memoryview] = []
        pickle.dumps(example, protocol=5, buffer_callback=_collect(batch))
        self._slot = _room(map(len, batch)) + _ALIGNED
        self._begin = _room(order.sizes)
        count = ahead + _QUEUED * workers
        memory = context.RawArray("B", self._begin + count * self._slot)
        self._memory = memoryview(memory).cast("B")
        _lay(arrays, self._memory)
        self._free = list(range(count))
        self._again: list[tuple[int, int]] = []
        self._made: dict[int, tuple[int, Any]] = {}
        self._asked = self._next = first
        self._ended = ""
        self._workers: list[_Worker] = []
        with _uninterrupted():
            for number in range(workers):
                here, there = context.Pipe()
                process = context.Process(
                    target=_work,
                    args=(there, memory, order, self._begin, self._slot),
                    name=f"positions-{number}",
                    daemon=True,
                )
                process.start()
                there.close()
                self._workers.append(_Worker(process, here))
        atexit.register(self.close)
        self._ask()

    def take(self, *, number: int) -> B:
        """Return the next batch, whose number the caller knows.

        Raises:
            LoaderError: all processes have ended.
            Exception: what making the batch raised.
        """
        assert number == self._next, "batches are taken in order"
        while number not in self._made:
            for pipe in wait([worker.pipe for worker in self._workers]):
                self._hear(next(w for w in self._workers if w.pipe is pipe))
            self._ask()
        slot, answer = self._made.pop(number)
        self._next += 1
        if isinstance(answer, _Pickled):
            start = self._begin + slot * self._slot
            data = bytearray(self._memory[start : start + _room(answer.sizes)])
            self._free.append(slot)
            self._ask()
            batch: B = _unpickled(answer, memoryview(data))
            return batch
        raise answer

    def close(self) -> None:
        """End the processes; what they are making is not needed."""
        atexit.unregister(self.close)
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.process.close()
            worker.pipe.close()
        self._workers = []
        self._memory.release()

    def _ask(self) -> None:
        """Ask processes that have little to do for the next batches, as long as there are slots."""
        while self._again or self._free:
            idle = min(self._workers, key=lambda worker: len(worker.jobs), default=None)
            if idle is None:
                raise LoaderError(
                    f"all loader processes have ended ({self._ended}): if memory is short take "
                    "fewer --workers; the last checkpoint is good"
                )
            if len(idle.jobs) >= _QUEUED:
                return
            if self._again:
                number, slot = self._again.pop(0)
            else:
                number, slot = self._asked, self._free.pop()
                self._asked += 1
            idle.jobs[number] = slot
            try:
                idle.pipe.send((number, slot))
            except OSError:
                self._lose(idle)

    def _hear(self, worker: _Worker) -> None:
        """Take down what a process says, or that it is no longer there."""
        try:
            number, answer = worker.pipe.recv()
        except (EOFError, OSError):
            self._lose(worker)
            return
        self._made[number] = worker.jobs.pop(number), answer

    def _lose(self, worker: _Worker) -> None:
        """Note what a process that has ended leaves undone."""
        worker.process.join(_PATIENCE)
        self._ended = f"{worker.process.name} with exit status {worker.process.exitcode}"
        log.warning("a loader process has ended (%s), the others do its work", self._ended)
        self._workers.remove(worker)
        worker.pipe.close()
        self._again = sorted([*self._again, *worker.jobs.items()])


def _work(pipe: Connection, memory: Any, order: _Pickled, begin: int, slot: int) -> None:
    """Make the batches that are asked for until the other end of the pipe is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    view = memoryview(memory).cast("B")
    make = _unpickled(order, view)
    with suppress(EOFError, OSError):
        while True:
            number, place = pipe.recv()
            start = begin + place * slot
            pipe.send((number, _answer(make, number, view[start : start + slot])))


def _answer(make: Any, number: int, room: memoryview) -> Any:
    """Return a batch pickled into some room, or the exception that making it raised."""
    try:
        batch = make(number=number)
        arrays: list[memoryview] = []
        head = pickle.dumps(batch, protocol=5, buffer_callback=_collect(arrays))
        sizes = tuple(map(len, arrays))
        if _room(sizes) > len(room):
            return _Pickled(pickle.dumps(batch, protocol=5), ())
        _lay(arrays, room)
        return _Pickled(head, sizes)
    except Exception as error:
        return error


def _collect(arrays: list[memoryview]) -> Any:
    """Return the callback by which pickle hands over arrays instead of writing them."""

    def collect(buffer: pickle.PickleBuffer) -> None:
        arrays.append(buffer.raw())

    return collect


def _room(sizes: Any) -> int:
    """Return how many bytes arrays of these sizes take, each aligned."""
    return sum(-(-size // _ALIGNED) * _ALIGNED for size in sizes)


def _places(sizes: Sequence[int]) -> Iterator[slice]:
    """Yield where each of some arrays lies."""
    start = 0
    for size in sizes:
        yield slice(start, start + size)
        start += _room([size])


def _lay(arrays: Sequence[memoryview], memory: memoryview) -> None:
    """Copy arrays one behind the other into memory."""
    for array, place in zip(arrays, _places([len(a) for a in arrays]), strict=True):
        memory[place] = array


def _unpickled(pickled: _Pickled, memory: memoryview) -> Any:
    """Return an object whose arrays lie in memory, and stay there."""
    return pickle.loads(pickled.head, buffers=[memory[p] for p in _places(pickled.sizes)])


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that begin in this block never see Ctrl-C or SIGTERM: this one ends them."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
