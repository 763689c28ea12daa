"""Which games train and which are held out: decided by a digest that all symmetries share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from goengine.encoding.symmetry import move_table

SPLITS = ("train", "validation", "test")
_HELD_OUT = {"validation": range(0, 20), "test": range(20, 40)}  # of 1000, by game digest

USUALLY_HELD_OUT = 150
"""Games of which at least one is in a given held-out split with a chance of 95 %."""


def game_digest(
    size: int, first: int, black: Sequence[int], white: Sequence[int], moves: Sequence[int]
) -> int:
    """Return 64 bits that name a game, equal for all 8 symmetries and for passes at its end."""
    table = move_table(size)
    sequence = np.asarray(moves, dtype=np.int64)
    played = np.flatnonzero(sequence != size * size)
    sequence = sequence[: played[-1] + 1] if played.size else sequence[:0]
    rows = table[:, sequence].astype(">i2")
    if len(black) or len(white):
        stones = [
            np.sort(table[:, np.asarray(side, dtype=np.int64)], axis=1) for side in (black, white)
        ]
        rows = np.concatenate([*stones, rows], axis=1).astype(">i2")
    smallest = min(row.tobytes() for row in rows)
    head = np.array([size, first, len(black), len(white)], dtype=">i2").tobytes()
    return int.from_bytes(hashlib.blake2b(head + smallest, digest_size=8).digest(), "big")


def split_of(digest: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    """Return int8 numbers into SPLITS for game digests: independent of the other games."""
    share = (digest % np.uint64(1000)).astype(np.int64)
    result = np.zeros(digest.shape, dtype=np.int8)
    for name, held_out in _HELD_OUT.items():
        result[(share >= held_out.start) & (share < held_out.stop)] = SPLITS.index(name)
    return result


def enlarge_split(
    numbers: npt.NDArray[np.int8], digest: npt.NDArray[np.uint64], name: str, count: int
) -> npt.NDArray[np.int8]:
    """Return split numbers with at least `count` games in split `name`, taken from train.

    Games of the other held-out split stay there; which games move is decided by their digests.
    """
    result = numbers.copy()
    missing = count - int((numbers == SPLITS.index(name)).sum())
    order = np.lexsort((digest, digest % np.uint64(1000)))
    spare = order[numbers[order] == SPLITS.index("train")]
    result[spare[: max(0, missing)]] = SPLITS.index(name)
    return result
