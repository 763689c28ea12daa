"""Dead stones, seki, and the score of real games, as playouts judge them."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.scoring.counting import area_score, score, territory_score
from goengine.scoring.status import final_score, status
from goengine.types import BLACK, EMPTY, WHITE
from tests.goengine.scoring.positions import DEAD, OPEN
from tests.helpers.diagrams import SEKI


def test_playouts_find_the_dead_stones():
    board = Board.from_diagram(DEAD)
    judged = status(board, rng=np.random.default_rng(1))
    assert judged.dead == {20, 25}
    assert judged.ownership[:, :4].mean() > 0 > judged.ownership[:, 6:].mean()
    assert not judged.seki
    board.komi = 5.5
    assert final_score(board, rng=np.random.default_rng(1)) == 45 - 36 - 5.5


def test_all_stones_count_as_alive_under_tromp_taylor_rules() -> None:
    board = Board.from_diagram(DEAD, rules="tromp-taylor")
    board.komi = 0.0
    rng = np.random.default_rng(1)
    assert status(board, rng=rng).dead == {20, 25}
    assert final_score(board, rng=rng) == area_score(board) != 45 - 36


def test_playouts_leave_a_seki_alone():
    board = Board.from_diagram(SEKI, rules="japanese")
    judged = status(board, rng=np.random.default_rng(1))
    assert not judged.dead
    assert {2, 4} <= judged.seki
    assert judged.settled[0, 3]
    board.komi = 0
    flat = board.grid.ravel()
    eyes = {BLACK: 3, WHITE: 3}
    assert score(board, status=judged) == eyes[BLACK] - eyes[WHITE]
    board.rules = Board(7, rules="chinese").rules
    stones = int((flat == BLACK).sum()) - int((flat == WHITE).sum())
    assert score(board, status=judged) == stones + eyes[BLACK] - eyes[WHITE]
    assert (flat == EMPTY).sum() == 8


def test_an_open_border_does_not_lose_the_territory():
    board = Board.from_diagram(OPEN, rules="japanese")
    board.komi = 0
    assert territory_score(board) == 0
    judged = status(board, rng=np.random.default_rng(1))
    assert not judged.dead
    assert score(board, judged.dead, status=judged) == pytest.approx(0, abs=3)
    owned = judged.ownership
    assert owned[4, 0] > 0.5 and owned[4, 6] < -0.5


def test_the_same_rng_gives_the_same_status():
    board = Board.from_diagram(DEAD)
    one = status(board, rng=np.random.default_rng(3))
    two = status(board, rng=np.random.default_rng(3))
    assert (one.ownership == two.ownership).all()
    assert one.lead == two.lead and one.spread == two.spread


@pytest.mark.data
@pytest.mark.slow
def test_the_winner_of_real_games(games_folder):
    import importlib.util
    from pathlib import Path

    path = Path(__file__).resolve().parents[3] / "benchmarks" / "scoring.py"
    spec = importlib.util.spec_from_file_location("scoring_benchmark", path)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    rng = np.random.default_rng(3)
    right = total = 0
    for record in benchmark.games(games_folder / "kgs_6d.sgf.bz2", any_end=False):
        truth = benchmark.counted_points(record)
        ours = final_score(benchmark.final_position(record), rng=rng)
        right += (ours > 0) == (truth > 0)
        total += 1
        if total == 60:
            break
    assert right >= 54
