"""The web application: the page, its files, and the WebSocket at which the table is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import mimetypes
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from goengine.web.desk import Desk
from goengine.web.serving.access import Access
from goengine.web.table_requests import TableRequests
from goengine.web.talk.clients import Client, SlowClientError
from goengine.web.talk.page_events import PageError, encoded, error_event

log = logging.getLogger(__name__)

STATIC = Path(__file__).parents[1] / "static"
MOST_CLIENTS = 32
"""Connections at the table at once; further ones are refused."""
RATE, BURST = 60.0, 300.0
"""Messages a second that a client may go on sending, and how many at once before that; a faster one
has to wait, and nobody waits for it."""
BYTES_A_MESSAGE = 65_536
"""Characters that count as one message more."""
ABORT = "goengine.abort"
"""The name under which a server offers to cut a connection without a farewell."""
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Gate:
    """How many messages a client may send now; time fills it."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left = BURST
        self._at = now()

    def wait_for(self, length: int) -> float:
        """Take a message of so many characters; return the seconds to wait before it counts."""
        now = self._now()
        self._left = min(BURST, self._left + RATE * (now - self._at))
        self._at = now
        self._left -= 1 + length / BYTES_A_MESSAGE
        return max(0.0, -self._left / RATE)


class WebTable:
    """The routes over one desk."""

    def __init__(self, desk: Desk, *, opened: Callable[[], None] = lambda: None) -> None:
        self.desk = desk
        self.requests = TableRequests(desk)
        self._opened = opened

    def application(self) -> Starlette:
        """Return the application without a guard."""
        for suffix, kind in TYPES.items():  # Windows' registry may say otherwise
            mimetypes.add_type(kind, suffix)
        routes: list[BaseRoute] = [
            Route("/", self._page, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
            WebSocketRoute("/ws", self._socket),
        ]
        if STATIC.is_dir():
            routes.append(Mount("/static", StaticFiles(directory=STATIC)))
        return Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Load the engine while the server runs."""
        self.desk.start()
        self._opened()
        try:
            yield
        finally:
            await self.desk.close()

    async def _page(self, request: Request) -> Response:
        """Return the page."""
        page = STATIC / "index.html"
        if not page.is_file():
            text = "This installation does not have the page; the WebSocket at /ws answers.\n"
            return PlainTextResponse(text, status_code=404)
        return FileResponse(page)

    async def _health(self, request: Request) -> Response:
        """Say whether all is well."""
        starting = self.desk.starting
        return JSONResponse({"ready": starting.ready, "clients": len(self.desk.clients)})

    async def _socket(self, websocket: WebSocket) -> None:
        """Serve one client until it goes away."""
        if len(self.desk.clients) >= MOST_CLIENTS:
            text = f"Refused: {MOST_CLIENTS} connections are open already; close a tab.\n"
            await websocket.send_denial_response(PlainTextResponse(text, status_code=503))
            return
        client = self.desk.join()
        try:
            await websocket.accept()
            await self._serve(client, websocket)
        finally:
            self.requests.gone(client)

    async def _serve(self, client: Client, websocket: WebSocket) -> None:
        """Read and write until one of both ends."""
        tasks = {
            asyncio.create_task(self._read(client, websocket)),
            asyncio.create_task(client.write(websocket.send_text)),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            error = task.exception()
            if isinstance(error, SlowClientError):
                log.warning("client %d does not read and is cut", client.number)
                self._abort(websocket)
                return
            if error is not None and not isinstance(error, (WebSocketDisconnect, OSError)):
                log.error("client %d ended by a fault of the server", client.number, exc_info=error)
        if websocket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                await asyncio.wait_for(websocket.close(), 1.0)

    async def _read(self, client: Client, websocket: WebSocket) -> None:
        """Carry out what a client sends, one message after the other, no faster than allowed."""
        gate = Gate()
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                error = PageError("bad_message", "Messages must be text frames of JSON")
                client.answer(encoded(error_event(error, None)))
                text = ""
            seconds = gate.wait_for(len(text))
            if seconds:
                await asyncio.sleep(seconds)
            if text:
                await self.requests.handle(client, text)

    def _abort(self, websocket: WebSocket) -> None:
        """Cut a connection whose buffers are full, where the server can."""
        offer = websocket.scope.get("extensions", {}).get(ABORT)
        if offer is not None:
            offer["abort"]()


def guarded(
    desk: Desk,
    *,
    names: frozenset[str],
    open_to_others: bool,
    token: str | None,
    port: int,
    opened: Callable[[], None] = lambda: None,
) -> ASGIApp:
    """Return the application behind its guard."""
    return Access(
        WebTable(desk, opened=opened).application(),
        names=names,
        open_to_others=open_to_others,
        token=token,
        port=port,
    )
