"""Compile what replays games and encodes planes, so that other processes find it in the cache.

The first start on a machine compiles for up to a minute; a process of its own does that while
others unpack the archive and build the network.
"""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from goengine.games.record import GameRecord
from goengine.types import BLACK, WHITE
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.positions import Positions

log = logging.getLogger(__name__)

_GAMES = 8  # so that some are in the training split


def warm_kernels() -> None:
    """Make one batch for training and one for measuring, of games in a folder that goes again."""
    with TemporaryDirectory(prefix="kernels-", ignore_cleanup_errors=True) as folder:
        with ArchiveWriter(Path(folder) / "archive") as writer:
            for number in range(_GAMES):
                moves = tuple((BLACK if i % 2 == 0 else WHITE, 20 * i + number) for i in range(16))
                writer.add(GameRecord(size=19, to_play=BLACK, moves=moves), "warm-up")
            archive = writer.commit()
        positions = Positions(archive, "train")
        positions.random_batch(1, seed=0, number=0)
        games, plies = positions.draw(1, np.random.default_rng(0))
        positions.batch(games, plies)
