"""What each request of the page does at the table; a refused one changes nothing."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from goengine._version import __version__
from goengine.analysis.reply_lines import error_reply
from goengine.analysis.requests.json_fields import (
    Query,
    QueryError,
    number,
    parse_object,
    whole,
)
from goengine.coords import move_to_gtp
from goengine.players.ranked.ranks import RANKS
from goengine.review.review_words import ENGLISH, LANGUAGES
from goengine.rules import RULES
from goengine.types import MAX_SIZE, MIN_SIZE, GoError, IllegalMoveError, opponent
from goengine.web.desk import Desk
from goengine.web.table.analysed_sgf import analysed_sgf
from goengine.web.table.game_tree import Node
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.tree_positions import opened
from goengine.web.talk.clients import Client
from goengine.web.talk.page_events import PageError, encoded, error_event
from goengine.web.talk.page_requests import (
    read_flag,
    read_marks,
    read_new_game,
    read_players,
    read_sgf_bytes,
    read_text,
    read_vertex,
    read_visits,
)
from goengine.web.thinking.network_view import network_view

log = logging.getLogger(__name__)

MOST_UNHANDLED = 8
"""Lines of the analysis protocol of one client that the engine has not read yet."""
PAGE_LANGUAGES = ("en", "ko", "zh", "ja")
STRENGTH = PlayerSpec("engine", seconds=1.0)
"""Who plays where people ask for a move and no engine sits at the table."""
REVIEW_VISITS = 50

Handler = Callable[[Client, Query], Awaitable[None] | None]


class TableRequests:
    """Reads the messages of clients and carries them out."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._unhandled: dict[int, asyncio.Semaphore] = {}
        self._looks: dict[int, object] = {}
        """The last request of each client for planes."""
        self._handlers: dict[str, Handler] = {
            "hello": self._hello,
            "new_game": self._new_game,
            "play": self._play,
            "pass": self._pass,
            "undo": self._undo,
            "resign": self._resign,
            "goto": self._goto,
            "delete": self._delete,
            "promote": self._promote,
            "annotate": self._annotate,
            "set_players": self._set_players,
            "engine_move": self._engine_move,
            "pause": self._pause,
            "hint": self._hint,
            "count": self._count,
            "toggle_dead": self._toggle_dead,
            "accept_count": self._accept_count,
            "cancel_count": self._cancel_count,
            "load_sgf": self._load_sgf,
            "get_sgf": self._get_sgf,
            "analyse": self._analyse,
            "review": self._review,
            "planes": self._planes,
            "clock_claim": self._clock_claim,
        }

    async def handle(self, client: Client, text: str) -> None:
        """Carry out a message; whatever it holds, it is answered."""
        try:
            fields = parse_object(text.encode("utf-8", "replace"))
        except QueryError as error:
            self._refuse_message(client, error)
            return
        if "do" in fields:
            await self._do(client, fields)
        elif "id" in fields or "action" in fields:
            await self._ask(client, text)
        else:
            said = 'A message must have "do" for the table, or "id" for an analysis'
            self._refuse_message(client, QueryError(said))

    def gone(self, client: Client) -> None:
        """Forget a client."""
        self._unhandled.pop(client.number, None)
        self._looks.pop(client.number, None)
        self.desk.leave(client)

    def _refuse_message(self, client: Client, error: QueryError) -> None:
        """Answer what is no message, in the way in which the client speaks."""
        if client.greeted:
            client.answer(encoded(error_event(PageError("bad_message", str(error)), None)))
        else:
            client.answer(encoded(error_reply(error)))

    async def _do(self, client: Client, fields: Query) -> None:
        """Carry out a request of the page."""
        name, seq = fields["do"], fields.get("seq")
        desk = self.desk
        try:
            handler = self._handlers.get(name) if isinstance(name, str) else None
            if handler is None:
                raise PageError("unknown_request", f"There is no request {str(name)[:40]!r}")
            if name != "hello":
                await desk.board_ready.wait()
            waits = handler(client, fields)
            if inspect.isawaitable(waits):
                await waits
        except Exception as error:
            if not isinstance(error, GoError):
                log.exception("the request %s failed", str(name)[:40])
                error = PageError("internal", "The request failed; the log of the server says why")
            elif isinstance(error, QueryError):
                error = PageError(
                    "bad_field", f"{error.field}: {error}", field=error.field, reason=str(error)
                )
            client.answer(encoded(error_event(error, name, seq)))
        if isinstance(seq, int) and not isinstance(seq, bool):
            client.seen = max(client.seen, seq)
        desk.changed(client)

    async def _ask(self, client: Client, text: str) -> None:
        """Hand a line of the analysis protocol to the engine."""
        desk = self.desk
        limit = self._unhandled.setdefault(client.number, asyncio.Semaphore(MOST_UNHANDLED))
        await limit.acquire()

        def send(line: bytes, partial: bool) -> None:
            desk.thread.deliver(lambda: answer(line, partial))

        def answer(line: bytes, partial: bool) -> None:
            if client.number in desk.clients and not (partial and client.crowded):
                client.answer(line.decode("ascii").rstrip("\n"))

        def job() -> None:
            try:
                desk.protocol.handle(client.number, send, text.encode("utf-8", "replace"))
            finally:
                desk.thread.deliver(limit.release)

        desk.thread.post(job)

    # Playing

    def _hello(self, client: Client, fields: Query) -> None:
        desk = self.desk
        event = {
            "event": "hello",
            "version": __version__,
            "network": desk.network,
            "networks": desk.networks,
            "ranks": list(RANKS),
            "rules": [
                {"name": rules.name, "title": rules.name, "komi": rules.komi}
                for rules in RULES.values()
                if rules.name != "replay"
            ],
            "sizes": [MIN_SIZE, MAX_SIZE],
            "ready": desk.starting.ready,
            "languages": list(PAGE_LANGUAGES),
        }
        client.answer(encoded(event))
        desk.greet(client)

    def _new_game(self, client: Client, fields: Query) -> None:
        game = read_new_game(fields, self.desk.networks, list(RANKS))
        self.desk.table.new_game(
            size=game.size,
            rules=game.rules,
            komi=game.komi,
            handicap=game.handicap,
            players=game.players,
            clock=game.clock,
        )
        self.desk.engines.go_on()

    def _play(self, client: Client, fields: Query) -> None:
        table = self.desk.table
        move = read_vertex(fields, "move", table.size, passes=True)
        self._make(move, self._node(fields, "at"))

    def _pass(self, client: Client, fields: Query) -> None:
        self._make(self.desk.table.size**2, self.desk.table.cursor)

    def _make(self, move: int, at: Node) -> None:
        """Play a move of a person, and let the game go on."""
        desk, table = self.desk, self.desk.table
        table.flag()
        if desk.engines.thinking_at(at):
            raise PageError("not_your_turn", "The engine is to move here; undo gives it up")
        try:
            table.play(move, at)
        except IllegalMoveError as error:
            vertex = move_to_gtp(move, table.size)
            raise PageError("illegal_move", str(error), move=vertex) from None
        desk.engines.go_on()

    def _undo(self, client: Client, fields: Query) -> None:
        count = 1
        if fields.get("count") is not None:
            count = whole(fields, "count", 1, 1000, "Must be a whole number from 1 to 1000")
        self.desk.engines.stop_thinking()
        try:
            self.desk.table.undo(count)
        except GoError as error:
            self.desk.engines.go_on()
            raise PageError("nothing_to_undo", str(error)) from None

    def _resign(self, client: Client, fields: Query) -> None:
        self.desk.table.resign()

    def _set_players(self, client: Client, fields: Query) -> None:
        desk = self.desk
        desk.table.set_players(read_players(fields, desk.networks, list(RANKS)))
        desk.engines.stop_thinking()
        desk.engines.go_on()

    def _engine_move(self, client: Client, fields: Query) -> None:
        desk, table = self.desk, self.desk.table
        if table.counting is not None:
            raise PageError("counting", "The game is being counted: accept or cancel the count")
        if table.engine_to_move and table.cursor is table.head:
            desk.engines.play_on()
            return
        mover = table.players[table.to_play]
        other = table.players[opponent(table.to_play)]
        spec = next((one for one in (mover, other) if one.is_engine), STRENGTH)
        desk.engines.think(table.cursor, spec, forced=True)

    def _pause(self, client: Client, fields: Query) -> None:
        self.desk.table.pause(read_flag(fields, "on", True))
        self.desk.engines.play_on()

    def _clock_claim(self, client: Client, fields: Query) -> None:
        self.desk.table.flag()

    # Counting

    def _count(self, client: Client, fields: Query) -> None:
        self.desk.engines.count(self.desk.table.cursor)

    def _toggle_dead(self, client: Client, fields: Query) -> None:
        table = self.desk.table
        table.count().toggle(read_vertex(fields, "point", table.size, passes=False))

    def _accept_count(self, client: Client, fields: Query) -> None:
        self.desk.table.accept_count()

    def _cancel_count(self, client: Client, fields: Query) -> None:
        table = self.desk.table
        table.cancel_count()
        self.desk.engines.play_on()

    # The tree

    def _goto(self, client: Client, fields: Query) -> None:
        counted = self.desk.table.counting is not None
        self.desk.table.go_to(self._node(fields, "node"))
        if counted:
            self.desk.engines.play_on()

    def _delete(self, client: Client, fields: Query) -> None:
        head = self.desk.table.head
        self.desk.table.delete(self._node(fields, "node"))
        if self.desk.table.head is not head:
            self.desk.engines.play_on()

    def _promote(self, client: Client, fields: Query) -> None:
        self.desk.table.promote(self._node(fields, "node"))

    def _annotate(self, client: Client, fields: Query) -> None:
        table = self.desk.table
        table.annotate(
            self._node(fields, "node"),
            comment=read_text(fields, "comment"),
            name=read_text(fields, "name"),
            marks=read_marks(fields, table.size),
        )

    async def _load_sgf(self, client: Client, fields: Query) -> None:
        data, name = read_sgf_bytes(fields)
        try:
            found = await asyncio.to_thread(opened, data)
        except GoError as error:
            raise PageError("not_sgf", str(error), reason=str(error)) from None
        self.desk.table.load(found, name)

    def _get_sgf(self, client: Client, fields: Query) -> None:
        table = self.desk.table
        words = LANGUAGES.get(str(fields.get("language", "en")), ENGLISH)
        analysed = read_flag(fields, "analysis", False)
        data = analysed_sgf(table.tree, words=words) if analysed else table.tree.serialise()
        name = table.name or "game.sgf"
        client.answer(encoded({"event": "sgf", "name": name, "text": data.decode("utf-8")}))

    def _node(self, fields: Query, field: str) -> Node:
        """Return the node that a field names, the cursor's where it is missing."""
        table = self.desk.table
        if fields.get(field) is None:
            return table.cursor
        try:
            return table.tree.find(fields[field])
        except GoError as error:
            raise PageError("no_such_node", str(error)) from None

    # Studying

    def _hint(self, client: Client, fields: Query) -> None:
        self.desk.study.hint(lambda event: client.answer(encoded(event)))

    def _analyse(self, client: Client, fields: Query) -> None:
        study = self.desk.study
        visits = read_visits(fields, study.visits)
        ownership = read_flag(fields, "ownership", True)
        width = 0.04
        if fields.get("width") is not None:
            width = number(fields, "width", 0.0, 5.0, "Must be a number from 0 to 5")
        on = read_flag(fields, "on", True)
        study.set(on=on, visits=visits, ownership=ownership, width=width)

    def _review(self, client: Client, fields: Query) -> None:
        study = self.desk.study
        if read_flag(fields, "stop", False):
            study.stop_review()
        else:
            study.review(min(read_visits(fields, REVIEW_VISITS), 10_000))

    def _planes(self, client: Client, fields: Query) -> None:
        node = self._node(fields, "node")
        desk = self.desk
        board = desk.table.positions.at(node)
        self._looks[client.number] = asked = object()

        def job() -> None:
            event: dict[str, Any]
            if self._looks.get(client.number) is not asked:
                return  # the client went on, or away
            try:
                event = network_view(board, desk.thread.evaluator)
                event["node"] = node.ident
            except GoError as error:
                event = error_event(error, "planes")
            text = encoded(event)
            desk.thread.deliver(lambda: client.answer(text))

        desk.thread.post(job)
