"""Whoever is connected: what waits to be sent to each, and what is left out for slow readers.

Answers wait in order, up to a bound beyond which a client is cut. Of events of which only the last
one counts, such as a live analysis, one waits at the most. Who falls too far behind with changes of
the table gets the whole table instead, once it reads again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

MOST_ANSWERS = 512
"""Answers that wait for a client at the most."""
MOST_BYTES = 32_000_000
"""Characters of them."""
MOST_PATCHES = 16
"""Changes of the table that wait before the whole table takes their place."""
CROWDED = 4
"""Answers that wait from which partial reports are left out."""
PATIENCE = 20.0
"""Seconds that a client has to read a message."""

Sender = Callable[[str], Awaitable[None]]


class SlowClientError(Exception):
    """A client does not read what it asked for."""


class Client:
    """One connection; everything but `write` returns at once."""

    def __init__(self, number: int, whole_table: Callable[[Client], str]) -> None:
        self.number = number
        self.greeted = False
        """Whether it has said hello, and so wants to be told of the table."""
        self.seen = -1
        """The last number of its requests that was worked off, -1 before the first."""
        self._whole_table = whole_table
        self._answers: deque[str] = deque()
        self._bytes = 0
        self._changes: deque[str] = deque()
        self._latest: dict[str, str] = {}
        self._lost = False
        self._cut = False
        self._wake = asyncio.Event()

    @property
    def crowded(self) -> bool:
        """Whether several answers wait."""
        return len(self._answers) >= CROWDED

    def answer(self, text: str) -> None:
        """Have an answer sent; a client with too many waiting ones is cut."""
        self._answers.append(text)
        self._bytes += len(text)
        if len(self._answers) > MOST_ANSWERS or self._bytes > MOST_BYTES:
            self._cut = True
        self._wake.set()

    def change(self, text: str) -> None:
        """Have a change of the table sent, in order, or the whole table later."""
        if self._lost:
            return
        self._changes.append(text)
        if len(self._changes) > MOST_PATCHES:
            self._changes.clear()
            self._lost = True
        self._wake.set()

    def renew(self) -> None:
        """Have the whole table sent."""
        self._changes.clear()
        self._lost = True
        self._wake.set()

    def latest(self, slot: str, text: str) -> None:
        """Have an event sent in place of an earlier one of its slot that still waits."""
        self._latest[slot] = text
        self._wake.set()

    async def write(self, send: Sender) -> None:
        """Send what waits until the task is cancelled.

        Raises:
            SlowClientError: the client does not read.
        """
        while True:
            text = self._next()
            if text is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await asyncio.wait_for(send(text), PATIENCE)
            except TimeoutError:
                raise SlowClientError from None

    def _next(self) -> str | None:
        """Return what is sent next: answers, then the table, then what only counts now.

        Raises:
            SlowClientError: too much waits.
        """
        if self._cut:
            raise SlowClientError
        if self._answers:
            text = self._answers.popleft()
            self._bytes -= len(text)
            return text
        if self._lost:
            self._lost = False
            return self._whole_table(self)
        if self._changes:
            return self._changes.popleft()
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        return None
