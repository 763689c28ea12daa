"""Analysis and pondering: what questions ask, when they end, and memory that stays bounded."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from goengine.games.game import Game
from goengine.match.random_player import RandomPlayer
from goengine.players.player import PLAINLY, Ban, Question, Snapshot, allowing
from goengine.types import BLACK, WHITE
from tests.goengine.players.test_search_player import player
from tests.goengine.players.test_time_use import slow_player
from tests.goengine.test_clock import FakeTime


def shots(question: Question, *, most: int = 5, wall: FakeTime | None = None) -> list[Snapshot]:
    """Return the snapshots until the analysis ends by itself, or so many."""
    one = player() if wall is None else slow_player(wall, 0.05)
    stream = one.analyst.stream(
        Game(7), interval=0.5, pause=lambda seconds: False, question=question
    )
    return list(itertools.islice(stream, most))


def test_a_question_may_end_an_analysis_by_visits_or_time() -> None:
    *_, last = shots(Question(visits=150), most=99)
    assert last.root_visits == 150
    wall = FakeTime()
    found = shots(Question(seconds=2.0), most=99, wall=wall)
    assert 3 <= len(found) <= 7 and 2.0 <= wall.seconds - 100 < 2.5


@pytest.mark.parametrize("question", [Question(visits=10**6), Question(seconds=1e6)])
def test_a_tree_that_is_read_out_ends_an_analysis_that_has_a_limit(question: Question) -> None:
    def pause(seconds: float) -> bool:
        assert seconds == 0.0, "nobody waits for a tree that cannot grow"
        return False

    game = Game(3)
    for move in (3, 1, 4, 7, 5, 9):  # one point and a pass are left to Black, then little to White
        game.play(move)
    stream = player().analyst.stream(game, interval=0.5, pause=pause, question=question)
    *_, last = itertools.islice(stream, 500)
    assert last.candidates and (last.root_visits or 0) < 10**6
    assert next(stream, None) is None


def test_no_interval_at_all_still_grows_the_tree() -> None:
    stream = player().analyst.stream(
        Game(7), interval=0.0, pause=lambda seconds: False, question=Question(visits=20)
    )
    found = list(itertools.islice(stream, 30))
    assert len(found) < 30 and found[-1].root_visits == 20


def test_bans_and_allowed_moves_are_kept() -> None:
    banned = frozenset(range(10))
    first = shots(Question((Ban(BLACK, banned, 1),), visits=60), most=99)[-1]
    assert not {c.move for c in first.candidates} & banned
    only = shots(Question((allowing(BLACK, {5, 49}, 1, size=7),), visits=60), most=99)[-1]
    assert {c.move for c in only.candidates} == {5, 49}
    other = shots(Question((Ban(WHITE, frozenset(range(49)), 2),), visits=60), most=99)[-1]
    assert all(c.pv[1] == 49 for c in other.candidates if len(c.pv) > 1)
    assert Question((Ban(BLACK, banned, 2),)).banned(BLACK, 1) == banned
    assert not Question((Ban(BLACK, banned, 2),)).banned(BLACK, 2)
    assert not PLAINLY.banned(WHITE, 0)


def test_candidates_come_with_ownership_where_it_is_asked_for() -> None:
    last = shots(Question(moves_ownership=True, visits=80), most=99)[-1]
    top = last.candidates[0]
    assert top.ownership is not None and top.ownership.shape == (7, 7)
    assert top.ownership[divmod(top.move, 7)] > 0.3, "Black owns what it played"
    assert top.deviation is not None and top.deviation > 0
    plain = shots(Question(visits=80), most=99)[-1]
    assert plain.candidates[0].ownership is None and plain.ownership is not None
    assert plain.raw_winrate is not None and 0 <= plain.raw_winrate <= 1
    assert plain.raw_lead == pytest.approx(-7.5)
    assert plain.root_visits == sum(c.visits for c in plain.candidates) + 1


def test_values_are_of_the_player_to_move() -> None:
    game = Game(7, komi=20.0)
    one = player()
    stop = Question(visits=40)
    black = list(one.analyst.stream(game, interval=1.0, pause=lambda s: False, question=stop))[-1]
    white = list(
        one.analyst.stream(
            game.turned_to(WHITE), interval=1.0, pause=lambda s: False, question=stop
        )
    )[-1]
    assert black.winrate is not None and white.winrate is not None
    assert black.winrate < 0.1 and white.winrate > 0.9
    assert black.lead is not None and white.lead is not None and black.lead < 0 < white.lead


def test_analysis_ends_at_once_when_told_and_shows_what_it_found() -> None:
    one = player()
    asked: list[float] = []

    def pause(seconds: float) -> bool:
        asked.append(seconds)
        return len(asked) > 3

    found = list(one.analyst.stream(Game(7), interval=60.0, pause=pause))
    assert len(asked) == 4 and one.tree.visits < 20
    assert found[-1].root_visits == one.tree.visits


def test_pondering_stops_when_told_and_at_the_bound_of_memory() -> None:
    one, game = player(megabytes=1.0), Game(7)
    calls = itertools.count()
    one.ponder(game, lambda: next(calls) >= 5)
    few = one.tree.visits
    assert 5 <= few < 40
    one.ponder(game, lambda: False)
    pool = one.tree.pool
    assert one.tree.full and pool.used[0] == len(pool.state)
    held = sum(array.nbytes for array in pool) / 1e6
    assert held < 1.0 and len(one.tree.leaves) * 1100 < 0.2e6
    game.play(24)
    one.choose(game, rng=np.random.default_rng(1))
    assert one.tree.visits > few and one.tree.leaves is one._leaves
    RandomPlayer().ponder(game, lambda: False)
