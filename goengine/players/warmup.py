"""Kernels made ready ahead: compiled, or taken from numba's cache, before a move needs them.

A kernel is compiled where it is first called, which takes seconds, and some are first called late
in a game, when that time is the engine's. So all that commands and moves call is called here once.

Numba compiles in one thread only. So where the first kernel turns out to be in no cache, processes
of their own compile the other parts at the same time, and this one then finds them in the cache
that all share.
"""

from __future__ import annotations

import functools
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba.core import event

from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.inference.backends.backend import Planes, RawOutputs
from goengine.inference.evaluator import Evaluator
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings
from goengine.scoring.status import move_scores, status

log = logging.getLogger(__name__)

APART = "GOENGINE_COMPILES_APART"
"""The environment variable of the processes that compile: they start no others."""
PATIENCE = 300.0
"""Seconds after which a process that compiles is given up; the part is then compiled here."""
TELLS = 5.0
"""Seconds between two lines that say that it is still compiling."""


@functools.cache
def warm_board() -> None:
    """Call what commands and players ask of a board."""
    with _HELPERS.at("board"):
        board = Board(5)
        board.setup(black=[0])
        board.play(2)
        board.legal()
        board.sensible()
        board.chain(0)
        board.liberties(0)


@functools.cache
def warm_encoder() -> None:
    """Call what turns positions into planes."""
    with _HELPERS.at("encoder"):
        encode_batch(Board(5).records, threads=1)


@functools.cache
def warm_playouts() -> None:
    """Call what judges the end of a game."""
    with _HELPERS.at("playouts"):
        board = Board(5)
        rng = np.random.default_rng(0)
        status(board, rng=rng, playouts=1)
        move_scores(board, [0, 25], rng=rng, playouts=1)


@functools.cache
def warm_search() -> None:
    """Call what a search calls."""
    with _HELPERS.at("search"):
        rng = np.random.default_rng(0)
        settings = SearchSettings(visits=8, megabytes=1.0)
        SearchPlayer(Evaluator(_Silent()), settings, rng=rng).warm_up(5)


class _Silent:
    """A backend that computes nothing: what surrounds it is called all the same."""

    name, device, precision = "silent", "cpu", "float32"
    planes, forgetful, threads, chunk = 48, False, 1, 8

    def run(self, planes: Planes) -> RawOutputs:
        """Return that all moves are equal and nobody is ahead."""
        batch, _, size, _ = planes.shape
        return RawOutputs(
            logits=np.zeros((batch, size * size), dtype=np.float32),
            margin=np.zeros(batch, dtype=np.float32),
            spread=np.ones(batch, dtype=np.float32),
            ownership=np.zeros((batch, size, size), dtype=np.float32),
        )


PARTS = {
    "board": warm_board,
    "encoder": warm_encoder,
    "playouts": warm_playouts,
    "search": warm_search,
}
"""What can be compiled apart from each other."""


class _Helpers(event.Listener):
    """The processes that compile; the first kernel that is in no cache starts them."""

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._told = threading.Lock()
        self._busy = 0

    @contextmanager
    def at(self, part: str) -> Iterator[None]:
        """Wait for whoever compiles a part already, then watch whether this process has to."""
        self._begun.add(part)
        self._busy += 1
        try:
            if part in self._running:
                self._wait(part)
            with event.install_listener("numba:compile", self):
                yield
        finally:
            self._busy -= 1

    def on_start(self, happening: Any) -> None:
        """Say what takes so long, and share the work, at the first compilation."""
        uncached = happening.data["dispatcher"].stats.cache_path is None
        if uncached or APART in os.environ:
            return
        if not self._told.acquire(blocking=False):
            return
        log.warning(
            "compiling the board code, which only the first start after an installation does: "
            "about 30 seconds, longer on a busy machine"
        )
        threading.Thread(target=self._tell, args=(time.monotonic(),), daemon=True).start()
        for part in set(PARTS) - self._begun:
            self._start(part)

    def _tell(self, began: float) -> None:
        """Say now and then how long it has taken, until all parts are there."""
        while self._busy or not self._begun.issuperset(PARTS):
            time.sleep(TELLS)
            if self._busy:
                log.warning("still compiling, %.0f seconds so far", time.monotonic() - began)

    def on_end(self, happening: Any) -> None:
        """Do nothing: numba asks for both."""

    def _wait(self, part: str) -> None:
        """Wait until a part that is being compiled elsewhere is done, well or not."""
        process = self._running[part]
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode:
            log.info("the process that compiled the %s ended with %d", part, process.returncode)

    def _start(self, part: str) -> None:
        """Compile a part in a process of its own; where none can be started, it is done here."""
        paths = os.pathsep.join(path for path in sys.path if path)
        try:
            self._running[part] = subprocess.Popen(
                [sys.executable, "-P", "-c", f"from {__name__} import PARTS; PARTS[{part!r}]()"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": paths, APART: "1"},
            )
        except OSError as error:
            log.info("the %s cannot be compiled apart: %s", part, error)


_HELPERS = _Helpers()
