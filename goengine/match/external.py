"""Other engines as subprocesses that speak GTP on their stdin and stdout.

The controller's side of the protocol: send a command, wait with a time limit, read one response.
A reader thread collects stdout, another keeps the last lines of stderr for error messages, so an
engine that hangs, dies or chatters never blocks us.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shlex
import subprocess
import threading
import time
from collections import deque
from typing import IO

from goengine.coords import CoordError, gtp_to_move, move_to_gtp
from goengine.rules import format_points
from goengine.types import GoError, colour_letter

log = logging.getLogger(__name__)

QUIT_SECONDS = 3.0
"""How long a process may take to leave before it is terminated, and again before it is killed."""
STDERR_LINES = 20


class EngineError(GoError):
    """An engine that cannot be started, died, hung or answered nonsense."""


class EngineTimeoutError(EngineError):
    """An engine that did not answer in time."""


class CommandError(EngineError):
    """A command that the engine answered with `?`; the text is its message."""


def split_command(command: str, *, windows: bool = os.name == "nt") -> list[str]:
    """Return the words of a command line; quotes hold one together.

    As a POSIX shell would split it, except that a backslash is a letter on Windows.

    Raises:
        EngineError: a quote stands alone, or there are not any words.
    """
    try:
        words = shlex.split(command, posix=not windows)
    except ValueError as error:
        raise EngineError(f"cannot read the engine command {command!r}: {error}") from None
    if not words:
        raise EngineError("the engine command is empty: give a program and its arguments")
    if windows:
        words = [word[1:-1] if word[0] in "\"'" and word[-1] == word[0] else word for word in words]
    return words


class GtpProcess:
    """One engine process: `ask` sends a command and returns the text of the response.

    `command` is a command line (`split_command`; no shell runs); `timeout` the seconds that
    any answer may take unless `ask` is told otherwise. Use as a context manager or call
    `close`.

    Raises:
        EngineError: the program cannot be started.
    """

    def __init__(self, command: str, *, timeout: float = 60.0) -> None:
        self.command = command
        self.timeout = timeout
        words = split_command(command)
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                bufsize=1,
            )
        except OSError as error:
            raise EngineError(f"cannot start {words[0]!r}: {error.strerror}") from None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._complaints: deque[str] = deque(maxlen=STDERR_LINES)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._threads = [
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._drain, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> GtpProcess:
        """Return the process itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the process."""
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def _read(self, stream: IO[str]) -> None:
        """Queue the lines of stdout, then None."""
        with contextlib.suppress(ValueError, OSError):
            for line in stream:
                self._lines.put(line.rstrip("\r\n"))
        self._lines.put(None)

    def _drain(self, stream: IO[str]) -> None:
        """Keep the last lines of stderr and log them all."""
        with contextlib.suppress(ValueError, OSError):
            for line in stream:
                self._complaints.append(line.rstrip())
                log.debug("%s: %s", self.command.split()[0], line.rstrip())

    def ask(self, command: str, *, timeout: float | None = None) -> str:
        """Send one command and return the response without its `=`, lines joined by newlines.

        Raises:
            CommandError: the engine answered `?`.
            EngineTimeoutError: no full answer came in time.
            EngineError: the engine died or answered something that is not a GTP.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise EngineError(self._obituary(command)) from None
        limit = self.timeout if timeout is None else timeout
        deadline = time.monotonic() + limit
        lines: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                text = f"no answer to {command!r} within {limit:g} s"
                raise EngineTimeoutError(text) from None
            if line is None:
                raise EngineError(self._obituary(command))
            if line.strip():
                lines.append(line)
            elif lines:
                break
        head = lines[0]
        if head[0] not in "=?":
            raise EngineError(f"{head!r} is not a GTP response to {command!r}")
        text = "\n".join([head[1:].lstrip("0123456789").strip(), *lines[1:]]).strip()
        if head[0] == "?":
            raise CommandError(f"{command!r}: {text}")
        return text

    def _obituary(self, command: str) -> str:
        """Say that the engine is gone, with its exit status and last words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=QUIT_SECONDS)
        words = "; ".join(line for line in self._complaints if line)[-300:]
        status = self._process.returncode
        return f"the engine ended at {command!r} with status {status}" + (
            f": {words}" if words else ""
        )

    def close(self) -> None:
        """Ask the engine to quit; terminate it, then kill it, if it stays."""
        if self.alive and self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write("quit\n")
                self._process.stdin.close()
        for action in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(timeout=QUIT_SECONDS)
                break
            except subprocess.TimeoutExpired:
                action()
        self._process.wait()
        for thread in self._threads:
            thread.join(timeout=QUIT_SECONDS)
        for stream in (self._process.stdout, self._process.stderr, self._process.stdin):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()


class GtpEngine:
    """A game of Go seen by an external engine: GtpProcess with moves instead of text."""

    def __init__(self, command: str, *, timeout: float = 60.0) -> None:
        self._process = GtpProcess(command, timeout=timeout)
        self._size = 19
        try:
            self._commands = set(self._process.ask("list_commands").split())
        except EngineError:
            self._process.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether the engine still runs."""
        return self._process.alive

    def identify(self) -> str:
        """Return the engine's name and version."""
        name = self._process.ask("name")
        return f"{name} {self._process.ask('version')}".strip()

    def new_game(self, size: int, komi: float, *, rules: str, time: tuple[int, int, int]) -> None:
        """Start a game; `time` is (main, period, stones) in seconds, zeros for no limit.

        The rules are announced to engines that have `kgs-rules` or `kata-set-rules`.
        """
        self._size = size
        self._process.ask(f"boardsize {size}")
        self._process.ask("clear_board")
        self._process.ask(f"komi {format_points(komi)}")
        for command, word in (
            ("kata-set-rules", rules),
            ("kgs-rules", rules.replace("-", "_")),
        ):
            if command in self._commands:
                with contextlib.suppress(CommandError):
                    self._process.ask(f"{command} {word}")
                    break
        if any(time) and "time_settings" in self._commands:
            self._process.ask("time_settings {} {} {}".format(*time))

    def play(self, colour: int, move: int) -> None:
        """Tell the engine a move."""
        self._process.ask(f"play {colour_letter(colour)} {move_to_gtp(move, self._size)}")

    def time_left(self, colour: int, seconds: float, stones: int) -> None:
        """Tell the engine what is on its clock."""
        if "time_left" in self._commands:
            self._process.ask(f"time_left {colour_letter(colour)} {int(seconds)} {stones}")

    def genmove(self, colour: int, *, timeout: float | None = None) -> int:
        """Return the engine's move: a point, a pass or RESIGN.

        Raises:
            EngineError: the answer is not a vertex, or any failure of the process.
        """
        answer = self._process.ask(f"genmove {colour_letter(colour)}", timeout=timeout)
        try:
            return gtp_to_move(answer, self._size)
        except CoordError:
            raise EngineError(f"genmove answered {answer!r}, which is not a vertex") from None

    def final_score(self) -> str:
        """Return the engine's `final_score`."""
        return self._process.ask("final_score")

    def close(self) -> None:
        """End the engine."""
        self._process.close()
