"""The analysis engine for hours: queries, cancels, hostile lines, a reader that stops reading.

Every piece starts one engine process and works for some minutes; totals are kept in a file, so that
the pieces of several sittings add up. It checks that every position that was asked for gets exactly
one final answer, that none takes longer than it may, and how the memory of the process grows.

    python -m benchmarks.soak --minutes 20 --state soak.json
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

STALL = 120.0
"""Seconds without any line, while answers are due and the reader reads, that count as a stall."""
OPEN = 40
"""Queries under way at once."""
PAUSE = 15.0
"""Seconds for which the reader now and then stops."""


@dataclass
class Totals:
    """What all pieces together came to."""

    seconds: float = 0.0
    queries: int = 0
    positions: int = 0
    finals: int = 0
    partial: int = 0
    cancels: int = 0
    hostile: int = 0
    errors: int = 0
    pauses: int = 0
    lost: int = 0
    doubled: int = 0
    stalls: int = 0
    not_json: int = 0
    megabytes: list[list[float]] = field(default_factory=list)
    """For each piece, resident memory after its first minute, at its largest, and at its end."""


class Engine:
    """The engine's process, and a thread that reads it unless it is told to pause."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "goengine", "analysis", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.lines: queue.Queue[bytes] = queue.Queue()
        self.reads = threading.Event()
        self.reads.set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
            self.reads.wait()

    def send(self, line: bytes) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def megabytes(self) -> float:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/statm")
        pages = int(status.read_text().split()[1]) if status.exists() else 0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Soak:
    """One piece: what is due, and what comes."""

    def __init__(self, engine: Engine, totals: Totals, rng: np.random.Generator) -> None:
        self.engine = engine
        self.totals = totals
        self.rng = rng
        self.due: dict[tuple[str, int], float] = {}
        self.done: set[tuple[str, int]] = set()
        self.number = 0

    def ask(self) -> None:
        """Send a query about some turns of a random game."""
        rng = self.rng
        size = int(rng.choice([5, 9, 13, 19]))
        points = rng.permutation(size * size)[: int(rng.integers(0, size * size // 4))]
        letters = "ABCDEFGHJKLMNOPQRST"
        moves = [
            ["BW"[k % 2], f"{letters[p % size]}{size - p // size}"] for k, p in enumerate(points)
        ]
        turns = sorted(set(rng.integers(0, len(moves) + 1, 3).tolist()))
        self.number += 1
        name = f"q{self.number}"
        query: dict[str, object] = {
            "id": name,
            "moves": moves,
            "rules": str(rng.choice(["chinese", "japanese", "tromp-taylor", "aga"])),
            "komi": 7.5,
            "boardXSize": size,
            "boardYSize": size,
            "analyzeTurns": turns,
            "maxVisits": int(rng.choice([1, 2, 10, 50, 100_000], p=[0.2, 0.2, 0.3, 0.25, 0.05])),
            "priority": int(rng.integers(-2, 3)),
            "includeOwnership": bool(rng.integers(2)),
            "includeMovesOwnership": bool(rng.integers(4) == 0),
            "includePolicy": bool(rng.integers(2)),
            "overrideSettings": {"maxTime": 20},
        }
        if rng.integers(3) == 0:
            query["reportDuringSearchEvery"] = 0.2
        self.engine.send(json.dumps(query).encode())
        self.totals.queries += 1
        self.totals.positions += len(turns)
        for turn in turns:
            self.due[name, turn] = time.monotonic()

    def cancel(self) -> None:
        """End a query that is under way, or all."""
        names = sorted({name for name, _ in self.due})
        action: dict[str, object] = {"id": f"cancel{self.number}", "action": "terminate_all"}
        if names and self.rng.integers(20):
            action = {**action, "action": "terminate", "terminateId": str(self.rng.choice(names))}
        self.engine.send(json.dumps(action).encode())
        self.totals.cancels += 1

    def harass(self) -> None:
        """Send a line that is not a query."""
        rng = self.rng
        kind = int(rng.integers(5))
        line = rng.bytes(int(rng.integers(1, 500))).replace(b"\n", b"")
        if kind == 0:
            line = b"[" * int(rng.integers(1, 50_000))
        elif kind == 1:
            line = b'{"id":"h","moves":[],"boardXSize":' + b"9" * int(rng.integers(1, 6000)) + b"}"
        elif kind == 2:
            line = b'{"id":"h","komi":NaN,"rules":{"ko":[[[]]]},"boardXSize":9,"boardYSize":9}'
        elif kind == 3:
            line = b'{"id":"h","action":"' + line.hex().encode() + b'","x":1e999}'
        self.engine.send(line)
        self.totals.hostile += 1

    def take(self, line: bytes) -> None:
        """Note a line."""
        try:
            reply = json.loads(line)
        except ValueError:
            self.totals.not_json += 1
            return
        if "error" in reply:
            self.totals.errors += 1
            name = reply.get("id", "")
            for key in [key for key in self.due if key[0] == name]:  # an illegal move, most likely
                del self.due[key]
                self.totals.positions -= 1
            return
        if "isDuringSearch" not in reply:
            return
        if reply["isDuringSearch"]:
            self.totals.partial += 1
            return
        key = (reply["id"], reply["turnNumber"])
        self.totals.finals += 1
        self.totals.doubled += key in self.done
        self.done.add(key)
        self.due.pop(key, None)

    def run(self, seconds: float) -> None:
        """Work for so long, then wait for all that is due."""
        began = last = time.monotonic()
        first = most = 0.0
        paused_until = 0.0
        while True:
            now = time.monotonic()
            going = now - began < seconds
            if not going and not self.due:
                break
            if paused_until and now >= paused_until:
                self.engine.reads.set()
                paused_until, last = 0.0, now
            if going and not paused_until and self.rng.random() < 0.0005:
                self.engine.reads.clear()
                paused_until = now + PAUSE
                self.totals.pauses += 1
            if going and len(self.due) < OPEN:
                self.ask()
            if going and self.rng.random() < 0.3:
                self.harass()
            if going and self.rng.random() < 0.02:
                self.cancel()
            try:
                self.take(self.engine.lines.get(timeout=0.05))
                last = time.monotonic()
            except queue.Empty:
                if not paused_until and self.due and now - last > STALL:
                    self.totals.stalls += 1
                    break
            memory = self.engine.megabytes()
            most = max(most, memory)
            first = memory if now - began < 60 else first
        self.engine.reads.set()
        self.totals.lost += len(self.due)
        self.totals.seconds += time.monotonic() - began
        self.totals.megabytes.append([first, most, self.engine.megabytes()])


def main() -> int:
    """Work for a piece, add it to the totals and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--state", type=Path, default=Path("soak.json"))
    parser.add_argument("--megabytes", type=float, default=200.0)
    parser.add_argument("--network", default="dual-96")
    args = parser.parse_args()
    totals = Totals()
    if args.state.exists():
        totals = Totals(**json.loads(args.state.read_text()))
    words = ["--network", args.network, "--megabytes", str(args.megabytes)]
    engine = Engine(words)
    soak = Soak(engine, totals, np.random.default_rng(totals.queries))
    soak.run(60 * args.minutes)
    assert engine.process.stdin is not None
    engine.process.stdin.close()
    status = engine.process.wait(60)
    args.state.write_text(json.dumps(asdict(totals)))
    print(json.dumps(asdict(totals), indent=1))
    good = not (totals.lost or totals.doubled or totals.stalls or totals.not_json or status)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
