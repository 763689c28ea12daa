"""Clients of the analysis engine for tests: a server in this process, on an instant network."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from goengine.analysis.line_server import AnalysisServer
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.inference.backends.backend import RawOutputs
from goengine.inference.evaluator import Evaluator

Reply = Mapping[str, Any]


SETTINGS = AnalysisSettings(visits=12)


class InstantBackend:
    """Judges by stones: ownership where they stand, a lead by their difference; counts batches."""

    name, device, precision = "instant", "cpu", "float32"
    planes, forgetful, threads, chunk = 48, False, 1, 64

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.batches: list[int] = []

    def run(self, planes: np.ndarray) -> RawOutputs:
        self.batches.append(len(planes))
        if self.delay:
            time.sleep(self.delay)
        batch, size = len(planes), planes.shape[-1]
        own, other = planes[:, 0].astype(np.float32), planes[:, 1].astype(np.float32)
        rows = np.arange(size * size, dtype=np.float32)
        return RawOutputs(
            logits=np.tile(-0.05 * rows, (batch, 1)) + planes[:, 21].reshape(batch, -1) * 3.0,
            margin=(own - other).sum(axis=(1, 2)),
            spread=np.full(batch, 2.0, dtype=np.float32),
            ownership=own - other,
        )


def instant_evaluator(delay: float = 0.0) -> Evaluator:
    """Return an evaluator without a network."""
    return Evaluator(InstantBackend(delay))


class AnalysisClient:
    """Sends lines to a server that runs in a thread of this process."""

    def __init__(
        self,
        evaluator: Evaluator | None = None,
        *,
        settings: AnalysisSettings = SETTINGS,
        megabytes: float = 50.0,
        waits: bool = True,
    ) -> None:
        input_fd, send_fd = os.pipe()
        receive_fd, output_fd = os.pipe()
        self.server = AnalysisServer(
            evaluator or instant_evaluator(),
            settings,
            network="instant",
            input_fd=input_fd,
            output_fd=output_fd,
            megabytes=megabytes,
            waits=waits,
        )
        self._descriptors = [input_fd, output_fd]
        self._send = os.fdopen(send_fd, "wb", buffering=0)
        self._receive = os.fdopen(receive_fd, "r", encoding="utf-8", newline="\n")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        """Serve, and close the output as the end of a process does."""
        self.server.run()
        os.close(self._descriptors.pop())

    def send(self, *queries: Reply | str | bytes) -> None:
        """Send queries, each on a line."""
        for query in queries:
            text = json.dumps(query) if isinstance(query, Mapping) else query
            data = text if isinstance(text, bytes) else text.encode()
            self._send.write(data + b"\n")

    def reply(self) -> Reply:
        """Return the next reply."""
        line = self._receive.readline()
        assert line.endswith("\n"), f"the engine has ended: {line!r}"
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    def ask(self, query: Reply | str | bytes) -> Reply:
        """Send one query and return the next reply."""
        self.send(query)
        return self.reply()

    def rest(self) -> list[Reply]:
        """End the input, and return all replies that are left; the server has stopped then."""
        self._send.close()
        found = [json.loads(line) for line in self._receive]
        self._thread.join(60)
        assert not self._thread.is_alive()
        return found

    def hang_up(self) -> None:
        """Close the server's output, as a client that has died does."""
        self._receive.close()

    def close(self) -> bool:
        """End both; return whether the server stopped."""
        if not self._send.closed:
            self._send.close()
        if not self._receive.closed:
            self._receive.close()
        self._thread.join(60)
        os.close(self._descriptors[0])
        return not self._thread.is_alive()


def query(**changes: object) -> dict[str, object]:
    """Return a query about an empty 5x5 board with some fields changed; None leaves one out."""
    fields: dict[str, object] = {
        "id": "q",
        "moves": [],
        "rules": "tromp-taylor",
        "komi": 0.5,
        "boardXSize": 5,
        "boardYSize": 5,
    }
    fields |= changes
    return {name: value for name, value in fields.items() if value is not None}
