"""`goengine web` from the command line."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from goengine.types import GoError
from goengine.web.serving.web_server import PORT, Address, bound
from tests.helpers.web_client import PageClient

SIZE = "(;SZ[9];B[ee];W[cc])"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own, on a game."""
    game = tmp_path / "mine.sgf"
    game.write_text(SIZE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "goengine", "web", str(game), "--no-browser"]
    cache = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache/goengine/kernels")
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": cache},
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_it_says_where_it_is_and_ctrl_c_ends_it(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    line = started.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
    assert found is not None, line
    assert "Ctrl+C" in started.stdout.readline()
    page = PageClient(f"ws://127.0.0.1:{found[1]}/ws", ready=False)
    assert page.table["name"] == "mine.sgf" and len(page.nodes) == 3
    assert page.do("play", move="A1") is None
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=30)
    assert started.returncode == 130, errors
    assert "Traceback" not in errors
    page.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "goengine", "web", "--no-browser", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_wrong_uses_end_in_a_sentence(tmp_path: Path) -> None:
    missing = run(str(tmp_path / "none.sgf"))
    assert missing.returncode != 0 and "none.sgf" in missing.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = run("--port", str(port))
        assert busy.returncode == 2 and str(port) in busy.stderr
    assert run("--port", "0").returncode == 2
    assert "Traceback" not in missing.stderr + busy.stderr


def test_a_free_port_is_taken_near_the_usual_one() -> None:
    first = bound(Address())
    second = bound(Address())
    try:
        ports = {first.getsockname()[1], second.getsockname()[1]}
        assert len(ports) == 2 and min(ports) >= PORT
        with pytest.raises(GoError, match="another --port"):
            bound(Address(port=first.getsockname()[1]))
        with pytest.raises(GoError, match="another --host"):
            bound(Address(host="192.0.2.77"))
    finally:
        first.close()
        second.close()
