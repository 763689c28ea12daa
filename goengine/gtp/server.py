"""An engine on file descriptors: a thread reads lines, the main thread answers them.

Reading goes on while an analysis runs, because the next line, whatever it says, ends it; it ends
too what the player thinks on the opponent's time. The heavy parts load in a thread of their own, so
that `name` is answered before they are there.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from goengine.types import GoError

if TYPE_CHECKING:
    from goengine.gtp.engine import Engine

log = logging.getLogger(__name__)

HEAD_START = 0.2
"""Seconds that the first command may take to come before loading begins; loading holds Python's
lock for long moments, and the first answers should not wait for it."""
_CHUNK = 65536


class LineReader:
    """Lines from a file descriptor, read ahead by a daemon thread.

    It reads with `os.read`: a thread blocked in a buffered reader would hold a lock that the
    interpreter wants at exit.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._ended = False
        self._change = threading.Condition()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="gtp-input", daemon=True).start()

    def get(self) -> str | None:
        """Return the next line, waiting for it, or None at the end of the input."""
        with self._change:
            self._change.wait_for(lambda: self._lines or self._ended)
            return self._lines.popleft() if self._lines else None

    def wait(self, seconds: float) -> bool:
        """Wait until a line or the end is there, at most so long; tell whether it is."""
        with self._change:
            return self._change.wait_for(lambda: bool(self._lines) or self._ended, seconds)

    def _run(self) -> None:
        """Read until the end."""
        rest = b""
        while True:
            try:
                data = os.read(self._descriptor, _CHUNK)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            if not data and rest:
                lines.append(rest)
            with self._change:
                self._lines.extend(line.decode("utf-8", "replace") for line in lines)
                self._ended = not data
                self._change.notify_all()
            if not data:
                return


class Server:
    """Answers the lines of one descriptor on another until `quit` or the end of the input."""

    def __init__(
        self, engine: Engine, *, input_fd: int, output_fd: int, log: TextIO | None = None
    ) -> None:
        self._engine = engine
        self._reader = LineReader(input_fd)
        self._output_fd = output_fd
        self.log = log
        self._greeted = threading.Event()
        self._loader = threading.Thread(target=self._load, name="gtp-load", daemon=True)
        engine.session.pause = self._reader.wait

    @property
    def loading(self) -> bool:
        """Whether the heavy parts are still being loaded."""
        return self._loader.is_alive()

    def run(self) -> None:
        """Serve until the session is over; a client that is gone ends it quietly."""
        self._reader.start()
        self._loader.start()
        try:
            while not self._engine.closing:
                line = self._reader.get()
                if line is None:
                    break
                self._note(">", line)
                for piece in self._engine.handle_line(line):
                    self._send(piece)
                self._greeted.set()
                self._engine.idle(lambda: self._reader.wait(0.0))
        except BrokenPipeError:
            log.info("the client has closed its end")

    def _load(self) -> None:
        """Load what moves need, once the first command is answered."""
        self._greeted.wait(HEAD_START)
        self._engine.session.load()

    def _send(self, text: str) -> None:
        """Write a piece of a response at once and completely."""
        self._note("<", text)
        data = memoryview(text.encode("utf-8", "replace"))
        while data:
            try:
                data = data[os.write(self._output_fd, data) :]
            except BrokenPipeError:
                raise
            except OSError as error:  # Windows reports a closed pipe as invalid argument
                raise BrokenPipeError(str(error)) from None

    def _note(self, direction: str, text: str) -> None:
        """Write a line or a piece of a response to the log file, as long as that is possible."""
        if self.log is None:
            return
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            for line in text.rstrip("\n").split("\n"):
                self.log.write(f"{stamp} {direction} {line}\n")
            self.log.flush()
        except OSError as error:
            log.warning("the log ends here, the game goes on: %s", error.strerror or error)
            with suppress(OSError):  # closing tries once more to write what is left
                self.log.close()
            self.log = None


def reserve_stdout() -> int:
    """Keep standard output for responses: return a descriptor to it and point 1 at stderr.

    Whatever libraries print from now on, in Python or in C, lands on standard error, or nowhere
    where that is closed.

    Raises:
        GoError: standard output is closed.
    """
    if sys.stdout is None:
        raise GoError("standard output is closed, but GTP answers go there: leave it open")
    if sys.stderr is None:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 2)
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return descriptor
