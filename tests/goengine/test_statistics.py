"""Intervals and Elo against numbers worked out by hand or published."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goengine.statistics import (
    Z95,
    elo_difference,
    elo_interval,
    format_elo,
    format_share,
    student95,
    wilson_interval,
)


def test_wilson_interval_solves_its_own_equation():
    """Its ends are the shares p with |wins/n - p| = z * sqrt(p (1 - p) / n)."""
    for wins, games in ((81, 263), (7, 9), (0.5, 3), (96, 100)):
        for end in wilson_interval(wins, games):
            distance = abs(wins / games - end)
            assert distance == pytest.approx(1.959963985 * math.sqrt(end * (1 - end) / games))


def test_wilson_interval_of_a_published_example():
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I)."""
    low, high = wilson_interval(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


@pytest.mark.parametrize(
    ("freedom", "published"),
    [
        *[(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (8, 2.306)],
        *[(10, 2.228), (15, 2.131), (20, 2.086), (30, 2.042), (60, 2.000), (120, 1.980)],
    ],
)
def test_student_is_as_in_the_published_table(freedom, published):
    assert student95(freedom) == pytest.approx(published, rel=1.2e-3)


def test_student_meets_the_normal_distribution():
    assert student95(10**9) == pytest.approx(Z95, abs=1e-8)
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        student95(0)


def test_wilson_interval_at_the_ends():
    assert wilson_interval(0, 0) == (0, 1)
    low, high = wilson_interval(0, 20)
    assert low == 0 and high == pytest.approx(0.1611, abs=1e-4)
    assert wilson_interval(20, 20)[1] == 1


@given(st.integers(1, 400), st.data())
def test_wilson_interval_holds_the_share_and_mirrors(games, data):
    wins = data.draw(st.integers(0, games))
    low, high = wilson_interval(wins, games)
    assert 0 <= low <= wins / games <= high <= 1
    other_low, other_high = wilson_interval(games - wins, games)
    assert (other_low, other_high) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("wins", "games"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(wins, games):
    with pytest.raises(ValueError, match=f"{wins} wins of {games} games"):
        wilson_interval(wins, games)


def test_elo():
    assert elo_difference(0.5) == 0
    assert elo_difference(10 / 11) == pytest.approx(400)
    assert elo_difference(0.76) == pytest.approx(-elo_difference(0.24))
    assert elo_difference(1) == math.inf and elo_difference(0) == -math.inf
    middle, low, high = elo_interval(75, 100)
    assert low < middle < high and middle == pytest.approx(190.8, abs=0.1)


def test_texts():
    assert format_share(83, 100) == "83.0 % (74.5 to 89.1)"
    assert format_elo(5, 5) == "+inf (+46 to +inf)"
    assert format_elo(0, 0) == "+0 (-inf to +inf)"
