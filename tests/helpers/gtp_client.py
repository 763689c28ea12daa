"""A GTP client for tests: a server in this process behind pipes, or an engine in another one."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from goengine.gtp.engine import Engine
from goengine.gtp.server import Server

ROOT = Path(__file__).resolve().parents[2]


class Client:
    """Sends lines to a server that runs in a thread of this process."""

    def __init__(self, engine: Engine, *, log: TextIO | None = None) -> None:
        input_fd, send_fd = os.pipe()
        receive_fd, output_fd = os.pipe()
        self.server = Server(engine, input_fd=input_fd, output_fd=output_fd, log=log)
        self._descriptors = [input_fd, output_fd]
        self._send = os.fdopen(send_fd, "wb", buffering=0)
        self._receive = os.fdopen(receive_fd, "r", encoding="utf-8", newline="\n")
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()

    def send(self, text: str | bytes) -> None:
        """Send raw text."""
        self._send.write(text if isinstance(text, bytes) else text.encode())

    def line(self) -> str:
        """Return the next line of output."""
        return self._receive.readline()

    def response(self) -> str:
        """Return everything up to the next blank line."""
        lines = []
        while (line := self.line()) not in ("\n", ""):
            lines.append(line)
        return "".join(lines)

    def hang_up(self) -> None:
        """Close the server's output, as a client that has died does."""
        self._receive.close()

    def close(self) -> bool:
        """End the input; return whether the server stopped."""
        self._send.close()
        self._thread.join(60)
        stopped = not self._thread.is_alive()
        for descriptor in self._descriptors:
            os.close(descriptor)
        if not self._receive.closed:
            self._receive.close()
        return stopped


def run_engine(
    command: Sequence[str], text: str | bytes, *, folder: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run an engine process on an input and return what it wrote."""
    return subprocess.run(
        command,
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True,
        cwd=folder or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=False,
    )
