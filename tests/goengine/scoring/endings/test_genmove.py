"""The engine leaves its sekis alone when it is asked for a move."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from goengine.coords import gtp_to_move, move_to_gtp
from goengine.scoring.status import move_scores, signed, status
from goengine.types import BLACK, WHITE
from tests.goengine.scoring.endings.test_recorded import USED, board_of
from tests.helpers.gtp_client import run_engine

SEKIS = [p for p in USED if p["kind"].startswith("seki") and p["size"] == 9][::3]
ENGINE = [sys.executable, "-m", "goengine", "gtp"]


def shared_liberties(position: dict) -> list[int]:
    """Return the empty points beside stones of both colours that are in seki."""
    board = board_of(position)
    seki = {gtp_to_move(vertex, board.size) for vertex in position["seki"].split()}
    flat = board.grid.ravel()
    found = []
    for move in np.flatnonzero(flat == 0).tolist():
        row, column = divmod(move, board.size)
        near = [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
        beside = {r * board.size + c for r, c in near if 0 <= r < board.size > c >= 0} & seki
        if {int(flat[stone]) for stone in beside} == {BLACK, WHITE}:
            found.append(move)
    return found


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_playouts_know_what_filling_a_seki_costs(colour):
    rng = np.random.default_rng(2)
    for position in SEKIS:
        board = board_of(position)
        board.to_play = colour
        assert status(board, rng=rng).settled.all()
        shared = [move for move in shared_liberties(position) if board.is_legal(move)]
        *filled, passed = move_scores(board, [*shared, 81], rng=rng, playouts=200)
        assert all(signed(passed - one, colour) > 3 for one in filled)


def test_the_engine_leaves_its_seki_alone():
    lines = ["kgs-rules chinese", "boardsize 9"]
    asked = []
    for position in SEKIS[:6]:
        board = board_of(position)
        stones = " ".join(
            f"{'b' if colour == BLACK else 'w'} {move_to_gtp(move, 9)}"
            for move, colour in enumerate(board.grid.ravel().tolist())
            if colour
        )
        for colour, other in (("w", "b"), ("b", "w")):
            lines += ["clear_board", f"set_position {stones}", f"komi {position['komi']}"]
            lines += [f"play {other} pass", f"{len(asked)} genmove {colour}"]
            asked.append(position)
    done = run_engine(ENGINE, "\n".join([*lines, "quit", ""]))
    answers = dict(
        line[1:].split()
        for line in done.stdout.decode().splitlines()
        if line[1:2].isdigit() and " " in line
    )
    assert len(answers) == len(asked)
    for number, position in enumerate(asked):
        move = answers[str(number)]
        forbidden = {move_to_gtp(point, 9) for point in shared_liberties(position)}
        assert move not in forbidden, f"{move} in {position['rows']}"
