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
    fit_ratings,
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


# Ratings


def test_ratings_of_two_are_the_elo_difference_of_their_games() -> None:
    """With one draw more than was played: 76 of 101, 195.8 Elo."""
    (anchor, other) = (fit_ratings([("b", "a", 75.5, 100)], anchor="a")[name] for name in "ab")
    assert anchor == (0.0, 0.0)
    assert other[0] == pytest.approx(elo_difference(76 / 101), abs=1e-6)
    share = 76 / 101
    error = 400 / math.log(10) / math.sqrt(101 * share * (1 - share))
    assert other[1] == pytest.approx(error, rel=1e-6)


def test_ratings_add_up_along_a_chain_and_so_do_their_errors() -> None:
    chain = [("b", "a", 75, 100), ("c", "b", 75, 100), ("d", "c", 75, 100)]
    found = fit_ratings(chain, anchor="a")
    steps = [found[name][0] for name in "abcd"]
    assert steps == pytest.approx([0, steps[1], 2 * steps[1], 3 * steps[1]], abs=1e-6)
    assert found["d"][1] == pytest.approx(math.sqrt(3) * found["b"][1], rel=1e-6)


def test_ratings_are_those_that_make_the_results_likeliest() -> None:
    """At the maximum everybody's expected points are the points they have."""
    games = [("a", "b", 3, 10), ("b", "c", 4.5, 10), ("a", "c", 2, 10), ("c", "d", 10, 10)]
    found = fit_ratings(games, anchor="b")
    for name in "abcd":
        surplus = 0.0
        for one, two, points, count in games:
            if name in (one, two):
                expected = (count + 1) / (1 + 10 ** ((found[two][0] - found[one][0]) / 400))
                surplus += (points + 0.5 - expected) * (1 if name == one else -1)
        assert surplus == pytest.approx(0, abs=1e-6)
    assert all(math.isfinite(value) for pair in found.values() for value in pair)


def test_ratings_without_a_chain_to_the_anchor_are_refused() -> None:
    for games, anchor in (
        ([("a", "b", 1, 2), ("c", "d", 1, 2)], "a"),
        ([("a", "b", 1, 2)], "z"),
        ([("a", "b", 0, 0)], "a"),
    ):
        with pytest.raises(ValueError, match="has no games that lead to"):
            fit_ratings(games, anchor=anchor)
