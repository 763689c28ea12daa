"""The clock: what settings mean, what moves cost, and what a move may take."""

from __future__ import annotations

import pytest

from goengine.clock import LEAST, Clock, TimeSettings, gtp_settings
from goengine.types import BLACK, WHITE, GoError


class FakeTime:
    """A clock on the wall that only moves when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def spend(clock: Clock, wall: FakeTime, colour: int, seconds: float) -> None:
    clock.start()
    wall.seconds += seconds
    assert clock.stop(colour) == pytest.approx(seconds)


def make(settings: TimeSettings) -> tuple[Clock, FakeTime]:
    wall = FakeTime()
    return Clock(settings, now=wall), wall


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ((0, 30, 0), "none"),
        ((300, 30, 0), "none"),
        ((0, 0, 0), "none"),
        ((300, 0, 0), "absolute"),
        ((300, 0, 5), "absolute"),
        ((300, 30, 5), "canadian"),
        ((0, 5, 1), "canadian"),
    ],
)
def test_time_settings_of_gtp(numbers: tuple[int, int, int], kind: str) -> None:
    assert gtp_settings(*numbers).kind == kind


def test_no_limit_has_no_budget() -> None:
    clock, wall = make(TimeSettings())
    spend(clock, wall, BLACK, 1000)
    assert clock.budget(BLACK) is None and clock.left(BLACK) is None


def test_absolute_time_runs_out_and_stays_out() -> None:
    clock, wall = make(TimeSettings("absolute", 60))
    spend(clock, wall, BLACK, 20)
    assert clock.left(BLACK) == 40 and clock.left(WHITE) == 60
    spend(clock, wall, BLACK, 50)
    assert clock.left(BLACK) == 0
    assert clock.budget(BLACK) == LEAST


def test_byoyomi_gives_periods_back_unless_used_up() -> None:
    clock, wall = make(TimeSettings("byoyomi", 60, 30, periods=3))
    spend(clock, wall, BLACK, 50)
    assert (clock.left(BLACK), clock.count(BLACK)) == (10, 0)
    spend(clock, wall, BLACK, 20)  # 10 of the main time, 10 of the first period
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 3)
    spend(clock, wall, BLACK, 29)
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 3)
    spend(clock, wall, BLACK, 61)
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 1)
    spend(clock, wall, BLACK, 31)  # the last one, and nobody ended the game
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 1)


def test_canadian_periods_count_moves() -> None:
    clock, wall = make(TimeSettings("canadian", 0, 30, stones=2))
    assert (clock.left(WHITE), clock.count(WHITE)) == (30, 2)
    spend(clock, wall, WHITE, 10)
    assert (clock.left(WHITE), clock.count(WHITE)) == (20, 1)
    spend(clock, wall, WHITE, 10)
    assert (clock.left(WHITE), clock.count(WHITE)) == (30, 2)


def test_a_canadian_period_that_nobody_called_is_followed_by_the_next() -> None:
    clock, wall = make(TimeSettings("canadian", 20, 30, stones=10))
    full = Clock(TimeSettings("canadian", 0, 30, stones=10)).budget(BLACK)
    spend(clock, wall, BLACK, 60)  # 20 of the main time, a whole period and 10 more
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 10)
    spend(clock, wall, BLACK, 25)
    assert (clock.left(BLACK), clock.count(BLACK)) == (5, 9)
    spend(clock, wall, BLACK, 5)
    assert (clock.left(BLACK), clock.count(BLACK)) == (30, 10)
    assert clock.budget(BLACK) == full


def test_no_overtime_begins_where_none_was_agreed() -> None:
    for kind in ("byoyomi", "canadian"):
        clock, wall = make(TimeSettings(kind, 20, 30))  # type: ignore[arg-type]
        spend(clock, wall, BLACK, 60)
        assert (clock.left(BLACK), clock.count(BLACK)) == (0, 0)
        assert clock.budget(BLACK) == LEAST


def test_fischer_adds_up_to_its_cap() -> None:
    clock, wall = make(TimeSettings("fischer", 20, increment=10, cap=25))
    spend(clock, wall, BLACK, 2)
    assert clock.left(BLACK) == 25
    spend(clock, wall, BLACK, 20)
    assert clock.left(BLACK) == 15


def test_time_left_is_believed() -> None:
    clock, _ = make(TimeSettings("canadian", 600, 60, stones=10))
    clock.set_left(BLACK, 12.0, 4)
    assert (clock.left(BLACK), clock.count(BLACK)) == (12.0, 4)
    assert clock.budget(BLACK) == pytest.approx(12 / 4 - 0.5)
    clock.set_left(BLACK, 300, 0)
    assert clock.count(BLACK) == 0
    clock.set_left(BLACK, -5, -1)
    assert clock.left(BLACK) == 0


@pytest.mark.parametrize(
    "settings", [TimeSettings("absolute", 60), TimeSettings("fischer", 60, increment=2)]
)
def test_a_count_of_stones_does_not_spend_all_time_where_there_is_no_overtime(
    settings: TimeSettings,
) -> None:
    clock = Clock(settings)
    usual, most = clock.budget(BLACK), clock.most(BLACK)
    clock.set_left(BLACK, 60, 1)
    assert (clock.budget(BLACK), clock.most(BLACK)) == (usual, most)
    assert most is not None and most < 20 and clock.count(BLACK) == 0


@pytest.mark.parametrize("kind", ["absolute", "byoyomi", "canadian", "fischer"])
@pytest.mark.parametrize("used", [0.0, 0.7, 5.0, 33.0, 400.0])
def test_a_budget_is_positive_and_within_the_time(kind: str, used: float) -> None:
    settings = TimeSettings(kind, 90, 10, stones=5, periods=2, increment=3)  # type: ignore[arg-type]
    clock, wall = make(settings)
    for _ in range(30):
        budget, left = clock.budget(BLACK), clock.left(BLACK)
        assert budget is not None and left is not None
        assert LEAST <= budget <= max(LEAST, left + 10)
        spend(clock, wall, BLACK, used)


def test_the_longest_move_bounds_the_budget() -> None:
    clock, _ = make(TimeSettings("fischer", 900, increment=30, longest=3))
    assert clock.budget(BLACK) == pytest.approx(2.5)


def test_reset_and_unmeasured_moves() -> None:
    clock, wall = make(TimeSettings("absolute", 60))
    assert clock.stop(BLACK) == 0.0
    spend(clock, wall, BLACK, 30)
    clock.reset()
    assert clock.left(BLACK) == 60


def test_negative_settings_are_refused() -> None:
    with pytest.raises(GoError, match="negative"):
        TimeSettings("absolute", -1)


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        (TimeSettings(), [(1000, False)]),
        (TimeSettings("absolute", 60), [(20, False), (40, True), (1, True)]),
        (TimeSettings("fischer", 10, increment=5), [(9, False), (5, False), (6, True)]),
        (TimeSettings("byoyomi", 10, 5, periods=3), [(12, False), (9, False), (10, True)]),
        (TimeSettings("byoyomi", 0, 5, periods=1), [(4.9, False), (5, True), (1, False)]),
        (TimeSettings("byoyomi", 10), [(9, False), (2, True)]),
        (TimeSettings("byoyomi", 0, 5e-324, periods=5), [(1, True)]),
        (TimeSettings("canadian", 10, 5, stones=2), [(12, False), (2, False), (6, True)]),
        (TimeSettings("canadian", 0, 1, stones=1), [(0.9, False), (3, True)]),
    ],
)
def test_the_clock_tells_when_a_move_took_all_there_was(
    settings: TimeSettings, moves: list[tuple[float, bool]]
) -> None:
    clock, wall = make(settings)
    for seconds, over in moves:
        spend(clock, wall, BLACK, seconds)
        assert clock.overrun is over


@pytest.mark.parametrize(
    ("settings", "stands"),
    [
        (TimeSettings("absolute", 60), [(20, 40, 0), (60, 0, 0), (70, 0, 0)]),
        (TimeSettings("fischer", 60, increment=5), [(20, 40, 0), (61, 0, 0)]),
        (TimeSettings("byoyomi", 10, 5, periods=3), [(10, 5, 3), (16, 4, 2), (25, 0, 0)]),
        (TimeSettings("byoyomi", 0, 5e-324, periods=5), [(1, 0, 0)]),
        (TimeSettings("byoyomi", 10), [(9, 1, 0), (11, 0, 0)]),
        (TimeSettings("canadian", 10, 5, stones=2), [(9, 1, 0), (12, 3, 2), (15, 0, 0)]),
    ],
)
def test_the_running_move_counts_in_what_is_left_now(
    settings: TimeSettings, stands: list[tuple[float, float, int]]
) -> None:
    clock, wall = make(settings)
    assert clock.standing(BLACK) == (clock.left(BLACK), clock.count(BLACK))
    clock.start()
    for seconds, left, count in stands:
        wall.seconds = 100.0 + seconds
        assert clock.standing(BLACK) == (left, count)
    assert clock.left(BLACK) == (settings.main or settings.period), "nothing is charged by it"
