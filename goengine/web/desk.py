"""The desk: the table, the engine, everybody who is connected, and who has to be told what.

One thread, that of the event loop, runs everything here and returns at once; what takes time is
done by the engine's thread and comes back.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from pathlib import Path

from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.inference.evaluator import Evaluator
from goengine.types import GoError
from goengine.web.engine_turns import EngineTurns
from goengine.web.live_study import LiveStudy
from goengine.web.starting import Starting
from goengine.web.table.game_tree import Remark
from goengine.web.table.kept_table import KeptFile, kept, restore
from goengine.web.table.shared_table import Table
from goengine.web.table.tree_positions import opened
from goengine.web.talk.clients import Client
from goengine.web.talk.page_events import (
    Event,
    changed_fields,
    encoded,
    nodes_described,
    notice_event,
    table_fields,
)
from goengine.web.thinking.analysis_clients import AnalysisClients
from goengine.web.thinking.engine_thread import EngineThread
from goengine.web.thinking.opponents import EngineOptions, network_names

log = logging.getLogger(__name__)

SAVE_AFTER = 1.0
"""Seconds after a change until the table is saved."""
SAVE_SHARE = 100.0
"""Times what it takes to write the table as text that pass before it is done again."""


class Desk:
    """The table and all around it.

    `path`: where the table is kept; None keeps it nowhere. `first`: SGF to begin with, and the name
    of its file. `evaluator` takes the place of the network that the options name.
    """

    def __init__(
        self,
        options: EngineOptions,
        *,
        path: Path | None = None,
        first: tuple[bytes, str] | None = None,
        evaluator: Evaluator | None = None,
    ) -> None:
        self.table = Table()
        self.table.clocks_wait = True
        self.clients: dict[int, Client] = {}
        self.thread = EngineThread(
            options, deliver=self._deliver, stage=self._staged, evaluator=evaluator
        )
        self.engines = EngineTurns(self.table, self.thread, self)
        self.study = LiveStudy(self.table, self.thread, self)
        self.network, self.networks = network_names(options)
        settings = AnalysisSettings(visits=options.visits)
        self.protocol = AnalysisClients(self.thread, settings, self.network)
        self.starting = Starting()
        self.board_ready = asyncio.Event()
        """Set once moves can be played."""
        self._numbers = itertools.count()
        self._file = None if path is None else KeptFile(path, failed=self._not_kept)
        self._first = first
        self._laid_out = first is None and not (path is not None and path.is_file())
        """Whether the first table is there, so that tabs may be shown it."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: Event = {}
        self._whole: tuple[int, str] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._pause = SAVE_AFTER

    # Life

    def start(self) -> None:
        """Begin to load the engine; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self.thread.start()
        self._tick()

    async def close(self) -> None:
        """Save the table and end the engine."""
        for timer in self._timers.values():
            timer.cancel()
        if self._file is not None and self._laid_out:
            self._file.writing(kept(self.table))()
        await asyncio.to_thread(self.thread.close)

    def join(self) -> Client:
        """Return a new client."""
        client = Client(next(self._numbers), self.whole_table)
        self.clients[client.number] = client
        return client

    def leave(self, client: Client) -> None:
        """Forget a client, and end what it asked to be analysed."""
        self.clients.pop(client.number, None)
        self.thread.post(lambda: self.protocol.gone(client.number))

    def _deliver(self, job: Callable[[], None]) -> None:
        """Have something called in the event loop, from any thread."""
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(job)
        except RuntimeError:
            log.debug("the event loop has ended")

    def later(self, name: str, seconds: float, job: Callable[[], None]) -> None:
        """Have something called after a while, in place of what was to be called by that name."""
        assert self._loop is not None
        self._cancel(name)
        self._timers[name] = self._loop.call_later(seconds, job)

    def _cancel(self, name: str) -> None:
        """Have something not called after all."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _staged(self, part: str, text: str) -> None:
        """Take note of a part that is being made ready."""
        self.starting.enter(part, text)
        if self.starting.over:
            self.table.release_clocks()
        if part != "board" and not self.board_ready.is_set():
            self._lay_out()
            self.board_ready.set()
            if self.table.cursor is self.table.head:
                self.engines.go_on()
            else:
                self.engines.play_on()
        if self.board_ready.is_set():
            self.changed()
        self.tell_all(self.starting.event(), "starting")

    def _tick(self) -> None:
        """Tell now and then how far the start is."""
        if self.starting.over:
            return
        self.tell_all(self.starting.event(), "starting")
        self.later("tick", 1.0, self._tick)

    def _lay_out(self) -> None:
        """Lay out the game that was given, or else the table of the last time."""
        if self._laid_out:
            return
        try:
            if self._first is not None:
                self.table.load(opened(self._first[0]), self._first[1])
            elif self._file is not None and self._file.path.is_file():
                restore(self.table, self._file.path.read_bytes())
        except (GoError, OSError) as error:
            log.warning("the game cannot be laid out: %s", error)
            text = f"The game cannot be laid out: {error}"
            self.table.notices.append(Remark("sgf", text, {"text": text}))
        self._laid_out = True

    # Telling

    def tell_all(self, event: Event, slot: str) -> None:
        """Send an event to all, in place of one of its slot that still waits."""
        if self.clients:
            self.tell_text(encoded(event), slot)

    def tell_text(self, text: str, slot: str) -> None:
        """Send an encoded event to all, likewise."""
        for client in self.clients.values():
            if client.greeted:
                client.latest(slot, text)

    def greet(self, client: Client) -> None:
        """Send a client the whole table, and what else is going on."""
        client.greeted = True
        if self.study.last_review is not None:
            client.latest("review", encoded(self.study.last_review))
        if not self.starting.ready:
            client.latest("starting", encoded(self.starting.event()))
        if self._laid_out:
            client.renew()

    def changed(self, asker: Client | None = None) -> None:
        """Tell all what has changed of the table, and do what follows from it.

        The asker is answered even where nothing has changed.
        """
        if not self._laid_out:
            return
        self._follow_up()
        table = self.table
        fields = self._fields_now()
        renewed, names = table.take_changes()
        different = changed_fields(self._told, fields)
        self._told = fields
        if renewed or names or different:
            table.version += 1
            self._save_soon()
            if renewed:
                for client in self.clients.values():
                    if client.greeted:
                        client.renew()
                return
            self._send_patch(list(self.clients.values()), nodes_described(table, names), different)
        elif asker is not None:
            self._send_patch([asker], {}, {})

    def whole_table(self, client: Client) -> str:
        """Return the whole table for a client."""
        version = self.table.version
        if self._whole is None or self._whole[0] != version:
            tree = {"root": self.table.tree.root.ident, "nodes": nodes_described(self.table)}
            event = {"event": "table", "version": version, "tree": tree, **self._fields_now()}
            self._whole = (version, encoded(event))
        return _with_seen(self._whole[1], client)

    def _send_patch(
        self, clients: list[Client], nodes: dict[str, Event | None], fields: Event
    ) -> None:
        """Send a change of the table to those who have said hello."""
        text = encoded(
            {"event": "tree_patch", "version": self.table.version, "nodes": nodes, **fields}
        )
        for client in clients:
            if client.greeted:
                client.change(_with_seen(text, client))

    def _fields_now(self) -> Event:
        """Return all of the table but its tree."""
        return table_fields(
            self.table,
            thinking=self.engines.thinking,
            analysing=self.study.described(),
            board_ready=self.board_ready.is_set(),
        )

    def _follow_up(self) -> None:
        """Do what follows from a change: give up a move, follow the cursor, set the timer."""
        self.engines.follow()
        if self.board_ready.is_set():
            self.study.follow()
        clock = self.table.clock
        left = None if clock is None else clock.left()
        if left is None:
            self._cancel("flag")
        else:
            self.later("flag", max(0.0, left) + 0.02, self._flag)

    def _flag(self) -> None:
        """End the game if somebody's time is over."""
        self.table.flag()
        self.changed()

    # Keeping

    def _save_soon(self) -> None:
        """Save the table after a while."""
        if self._file is not None and self._laid_out and "save" not in self._timers:
            self.later("save", self._pause, self._save)

    def _save(self) -> None:
        """Save the table; a large one is written as text less often."""
        self._cancel("save")
        assert self._loop is not None
        began = time.monotonic()
        data = kept(self.table)
        self._pause = max(SAVE_AFTER, SAVE_SHARE * (time.monotonic() - began))
        assert self._file is not None
        self._loop.run_in_executor(None, self._file.writing(data))

    def _not_kept(self, reason: str) -> None:
        """Tell that the table cannot be kept."""
        event = notice_event("cannot_keep", f"The table cannot be kept on disk: {reason}")
        self._deliver(lambda: self.tell_all(event, "notice"))


def _with_seen(text: str, client: Client) -> str:
    """Return an encoded event that tells a client which of its requests it follows."""
    return f'{text[:-1]},"seen":{client.seen}}}'
