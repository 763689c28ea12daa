"""Games in lockstep: every move by the rules of the slow oracle, superko among them."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.lockstep import EMPTY_LANE, Lockstep
from goengine.rules import get_rules
from goengine.types import WHITE, GoError
from tests.oracle.rules import OTHER, Position, is_legal_by_rules

ALWAYS = 2.0
"""No move is so likely: only the points of `among` count."""


def play(games: Lockstep, rng: np.random.Generator, steps: int, temperature: float = 1.0) -> None:
    for _ in range(steps):
        priors = rng.random((len(games), games.size**2)).astype(np.float32)
        games.step(priors, np.full(len(games), temperature), urgent=ALWAYS)


def begun(count: int, size: int, cap: int, *, seed: int = 1) -> Lockstep:
    games = Lockstep(count, size, cap)
    for lane in range(count):
        games.begin(lane, lane, seed=seed + lane)
    return games


@pytest.mark.parametrize(("size", "count", "repeats"), [(2, 12, 100), (3, 12, 0), (4, 40, 1)])
def test_every_move_is_legal_by_the_oracle(
    size: int, count: int, repeats: int, rng: np.random.Generator
) -> None:
    games = begun(count, size, 80)
    play(games, rng, 80)
    forbidden = 0
    for lane in range(len(games)):
        position, board = Position(size), Board(size, rules="chinese")
        for move in games.moves(lane).tolist():
            point = None if move == size * size else divmod(move, size)
            assert is_legal_by_rules(position, point, "positional", False)
            sensible = np.flatnonzero(board.sensible()[:-1])
            assert move in sensible if point is not None else not len(sensible)
            for other in np.flatnonzero(board.under(get_rules("replay")).sensible()[:-1]):
                beside = divmod(int(other), size)
                forbidden += not is_legal_by_rules(position, beside, "positional", False)
            position = position.play(point)
            board.play(move)
        assert board.hash == int(games.records["hash"][lane])
        assert OTHER[position.to_play] == "XO"[len(games.moves(lane)) % 2 == 0]
    assert forbidden >= repeats  # so often superko alone forbade a move


def test_two_stones_are_not_sent_for_one_again() -> None:
    board = Board.from_diagram(". O . O .|X X O O .|. X X O .|. . . . .|. . . . .", to_play=WHITE)
    games = begun(1, 5, 9)
    games.records[0] = board.records[0]
    for wanted, played in ((0, 0), (2, 2), (1, 20)):
        priors = np.zeros((1, 25), dtype=np.float32)
        priors[0, wanted], priors[0, 20] = 0.9, 0.1
        games.step(priors, np.zeros(1), urgent=ALWAYS)
        assert games.moves(0)[-1] == played
    assert games.records["captures"][0].tolist() == [0, 2, 0]


def test_a_game_does_not_depend_on_its_neighbours(rng: np.random.Generator) -> None:
    priors = rng.random((60, 3, 25)).astype(np.float32)
    many, alone = begun(3, 5, 60), Lockstep(1, 5, 60)
    alone.begin(0, 77, seed=3)  # what lane 2 was given
    for row in priors:
        many.step(row, np.ones(3), urgent=ALWAYS)
        alone.step(row[2:], np.ones(1), urgent=ALWAYS)
    assert (many.moves(2) == alone.moves(0)).all()
    assert (many.moves(1) != many.moves(2)).any()


def test_temperature_and_the_points_that_count(rng: np.random.Generator) -> None:
    priors = rng.random((40, 25)).astype(np.float32)
    cold, warm = begun(40, 5, 9), begun(40, 5, 9)
    cold.step(priors, np.zeros(40), urgent=ALWAYS)
    assert [cold.moves(lane)[0] for lane in range(40)] == priors.argmax(axis=1).tolist()
    same = np.tile(priors[:1], (40, 1))
    warm.step(same, np.ones(40), urgent=ALWAYS)
    assert len({int(warm.moves(lane)[0]) for lane in range(40)}) > 10

    few = begun(40, 5, 9)
    few.among[:] = False
    few.among[:20, 7] = True
    same[:, 3] = 100.0
    few.step(same, np.ones(40), urgent=ALWAYS)
    assert [int(few.moves(lane)[0]) for lane in range(40)] == [7] * 20 + [25] * 20
    few.step(same, np.zeros(40), urgent=0.5)
    assert {int(few.moves(lane)[1]) for lane in range(40)} == {3}


def test_frequencies_follow_the_probabilities() -> None:
    games = begun(4000, 3, 2)
    priors = np.zeros((4000, 9), dtype=np.float32)
    priors[:, [0, 4, 8]] = 0.1, 0.3, 0.6
    games.step(priors, np.full(4000, 0.5), urgent=ALWAYS)
    shares = np.bincount([int(games.moves(lane)[0]) for lane in range(4000)], minlength=9) / 4000
    expected = np.array([0.1, 0.3, 0.6]) ** 2
    assert np.abs(shares[[0, 4, 8]] - expected / expected.sum()).max() < 0.03
    assert shares[[0, 4, 8]].sum() == 1


def test_lanes_are_emptied_and_filled_again(rng: np.random.Generator) -> None:
    games = begun(3, 5, 30)
    play(games, rng, 10)
    games.clear(1)
    assert games.numbers.tolist() == [0, EMPTY_LANE, 2] and games.live.tolist() == [1, 0, 1]
    play(games, rng, 5)
    assert games.turns.tolist() == [15, 0, 15]
    games.begin(1, 9, seed=5, handicap=[6, 18], first=WHITE)
    play(games, rng, 15)
    board = Board(5, rules="chinese")
    board.place_handicap([6, 18])
    for move in games.moves(1).tolist():
        board.play(move)
    assert board.hash == int(games.records["hash"][1])
    with pytest.raises(GoError, match="30 moves"):
        play(games, rng, 1)
    with pytest.raises(GoError, match="seed 0"):
        games.begin(1, 9, seed=0)
