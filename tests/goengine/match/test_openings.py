"""Openings of a match: corners, a network's own moves, a file."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.match.openings import OpeningError, corner_openings, policy_openings, sgf_openings
from goengine.players.policy_player import PolicyPlayer
from goengine.rules import get_rules
from tests.helpers.stub_players import StubEvaluator


def test_corner_openings_are_in_four_corners_and_repeatable():
    source = corner_openings(19, 4, seed=1)
    seen = set()
    for number in range(50):
        moves = source(number)
        assert moves == source(number)
        corners = {(move // 19 > 9, move % 19 > 9) for move in moves}
        assert len(corners) == 4
        seen.add(moves)
    assert len(seen) > 40
    assert source(3) != corner_openings(19, 4, seed=2)(3)
    for number in range(60):
        for size in (2, 5, 9, 13):
            moves = corner_openings(size, 4, seed=3)(number)
            assert len(set(moves)) == len(moves) == (4 if size >= 9 else 1)
            assert all(0 <= move < size * size for move in moves)


def test_openings_of_a_network_are_drawn_from_it():
    def flat(records):
        priors = np.zeros((len(records), 81), dtype=np.float32)
        priors[:, 30:50] = 0.05
        return priors

    source = policy_openings(PolicyPlayer(StubEvaluator(flat)), 9, 3, seed=1)
    assert source(0) == source(0) and source(0) != source(1)
    assert all(30 <= move < 50 for number in range(5) for move in source(number))


def test_openings_of_a_network_end_before_it_passes():
    def one(records):
        priors = np.zeros((len(records), 25), dtype=np.float32)
        priors[:, 12] = records["turn"] == 0
        return priors

    assert policy_openings(PolicyPlayer(StubEvaluator(one)), 5, 8, seed=1)(3) == (12,)


def test_openings_that_the_rules_forbid_are_left_out(tmp_path):
    path = tmp_path / "openings.sgf"
    before = "W[ca];B[ii];W[ab];B[hh];W[bb]"
    path.write_text(f"(;SZ[9];B[ba];{before};B[aa])(;SZ[9];B[ba];{before};B[ee])")
    loose = sgf_openings(path, 9, 7, rules=get_rules("new_zealand"), seed=1)
    assert {loose(number)[-1] for number in range(4)} == {0, 40}
    strict = sgf_openings(path, 9, 7, rules=get_rules("chinese"), seed=1)
    assert {strict(number)[-1] for number in range(4)} == {40}


def test_openings_from_a_file(tmp_path):
    path = tmp_path / "openings.sgf"
    path.write_text(
        "(;SZ[9];B[aa];W[bb];B[cc])(;SZ[9];B[aa];W[bb];B[dd])(;SZ[9];B[ee];W[bb];B[ff])"
        "(;SZ[19];B[aa];W[bb])(;SZ[9];B[aa];W[])(;SZ[9]AB[cc];W[aa];B[bb])"
        "(;SZ[9];B[aa];W[aa])"
    )
    chinese = get_rules("chinese")
    source = sgf_openings(path, 9, 2, rules=chinese, seed=1)
    assert {source(0), source(1)} == {(0, 10), (40, 10)} and source(2) == source(0)
    with pytest.raises(OpeningError, match="has no 13x13 game that begins with 2 legal moves"):
        sgf_openings(path, 13, 2, rules=chinese, seed=1)
    with pytest.raises(OpeningError, match=r"cannot read the openings .* use corners"):
        sgf_openings(tmp_path / "none.sgf", 9, 2, rules=chinese, seed=1)
