"""Values that are made once, in the background, while the engine already answers.

Imports of numba and torch and the reading of a network take seconds; `name` must not wait for
them, and a failure must end in a sentence, not in a dead process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from goengine.gtp.protocol import GtpError

Value = TypeVar("Value")
log = logging.getLogger(__name__)


class Lazy(Generic[Value]):
    """A value that its factory makes at the first `get`, from whichever thread comes first."""

    def __init__(self, factory: Callable[[], Value], *, what: str) -> None:
        self._factory = factory
        self._what = what
        self._lock = threading.Lock()
        self._value: Value | None = None
        self._error: str | None = None

    def get(self) -> Value:
        """Return the value; wait for it where another thread is making it.

        Raises:
            GtpError: it could not be made; every later call fails with the same sentence.
        """
        self.attempt()
        if self._error is not None or self._value is None:
            raise GtpError(self._error or f"{self._what} is not there")
        return self._value

    def put(self, value: Value) -> None:
        """Replace the value by another one, and keep nothing of the one before."""
        with self._lock:
            self._value = value

    def attempt(self) -> None:
        """Make the value unless that was tried before; a failure is kept for `get`."""
        with self._lock:
            if self._value is None and self._error is None:
                self._make()

    def _make(self) -> None:
        """Call the factory and keep what comes of it."""
        try:
            self._value = self._factory()
        except Exception as error:  # whatever fails, the process goes on and says so
            self._error = f"cannot load {self._what}: {_sentence(error)}"
            log.error("%s", self._error)
            log.debug("while loading %s", self._what, exc_info=True)


def _sentence(error: Exception) -> str:
    """Return an error's text on one line, never empty."""
    return " ".join(str(error).split()) or type(error).__name__
