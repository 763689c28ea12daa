"""The analysis engine on file descriptors: one thread reads, one writes, the main one searches.

Memory is bounded on both sides. Lines that nobody has handled yet wait up to `MOST_UNREAD` bytes;
answers that nobody reads wait up to `MOST_UNWRITTEN` lines, and then the search waits for the
reader. Partial reports are left out while answers wait; final answers never are.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque

from goengine.analysis.reply_lines import (
    Reply,
    action_reply,
    analysis_reply,
    encode,
    error_reply,
    nothing_reply,
    warning_reply,
)
from goengine.analysis.requests.json_fields import LONGEST_LINE, QueryError, parse_object, shorten
from goengine.analysis.requests.queries import Action, read_query
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import Report, Scheduler
from goengine.inference.evaluator import Evaluator

log = logging.getLogger(__name__)

MOST_UNREAD = 64_000_000
"""Bytes of lines that wait to be handled; beyond that, standard input is not read."""
MOST_UNWRITTEN = 256
"""Answers that wait to be written; beyond that, nothing is searched."""
CROWDED = 4
"""Answers that wait from which partial reports are left out."""
AT_ONCE = 256
"""Lines that are handled between two steps of the search."""
PARTING = 2.0
"""Seconds that a reader has for the last answers where nobody waits for the searches to end."""
_CHUNK = 65536


class LineReader:
    """Lines of a file descriptor, read ahead by a daemon thread.

    It reads with `os.read`: a thread blocked in a buffered reader would hold a lock that the
    interpreter wants at exit.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._ended = False
        self._change = threading.Condition()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._run, name="analysis-input", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether the input is at its end and all its lines are taken."""
        with self._change:
            return self._ended and not self._lines

    @property
    def closed(self) -> bool:
        """Whether the input is at its end, taken or not."""
        with self._change:
            return self._ended

    def take(self, *, wait: bool) -> list[bytes]:
        """Return the lines that are there, `AT_ONCE` at most; `wait` for one or the end."""
        with self._change:
            if wait:
                self._change.wait_for(lambda: self._lines or self._ended)
            taken = [self._lines.popleft() for _ in range(min(AT_ONCE, len(self._lines)))]
            self._bytes -= sum(map(len, taken))
            self._change.notify_all()
            return taken

    def _run(self) -> None:
        """Read until the end."""
        rest = bytearray()
        while True:
            try:
                data = os.read(self._descriptor, _CHUNK)
            except OSError:
                data = b""
            *lines, last = data.split(b"\n")
            whole = []
            for line in lines:
                whole.append(bytes(rest + line))
                rest.clear()
            if len(rest) <= LONGEST_LINE:  # of a line that is too long, the rest is not kept
                rest += last
            if not data and rest:
                whole.append(bytes(rest))
            with self._change:
                self._change.wait_for(lambda: self._bytes < MOST_UNREAD)
                self._lines.extend(whole)
                self._bytes += sum(map(len, whole))
                self._ended = not data
                self._change.notify_all()
            if not data:
                return


class LineWriter:
    """Replies written to a file descriptor, each at once and whole, by a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._replies: deque[Reply] = deque()
        self._closing = False
        self._writing = False
        self._gone = False
        self._change = threading.Condition()

    def start(self) -> None:
        """Begin to write."""
        threading.Thread(target=self._run, name="analysis-output", daemon=True).start()

    @property
    def gone(self) -> bool:
        """Whether the reader has closed its end."""
        return self._gone

    @property
    def crowded(self) -> bool:
        """Whether several replies wait."""
        return len(self._replies) >= CROWDED

    def put(self, reply: Reply) -> None:
        """Have a reply written; wait while too many wait already."""
        with self._change:
            self._change.wait_for(lambda: len(self._replies) < MOST_UNWRITTEN or self._gone)
            if not self._gone:
                self._replies.append(reply)
                self._change.notify_all()

    def finish(self, seconds: float | None = None) -> None:
        """Wait until all is written, or the reader is gone, or so many seconds are over."""
        with self._change:
            self._closing = True
            self._change.notify_all()
            self._change.wait_for(
                lambda: self._gone or (not self._replies and not self._writing), seconds
            )

    def _run(self) -> None:
        """Write until there is nothing more to come."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._replies or self._closing)
                if not self._replies:
                    return
                reply = self._replies.popleft()
                self._writing = True
                self._change.notify_all()
            try:
                self._write(_encoded(reply))
            except OSError:
                self._gone = True
            with self._change:
                self._writing = False
                if self._gone:
                    self._replies.clear()
                self._change.notify_all()
            if self._gone:
                return

    def _write(self, line: bytes) -> None:
        """Write a line completely."""
        data = memoryview(line)
        while data:
            data = data[os.write(self._descriptor, data) :]


class AnalysisServer:
    """Answers the lines of one descriptor on another until the end of the input."""

    def __init__(
        self,
        evaluator: Evaluator,
        settings: AnalysisSettings,
        *,
        network: str,
        input_fd: int,
        output_fd: int,
        megabytes: float = 1000.0,
        waits: bool = True,
    ) -> None:
        self.network = network
        self._settings = settings
        self._waits = waits
        self._reader = LineReader(input_fd)
        self._writer = LineWriter(output_fd)
        self._scheduler = Scheduler(
            evaluator,
            report=self._report,
            megabytes=megabytes,
            wants_partial=lambda: not self._writer.crowded,
        )

    def run(self) -> None:
        """Serve until the input has ended and all is answered, or the reader is gone.

        Where the server does not wait (`waits`), the end of the input ends the searches too.
        """
        self._reader.start()
        self._writer.start()
        while not self._writer.gone:
            for line in self._reader.take(wait=self._scheduler.idle):
                self.handle(line)
            if self._reader.closed and not self._waits:
                self._writer.finish(PARTING)
                return
            if self._reader.ended and self._scheduler.idle:
                break
            self._scheduler.step()
        self._writer.finish()

    def handle(self, line: bytes) -> None:
        """Carry out a line; whatever it holds, it is answered and nothing else is harmed."""
        if not line.strip():
            return
        query: dict[str, object] = {}
        try:
            query = parse_object(line)
            asked, warnings = read_query(query, self._settings)
            if isinstance(asked, Action):
                self._act(asked)
                return
            for warning in warnings:
                self._writer.put(warning_reply(warning))
            self._scheduler.add(asked)
        except QueryError as error:
            self._writer.put(error_reply(error))
        except Exception as error:  # a line never ends the engine
            log.exception("a query failed")
            name = query.get("id")
            said = f"The query failed: {shorten(error)}"
            self._writer.put(
                error_reply(QueryError(said, name=name if isinstance(name, str) else None))
            )

    def _act(self, action: Action) -> None:
        """Carry out an action, and echo it."""
        if action.name == "clear_cache":
            self._scheduler.clear_cache()
        elif action.name.startswith("terminate"):
            self._scheduler.end(action.target, action.turns)
        self._writer.put(action_reply(action, network=self.network))

    def _report(self, report: Report) -> None:
        """Write what was found."""
        if report.failure is not None:
            said = f"The analysis failed: {shorten(report.failure)}"
            self._writer.put(error_reply(QueryError(said, name=report.query.name)))
        if report.analysis is None or report.board is None:
            self._writer.put(nothing_reply(report.query, report.turn))
            return
        self._writer.put(
            analysis_reply(report.query, report.analysis, report.board, during=report.during)
        )


def _encoded(reply: Reply) -> bytes:
    """Return a reply's line; one that cannot be written in JSON is replaced by an error."""
    try:
        return encode(reply)
    except (ValueError, TypeError, RecursionError) as error:
        name = reply.get("id")
        said = QueryError(
            f"The reply cannot be written: {shorten(error)}",
            name=name if isinstance(name, str) else None,
        )
        return encode(error_reply(said))
