"""A small archive of games with results, komi and owners, for tests of networks that judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from goengine import Board, GameRecord
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter
from selfplay.labelling.owners_file import Ownership, owners_path, write_ownership

RESULTS = ("B+3.5", "W+7.5", "B+R", "W+T", "B+F", "W+R")


def facts_of(number: int) -> dict[str, Any]:
    """Return what the record of a game says: every sixth is lost on time, every sixth forfeited."""
    return {"result": RESULTS[number % len(RESULTS)], "komi": 6.5}


def judged_archive(
    folder: Path,
    *,
    games: int = 120,
    sizes: Sequence[int] = (19,),
    source: str = "even",
    facts: Callable[[int], dict[str, Any]] = facts_of,
    seed: int = 0,
) -> Archive:
    """Write and open an archive of games of random sensible moves on boards of some sizes."""
    rng = np.random.default_rng(seed)
    with ArchiveWriter(folder) as writer:
        for number in range(games):
            board, moves = Board(sizes[number % len(sizes)]), []
            for _ in range(int(rng.integers(12, 30))):
                move = int(rng.choice(np.flatnonzero(board.sensible()[:-1])))
                moves.append((board.to_play, move))
                board.play(move)
            record = GameRecord(size=board.size, moves=tuple(moves))
            writer.add(replace(record, **facts(number)), source)
        return writer.commit()


def label_at_random(archive: Archive, *, seed: int = 0) -> None:
    """Write owners beside an archive, for half of the games and by lot."""
    rng = np.random.default_rng(seed)
    found = [
        (game, rng.integers(-1, 2, size=int(archive.games["size"][game]) ** 2).astype(np.int8))
        for game in range(len(archive))
        if game % 4 < 2
    ]
    write_ownership(owners_path(archive.path), Ownership.of(archive.digest, found))
