"""The ownership of a whole archive: in parallel processes, resumable.

Chunks of games are judged by worker processes and written one by one into a folder beside the
archive; a second start skips those that are there. When all are, they become one file.
"""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cnncore.system.folders import make_folder
from goengine.types import GoError
from selfplay.archive.reader import Archive
from selfplay.labelling.final_positions import Index, counted_games, find_owners
from selfplay.labelling.owners_file import (
    Ownership,
    owners_path,
    read_ownership,
    write_ownership,
)

log = logging.getLogger(__name__)

CHUNK = 256
"""Games that a worker process judges at a time."""
PLAYOUTS = 200
"""Playouts that find a game's dead stones."""


@dataclass(frozen=True)
class Labelled:
    """What became of the games of an archive."""

    counted: int
    """Games whose margin and komi are known."""
    ownership: Ownership | None
    """Who owns the points of those that agree with their margin; None if it was stopped before."""


def label_archive(
    archive: Archive,
    *,
    workers: int = 1,
    playouts: int = PLAYOUTS,
    stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
) -> Labelled:
    """Find the final ownership of an archive's counted games and store it beside the archive.

    Raises:
        GoError: a worker process died, or a file is damaged or cannot be written.
    """
    games = counted_games(archive)
    chunks = [games[i : i + CHUNK] for i in range(0, len(games), CHUNK)]
    folder = _parts(archive)
    make_folder(folder)
    names = [folder / f"{archive.digest[:12]}-{playouts}-{i:06d}.npz" for i in range(len(chunks))]
    missing = [i for i, name in enumerate(names) if not name.exists()]
    with tqdm(
        total=len(games), unit="game", file=sys.stderr, disable=not progress, smoothing=0.05
    ) as bar:
        bar.update(len(games) - sum(len(chunks[i]) for i in missing))
        jobs = ((names[i], chunks[i]) for i in missing)
        for count in _label(archive, jobs, workers, playouts):
            bar.update(count)
            if stop():
                break
    if not all(name.exists() for name in names):
        return Labelled(len(games), None)
    parts = [read_ownership(name, archive) for name in names]
    whole = Ownership(
        archive.digest,
        np.concatenate([np.zeros(0, np.int64), *(part.games for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.points for part in parts)]),
        np.concatenate([np.zeros(0, np.int8), *(part.owners for part in parts)]),
    )
    write_ownership(owners_path(archive.path), whole)
    shutil.rmtree(folder, ignore_errors=True)
    return Labelled(len(games), whole)


def _parts(archive: Archive) -> Path:
    return archive.path.with_name(f"{archive.path.name}.owners.parts")


def _label(
    archive: Archive, jobs: Iterator[tuple[Path, Index]], workers: int, playouts: int
) -> Iterator[int]:
    """Do the jobs, each a file and the games for it, and yield how many games each had."""
    if workers == 1:
        for path, games in jobs:
            yield _label_chunk(archive, path, games, playouts)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        waiting: set[Future[int]] = set()
        try:
            while True:
                for path, games in islice(jobs, 2 * workers - len(waiting)):
                    waiting.add(pool.submit(_label_path, archive.path, path, games, playouts))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool:
            raise GoError(
                "a worker process died (out of memory?): start it again with --workers 1"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _label_path(archive: Path, path: Path, games: Index, playouts: int) -> int:
    return _label_chunk(Archive.open(archive), path, games, playouts)


def _label_chunk(archive: Archive, path: Path, games: Index, playouts: int) -> int:
    found = find_owners(archive, games, playouts=playouts)
    write_ownership(path, Ownership.of(archive.digest, found))
    return len(games)
