"""Positions that have been, as a hash table that kernels can read: what superko forbids to repeat.

The table is a uint64 array whose length is a power of two. An empty slot holds 0, so the word 0,
the hash of the empty board, is kept as another word. A word lies at the first free slot from its
own place on (linear probing: Knuth, The Art of Computer Programming, volume 3, section 6.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.jit import inner_kernel, kernel

Table = npt.NDArray[np.uint64]

FIRST_SLOTS = 64
"""Slots of a new table; it grows by copying when half of them are taken."""
EMPTY_BOARD = np.uint64(0x9E3779B97F4A7C15)
"""Stands for the hash 0."""


def new_table(slots: int = FIRST_SLOTS) -> Table:
    """Return an empty table; `slots` is a power of two."""
    return np.zeros(slots, dtype=np.uint64)


@inner_kernel
def _slot(table: Any, word: Any) -> Any:
    """Return where a word lies, or the free slot where it belongs."""
    mask = len(table) - 1
    place = np.int64(word & np.uint64(mask))
    while table[place] != 0 and table[place] != word:
        place = (place + 1) & mask
    return place


@kernel
def remember(table: Any, word: Any) -> bool:
    """Put a word into a table that has a free slot, and tell whether it is new there."""
    kept = EMPTY_BOARD if word == 0 else word
    place = _slot(table, kept)
    new = bool(table[place] == 0)
    table[place] = kept
    return new


@kernel
def remembers(table: Any, word: Any) -> bool:
    """Tell whether a word is in a table."""
    kept = EMPTY_BOARD if word == 0 else word
    return bool(table[_slot(table, kept)] == kept)


@kernel
def forbid_repetition(table: Any, after: Any, turn_word: Any, mask: Any) -> None:
    """Clear the moves of `mask` (N*N + 1,) that lead to a position of the table.

    `after` uint64 (N*N,): the stones' hash after each allowed move; `turn_word` is what situational
    superko adds for whoever is to play then, 0 under positional superko.
    """
    for move in range(len(after)):
        if mask[move] and remembers(table, after[move] ^ turn_word):
            mask[move] = False


def grown(table: Table) -> Table:
    """Return a table of twice the slots with the same words."""
    larger = new_table(2 * len(table))
    for word in table[table != 0]:
        remember(larger, word)
    return larger
