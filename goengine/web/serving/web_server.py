"""The server: an address and a port, a browser that opens, and connections that can be cut."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cnncore.system.command_line import INTERRUPTED
from goengine.types import GoError
from goengine.web.desk import Desk
from goengine.web.serving.access import is_loopback, names_for
from goengine.web.serving.application import ABORT, guarded
from goengine.web.table.kept_table import place_of
from goengine.web.thinking.opponents import EngineOptions

log = logging.getLogger(__name__)

PORT, PORTS = 8361, 10
"""The port that is tried first, and how many from it before any free one is taken."""
LONGEST_FRAME = 6_000_000
"""Bytes of a message; a longer one ends its connection."""
FIRST_REQUEST = 10.0
"""Seconds that a connection has for a request."""
ANSWER = 60.0
"""Seconds that it has to read the answer."""
FRAMES_A_SECOND, MOST_FRAMES = 100.0, 1000.0
"""Pings and parts of messages that a client may go on sending, and how many at once before that."""
MOST_CONNECTIONS = 512
"""Connections beyond which requests are refused."""
SWITCH = 0.001
"""Seconds that the engine's thread may keep Python's lock while the server has something to do."""


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: str = "127.0.0.1"
    port: int | None = None
    """None takes `PORT` or a free one after it."""
    token: str | None = None
    """None makes one where others can reach the server."""


class ImpatientHttp(H11Protocol):
    """An HTTP connection that is closed where a request or its answer takes too long."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._wait()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand the connection over to a WebSocket, which has its own patience."""
        self._wait_no_longer()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Begin to wait for a request."""
        self._wait_no_longer()
        if not self.transport.is_closing():
            self._waiting = self.loop.call_later(FIRST_REQUEST, self._give_up)

    def _wait_no_longer(self) -> None:
        """Forget what was waited for."""
        if self._waiting is not None:
            self._waiting.cancel()

    def _give_up(self) -> None:
        """Close the connection if it has not asked for anything; else let it read its answer."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            self._waiting = self.loop.call_later(ANSWER, self.transport.abort)


class CuttableConnection(WebSocketsSansIOProtocol):
    """A WebSocket whose connection can be cut although its peer reads nothing."""

    _frames_left = MOST_FRAMES
    _counted_at = 0.0

    def handle_connect(self, event: Any) -> None:
        """Begin a connection, with the offer to cut it among its extensions."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][ABORT] = {"abort": self.transport.abort}

    def handle_cont(self, event: Any) -> None:
        """Take a part of a message; too many of them end the connection."""
        if self._may_go_on():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, unless its peer does not read; too many of them end the connection."""
        if self._may_go_on() and self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def keepalive_timeout(self) -> None:
        """Cut whoever does not answer pings."""
        super().keepalive_timeout()
        self.transport.abort()

    async def send(self, message: Any) -> None:
        """Send what the application says; a refusal ends the handshake too."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def _may_go_on(self) -> bool:
        """Count a frame that is not a message, of which time allows a few; cut who sends more."""
        now = self.loop.time()
        gained = FRAMES_A_SECOND * (now - self._counted_at)
        self._frames_left = min(MOST_FRAMES, self._frames_left + gained) - 1
        self._counted_at = now
        if self._frames_left < 0:
            self.transport.abort()
        return self._frames_left >= 0


def bound(address: Address) -> socket.socket:
    """Return a socket that listens at an address.

    Raises:
        GoError: the port is taken, or there is no such address.
    """
    tried = [address.port] if address.port is not None else [*range(PORT, PORT + PORTS), 0]
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    for port in tried:
        try:
            return socket.create_server((address.host, port), family=family, backlog=128)
        except OSError as error:
            failure = error
    if address.port is not None:
        raise GoError(
            f"cannot listen on {address.host} port {address.port} ({failure.strerror}): use "
            "another --port, or none to take a free one"
        )
    raise GoError(f"cannot listen on {address.host} ({failure.strerror}): use another --host")


def serve(
    options: EngineOptions,
    address: Address,
    *,
    first: tuple[bytes, str] | None = None,
    browser: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the table until it is interrupted.

    `first`: SGF to begin with, and the name of its file. `say` gets what people are to read.

    Raises:
        GoError: the address cannot be had, or there is no such network.
    """
    listening = bound(address)
    port = listening.getsockname()[1]
    names, open_to_others = names_for(address.host)
    token = address.token or secrets.token_urlsafe(16) if open_to_others else None
    links = [f"http://{name}:{port}/" for name in _shown_names(address.host)]
    if token is not None:
        links = [f"{link}?token={quote(token, safe='')}" for link in links]
    desk = Desk(options, path=place_of(port), first=first)

    def opened() -> None:
        """Say where the board is, and open it."""
        say(f"The board is at {links[0]}")
        for link in links[1:]:
            say(f"         and at {link}")
        if open_to_others:
            say("Whoever knows this address can play here, and use this machine's time.")
        say("Ctrl+C ends it; the table is kept.")
        if browser:
            threading.Thread(target=webbrowser.open, args=(links[0],), daemon=True).start()

    app = guarded(
        desk,
        names=names,
        open_to_others=open_to_others,
        token=token,
        port=port,
        opened=opened,
    )
    sys.setswitchinterval(SWITCH)
    try:
        server_of(app).run(sockets=[listening])
    finally:
        if desk.thread.running:
            # A thread inside the import of a C++ library cannot be stopped; leaving through the
            # interpreter's shutdown would crash in it. The table is kept already.
            logging.shutdown()
            sys.stdout.flush()
            os._exit(INTERRUPTED)


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Return the server of an application, with the bounds of this module."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=ImpatientHttp,
            ws=CuttableConnection,
            ws_max_size=LONGEST_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=3,
            log_config=None,
            access_log=False,
            log_level="error",
            server_header=False,
            proxy_headers=False,
            lifespan="on",
        )
    )


def _shown_names(host: str) -> list[str]:
    """Return names under which people reach the server."""
    if is_loopback(host):
        return [f"[{host}]" if ":" in host else host]
    if host not in ("0.0.0.0", "::"):
        return [f"[{host}]" if ":" in host else host]
    return [_own_address(), socket.gethostname()]


def _own_address() -> str:
    """Return this machine's address on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def read_first(path: Path | None) -> tuple[bytes, str] | None:
    """Return a game's bytes and the name of its file.

    Raises:
        OSError: the file cannot be read.
    """
    return None if path is None else (path.read_bytes(), path.name)
