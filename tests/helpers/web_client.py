"""A web server in a thread of this process, on an instant network, and clients like the page's."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

from websockets.sync.client import ClientConnection, connect

from goengine.inference.evaluator import Evaluator
from goengine.web.desk import Desk
from goengine.web.serving.access import LOOPBACK
from goengine.web.serving.application import guarded
from goengine.web.serving.web_server import server_of
from goengine.web.thinking.opponents import EngineOptions
from tests.helpers.analysis_client import instant_evaluator

LONG = 60.0
"""Seconds after which a test gives up."""
Message = dict[str, Any]
HUMAN = {"kind": "human"}


def engine(visits: int = 8) -> Message:
    """Return an engine as a player."""
    return {"kind": "engine", "visits": visits}


class WebServer:
    """A server on a free port of this machine."""

    def __init__(
        self,
        *,
        evaluator: Evaluator | None = None,
        path: Path | None = None,
        first: tuple[bytes, str] | None = None,
        token: str | None = None,
        open_to_others: bool = False,
        visits: int = 20,
    ) -> None:
        options = EngineOptions(visits=visits, megabytes=50.0, seed=1)
        self.desk = Desk(
            options, path=path, first=first, evaluator=evaluator or instant_evaluator()
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        app = guarded(
            self.desk, names=LOOPBACK, open_to_others=open_to_others, token=token, port=self.port
        )
        self._server = server_of(app)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """The address of the WebSocket."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def client(self, **options: Any) -> PageClient:
        """Return a client that has said hello and knows the table."""
        return PageClient(self.address, **options)

    def plain(self, **options: Any) -> AbstractContextManager[ClientConnection]:
        """Return a bare connection."""
        return connect(self.address, **options)

    def waiting(self) -> int:
        """Return how many positions wait for their analysis, as the engine's thread counts them."""
        thread = self.desk.thread
        counted: Queue[int] = Queue()
        thread.post(lambda: counted.put(thread.scheduler.waiting))
        return counted.get(timeout=LONG)

    def stop(self) -> None:
        """End the server as Ctrl+C does."""
        self._server.should_exit = True
        self._thread.join(LONG)
        assert not self._thread.is_alive()
        self._socket.close()


class PageClient:
    """Does what the page does: sends requests, and keeps the table that it is told of."""

    def __init__(self, address: str, *, ready: bool = True, **options: Any) -> None:
        self._opened = ExitStack()
        self.connection = self._opened.enter_context(connect(address, max_size=None, **options))
        self.table: Message = {}
        self.nodes: dict[str, Message] = {}
        self.others: list[Message] = []
        self._seq = 0
        self.send(do="hello")
        self.wait(lambda: "cursor" in self.table)
        if ready:
            self.wait(lambda: self._is_ready())

    def send(self, **fields: Any) -> int:
        """Send a request; return its number."""
        self._seq += 1
        self.connection.send(json.dumps({**fields, "seq": self._seq}))
        return self._seq

    def do(self, request: str, **fields: Any) -> Message | None:
        """Send a request and wait until it is worked off; return its error, None without."""
        self.others = [event for event in self.others if event.get("event") == "starting"]
        number = self.send(do=request, **fields)
        self.wait(lambda: self.table.get("seen", -1) >= number)
        return next((event for event in self.others if event.get("seq") == number), None)

    def event(self, kind: str, fits: Callable[[Message], bool] = lambda event: True) -> Message:
        """Return the next event of a kind that fits."""
        found: list[Message] = []

        def there() -> bool:
            found[:] = [e for e in self.others if e.get("event") == kind and fits(e)]
            return bool(found)

        self.wait(there)
        self.others.remove(found[0])
        return found[0]

    def wait(self, there: Callable[[], bool], seconds: float = LONG) -> None:
        """Take messages until something is there."""
        end = time.monotonic() + seconds
        while not there():
            left = end - time.monotonic()
            assert left > 0, f"nothing after {seconds} s; {self.table}, {self.others[-3:]}"
            self.take(json.loads(self.connection.recv(timeout=left)))

    def take(self, message: Message) -> None:
        """Keep a message."""
        kind = message.get("event")
        if kind == "table":
            self.table = {name: value for name, value in message.items() if name != "tree"}
            self.nodes = dict(message["tree"]["nodes"])
            self.table["root"] = message["tree"]["root"]
        elif kind == "tree_patch":
            assert message["version"] <= self.table["version"] + 1, "a change was lost"
            self.table |= {name: value for name, value in message.items() if name != "nodes"}
            for name, node in message["nodes"].items():
                if node is None:
                    self.nodes.pop(name, None)
                else:
                    self.nodes[name] = node
        else:
            self.others.append(message)

    @property
    def here(self) -> Message:
        """The node at the cursor."""
        return self.nodes[self.table["cursor"]]

    def line(self) -> list[str]:
        """Return the moves from the root to the cursor, such as `BD4`."""
        moves = []
        name = self.table["cursor"]
        while name is not None:
            node = self.nodes[name]
            if "move" in node:
                moves.append("".join(node["move"]))
            name = node["parent"]
        return moves[::-1]

    def close(self) -> None:
        """Go away."""
        self._opened.close()

    def _is_ready(self) -> bool:
        """Tell whether the engine is ready."""
        greeting = next((e for e in self.others if e.get("event") == "hello"), {"ready": False})
        stages = [e for e in self.others if e.get("event") == "starting"]
        return bool(greeting["ready"]) or any(e["stage"] == "ready" for e in stages)
