"""Many games played side by side: moves drawn from probabilities, positional superko, one call.

A `Lockstep` holds a batch of games of one board size. Each game has its random numbers, its table
of earlier positions and its record of moves, so that it goes its own way whatever its neighbours
do. Moves are drawn among legal moves that do not fill an own true eye; where none is left, the
player passes. When a game is over, its owner decides; it is then replaced by another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.chains import hashes_after, place, play, sensible_mask
from goengine._kernels.jit import kernel
from goengine._kernels.playouts import next_random
from goengine._kernels.repetition import forbid_repetition, remember
from goengine._kernels.state import Records, new_records
from goengine.types import BLACK, GoError

Array = Any
Floats = npt.NDArray[np.float32]

EMPTY_LANE = -1
"""The number of a lane without a game."""


@kernel
def _draw(weights: Array, randoms: Array) -> int:
    """Return an index drawn with probabilities in proportion to `weights`, -1 if all are 0."""
    total = 0.0
    for move in range(len(weights)):
        total += weights[move]
    if total <= 0.0:
        return -1
    target = total * next_random(randoms) / 2147483648.0
    last = -1
    for move in range(len(weights)):
        if weights[move] > 0.0:
            last = move
            target -= weights[move]
            if target < 0.0:
                return move
    return last


@kernel
def _weigh(
    priors: Array, mask: Array, among: Array, urgent: float, temperature: float, out: Array
) -> None:
    """Write the weights of the moves of `mask` into float64 `out` (N*N,).

    Only moves of `among` count, and others whose share of the sensible probability is `urgent`.
    """
    total = 0.0
    for move in range(len(out)):
        if mask[move]:
            total += priors[move]
    best = 0.0
    for move in range(len(out)):
        out[move] = 0.0
        if mask[move] and (among[move] or priors[move] >= urgent * total):
            out[move] = priors[move]
            best = max(best, out[move])
    if best == 0.0:
        return
    for move in range(len(out)):
        if out[move] > 0.0:
            if temperature == 0.0:
                out[move] = 1.0 if out[move] == best else 0.0
            else:
                out[move] = (out[move] / best) ** (1.0 / temperature)


@kernel
def _step(
    records: Array,
    seen: Array,
    live: Array,
    priors: Array,
    among: Array,
    urgent: float,
    temperatures: Array,
    randoms: Array,
    moves: Array,
) -> None:
    """Choose, note and play one move in every live game."""
    points = priors.shape[1]
    mask = np.zeros(points + 1, dtype=np.bool_)
    after = np.zeros(points, dtype=np.uint64)
    weights = np.zeros(points, dtype=np.float64)
    for i in range(len(records)):
        if not live[i]:
            continue
        colour = records[i].to_play
        remember(seen[i], records[i].hash)
        sensible_mask(records, i, colour, mask)
        hashes_after(records, i, colour, mask, after)
        forbid_repetition(seen[i], after, np.uint64(0), mask)
        _weigh(priors[i], mask, among[i], urgent, temperatures[i], weights)
        move = _draw(weights, randoms[i : i + 1])
        if move < 0:
            move = points
        moves[i, records[i].turn] = move
        play(records, i, move, colour)


class Lockstep:
    """A batch of games of one size in their present positions.

    `count` lanes hold a game each or none; a game has at most `cap` moves, passes included.
    """

    def __init__(self, count: int, size: int, cap: int) -> None:
        self.size = size
        self.cap = cap
        self.records: Records = new_records(count, size)
        """BOARD_DTYPE (B,): the present positions."""
        self.numbers: npt.NDArray[np.int64] = np.full(count, EMPTY_LANE, dtype=np.int64)
        """int64 (B,): what the owner calls each game, EMPTY_LANE where there is none."""
        self.among: npt.NDArray[np.bool_] = np.ones((count, size * size), dtype=np.bool_)
        """bool (B, N*N): the points that each game's next moves are chosen among."""
        self._moves = np.zeros((count, cap), dtype=np.int16)
        self._randoms = np.ones(count, dtype=np.uint64)
        slots = 64
        while slots < 2 * (cap + 1):
            slots *= 2
        self._seen = np.zeros((count, slots), dtype=np.uint64)
        self._empty = new_records(1, size)

    def __len__(self) -> int:
        """Return the number of lanes."""
        return len(self.records)

    @property
    def live(self) -> npt.NDArray[np.bool_]:
        """Which lanes hold a game, bool (B,)."""
        live: npt.NDArray[np.bool_] = self.numbers != EMPTY_LANE
        return live

    @property
    def turns(self) -> npt.NDArray[np.int32]:
        """Moves played in each game, passes included, int32 (B,)."""
        turns: npt.NDArray[np.int32] = self.records["turn"]
        return turns

    def begin(
        self, lane: int, number: int, *, seed: int, handicap: Sequence[int] = (), first: int = BLACK
    ) -> None:
        """Put a new game into a lane: `number` names it, `seed` decides its random numbers.

        Raises:
            GoError: the seed is not within 1 ... 2**64 - 1.
        """
        if not 1 <= seed < 2**64:
            raise GoError(f"seed {seed} is outside 1 to 2**64 - 1")
        self.records[lane] = self._empty[0]
        for move in handicap:
            place(self.records, lane, move, BLACK)
        self.records["to_play"][lane] = first
        self.numbers[lane] = number
        self.among[lane] = True
        self._seen[lane] = 0
        self._randoms[lane] = _scrambled(seed)

    def clear(self, lane: int) -> None:
        """Take the game out of a lane."""
        self.records[lane] = self._empty[0]
        self.numbers[lane] = EMPTY_LANE

    def moves(self, lane: int) -> npt.NDArray[np.int16]:
        """Return a copy of the moves of a game so far, int16 (turn,)."""
        return self._moves[lane, : self.turns[lane]].copy()

    def step(self, priors: Floats, temperatures: npt.NDArray[np.float64], *, urgent: float) -> None:
        """Play one move in every game, drawn by float32 `priors` (B, N*N) at its temperature.

        A move is sensible, does not repeat a position, and is one of `among`, or has at least the
        share `urgent` of the probability of all sensible moves; above 1 only `among` counts. Where
        there is none the player passes. Temperature 0 takes the likeliest. The GIL is free.

        Raises:
            GoError: a game has `cap` moves already.
        """
        live = self.live
        if (self.turns[live] >= self.cap).any():
            raise GoError(f"a game has {self.cap} moves, the most that it may have: end it first")
        _step(
            self.records,
            self._seen,
            live,
            priors,
            self.among,
            urgent,
            temperatures,
            self._randoms,
            self._moves,
        )


def _scrambled(seed: int) -> int:
    """Return a number, not 0, that differs in half of its bits from that of a similar seed.

    The mixer of splitmix64: Steele, Lea and Flood 2014, Fast splittable pseudorandom number
    generators, with the constants of Stafford's variant 13.
    """
    word = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % 2**64
    return word ^ (word >> 31)
