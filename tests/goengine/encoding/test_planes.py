"""The 48 planes, and the 49th: against the oracle, in batches, and by their invariants."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from goengine import feature_table
from goengine.board import Board
from goengine.encoding.features import encode, encode_batch
from goengine.feature_table import (
    CAPTURES,
    LIBERTIES,
    LIBERTIES_AFTER,
    PLAYER_COLOUR,
    SELF_ATARI,
    SENSIBLE,
    TURNS,
    ZEROS,
)
from goengine.types import BLACK, WHITE, GoError
from tests.oracle.lockstep import Twin, random_game, real_games, run_uncompiled

# Against the oracle


@pytest.mark.parametrize(
    ("size", "length", "games", "step"),
    [(2, 30, 3, 1), (3, 40, 3, 1), (5, 70, 6, 1), (9, 150, 3, 1), (13, 250, 1, 3), (19, 450, 1, 9)],
)
def test_random_games_agree_with_the_oracle(
    size: int, length: int, games: int, step: int, rng: np.random.Generator
) -> None:
    for number in range(games):
        for twin in random_game(Twin(size), rng, length, fill_eyes=number % 2 == 1):
            if twin.position.turn % step == 0:
                twin.check_planes()


def test_real_games_agree_with_the_oracle(games_folder) -> None:
    for start, (handicap, moves) in enumerate(real_games(games_folder, "kgs_6d.sgf.bz2", 12)):
        twin = Twin(19, handicap=handicap)
        for colour, point in moves:
            if (twin.position.turn + start) % 12 == 0:
                twin.check_planes()
            twin.play(point, colour)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["kgs_6d", "kgs_mixed", "pro-00", "ai", "tygem_9d-00"])
def test_many_real_games_agree_with_the_oracle_at_every_move(games_folder, name: str) -> None:
    for handicap, moves in real_games(games_folder, f"{name}.sgf.bz2", 6):
        twin = Twin(19, handicap=handicap)
        for colour, point in moves:
            twin.check_planes()
            twin.play(point, colour)


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 7, 9, 13, 19])
def test_many_random_games_agree_with_the_oracle(size: int, rng: np.random.Generator) -> None:
    for number in range(600 // size**2):
        for twin in random_game(Twin(size), rng, size * size, fill_eyes=number % 2 == 1):
            twin.check_planes()


def test_kernels_are_plain_python_too() -> None:
    """Without compilation the kernels can be debugged and covered; the planes stay the same."""
    code = """
import numpy as np
from tests.oracle.lockstep import Twin, random_game
from goengine._kernels import chains
assert not hasattr(chains.play, "py_func"), "this run was meant to be without numba's compiler"
for size in (2, 5):
    for twin in random_game(Twin(size), np.random.default_rng(1), 30):
        twin.check_board()
        twin.check_planes()
"""
    run_uncompiled(code)


# The table


def test_the_table_tiles_the_planes() -> None:
    slices = list(feature_table.feature_slices().values())
    assert [s.stop - s.start for s in slices] == [f.planes for f in feature_table.FEATURES]
    assert slices[0].start == 0
    assert all(before.stop == after.start for before, after in pairwise(slices))
    assert slices[-1].stop == feature_table.VALUE_PLANES == 49
    assert feature_table.POLICY_PLANES == 48
    assert [s.start for s in slices] == [0, 3, 4, 12, 20, 28, 36, 44, 45, 46, 47, 48]
    assert len(set(feature_table.plane_names())) == 49


def test_shapes_and_dtypes() -> None:
    for size in (2, 9, 19):
        board = Board(size)
        assert encode(board).shape == (48, size, size)
        assert encode(board, planes=49).shape == (49, size, size)
        assert encode(board).dtype == np.uint8
    with pytest.raises(GoError, match="47"):
        encode(Board(9), planes=47)


# Batches


def batch(size: int, rng: np.random.Generator) -> np.ndarray:
    twin = Twin(size)
    games = random_game(twin, rng, 2 * size * size)
    return np.concatenate([t.board.records.copy() for t in games])


@pytest.mark.parametrize("planes", [48, 49])
@pytest.mark.parametrize("size", [5, 13])
def test_a_batch_is_its_boards_one_by_one(size: int, planes: int, rng: np.random.Generator) -> None:
    records = batch(size, rng)
    single = np.concatenate([encode_batch(records[i : i + 1], planes=planes) for i in range(40)])
    np.testing.assert_array_equal(encode_batch(records[:40], planes=planes), single)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_nothing(threads: int, rng: np.random.Generator) -> None:
    records = batch(9, rng)
    np.testing.assert_array_equal(
        encode_batch(records, threads=threads), encode_batch(records, threads=1)
    )
    few = records[:3]
    np.testing.assert_array_equal(encode_batch(few, threads=threads), encode_batch(few))


def test_out_is_overwritten_and_returned(rng: np.random.Generator) -> None:
    records = batch(9, rng)
    out = np.full((len(records), 48, 9, 9), 7, dtype=np.uint8)
    assert encode_batch(records, out=out) is out
    np.testing.assert_array_equal(out, encode_batch(records))


def test_records_are_left_alone(rng: np.random.Generator) -> None:
    records = batch(9, rng)
    before = records.copy()
    encode_batch(records, threads=2)
    assert (records == before).all()


def test_an_empty_batch_is_an_empty_array() -> None:
    assert encode_batch(Board(9).records[:0]).shape[:2] == (0, 48)


def test_a_batch_of_two_sizes_is_refused() -> None:
    with pytest.raises(GoError, match=r"9.*13"):
        encode_batch(np.concatenate([Board(9).records, Board(13).records]))


# Invariants


@pytest.fixture(scope="module")
def corpus() -> np.ndarray:
    """Planes of random games, the colours of half of them seen by White."""
    rng = np.random.default_rng(7)
    return np.concatenate([encode_batch(batch(9, rng), planes=49) for _ in range(8)])


def test_planes_are_binary(corpus: np.ndarray) -> None:
    assert corpus.max() == 1


def test_one_hot_groups(corpus: np.ndarray) -> None:
    stones = corpus[:, :2].any(axis=1)
    empty = corpus[:, 2].astype(bool)
    assert (corpus[:, :3].sum(axis=1) == 1).all()
    assert (corpus[:, TURNS:LIBERTIES].sum(axis=1) == stones).all()
    assert (corpus[:, LIBERTIES:CAPTURES].sum(axis=1) == stones).all()
    legal = corpus[:, CAPTURES:SELF_ATARI].sum(axis=1)
    assert (legal <= empty).all()
    assert (corpus[:, SELF_ATARI:LIBERTIES_AFTER].sum(axis=1) == corpus[:, LIBERTIES_AFTER]).all()
    assert (corpus[:, LIBERTIES_AFTER:44].sum(axis=1) == legal).all()
    assert (corpus[:, 44:47] <= legal[:, None]).all()


def test_every_plane_but_the_zeros_is_used(corpus: np.ndarray) -> None:
    used = corpus.any(axis=(0, 2, 3))
    assert np.flatnonzero(~used).tolist() == [ZEROS]
    assert corpus[:, 3].all()


def test_legal_points_are_those_of_the_rules(rng: np.random.Generator) -> None:
    for twin in random_game(Twin(9, rules="japanese"), rng, 200):
        planes = encode(twin.board)
        legal = planes[CAPTURES:SELF_ATARI].any(axis=0).ravel()
        assert legal.tolist() == twin.board.legal()[:-1].tolist()
        assert planes[SENSIBLE].ravel().tolist() == twin.board.sensible()[:-1].tolist()


def test_colour_swap_changes_the_colour_plane_alone(rng: np.random.Generator) -> None:
    for _ in range(3):
        swapped = Board(9, rules="replay")
        for twin in random_game(Twin(9), rng, 150):
            board = twin.board
            if board.last_move is not None:
                swapped.play(board.last_move, board.to_play)
            else:
                swapped.to_play = WHITE
            one, two = encode(board, planes=49), encode(swapped, planes=49)
            np.testing.assert_array_equal(one[:48], two[:48])
            assert (one[PLAYER_COLOUR] == (board.to_play == BLACK)).all()
            assert (two[PLAYER_COLOUR] == (board.to_play == WHITE)).all()
