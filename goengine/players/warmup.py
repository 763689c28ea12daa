"""Kernels made ready ahead: compiled, or taken from numba's cache, before a move needs them.

A kernel is compiled where it is first called, which takes seconds, and some are first called late
in a game, when that time is the engine's. So all that commands and moves call is called here once.

Numba compiles in one thread only. So where the first kernel turns out to be in no cache, a process
of its own compiles the playouts and the search, which this one then finds in the cache that both
share. This one compiles the board and the encoder, and opens the network meanwhile. Two processes
are all: a kernel that calls another contains it, so more of them would compile the board again.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core import event

from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.inference.evaluation import Evaluation
from goengine.inference.evaluator import Evaluator
from goengine.inference.priors import softmax
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings
from goengine.scoring.status import move_scores, status

log = logging.getLogger(__name__)

APART = "GOENGINE_COMPILES_APART"
"""The environment variable of the process that compiles: it starts no other."""
PATIENCE = 300.0
"""Seconds after which the process that compiles is given up; the part is then compiled here."""
TELLS = 5.0
"""Seconds between two lines that say that it is still compiling."""


@functools.cache
def warm_board() -> None:
    """Call what commands and players ask of a board."""
    with _HELPER.at("board"):
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
    with _HELPER.at("encoder"):
        encode_batch(Board(5).records, threads=1)


@functools.cache
def warm_playouts() -> None:
    """Call what judges the end of a game."""
    with _HELPER.at("playouts"):
        board = Board(5)
        rng = np.random.default_rng(0)
        status(board, rng=rng, playouts=1)
        move_scores(board, [0, 25], rng=rng, playouts=1)


@functools.cache
def warm_search() -> None:
    """Call what a search calls."""
    with _HELPER.at("search"):
        rng = np.random.default_rng(0)
        settings = SearchSettings(visits=8, megabytes=1.0)
        SearchPlayer(_Silent(), settings, rng=rng).warm_up(5)


class _Silent(Evaluator):
    """An evaluator that asks no network and encodes nothing, so that no encoder is needed."""

    def __init__(self) -> None:
        """Open nothing."""

    def evaluate_records(self, records: npt.NDArray[Any], **options: Any) -> Evaluation:
        """Return that all sensible points are equal and nobody is ahead."""
        batch, size = len(records), int(records["size"][0])
        board = Board(size)
        moves = np.zeros((batch, size * size + 1), dtype=np.bool_)
        for i in range(batch):
            board.records = records[i : i + 1].copy()
            moves[i] = board.sensible()
        moves[:, -1] = ~moves[:, :-1].any(axis=1)
        level = np.zeros(batch, dtype=np.float32)
        nobody = np.zeros((batch, size, size), dtype=np.float32)
        return Evaluation(softmax(level[:, None], moves), level, level, nobody, level + 1)


PARTS = {
    "board": warm_board,
    "encoder": warm_encoder,
    "playouts": warm_playouts,
    "search": warm_search,
}
"""What is made ready, in the order in which kernels call each other."""
SHARED = ("playouts", "search")
"""What the process that compiles takes over: half of the work. When it comes to the search, the
board, which the search calls, is in the cache."""


def compile_apart(parts: Sequence[str]) -> None:
    """Compile parts, and print the name of each that is ready: what the other process runs."""
    gc.disable()  # it would take a tenth of the time, and this process soon ends
    for part in parts:
        PARTS[part]()
        print(part, flush=True)


class _Helper(event.Listener):
    """The process that compiles beside this one; the first kernel that is in no cache starts it."""

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._ready: dict[str, threading.Event] = {}
        self._told = threading.Lock()
        self._busy = 0

    @contextmanager
    def at(self, part: str) -> Iterator[None]:
        """Wait until a part is ready that is compiled elsewhere, then watch what is compiled."""
        self._begun.add(part)
        self._busy += 1
        try:
            if part in self._ready:
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
            "about 15 seconds, longer on a busy machine"
        )
        threading.Thread(target=self._tell, args=(time.monotonic(),), daemon=True).start()
        parts = [part for part in SHARED if part not in self._begun]
        if parts:
            self._start(parts)

    def _tell(self, began: float) -> None:
        """Say now and then how long it has taken, until all parts are there."""
        while self._busy or not self._begun.issuperset(PARTS):
            time.sleep(TELLS)
            if self._busy:
                log.warning("still compiling, %.0f seconds so far", time.monotonic() - began)

    def on_end(self, happening: Any) -> None:
        """Do nothing: numba asks for both."""

    def _start(self, parts: list[str]) -> None:
        """Compile parts in a process of their own; where none can be started, it is done here."""
        paths = os.pathsep.join(path for path in sys.path if path)
        program = f"from {__name__} import compile_apart; compile_apart({parts})"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": paths, APART: "1"},
            )
        except OSError as error:
            log.info("nothing can be compiled apart: %s", error)
            return
        self._ready = {part: threading.Event() for part in parts}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Note which parts the process says are ready; all are given free once it has ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            part = line.decode().strip()
            if part in self._ready:
                self._ready[part].set()
        if self._process.wait():
            log.info("the process that compiled ended with %d", self._process.returncode)
        for ready in self._ready.values():
            ready.set()

    def _wait(self, part: str) -> None:
        """Wait until a part is ready, or the process that compiles it has ended or is given up."""
        if not self._ready[part].wait(PATIENCE):
            self._process.kill()


_HELPER = _Helper()
