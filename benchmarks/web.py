"""How soon the web board answers: from click to echo, idle, while analysing, while a player thinks.

A server in a process of its own, with the shipped network on 19x19, and a client on the same
machine that plays and undoes moves, as a page does. Each time is from the frame that asks to the
frame that tells of the move. The size of the table and the time to lay out a 300-move game too.

    python -m benchmarks.web --clicks 200
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

from cnncore.system.folders import cache_folder
from goengine.board import Board
from goengine.coords import move_to_gtp, move_to_sgf

PAUSE = 0.2
"""Seconds between two clicks."""


class Page:
    """A client that measures."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._seq = 0
        self.late: list[float] = []
        self.sizes: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def ask(self, **fields: Any) -> float:
        """Send a request and return the seconds until it is worked off."""
        self._seq += 1
        began = time.perf_counter()
        self._connection.send(json.dumps({**fields, "seq": self._seq}))
        while self.take().get("seen", -1) < self._seq:
            pass
        return time.perf_counter() - began

    def take(self) -> dict[str, Any]:
        """Return the next message."""
        text = self._connection.recv(timeout=300)
        found: dict[str, Any] = json.loads(text)
        kind = found.get("event", "reply")
        self.sizes[kind] = max(self.sizes.get(kind, 0), len(text))
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return found

    def rest(self) -> None:
        """Wait until the next click, and note by how much too long: so busy is the machine."""
        began = time.perf_counter()
        time.sleep(PAUSE)
        self.late.append(time.perf_counter() - began - PAUSE)

    def until(self, kind: str, **fields: object) -> dict[str, Any]:
        """Take messages until one of a kind."""
        while True:
            found = self.take()
            if found.get("event") == kind and all(found.get(k) == v for k, v in fields.items()):
                return found


def random_line(moves: int) -> list[int]:
    """Return random sensible moves on 19x19."""
    rng, board, line = np.random.default_rng(0), Board(19), []
    for _ in range(moves):
        options = np.flatnonzero(board.sensible()[:-1])
        line.append(int(rng.choice(options)))
        board.play(line[-1])
    return line


def clicks(page: Page, line: list[int], count: int) -> list[float]:
    """Return the seconds of so many moves, one after the other."""
    page.ask(do="new_game", size=19)
    times = []
    for number in range(count):
        times.append(page.ask(do="play", move=move_to_gtp(line[number % len(line)], 19)))
        page.rest()
    return times


def say(name: str, times: list[float]) -> None:
    """Print what times look like."""
    ordered = sorted(1000 * seconds for seconds in times)
    print(
        f"{name}: median {statistics.median(ordered):.1f} ms, 95 % below "
        f"{ordered[int(0.95 * (len(ordered) - 1))]:.1f} ms, longest {ordered[-1]:.1f} ms "
        f"({len(ordered)} times)",
        flush=True,
    )


def measure(page: Page, count: int) -> None:
    """Measure, and print."""
    page.ask(do="hello")
    page.until("starting", stage="ready")
    line = random_line(300)
    count = min(count, len(line))
    say("idle", clicks(page, line, count))
    page.ask(do="analyse", on=True, visits=1_000_000)
    say("analysing", clicks(page, line, count))
    page.ask(do="analyse", on=False)
    thinking = {"kind": "engine", "seconds": 600.0}
    page.ask(do="new_game", size=19, black=thinking, white={"kind": "human"})
    times = []
    for number in range(count):
        times.append(page.ask(do="annotate", comment=str(number)))
        page.rest()
    say("a player thinking (comments)", times)
    page.ask(do="set_players", black={"kind": "human"}, white={"kind": "human"})
    moves = "".join(f";{'BW'[n % 2]}[{move_to_sgf(move, 19)}]" for n, move in enumerate(line))
    began = time.perf_counter()
    page.ask(do="load_sgf", text=f"(;SZ[19]{moves})")
    print(f"300 moves laid out: {1000 * (time.perf_counter() - began):.0f} ms")
    page.ask(do="review", visits=2)
    page.until("review", running=False)
    began = time.perf_counter()
    page.ask(do="hello")
    print(f"whole table after a review: {1000 * (time.perf_counter() - began):.0f} ms")
    say("beside it, how late this client's own pauses end", page.late)
    for kind, size in sorted(page.sizes.items()):
        print(f"largest {kind}: {size / 1000:.0f} kB, {page.counts[kind]} in all")


def main() -> None:
    """Start a server and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=200, help="moves for each row (200)")
    parser.add_argument("--threads", help="processor threads of the network")
    args = parser.parse_args()
    kernels = os.environ.get("NUMBA_CACHE_DIR") or str(cache_folder("goengine") / "kernels")
    command = [sys.executable, "-m", "goengine", "web", "--no-browser"]
    command += [] if args.threads is None else ["--threads", args.threads]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(Path(folder)), "NUMBA_CACHE_DIR": kernels},
        )
        try:
            assert server.stdout is not None
            found = re.search(r":(\d+)/", server.stdout.readline())
            assert found is not None
            with connect(f"ws://127.0.0.1:{found[1]}/ws", max_size=None) as connection:
                measure(Page(connection), args.clicks)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
