"""From an archive of games to shuffled batches of planes and moves.

Batch `b` of a stream is a pure function of (seed, b): a source by its weight, one of the source's
positions (uniformly, or as weighting.py says), a symmetry. Workers share the memory-mapped archive,
replay the games and encode the planes as bits while the network computes. The symmetry is only
drawn here; packing.py applies it on the network's device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from cnncore.data.data_error import DataError
from goengine.encoding.features import encode_batch, encode_packed
from goengine.encoding.symmetry import SYMMETRIES
from goengine.games.replay import replay_batch
from goengine.types import BLACK, WHITE
from selfplay.archive.reader import Archive
from selfplay.batches.streaming import BatchStreams
from selfplay.batches.weighting import Weighting
from selfplay.labelling.final_positions import replay_jobs

SIZE = 19
"""Lines of the board that positions are of unless another size is asked for."""
NO_MOVE = -1
"""The label of a move that is not to be learnt: a pass, another player's, or after the end."""

ALIKE = Weighting()

T = TypeVar("T")

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PositionBatch:
    """A batch of positions."""

    planes: npt.NDArray[np.uint8]
    """uint8 (B, 48, N, N)."""
    moves: Index
    """int64 (B, 1 + future): the move played here and the moves after it, or NO_MOVE."""
    games: Index
    """int64 (B,): the game of each position."""
    plies: Index
    """int64 (B,): the ply of each position in its game."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.planes)


@dataclass(frozen=True)
class PackedBatch:
    """A batch of positions for training: the planes as bits, the symmetries still to be applied."""

    bits: npt.NDArray[np.uint8]
    """uint8 (B, N * N, 6), see features.encode_packed."""
    moves: Index
    """int64 (B, 1 + future): moves as played, or NO_MOVE."""
    symmetries: Index
    """int64 (B,): how each position is to be turned."""
    games: Index
    """int64 (B,): the game of each position."""
    plies: Index
    """int64 (B,): the ply of each position in its game."""
    known: Index
    """int64 (1 + future,): how many moves are to be learnt, in the batch of all processes."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.bits)


class Positions(BatchStreams[PackedBatch]):
    """The positions of one split of an archive, drawn at random or listed.

    A position is a move that is not a pass, in a game on a board of `size` lines. `weights` gives
    each source's share of the draws; sources that it does not name are left out; without it all
    positions are alike. `weighting` says how the positions of a source share its draws; `only`,
    bool (G,), leaves out games; the moves of games in `moveless`, bool (G,), are not learnt.
    """

    def __init__(
        self,
        archive: Archive,
        split: str,
        *,
        weights: Mapping[str, float] | None = None,
        weighting: Weighting = ALIKE,
        future: int = 0,
        size: int = SIZE,
        only: npt.NDArray[np.bool_] | None = None,
        moveless: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.archive = archive
        self._moveless = moveless
        self.size = size
        self.future = future
        games = np.asarray(archive.split(split), dtype=np.int64)
        if only is not None:
            games = games[only[games]]
        table = archive.games[games]
        games = games[(table["size"] == size) & (table["length"] > 0)]
        odd, even = weighting.of_moves(archive, games)
        lengths = archive.games["length"][games].astype(np.int64)
        totals = odd * ((lengths + 1) // 2) + even * (lengths // 2)
        drawn = totals > 0
        games, odd, even, totals = games[drawn], odd[drawn], even[drawn], totals[drawn]
        by_source = archive.games["source"][games]
        self.sources: list[str] = []
        self._shares: list[float] = []
        self._games: list[Index] = []
        self._odd: list[npt.NDArray[np.float64]] = []
        self._even: list[npt.NDArray[np.float64]] = []
        self._ends: list[npt.NDArray[np.float64]] = []
        for name, share in _weights(archive, weights).items():
            mine = by_source == archive.sources.index(name) if name else np.full(len(games), True)
            if share > 0 and self._teaches(games[mine], odd[mine], even[mine]):
                self.sources.append(name or "all")
                self._shares.append(share)
                self._games.append(games[mine])
                self._odd.append(odd[mine])
                self._even.append(even[mine])
                self._ends.append(np.cumsum(totals[mine]))
        if not self.sources:
            raise DataError(
                f"the archive has no {size}x{size} {split} games of these sources and ranks "
                f"with a move to learn; its sources are {_names(archive)}"
            )

    def __len__(self) -> int:
        """Return the number of moves of all games that are drawn from, passes included."""
        return int(
            sum(self.archive.games["length"][mine].sum(dtype=np.int64) for mine in self._games)
        )

    def listed(self) -> tuple[Index, Index]:
        """Return (games, plies) of every position, game after game."""
        mine = np.concatenate(self._games)
        rows, plies = self._moves(mine)
        known = self._labels(mine[rows], plies, 1)[:, 0] != NO_MOVE
        return mine[rows[known]], plies[known]

    def _moves(self, games: Index) -> tuple[Index, Index]:
        """Return (rows of `games`, plies) of every move of these games, game after game."""
        lengths = self.archive.games["length"][games].astype(np.int64)
        rows = np.repeat(np.arange(len(games)), lengths)
        return rows, np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    def _teaches(
        self, games: Index, odd: npt.NDArray[np.float64], even: npt.NDArray[np.float64]
    ) -> bool:
        """Tell whether these games hold a move that can be drawn; passes alone cannot be."""
        for start in range(0, len(games), 64):
            part = slice(start, start + 64)
            rows, plies = self._moves(games[part])
            share = np.where(plies % 2 == 0, odd[part][rows], even[part][rows])
            labels = self._labels(games[part][rows], plies, 1)[:, 0]
            if ((labels != NO_MOVE) & (share > 0)).any():
                return True
        return False

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Index, Index]:
        """Return (games, plies) of `count` positions drawn with replacement, passes drawn again."""
        games = np.empty(count, dtype=np.int64)
        plies = np.empty(count, dtype=np.int64)
        shares = np.cumsum(self._shares) / np.sum(self._shares)
        missing = np.arange(count)
        while len(missing):
            which = np.searchsorted(shares, rng.random(len(missing)), side="right")
            fraction = rng.random(len(missing))
            for number, mine in enumerate(self._games):
                slots = missing[which == number]
                game, plies[slots] = self._pick(number, fraction[which == number])
                games[slots] = mine[game]
            labels = self._labels(games[missing], plies[missing], 1)
            missing = missing[labels[:, 0] == NO_MOVE]
        return games, plies

    def _pick(self, number: int, fraction: npt.NDArray[np.float64]) -> tuple[Index, Index]:
        """Return (game among those of a source, ply) at fractions of the source's weight."""
        ends = self._ends[number]
        target = fraction * ends[-1]
        game = np.searchsorted(ends, target, side="right").clip(max=len(ends) - 1)
        rest = target - np.where(game > 0, ends[game - 1], 0.0)
        odd, even = self._odd[number][game], self._even[number][game]
        pair = np.floor(rest / (odd + even))
        ply = 2 * pair.astype(np.int64) + (rest - pair * (odd + even) >= odd)
        last = self.archive.games["length"][self._games[number][game]].astype(np.int64) - 1
        return game, ply.clip(0, last)

    def batch(self, games: Index, plies: Index) -> PositionBatch:
        """Return the positions before move `plies` of `games`."""
        moves = self._labels(games, plies, 1 + self.future)
        return PositionBatch(encode_batch(self._records(games, plies)), moves, games, plies)

    def packed(
        self,
        games: Index,
        plies: Index,
        *,
        symmetries: Index | None = None,
        part: int = 0,
        parts: int = 1,
    ) -> PackedBatch:
        """Return rows `part`, `part + parts`, ... of a batch, to be turned by `symmetries`."""
        moves = self._labels(games, plies, 1 + self.future)
        if self._moveless is not None:
            moves[self._moveless[games]] = NO_MOVE
        known = (moves != NO_MOVE).sum(axis=0)
        turns = np.zeros(len(games), dtype=np.int64) if symmetries is None else symmetries
        mine = slice(part, None, parts)
        games, plies = games[mine], plies[mine]
        bits = encode_packed(self._records(games, plies))
        return PackedBatch(bits, moves[mine].copy(), turns[mine].copy(), games, plies, known)

    def random_batch(
        self, count: int, *, seed: int, number: int, part: int = 0, parts: int = 1
    ) -> PackedBatch:
        """Return batch `number` of the stream of `seed`, every position turned at random.

        Of `parts` processes that share the `count` positions, process `part` gets its own.
        """
        games, plies, turns = self.drawn(count, seed=seed, number=number)
        return self.packed(games, plies, symmetries=turns, part=part, parts=parts)

    def drawn(self, count: int, *, seed: int, number: int) -> tuple[Index, Index, Index]:
        """Return (games, plies, symmetries) of the whole batch `number` of the stream of `seed`."""
        rng = np.random.default_rng([seed, number])
        games, plies = self.draw(count, rng)
        return games, plies, rng.integers(SYMMETRIES, size=count)

    def _records(self, games: Index, plies: Index) -> npt.NDArray[Any]:
        jobs = replay_jobs(self.archive, games, plies)
        return replay_batch(self.archive.moves, jobs, size=self.size, stones=self.archive.setup)

    def _labels(self, games: Index, plies: Index, count: int) -> Index:
        """Return int64 (B, count): the moves from `plies` on as played, or NO_MOVE."""
        table = self.archive.games
        at = plies[:, None] + np.arange(count)
        inside = at < table["length"][games].astype(np.int64)[:, None]
        first = table["first"][games].astype(np.int64)[:, None]
        colour = np.where(at % 2 == 0, first, BLACK + WHITE - first)
        inside &= (self.archive.learn[games][:, None] & colour) != 0
        index = table["offset"][games].astype(np.int64)[:, None] + np.where(inside, at, 0)
        moves = self.archive.moves[index].astype(np.int64)
        return np.where(inside & (moves < self.size**2), moves, NO_MOVE)


def _names(archive: Archive) -> str:
    """Return the names of the first sources of an archive, as a sentence ends."""
    names = [name for name in archive.sources if name]
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(names[:12]) or "none") + more


def _weights(archive: Archive, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the share of each source; the name "" stands for all of them together."""
    if not weights:
        return {"": 1.0}
    unknown = sorted(set(weights) - set(archive.sources))
    if unknown:
        raise DataError(f"no source {unknown[0]!r} in the archive; it holds {_names(archive)}")
    return dict(weights)
