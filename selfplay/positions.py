"""From an archive of games to shuffled batches of planes and moves.

Batch `b` of a stream is a pure function of (seed, b): a source by its weight, a position uniformly
among the source's positions, a symmetry. Worker threads replay the games and encode the planes
while the network computes; neither holds the GIL.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.features import encode_batch
from goengine.replay import JOB_DTYPE, replay_batch
from goengine.symmetry import SYMMETRIES, move_table
from selfplay.archive import Archive

SIZE = 19
NO_MOVE = -1
"""The label of a move that is not to be learnt: a pass, or after the end of the game."""


class DataError(ValueError):
    """An archive that has nothing to train or evaluate on."""


@dataclass(frozen=True)
class PositionBatch:
    """A batch of positions.

    planes: uint8 (B, 48, 19, 19). moves: int64 (B, 1 + future), the move played here and the moves
    after it, or NO_MOVE. games, plies: int64 (B,), where the position comes from.
    """

    planes: npt.NDArray[np.uint8]
    moves: npt.NDArray[np.int64]
    games: npt.NDArray[np.int64]
    plies: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.planes)


class Positions:
    """The positions of one split of an archive, drawn at random or listed.

    A position is a move that is not a pass, in a 19x19 game. `weights` gives each source's share
    of the draws; sources that it does not name are left out; without it all positions are alike.
    """

    def __init__(
        self,
        archive: Archive,
        split: str,
        *,
        weights: Mapping[str, float] | None = None,
        future: int = 0,
    ) -> None:
        self.archive = archive
        self.future = future
        games = np.asarray(archive.split(split), dtype=np.int64)
        table = archive.games[games]
        games = games[(table["size"] == SIZE) & (table["length"] > 0)]
        by_source = archive.games["source"][games]
        self.sources: list[str] = []
        self._shares: list[float] = []
        self._games: list[npt.NDArray[np.int64]] = []
        self._ends: list[npt.NDArray[np.int64]] = []
        for name, share in _weights(archive, weights).items():
            mine = games[by_source == archive.sources.index(name)] if name else games
            if share > 0 and len(mine):
                self.sources.append(name or "all")
                self._shares.append(share)
                self._games.append(mine)
                self._ends.append(np.cumsum(archive.games["length"][mine], dtype=np.int64))
        if not self.sources:
            raise DataError(
                f"the archive has no 19x19 {split} games of these sources; it holds "
                f"{', '.join(filter(None, archive.sources))}"
            )

    def __len__(self) -> int:
        """Return the number of moves of all sources, passes included."""
        return int(sum(int(ends[-1]) for ends in self._ends))

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (games, plies) of `count` positions drawn with replacement, passes drawn again."""
        games = np.empty(count, dtype=np.int64)
        plies = np.empty(count, dtype=np.int64)
        shares = np.cumsum(self._shares) / np.sum(self._shares)
        missing = np.arange(count)
        while len(missing):
            which = np.searchsorted(shares, rng.random(len(missing)), side="right")
            fraction = rng.random(len(missing))
            for number, (mine, ends) in enumerate(zip(self._games, self._ends, strict=True)):
                slots = missing[which == number]
                index = (fraction[which == number] * ends[-1]).astype(np.int64)
                game = np.searchsorted(ends, index, side="right")
                games[slots] = mine[game]
                plies[slots] = index - np.where(game > 0, ends[game - 1], 0)
            labels = self._labels(games[missing], plies[missing], 1)
            missing = missing[labels[:, 0] == NO_MOVE]
        return games, plies

    def batch(
        self,
        games: npt.NDArray[np.int64],
        plies: npt.NDArray[np.int64],
        *,
        symmetries: npt.NDArray[np.int64] | None = None,
    ) -> PositionBatch:
        """Return the positions before move `plies` of `games`, each under its symmetry."""
        turn = np.zeros(len(games), dtype=np.int64) if symmetries is None else symmetries
        jobs = _jobs(self.archive, games, plies, turn)
        records = replay_batch(self.archive.moves, jobs, size=SIZE, stones=self.archive.setup)
        moves = self._labels(games, plies, 1 + self.future)
        known = moves != NO_MOVE
        rows = np.broadcast_to(turn[:, None], moves.shape)[known]
        moves[known] = move_table(SIZE)[rows, moves[known]]
        return PositionBatch(encode_batch(records), moves, games, plies)

    def random_batch(self, count: int, *, seed: int, number: int) -> PositionBatch:
        """Return batch `number` of the stream of `seed`, every position turned at random."""
        rng = np.random.default_rng([seed, number])
        games, plies = self.draw(count, rng)
        return self.batch(games, plies, symmetries=rng.integers(SYMMETRIES, size=count))

    def stream(
        self, count: int, *, seed: int, first: int = 0, workers: int = 1, ahead: int = 4
    ) -> Iterator[PositionBatch]:
        """Yield batches `first`, `first + 1`, ... without end, made by threads `ahead` of time.

        Closing the generator ends the threads.
        """
        with ThreadPoolExecutor(workers, thread_name_prefix="positions") as pool:
            waiting: deque[Future[PositionBatch]] = deque()
            number = first
            try:
                while True:
                    while len(waiting) < ahead + workers:
                        job = pool.submit(self.random_batch, count, seed=seed, number=number)
                        waiting.append(job)
                        number += 1
                    yield waiting.popleft().result()
            finally:
                for job in waiting:
                    job.cancel()

    def _labels(
        self, games: npt.NDArray[np.int64], plies: npt.NDArray[np.int64], count: int
    ) -> npt.NDArray[np.int64]:
        """Return int64 (B, count): the moves from `plies` on as played, or NO_MOVE."""
        table = self.archive.games
        at = plies[:, None] + np.arange(count)
        inside = at < table["length"][games].astype(np.int64)[:, None]
        index = table["offset"][games].astype(np.int64)[:, None] + np.where(inside, at, 0)
        moves = self.archive.moves[index].astype(np.int64)
        return np.where(inside & (moves < SIZE * SIZE), moves, NO_MOVE)


def _weights(archive: Archive, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the share of each source; the name "" stands for all of them together."""
    if not weights:
        return {"": 1.0}
    unknown = sorted(set(weights) - set(archive.sources))
    if unknown:
        raise DataError(
            f"no source {unknown[0]!r} in the archive; it holds "
            f"{', '.join(filter(None, archive.sources))}"
        )
    return dict(weights)


def _jobs(
    archive: Archive,
    games: npt.NDArray[np.int64],
    plies: npt.NDArray[np.int64],
    symmetries: npt.NDArray[np.int64],
) -> npt.NDArray[Any]:
    table = archive.games[games]
    jobs = np.zeros(len(games), dtype=JOB_DTYPE)
    jobs["start"] = table["offset"]
    jobs["plies"] = plies
    jobs["setup"] = table["setup"]
    jobs["black"] = table["black_stones"]
    jobs["white"] = table["white_stones"]
    jobs["first"] = table["first"]
    jobs["symmetry"] = symmetries
    return jobs
