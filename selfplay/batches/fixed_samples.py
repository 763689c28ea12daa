"""Positions to measure on: fixed ones, the same for every network and every day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from selfplay.archive.reader import Archive
from selfplay.batches.positions import SIZE, Index, Positions

SEED = 20160128
"""Decides which positions are drawn."""

DILUTED = 4
"""Positions are listed only if the archive has at most this many moves per position wanted.

Passes and moves that are not to be learnt count as well. Otherwise the positions are drawn.
"""

BATCH = 256
"""Positions that a network is asked about at a time."""


@dataclass(frozen=True)
class Sample:
    """Fixed positions to ask about."""

    positions: Positions
    """What they are taken from."""
    games: Index
    """int64 (N,): the game of each."""
    plies: Index
    """int64 (N,): the ply of each in its game."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.games)


def fixed_sample(positions: Positions, limit: int) -> Sample:
    """Return `limit` positions, the same ones every day, in random order.

    If there are at most `limit`, each occurs once. Of several sources with weights the positions
    are always drawn, so that the mixture stays.
    """
    rng = np.random.default_rng(SEED)
    if len(positions.sources) == 1 and len(positions) <= DILUTED * limit:
        games, plies = positions.listed()
        if len(games) <= limit:
            order = rng.permutation(len(games))
            return Sample(positions, games[order], plies[order])
    return Sample(positions, *positions.draw(limit, rng))


def source_sample(
    archive: Archive, source: str, *, split: str = "test", limit: int = 20_000, size: int = SIZE
) -> Sample:
    """Return up to `limit` fixed random positions of one source on boards of `size` lines.

    Raises:
        DataError: the source is unknown, or has no moves of such games in that split.
    """
    return fixed_sample(Positions(archive, split, weights={source: 1.0}, size=size), limit)


def distinct_sample(archive: Archive, split: str, limit: int) -> Sample:
    """Return all positions of a split, or `limit` different ones, game by game, always the same."""
    positions = Positions(archive, split)
    games, plies = positions.listed()
    if len(games) > limit:
        rng = np.random.default_rng(SEED)
        chosen = np.sort(rng.choice(len(games), limit, replace=False))
        games, plies = games[chosen], plies[chosen]
    return Sample(positions, games, plies)
