"""How work ends early: Ctrl-C, kept until a good place to stop."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)


@contextmanager
def interruptible(*numbers: signal.Signals) -> Iterator[Callable[[], bool]]:
    """Turn the first of some signals into a flag, SIGINT and SIGTERM where none is named.

    A second one acts as usual.

    Signal handlers exist only in the main thread; elsewhere the flag never rises.
    """
    raised = False
    old: dict[signal.Signals, Any] = {}

    def handle(number: int, frame: object) -> None:
        nonlocal raised
        raised = True
        signal.signal(number, old[signal.Signals(number)])

    try:
        for number in numbers or (signal.SIGINT, signal.SIGTERM):
            old[number] = signal.signal(number, handle)
    except ValueError:
        log.debug("not in the main thread: signals stay as they are")
    try:
        yield lambda: raised
    finally:
        for caught, handler in old.items():
            signal.signal(caught, handler)
