"""What people are told while kernels are compiled and the network is loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from cnncore.system.folders import cache_folder
from goengine.web.talk.page_events import Event

FIRST = {"board": 4.0, "encoder": 6.0, "network": 4.0, "playouts": 0.5, "search": 0.5}
"""Seconds of the parts at the first start after an installation, on two cores (docs/web.md)."""
LATER = {"board": 0.5, "encoder": 0.1, "network": 0.6, "playouts": 0.1, "search": 0.1}
"""Seconds of them at every other start."""


def compiled_before() -> bool:
    """Tell whether compiled kernels of an earlier start are there."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder("goengine") / "kernels")
    return next(folder.rglob("*.nbi"), None) is not None


class Starting:
    """Which part is being made ready, and how long that still takes."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._expected = LATER if compiled_before() else FIRST
        self._part: str | None = "board"
        self._began = self._started = now()
        self.ready = False
        self.failure: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is being made ready."""
        return self._part is None

    def enter(self, part: str, text: str = "") -> None:
        """Note which part is being made ready now; `ready` and `failed` end it."""
        self._began = self._now()
        if part in self._expected:
            self._part = part
            return
        self._part = None
        self.ready = part == "ready"
        self.failure = text if part == "failed" else None

    def event(self) -> Event:
        """Return what the page shows."""
        if self.failure is not None:
            return {"event": "starting", "stage": "failed", "text": self.failure, "done": 1.0}
        if self._part is None:
            return {"event": "starting", "stage": "ready", "text": "Ready.", "done": 1.0}
        parts = list(self._expected)
        place = parts.index(self._part)
        spent = min(self._now() - self._began, 0.95 * self._expected[self._part])
        gone = sum(self._expected[part] for part in parts[:place]) + spent
        total = sum(self._expected.values())
        network = self._part == "network"
        first = self._expected is FIRST
        text = "Loading the network." if network else "Loading the board code."
        if first and not network:
            text = (
                "Compiling the board code, which only the first start after an installation does. "
                "You may play and load games meanwhile."
            )
        return {
            "event": "starting",
            "stage": "network" if network else "kernels",
            "first": first,
            "text": text,
            "seconds_left": max(1, round((total - gone) * self._slowness(gone))),
            "done": round(gone / total, 3),
        }

    def _slowness(self, gone: float) -> float:
        """Return how many times as long as expected it has taken so far, 1 at the least."""
        return max(1.0, (self._now() - self._started) / gone) if gone > 0 else 1.0
