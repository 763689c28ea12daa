"""A match that ends as soon as it is clear, and what it may look at on the way."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import pytest

from goengine.commands.match import configure, run
from goengine.match.sequential_test import SequentialTest, in_order
from goengine.types import GoError


def test_the_ratio_is_that_of_the_two_chances() -> None:
    test = SequentialTest(0.6, 0.85)
    by_hand = 7 * math.log(0.85 / 0.6) + 2 * math.log(0.15 / 0.4)
    assert test.ratio(7, 9) == pytest.approx(by_hand)
    assert test.ratio(3.5, 5) == pytest.approx((test.ratio(3, 5) + test.ratio(4, 5)) / 2)


@pytest.mark.parametrize("share", [0.6, 0.85])
def test_it_decides_wrongly_as_seldom_as_it_says(share: float) -> None:
    test, rng, wrong, lengths = SequentialTest(0.6, 0.85), np.random.default_rng(1), 0, []
    for _ in range(400):
        won = games = 0
        while not test.decided(won, games):
            won += rng.random() < share
            games += 1
        wrong += (test.ratio(won, games) > 0) != (share > 0.7)
        lengths.append(games)
    assert wrong / 400 < 0.08
    assert np.mean(lengths) < 30


def test_only_whole_pairs_before_the_first_gap_are_looked_at() -> None:
    assert in_order({}) == (0, 0)
    assert in_order({0: 1.0, 1: 0.5, 2: 1.0, 4: 1.0, 5: 1.0}) == (1.5, 2)
    assert in_order({5: 1.0, 1: 0.0, 0: 1.0, 3: 1.0, 2: 0.5}) == (2.5, 4)


@pytest.mark.parametrize("shares", [(0.6, 0.6), (0.9, 0.6), (0.0, 0.5), (0.5, 1.0)])
def test_shares_that_cannot_be_told_apart_are_named(shares: tuple[float, float]) -> None:
    with pytest.raises(GoError, match="two shares between 0 and 100"):
        SequentialTest(*shares)


def match(*words: str) -> int:
    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args(["random", "random", "--size", "5", "--games", "200", *words]))


def test_a_match_stops_and_does_not_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two equal players soon show that one does not win 95 of 100 games."""
    words = ["--sprt", "50", "95", "--batch", "2", "--out", str(tmp_path / "kept")]
    assert match(*words) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("SPRT, 50 or 95 %: at most 50 % after")
    played = len((tmp_path / "kept" / "results.jsonl").read_text().splitlines())
    assert played < 60
    assert match(*words) == 0
    assert len((tmp_path / "kept" / "results.jsonl").read_text().splitlines()) == played
    assert capsys.readouterr().out.splitlines()[-1] == said


def test_a_match_too_short_says_that_it_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    assert match("--games", "2", "--sprt", "50", "60") == 0
    assert "undecided after 2 games" in capsys.readouterr().out
