"""The eight symmetries: a group, the same on planes and on moves, under which planes turn along."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.encoding.symmetry import INVERSE, SYMMETRIES, move_table, transform_planes
from goengine.types import BLACK, WHITE
from tests.oracle.lockstep import Twin, random_game, real_games


def turned(moves: list[tuple[int, int]], handicap: list[int], size: int, s: int) -> Board:
    """Replay a game with every move turned by one symmetry."""
    table = move_table(size)[s]
    board = Board(size, rules="replay")
    if handicap:
        board.place_handicap([int(table[move]) for move in handicap])
    for colour, move in moves:
        board.play(int(table[move]), colour)
    return board


@pytest.mark.parametrize("size", [2, 3, 9, 19])
def test_planes_and_moves_turn_alike(size: int) -> None:
    moves = np.arange(size * size)
    table = move_table(size)
    assert table.shape == (SYMMETRIES, size * size + 1)
    assert (table[:, -1] == size * size).all()
    for s in range(SYMMETRIES):
        planes = np.zeros((size * size, size, size), dtype=np.uint8)
        planes[moves, moves // size, moves % size] = 1
        after = transform_planes(planes, s)
        assert after.flags.c_contiguous
        assert (after.reshape(size * size, -1).argmax(axis=1) == table[s, :-1]).all()


@pytest.mark.parametrize("size", [3, 9])
def test_symmetries_form_a_group(size: int) -> None:
    table = move_table(size).astype(int)
    everything = {tuple(row) for row in table.tolist()}
    assert len(everything) == SYMMETRIES
    assert table[0].tolist() == list(range(size * size + 1))
    for s in range(SYMMETRIES):
        assert (table[INVERSE[s]][table[s]] == np.arange(size * size + 1)).all()
        for t in range(SYMMETRIES):
            assert tuple(table[t][table[s]].tolist()) in everything


def test_neighbours_stay_neighbours() -> None:
    size = 5
    for row in move_table(size).astype(int):
        for move in range(size * size - 1):
            if (move + 1) % size:
                one, two = divmod(row[move], size), divmod(row[move + 1], size)
                assert abs(one[0] - two[0]) + abs(one[1] - two[1]) == 1


def check_equivariance(moves: list[tuple[int, int]], handicap: list[int], size: int) -> None:
    boards = [turned(moves, handicap, size, s) for s in range(SYMMETRIES)]
    planes = encode_batch(np.concatenate([board.records for board in boards]), planes=49)
    table = move_table(size)
    for s, board in enumerate(boards):
        expected = transform_planes(planes[0], s)
        wrong = np.flatnonzero((planes[s] != expected).any(axis=(1, 2)))
        assert not len(wrong), f"planes {wrong.tolist()} under symmetry {s}\n{boards[0]}"
        assert (board.legal()[table[s]] == boards[0].legal()).all()


@pytest.mark.parametrize(("size", "length", "games"), [(5, 60, 8), (9, 120, 6), (19, 350, 1)])
def test_random_games_turn_with_the_board(
    size: int, length: int, games: int, rng: np.random.Generator
) -> None:
    for _ in range(games):
        twin = Twin(size)
        moves: list[tuple[int, int]] = []
        for _ in random_game(twin, rng, length):
            if twin.board.last_move is not None:
                moves.append((BLACK + WHITE - twin.board.to_play, twin.board.last_move))
            if len(moves) % (size * 2) == 3:
                check_equivariance(moves, [], size)
        check_equivariance(moves, [], size)


def test_real_games_turn_with_the_board(games_folder) -> None:
    for stones, played in real_games(games_folder, "kgs_6d.sgf.bz2", 5):
        handicap = [row * 19 + col for row, col in stones]
        moves = [
            ("?XO".index(colour), 361 if point is None else point[0] * 19 + point[1])
            for colour, point in played
        ]
        for length in range(0, len(moves), 25):
            check_equivariance(moves[:length], handicap, 19)
