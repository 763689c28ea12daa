"""GTP with a player that reads: how long it considers a move, and which moves it shows."""

from __future__ import annotations

import gc
import weakref

import pytest

from goengine.clock import Clock
from goengine.games.game import Game
from goengine.gtp.engine import Engine
from goengine.gtp.session import SessionSettings
from goengine.players.player import Question, Snapshot
from goengine.players.search_player import SearchPlayer
from goengine.types import BLACK
from tests.goengine.gtp.test_gtp_search import LAST, looks, segments, tree_of
from tests.goengine.players.test_time_use import slow_player
from tests.goengine.test_clock import FakeTime
from tests.helpers.counting_players import counting_engine
from tests.helpers.stub_players import result


def slow_engine(wall: FakeTime, size: int) -> Engine:
    """Return an engine whose network takes a tenth of a second on a wall that only it moves."""
    return Engine(
        lambda: slow_player(wall, 0.1),
        SessionSettings(size=size, seed=1),
        clock=Clock(now=wall),
    )


def seconds_for(engine: Engine, wall: FakeTime, line: str) -> float:
    before = wall.seconds
    result(engine, line)
    return wall.seconds - before


def test_a_move_that_cannot_be_caught_ends_the_thinking_with_reports_too() -> None:
    wall = FakeTime()
    engine = slow_engine(wall, 5)
    result(engine, "kata-set-param maxTime 20")
    result(engine, "set_position w B5 b C5 w A4 b B4")
    assert seconds_for(engine, wall, "kata-genmove_analyze b 100") < 15


def test_an_open_choice_may_take_longer_than_the_usual_time() -> None:
    wall = FakeTime()
    player = slow_player(wall, 0.01)

    def seconds(question: Question) -> float:
        before = wall.seconds
        shots: list[Snapshot] = list(
            player.analyst.stream(
                Game(7), interval=0.5, pause=lambda seconds: False, question=question
            )
        )
        assert shots
        return wall.seconds - before

    usual = seconds(Question(seconds=1.0))
    assert 0.9 < usual < 1.5
    longer = seconds(Question(seconds=2.0, chooses=True, most=6.0))
    assert 2.0 < longer < 6.1, "a loaded machine may make the last batch longer"


def test_a_search_that_plays_nothing_costs_nothing_on_the_clock() -> None:
    engine = counting_engine(visits=200)
    result(engine, "time_settings 100 0 0")
    assert LAST.search(result(engine, "kata-search_analyze b 10"))
    assert engine.session.clock.left(BLACK) == 100


def moves_shown(line: str) -> list[dict[str, list[str]]]:
    """Return the moves of the last report of an analysis that looks at eight positions.

    White has passed, so that a pass is among them, which no report shows.
    """
    engine = counting_engine(visits=8)
    result(engine, "play w pass")
    engine.session.pause = looks(2)
    reports = [text for text in result(engine, line).split("\n") if text.startswith("info")]
    return segments(reports[-1])


@pytest.mark.parametrize("command", ["kata-analyze b 10", "kata-search_analyze b 10"])
def test_as_many_moves_are_shown_as_were_asked_for(command: str) -> None:
    found = moves_shown(f"{command} minmoves 12")
    assert len({one["move"][0] for one in found}) == len(found) == 12
    unread = [one for one in found if one["visits"] == ["0"]]
    assert unread and found[-len(unread) :] == unread, "behind those that were looked at"
    assert all(one["lcb"] == ["0.000000"] and one["pv"] == one["move"] for one in unread)
    priors = [float(one["prior"][0]) for one in unread]
    assert priors == sorted(priors, reverse=True)
    assert all(one["visits"] != ["0"] for one in moves_shown(command))


def test_a_new_bound_of_memory_frees_the_tree_before() -> None:
    engine = counting_engine()
    result(engine, "genmove b")
    player = engine.session.player
    assert isinstance(player, SearchPlayer)
    before = weakref.ref(player.tree)
    del player
    result(engine, "kata-set-param megabytes 4")
    gc.collect()
    assert before() is None
    result(engine, "genmove w")
    assert tree_of(engine) > 1
