"""The table of earlier positions: words come back out, whatever they are and however many."""

from __future__ import annotations

import numpy as np

from goengine._kernels.repetition import grown, new_table, remember, remembers
from goengine.board import Board


def test_words_are_remembered_and_only_those(rng: np.random.Generator) -> None:
    table = new_table(64)
    words = rng.integers(0, 2**64, size=40, dtype=np.uint64)
    words[:3] = 0, 63, 127  # the empty board's, and two that want one slot
    for count, word in enumerate(words):
        assert not remembers(table, word)
        assert remember(table, word) and not remember(table, word)
        assert all(remembers(table, old) for old in words[: count + 1])
    assert not any(remembers(table, word) for word in rng.integers(0, 2**64, 99, dtype=np.uint64))
    larger = grown(table)
    assert len(larger) == 128
    assert all(remembers(larger, word) for word in words)
    assert np.count_nonzero(larger) == len(words)


def test_a_long_game_remembers_all_its_positions(rng: np.random.Generator) -> None:
    board = Board(7, rules="tromp-taylor")
    seen = []
    for _ in range(300):
        seen.append(board.hash)
        legal = np.flatnonzero(board.legal())
        board.play(int(rng.choice(legal[:-1] if len(legal) > 1 else legal)))
    assert all(remembers(board.history, np.uint64(word)) for word in seen)
    assert len(set(seen)) == np.count_nonzero(board.history) > 64
    assert len(board.history) >= 2 * len(set(seen))


def test_a_copy_goes_its_own_way() -> None:
    board = Board(5)
    twin = board.copy()
    twin.play(12)
    assert np.count_nonzero(twin.history) == 1 and not board.history.any()
