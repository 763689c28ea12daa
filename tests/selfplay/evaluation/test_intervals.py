"""Intervals are honest: positions of one game are not independent, and one game gives none."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.statistics import student95
from selfplay.evaluation.calibration import expected_calibration_error, reliability
from selfplay.evaluation.intervals import (
    Share,
    bracketed,
    half_interval,
    plus_minus,
    share_of,
    share_over_games,
    sign,
    standard_error,
)


def test_shares_have_wilson_intervals() -> None:
    share = share_of(8, 10)
    assert (share.value, share.count) == (0.8, 10)
    assert share.interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_of(0, 50).low == 0.0 and share_of(50, 50).high == 1.0
    dependent = share_of(800, 1000, design=100.0)
    assert dependent.interval == share.interval
    assert dependent.count == 1000


def test_repeated_positions_tell_nothing_new() -> None:
    values = np.random.default_rng(1).standard_normal(400)
    single = standard_error(values, np.arange(400))
    assert single == pytest.approx(values.std(ddof=1) / 20)
    assert standard_error(np.repeat(values, 9), np.repeat(np.arange(400), 9)) == pytest.approx(
        single
    )


def test_one_game_says_nothing_of_others() -> None:
    values, game = np.arange(400.0), np.full(400, 7)
    assert standard_error(values, game) is None and half_interval(values, game) is None
    share = share_over_games(values < 100, game)
    assert share == Share(0.25, None, None, 400) and share.interval is None
    assert bracketed(share, 2) == "25.00 % [one game]"
    assert plus_minus(None, 3) == "(one game)" and sign(5.0, None) == 0


@pytest.mark.parametrize("all_right", [False, True])
def test_where_all_are_alike_a_game_is_worth_one_position(all_right: bool) -> None:
    share = share_over_games(np.full(300, all_right), np.repeat(np.arange(3), 100))
    assert share.interval == share_of(3 * all_right, 3, z=student95(2)).interval
    assert share.count == 300


@pytest.mark.parametrize("number", [2, 3, 5, 20])
def test_intervals_of_few_games_hold_the_truth_as_often_as_they_say(number: int) -> None:
    rng = np.random.default_rng(number)
    games = np.repeat(np.arange(number), 30)
    held = 0
    for _ in range(2000):
        values = rng.standard_normal(number)[games] + rng.standard_normal(30 * number)
        half = half_interval(values, games)
        assert half is not None
        held += abs(values.mean()) <= half
    assert held / 2000 == pytest.approx(0.95, abs=0.02)


def test_intervals_as_text() -> None:
    assert bracketed(share_of(8, 10), 1) == "80.00 % [49.0, 94.3]"
    assert plus_minus(0.01234, 2, scale=100) == "± 1.23"
    assert [sign(value, 0.2) for value in (-0.3, -0.2, 0.0, 0.2, 0.3)] == [-1, 0, 0, 0, 1]


def test_calibration_compares_what_it_said_with_what_was() -> None:
    said = np.array([0.05, 0.05, 0.72, 0.78, 0.72, 0.78, 1.0])
    right = np.array([False, False, True, True, True, False, True])
    bins = reliability(said, right, np.arange(7))
    assert [(b.edges, b.count) for b in bins] == [((0.0, 0.1), 2), ((0.7, 0.8), 4), ((0.9, 1.0), 1)]
    assert [b.share for b in bins] == [0.0, 0.75, 1.0]
    low, high = bins[1].right.interval or (1.0, 0.0)
    assert bins[1].confidence == pytest.approx(0.75) and low < 0.75 < high
    assert expected_calibration_error(bins) == pytest.approx(2 * 0.05 / 7)
    wrong = reliability(np.ones(5), np.zeros(5, dtype=bool), np.arange(5))
    assert expected_calibration_error(wrong) == 1.0


def test_calibration_counts_games_not_positions() -> None:
    said, games = np.full(400, 0.55), np.repeat(np.arange(4), 100)
    (alike,) = reliability(said, games < 2, games)  # every game is all right or all wrong
    (mixed,) = reliability(said, np.arange(400) % 2 == 0, games)
    assert alike.share == mixed.share == 0.5
    assert alike.right.interval is not None and mixed.right.interval is not None
    assert alike.right.interval[0] < mixed.right.interval[0] - 0.2
    (alone,) = reliability(said[:100], np.arange(100) < 50, games[:100])
    assert (alone.share, alone.low, alone.high) == (0.5, None, None)
