"""The time of one network's lease: what is kept for the end, and plans that follow the clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from selfplay.archive.reader import Archive
from selfplay.commands.travel.network_lease import SPARE, Afterwards, _fit
from selfplay.training.utilisation import median_rate
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import RECIPE, small_run

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("data") / "archive")


def test_a_plan_by_the_clock_ends_with_the_lease_and_begins_again(
    archive: Archive, tmp_path: Path
) -> None:
    recipe = replace(RECIPE, clock=True, validate_every=0)
    run = small_run(tmp_path / "run", archive, recipe)
    assert _fit(run, 0.03, None) == "finished"
    assert run.state.share == 1.0
    first = run.state.samples
    again = small_run(tmp_path / "run", archive, recipe)
    assert _fit(again, 0.03, None) == "finished"
    assert again.state.samples > first
    assert again.state.stretch is not None
    assert again.state.stretch.since == pytest.approx(run.state.seconds)
    assert again.state.seconds == pytest.approx(run.state.seconds + 1.8, abs=1.5)


def test_a_plan_of_several_leases_goes_on_where_it_was(archive: Archive, tmp_path: Path) -> None:
    recipe = replace(RECIPE, clock=True, validate_every=0)
    run = small_run(tmp_path / "run", archive, recipe)
    assert _fit(run, 0.03, 1.0) == "time"
    assert 0.029 <= run.state.share < 0.2  # noted by the last step, just before the time is up
    again = small_run(tmp_path / "run", archive, recipe)
    assert _fit(again, 0.03, 1.0) == "time"
    assert run.state.share < again.state.share < 0.4


def test_a_plan_by_positions_does_not_follow_the_clock(archive: Archive, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", archive, replace(RECIPE, positions=48, validate_every=0))
    assert _fit(run, 5.0, None) == "finished"
    assert run.state.samples == 48


def test_packing_and_measuring_share_the_time_behind_training() -> None:
    quick = {"saving": 1.0, "drawing": 0.5, "loading": 0.1, "a_source": 0.2, "a_position": 0.001}
    measuring = 0.1 + 3 * (0.2 + 1000 * 0.001)
    assert Afterwards(packing=2.0, **quick).total(3, 1000, 500) == pytest.approx(
        1.1 * (1.0 + 1.0 + 0.5 + measuring) + SPARE
    )
    assert Afterwards(packing=9.0, **quick).total(3, 1000, 500) == pytest.approx(
        1.1 * (1.0 + 1.0 + 0.5 + 9.0) + SPARE
    )


def test_a_rate_is_the_median_behind_the_first_line() -> None:
    rates = [9.0, 1.0, 4.0, 3.0, 2.0]
    lines = [
        {"event": "train", "step": step, "samples_per_second": rate}
        for step, rate in enumerate(rates)
    ] + [{"event": "validation", "step": 9}]
    assert median_rate(lines, since=0) == 3.0
    assert median_rate(lines, since=3) == 2.0
    assert median_rate(lines, since=4) == 0.0
