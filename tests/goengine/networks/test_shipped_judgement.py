"""What the shipped policy-value networks think of positions whose worth everybody knows.

All learnt their judgement from even games of people and from self-play on small boards; komi and
stones far from those are the test. They are asked in float32, and in the 8-bit integers in which
they play where that is faster.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from goengine.board import Board
from goengine.commands.benchmark import middle_games
from goengine.games.sgf import read_sgf
from goengine.handicap import fixed_points
from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluator import Evaluator
from goengine.types import BLACK, WHITE, opponent

JUDGES = tuple(
    f"{name}, {precision}"
    for name in ("dual-96", "policy-192", "ranks-96")
    for precision in ("float32", "int8")
)
SELF_PLAY = Path(__file__).resolve().parents[3] / "data" / "samples" / "self-play-19x19.sgf"


@functools.cache
def judge(name: str) -> Evaluator:
    """Return the evaluator of a network in a precision."""
    network, precision = name.split(", ")
    return make_evaluator(network, backend="onnx", precision=precision, threads=1)


def for_black(name: str, boards: list[Board]) -> tuple[np.ndarray, np.ndarray]:
    """Return Black's win chances and leads."""
    said = judge(name).evaluate(boards)
    assert said.value is not None and said.lead is not None
    sign = np.array([1 if board.to_play == BLACK else -1 for board in boards])
    return (1 + sign * said.value) / 2, sign * said.lead


def played(plies: int, *, swapped: bool = False, komi: float = 7.5) -> Board:
    """Return the board of the sample game after some moves, or the same with colours swapped."""
    record = read_sgf(SELF_PLAY.read_bytes())
    board = Board(19, komi=-komi if swapped else komi)
    for colour, move in record.moves[:plies]:
        board.play(move, opponent(colour) if swapped else colour)
    return board


def positions() -> list[Board]:
    """Return 200 positions: one game's, and those of random games on three boards."""
    plies = range(0, 240, 3)
    game = [played(ply) for ply in plies]
    return game + [board for size in (9, 13, 19) for board in middle_games(40, size)]


def stones(count: int) -> Board:
    """Return a handicap with komi 0.5, and no further points for White, who moves."""
    board = Board(19, rules="tromp-taylor", komi=0.5)
    board.place_handicap(fixed_points(19, count))
    return board


@pytest.mark.parametrize("name", JUDGES)
def test_no_position_gets_better_by_giving_more_komi(name: str) -> None:
    boards = positions()
    assert len(boards) == 200
    for size in (9, 13, 19):
        chances, leads = [], []
        for komi in (-7.5, 20.0):
            group = [board for board in boards if board.size == size]
            for board in group:
                board.komi = komi
            chance, lead = for_black(name, group)
            chances.append(chance)
            leads.append(lead)
        np.testing.assert_allclose(leads[0] - leads[1], 27.5, atol=1e-3)
        decided = (chances[0] > 0.9999) | (chances[0] < 0.0001)
        assert (chances[0][~decided] > chances[1][~decided]).all()
        assert (chances[0] >= chances[1]).all()


@pytest.mark.parametrize("name", JUDGES)
def test_swapped_colours_are_worth_the_opposite(name: str) -> None:
    for plies in (1, 2, 40, 121, 200):
        chance, lead = for_black(name, [played(plies)])
        mirrored, opposite = for_black(name, [played(plies, swapped=True)])
        assert mirrored[0] == pytest.approx(1 - chance[0], abs=1e-7)
        assert opposite[0] == -lead[0]


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize(("size", "komi"), [(9, 7.0), (13, 7.0), (9, 7.5), (13, 7.5), (19, 7.5)])
def test_the_empty_board_is_even(name: str, size: int, komi: float) -> None:
    (even,), _ = for_black(name, [Board(size, komi=komi)])
    assert 0.40 <= even <= 0.60


@pytest.mark.parametrize("name", JUDGES)
def test_komi_and_stones_are_worth_what_they_are_worth(name: str) -> None:
    (given,), _ = for_black(name, [Board(19, komi=-20)])
    assert given >= 0.85
    (four,), _ = for_black(name, [stones(4)])
    assert four >= 0.93
    (nine,), _ = for_black(name, [stones(9)])
    assert nine >= 0.99


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("count", range(2, 10))
def test_the_lead_of_handicap_stones(name: str, count: int) -> None:
    _, (lead,) = for_black(name, [stones(count)])
    assert lead == pytest.approx(14 * count - 7, rel=0.3)


@pytest.mark.parametrize("name", JUDGES)
def test_counted_points_belong_to_whose_they_are(name: str) -> None:
    """At the end of the sample game the ownership says of most points whose they are."""
    record = read_sgf(SELF_PLAY.read_bytes())
    board = played(len(record.moves))
    said = judge(name).evaluate([board])
    assert said.ownership is not None
    sign = 1 if board.to_play == BLACK else -1
    stones_of = np.where(board.grid == BLACK, 1, np.where(board.grid == WHITE, -1, 0))
    agreed = (sign * said.ownership[0] * stones_of)[stones_of != 0] > 0
    assert agreed.mean() > 0.9
