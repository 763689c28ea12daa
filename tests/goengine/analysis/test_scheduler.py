"""The scheduler: whose turn it is, batches shared by trees, memory, and failures."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.analysis.requests.json_fields import QueryError
from goengine.analysis.requests.queries import PositionQuery, read_query
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import BATCH, MOST_WAITING, TREES, TURN, Report, Scheduler
from goengine.inference.backends.backend import Planes, RawOutputs
from goengine.inference.evaluator import Evaluator
from goengine.search.pool import nodes_within
from tests.helpers.analysis_client import InstantBackend, query

MOVES = [["B", "C3"], ["W", "B2"], ["B", "D4"], ["W", "D2"]]


def asked(**changes: object) -> PositionQuery:
    found, _ = read_query(query(**changes), AnalysisSettings(visits=20))
    assert isinstance(found, PositionQuery)
    return found


class Desk:
    """A scheduler with its reports."""

    def __init__(self, backend: InstantBackend | None = None, **options: float) -> None:
        self.backend = backend or InstantBackend()
        self.reports: list[Report] = []
        self.time = 0.0
        self.scheduler = Scheduler(
            Evaluator(self.backend),
            report=self.reports.append,
            megabytes=options.get("megabytes", 20.0),
            now=lambda: self.time,
        )

    def finish(self) -> list[tuple[str, int]]:
        """Work until nothing is left, and name the final answers in order."""
        steps = 0
        while not self.scheduler.idle:
            self.scheduler.step()
            steps += 1
            assert steps < 100_000
        return [(r.query.name, r.turn) for r in self.reports if not r.during]


def test_the_highest_priority_is_answered_first_and_ties_in_order_of_arrival() -> None:
    desk = Desk()
    desk.scheduler.add(
        asked(id="a", moves=MOVES, analyzeTurns=[0, 1, 2, 3], priorities=[0, 9, 1, 5])
    )
    desk.scheduler.add(asked(id="b", priority=3))
    desk.scheduler.add(asked(id="c", priority=3))
    order = [("a", 1), ("a", 3), ("b", 0), ("c", 0), ("a", 2), ("a", 0)]
    assert desk.finish() == order


def test_trees_of_one_priority_share_batches() -> None:
    alone, together = Desk(), Desk()
    alone.scheduler.add(asked(maxVisits=40))
    alone.finish()
    together.scheduler.add(asked(maxVisits=40, moves=MOVES, analyzeTurns=[0, 1, 2, 3, 4]))
    together.finish()
    assert max(together.backend.batches) == BATCH > max(alone.backend.batches)
    mean = np.mean(together.backend.batches)
    assert mean > 1.5 * np.mean(alone.backend.batches)


def test_endless_searches_of_one_priority_take_turns() -> None:
    desk = Desk()
    endless = {"maxVisits": 10_000_000, "reportDuringSearchEvery": 0.001}
    for number in range(3):
        desk.scheduler.add(asked(id=f"e{number}", moves=MOVES[: number + 1], **endless))
    for _ in range(300):
        desk.time += 0.001
        desk.scheduler.step()
    reached = {
        report.query.name: report.analysis.visits for report in desk.reports if report.analysis
    }
    assert len(reached) == 3 and min(reached.values()) > 300
    assert max(reached.values()) - min(reached.values()) <= TURN + BATCH
    desk.scheduler.add(asked(id="short", maxVisits=100))
    while "short" not in {report.query.name for report in desk.reports}:
        desk.scheduler.step()
    desk.scheduler.add(asked(id="late", moves=MOVES, **endless))
    for _ in range(200):
        desk.time += 0.001
        desk.scheduler.step()
    late = [report.analysis for report in desk.reports if report.query.name == "late"]
    assert late[-1] is not None and late[-1].visits > 300, "it catches up with the others"
    desk.scheduler.end()
    assert desk.finish()[1:] == [("e0", 1), ("e1", 2), ("e2", 3), ("late", 4)]


def test_short_searches_of_one_priority_go_one_after_the_other() -> None:
    desk = Desk()
    for number in range(3):
        desk.scheduler.add(asked(id=str(number), moves=MOVES[: number + 1], maxVisits=500))
    while not desk.reports:
        desk.scheduler.step()
    others = [job.tree.visits for job in desk.scheduler._searched if job.tree is not None]
    assert desk.reports[0].query.name == "0" and max(others) < 250


def test_a_tree_of_lower_priority_does_not_slow_a_higher_one_down() -> None:
    desk = Desk()
    desk.scheduler.add(asked(id="low", maxVisits=1000))
    for _ in range(5):
        desk.scheduler.step()
    asked_before = desk.scheduler.leaves.asked
    desk.scheduler.add(asked(id="high", priority=1, maxVisits=30, moves=MOVES))
    while not desk.reports:
        desk.scheduler.step()
    assert desk.reports[0].query.name == "high"
    assert desk.scheduler.leaves.asked - asked_before <= 30 + 8  # its root is seen from 8 sides
    assert desk.finish() == [("high", 4), ("low", 0)]
    assert desk.reports[-1].analysis is not None and desk.reports[-1].analysis.visits == 1000


def test_every_position_is_answered_once_whatever_comes_in_between() -> None:
    desk = Desk()
    rng = np.random.default_rng(4)
    expected = []
    for number in range(60):
        name = f"n{number}"
        turns = sorted(set(rng.integers(0, 5, 3).tolist()))
        expected += [(name, turn) for turn in turns]
        desk.scheduler.add(
            asked(
                id=name,
                moves=MOVES,
                analyzeTurns=turns,
                priority=int(rng.integers(-2, 3)),
                maxVisits=int(rng.integers(1, 60)),
                reportDuringSearchEvery=0.001,
            )
        )
        for _ in range(int(rng.integers(0, 6))):
            desk.time += 0.001
            desk.scheduler.step()
        if number % 7 == 3:
            desk.scheduler.end(f"n{rng.integers(number + 1)}", {int(rng.integers(5))})
        if number % 20 == 19:
            desk.scheduler.end()
    assert sorted(desk.finish()) == sorted(expected)


def test_trees_are_few_and_freed_and_their_memory_is_bounded() -> None:
    desk = Desk(megabytes=1.0)
    for level in range(3 * TREES):
        desk.scheduler.add(asked(id=str(level), priority=level, maxVisits=600))
        desk.scheduler.step()
        trees = [job.tree for job in desk.scheduler._searched if job.tree is not None]
        assert len(trees) <= TREES
        nodes = sum(len(tree.pool.state) for tree in trees)
        assert nodes <= nodes_within(1.0, 25)
    assert len(desk.finish()) == 3 * TREES
    assert [report.analysis.visits for report in desk.reports if report.analysis] == [600] * 24
    assert desk.scheduler._searched == [] and len(desk.scheduler.leaves) <= 100_000 // 300


def test_equal_seeds_give_equal_answers() -> None:
    found = []
    for _ in range(2):
        desk = Desk()
        desk.scheduler.add(asked(moves=MOVES, analyzeTurns=[0, 2, 4], maxVisits=70))
        desk.finish()
        found.append([report.analysis for report in desk.reports])
    for one, other in zip(*found, strict=True):
        assert one is not None and other is not None
        assert (one.turn, one.winrate, one.moves[0].pv) == (
            other.turn,
            other.winrate,
            other.moves[0].pv,
        )


def test_a_repeated_query_is_answered_from_the_cache_until_it_is_cleared() -> None:
    desk = Desk()

    def cost() -> int:
        before = desk.scheduler.leaves.asked
        desk.scheduler.add(asked(maxVisits=20))
        desk.finish()
        return desk.scheduler.leaves.asked - before

    first, second = cost(), cost()
    assert first >= 15 and second < first / 2
    desk.scheduler.clear_cache()
    assert cost() >= 15


class Breaking(InstantBackend):
    """A backend that fails at its fifth batch."""

    def run(self, planes: Planes) -> RawOutputs:
        if len(self.batches) == 4:
            self.batches.append(0)
            raise MemoryError("no room")
        return super().run(planes)


def test_a_failure_costs_one_batch_of_positions_their_answer_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(Breaking())
    desk.scheduler.add(asked(id="a", priority=1))
    desk.scheduler.add(asked(id="b"))
    assert desk.finish() == [("a", 0), ("b", 0)]
    first, second = desk.reports
    assert first.failure == "no room" and first.analysis is None
    assert second.failure is None and second.analysis is not None
    assert "an analysis failed" in caplog.text


def test_too_many_positions_are_refused() -> None:
    desk = Desk()
    wanted = asked(moves=[["B", "pass"]] * 999, analyzeTurns=list(range(1000)))
    for _ in range(MOST_WAITING // 1000):
        desk.scheduler.add(wanted)
    with pytest.raises(QueryError, match="positions would wait"):
        desk.scheduler.add(wanted)
    desk.scheduler.end()
    assert desk.scheduler.idle and len(desk.reports) == MOST_WAITING


def test_a_search_ends_where_nothing_is_left_to_read() -> None:
    """Only the pass is allowed, so the game is soon over and further visits find nothing new."""
    desk = Desk()
    allow = [{"player": "B", "moves": ["pass"], "untilDepth": 100}]
    desk.scheduler.add(asked(boardXSize=2, boardYSize=2, allowMoves=allow, maxVisits=500))
    assert desk.finish() == [("q", 0)]
    (report,) = desk.reports
    assert report.analysis is not None and report.analysis.visits == 500
