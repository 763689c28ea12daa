"""A line that says what a person waits for, on a terminal with the seconds that go by."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from typing import TextIO

PATIENCE = 2
"""Seconds after which they are shown."""
_MARGIN = len(" 99999 s^C")
"""Signs that may follow the text; a terminal itself shows that Ctrl+C was pressed."""


@contextmanager
def waiting_line(text: str, stream: TextIO) -> Iterator[None]:
    """Show a text while a block runs.

    On a terminal it is taken away afterwards. Elsewhere it is a line of its own.
    """
    if not stream.isatty():
        print(text, file=stream, flush=True)
        yield
        return
    over = Event()
    counting = Thread(target=_count, args=(text, stream, over), daemon=True)
    print(text, end="", file=stream, flush=True)
    counting.start()
    try:
        yield
    finally:
        over.set()
        counting.join()
        print(f"\r{' ' * (len(text) + _MARGIN)}\r", end="", file=stream, flush=True)


def _count(text: str, stream: TextIO, over: Event) -> None:
    """Write the seconds behind the text until it is over."""
    began = time.monotonic()
    for seconds in count(PATIENCE):
        if over.wait(max(0.0, began + seconds - time.monotonic())):
            return
        print(f"\r{text} {seconds} s", end="", file=stream, flush=True)
