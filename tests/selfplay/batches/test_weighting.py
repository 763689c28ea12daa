"""Newer games and chosen ranks are drawn more often; what is not asked for stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from cnncore.data.samples import DataError
from goengine.types import BLACK, WHITE
from selfplay.archive.reader import Archive
from selfplay.batches.packing import stage
from selfplay.batches.positions import Positions
from selfplay.batches.weighting import Weighting
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import averaged_network
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)

YEARS = ("2000-03", "2010-01-02", None)


def _facts(number: int) -> dict[str, Any]:
    """Return ranks 6d against 9d or, in every fourth game, unknown ones; three kinds of dates."""
    ranks = {"black_rank": "6d", "white_rank": "9d"} if number % 4 else {}
    return {**ranks, "date": YEARS[number % 3]}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("weighting") / "archive", facts=_facts)


def _movers(
    archive: Archive, games: npt.NDArray[np.int64], plies: npt.NDArray[np.int64]
) -> npt.NDArray[np.str_]:
    """Return the rank of the player who made each move."""
    table = archive.games[games]
    black = (plies % 2 == 0) == (table["first"] == BLACK)
    names = np.array([name or "unknown" for name in archive.ranks])
    return names[np.where(black, table["black_rank"], table["white_rank"])]


def _drawn(
    archive: Archive, weighting: Weighting, count: int = 6000
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return Positions(archive, "train", weighting=weighting).draw(count, np.random.default_rng(3))


def test_a_game_one_half_life_older_is_drawn_half_as_often(archive: Archive) -> None:
    even = archive.games["year"][_drawn(archive, Weighting())[0]]
    years = archive.games["year"][_drawn(archive, Weighting(recency=10.0))[0]]
    ratio = (years == 2000).sum() / (years == 2010).sum()
    assert ratio == pytest.approx(0.5 * (even == 2000).sum() / (even == 2010).sum(), rel=0.12)
    undated = (years == 0).sum() / (years == 2000).sum()
    assert undated == pytest.approx((even == 0).sum() / (even == 2000).sum(), rel=0.12)


def test_one_date_in_the_future_makes_nothing_old(tmp_path: Path) -> None:
    def facts(number: int) -> dict[str, Any]:
        return {"date": "2980" if number == 5 else YEARS[number % 3]}

    archive = make_archive(tmp_path / "archive", facts=facts)
    odd, even = Weighting(recency=10.0).of_moves(archive, np.arange(len(archive)))
    assert np.array_equal(odd, even)
    assert sorted(set(odd.tolist())) == [0.5, 1.0]
    assert odd[archive.games["year"] == 2980] == 1.0


def test_archives_without_dates_have_no_age(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", games=30)
    odd, _ = Weighting(recency=1.0).of_moves(archive, np.arange(len(archive)))
    assert (odd == 1.0).all()


def test_moves_are_drawn_by_the_rank_of_the_player_who_made_them(archive: Archive) -> None:
    movers = _movers(archive, *_drawn(archive, Weighting(ranks={"9d": 3, "6d": 1})))
    assert set(movers) == {"6d", "9d"}
    assert (movers == "9d").mean() == pytest.approx(0.75, abs=0.02)
    only = _movers(archive, *_drawn(archive, Weighting(ranks={"unknown": 1})))
    assert set(only) == {"unknown"}


def test_every_move_of_the_chosen_rank_is_drawn_alike(archive: Archive) -> None:
    positions = Positions(archive, "validation", weighting=Weighting(ranks={"9d": 0.3}))
    games, plies = Positions(archive, "validation").listed()
    chosen = _movers(archive, games, plies) == "9d"
    wanted = set(zip(games[chosen].tolist(), plies[chosen].tolist(), strict=True))
    drawn: dict[tuple[int, int], int] = {}
    pairs = positions.draw(60 * len(wanted), np.random.default_rng(8))
    for pair in zip(*(column.tolist() for column in pairs), strict=True):
        drawn[pair] = drawn.get(pair, 0) + 1
    assert drawn.keys() == wanted
    assert 25 < min(drawn.values()) and max(drawn.values()) < 110


def test_equal_weights_are_no_weights(archive: Archive) -> None:
    ranks = dict.fromkeys(("6d", "9d", "unknown"), 1.0)
    plain, weighted = (_drawn(archive, w) for w in (Weighting(), Weighting(ranks=ranks)))
    assert np.array_equal(plain[0], weighted[0]) and np.array_equal(plain[1], weighted[1])


def test_colours_that_are_not_to_be_learnt_weigh_nothing(archive: Archive) -> None:
    twin = Archive(
        archive.path,
        archive.games,
        archive.moves,
        archive.setup,
        np.full(len(archive), WHITE, dtype=np.uint8),
        archive.manifest,
    )
    assert set(_movers(twin, *_drawn(twin, Weighting()))) == {"9d", "unknown"}
    with pytest.raises(DataError, match="no 19x19 train games of these sources and ranks"):
        Positions(twin, "train", weighting=Weighting(ranks={"6d": 1}))


def test_an_absent_rank_is_named(archive: Archive) -> None:
    with pytest.raises(DataError, match="no rank '9p' in the archive; it has 6d, 9d, unknown"):
        Positions(archive, "train", weighting=Weighting(ranks={"9p": 1}))


def test_a_weighted_run_resumes_to_the_bit(archive: Archive, tmp_path: Path) -> None:
    recipe = Recipe(
        filters=4,
        layers=4,
        positions=64,
        batch=8,
        recency=5.0,
        ranks={"9d": 2.0, "6d": 1.0},
        report_steps=2,
        validate_every=0,
        precision="float32",
    )
    cpu = torch.device("cpu")
    whole = Run(tmp_path / "whole", recipe, archive, device=cpu)
    assert whole.fit() == "finished"
    Run(tmp_path / "cut", recipe, archive, device=cpu).fit(until=32)
    again = Run(tmp_path / "cut", recipe, archive, device=cpu)
    assert again.state.samples == 32 and again.fit() == "finished"
    expected = averaged_network(whole.folder).state_dict()
    for name, value in averaged_network(again.folder).state_dict().items():
        assert torch.equal(value, expected[name])
    plain = Run(
        tmp_path / "plain", replace(recipe, recency=0.0, ranks={}), archive, device=cpu
    ).lessons.train.random_batch(8, seed=1, number=0)
    weighted = again.lessons.train.random_batch(8, seed=1, number=0)
    assert not torch.equal(stage(plain).bits, stage(weighted).bits)
