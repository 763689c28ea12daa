"""The last positions of an archive's games, and who owns their points by playouts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.games.replay import JOB_DTYPE, replay_batch
from goengine.scoring.counting import area_owners
from goengine.scoring.status import status
from goengine.types import BLACK, WHITE
from selfplay.archive.reader import Archive
from selfplay.labelling.owners_file import Owners
from selfplay.labelling.results import points_for_white, recorded_margins

SEED = 20160128
"""Decides the playouts, together with each game's digest."""
AGREES = 2.0
"""Points by which the area may differ from the recorded margin, rules by territory included."""

Index = npt.NDArray[np.int64]


def replay_jobs(archive: Archive, games: Index, plies: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
    """Return JOB_DTYPE (B,): what replays `games` up to before their moves `plies`."""
    table = archive.games[games]
    jobs = np.zeros(len(games), dtype=JOB_DTYPE)
    jobs["start"] = table["offset"]
    jobs["plies"] = plies
    jobs["setup"] = table["setup"]
    jobs["black"] = table["black_stones"]
    jobs["white"] = table["white_stones"]
    jobs["first"] = table["first"]
    return jobs


def counted_games(archive: Archive) -> Index:
    """Return the indices of the games whose margin and komi the records tell, ascending."""
    known = np.isfinite(recorded_margins(archive)) & np.isfinite(points_for_white(archive))
    return np.flatnonzero(known & (archive.games["length"] > 0))


def find_owners(archive: Archive, games: Index, *, playouts: int) -> list[tuple[int, Owners]]:
    """Return (game, owners) of those games whose area agrees with the recorded margin.

    Dead stones are found by playouts (scoring/status.py). The games must be counted ones.
    """
    margins = recorded_margins(archive)[games] + points_for_white(archive)[games]
    sizes = archive.games["size"][games]
    found = []
    for size in np.unique(sizes).tolist():
        mine = np.flatnonzero(sizes == size)
        lengths = archive.games["length"][games[mine]]
        jobs = replay_jobs(archive, games[mine], lengths)
        records = replay_batch(archive.moves, jobs, size=size, stones=archive.setup)
        for row, place in enumerate(mine.tolist()):
            game = int(games[place])
            board = Board(size, rules="replay", komi=0.0)
            board.records = records[row : row + 1].copy()
            rng = np.random.default_rng([SEED, int(archive.games["digest"][game])])
            judged = status(board, rng=rng, playouts=playouts)
            grid = area_owners(board, judged.dead, status=judged).ravel()
            owners = (grid == BLACK).astype(np.int8) - (grid == WHITE).astype(np.int8)
            if abs(int(owners.sum(dtype=np.int64)) - float(margins[place])) <= AGREES:
                found.append((game, owners))
    return found
