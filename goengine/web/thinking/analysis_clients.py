"""The analysis protocol for many clients: one scheduler, and everybody's ids kept apart.

Everything here happens in the engine's thread. A client's queries end when it goes away. What of a
query does not count is said in the first answer, as its `warning`: KaTrain's remote backend takes
every message with an id for an answer, and would take a warning alone for the last one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from goengine.analysis.reply_lines import (
    Reply,
    action_reply,
    analysis_reply,
    encode,
    error_reply,
    nothing_reply,
)
from goengine.analysis.requests.json_fields import QueryError, parse_object, shorten
from goengine.analysis.requests.queries import Action, read_query
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import Report
from goengine.types import GoError
from goengine.web.thinking.engine_thread import EngineThread

log = logging.getLogger(__name__)

MOST_POSITIONS = 20_000
"""Positions of one client that wait at the most."""

LONGEST_LINE = 256_000
"""Bytes of a line: some 20,000 moves, which take half a second to replay."""

Send = Callable[[bytes, bool], None]
"""Takes a line, and whether it may be left out where the reader is slow; from any thread."""


class AnalysisClients:
    """Whoever speaks the analysis protocol, by number."""

    def __init__(self, thread: EngineThread, settings: AnalysisSettings, network: str) -> None:
        self._thread = thread
        self._settings = settings
        self._network = network
        self._senders: dict[int, Send] = {}
        self._waiting: dict[int, dict[str, int]] = {}
        self._warnings: dict[str, str] = {}
        thread.fallback = self._report

    def handle(self, client: int, send: Send, line: bytes) -> None:
        """Carry out a line of a client; whatever it holds, it is answered."""
        self._senders[client] = send
        name: object = None
        try:
            if len(line) > LONGEST_LINE:
                raise QueryError(f"The line is longer than {LONGEST_LINE} bytes")
            query = parse_object(line)
            name = query.get("id")
            asked, warnings = read_query(query, self._settings)
            if isinstance(asked, Action):
                self._act(client, asked)
                return
            waiting = self._waiting.setdefault(client, {})
            if sum(waiting.values()) + len(asked.turns) > MOST_POSITIONS:
                raise QueryError(
                    f"More than {MOST_POSITIONS} positions would wait", name=asked.name
                )
            own = _own(client, asked.name)
            waiting[own] = waiting.get(own, 0) + len(asked.turns)
            try:
                self._thread.scheduler.add(replace(asked, name=own))
            except GoError as error:
                self._count_down(client, own, len(asked.turns))
                field = error.field if isinstance(error, QueryError) else None
                raise QueryError(str(error), field=field, name=asked.name) from None
            if warnings:
                said = "; ".join(f"{warning.field}: {warning.text}" for warning in warnings)
                self._warnings[own] = said
        except QueryError as error:
            self._send(client, error_reply(error))
        except Exception as error:  # a line never ends the engine
            log.exception("a query failed")
            said = f"The query failed: {shorten(error)}"
            known = name if isinstance(name, str) else None
            self._send(client, error_reply(QueryError(said, name=known)))

    def gone(self, client: int) -> None:
        """End the queries of a client that went away."""
        self._senders.pop(client, None)
        waiting = self._waiting.pop(client, {})
        for name in list(waiting):
            self._warnings.pop(name, None)
            self._thread.scheduler.end(name)

    def _act(self, client: int, action: Action) -> None:
        """Carry out an action, and echo it."""
        if action.name == "clear_cache":
            self._thread.scheduler.clear_cache()
        elif action.name == "terminate":
            self._thread.scheduler.end(_own(client, action.target or ""), action.turns)
        elif action.name == "terminate_all":
            for name in list(self._waiting.get(client, {})):
                self._thread.scheduler.end(name, action.turns)
        self._send(client, action_reply(action, network=self._network))

    def _report(self, report: Report) -> None:
        """Send what was found to whoever asked."""
        number, _, name = report.query.name.partition(":")
        client = int(number)
        query = replace(report.query, name=name)
        warning = self._warnings.pop(report.query.name, None)
        said = {} if warning is None else {"warning": warning}
        if not report.during:
            self._count_down(client, report.query.name, 1)
        if report.failure is not None:
            failure = f"The analysis failed: {shorten(report.failure)}"
            self._send(client, error_reply(QueryError(failure, name=name)))
        if report.analysis is None or report.board is None:
            self._send(client, {**nothing_reply(query, report.turn), **said})
            return
        reply = analysis_reply(query, report.analysis, report.board, during=report.during)
        self._send(client, {**reply, **said}, partial=report.during and not said)

    def _count_down(self, client: int, name: str, positions: int) -> None:
        """Note that positions of a query wait no longer."""
        waiting = self._waiting.get(client, {})
        left = waiting.get(name, 0) - positions
        if left > 0:
            waiting[name] = left
        else:
            waiting.pop(name, None)

    def _send(self, client: int, reply: Reply, *, partial: bool = False) -> None:
        """Send a reply to a client that is still there."""
        send = self._senders.get(client)
        if send is not None:
            send(encode(reply), partial)


def _own(client: int, name: str) -> str:
    """Return the name of a client's query among those of all."""
    return f"{client}:{name}"
