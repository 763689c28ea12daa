"""What an evaluation asks about: the same positions every day, and none twice where all are few."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import selfplay.learners.policy_lessons
from goengine.games.record import GameRecord
from selfplay.__main__ import main
from selfplay.archive.reader import Archive
from selfplay.archive.splits import SPLITS
from selfplay.archive.writer import ArchiveWriter
from selfplay.batches.fixed_samples import SEED, fixed_sample, source_sample
from selfplay.batches.positions import Positions
from tests.helpers.small_archive import make_archive, random_game
from tests.helpers.small_runs import RECIPE, small_run

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("samples") / "archive")


def _one_test_game(folder: Path, *, others: int = 0) -> Archive:
    """Write an archive with one test game in "some", and `others` sources without any."""
    rng = np.random.default_rng(5)
    kept: dict[str, list[GameRecord]] = {"test": [], "train": []}
    while len(kept["test"]) < 1 or len(kept["train"]) < others:
        game = random_game(rng, length=60)
        with ArchiveWriter(folder.with_name("probe"), overwrite=True) as writer:
            writer.add(game, "probe")
            probe = writer.commit()
        split = next(name for name in SPLITS if len(probe.split(name)))
        if split in kept:
            kept[split].append(game)
    with ArchiveWriter(folder) as writer:
        writer.add(kept["test"][0], "some")
        for number, game in enumerate(kept["train"][:others]):
            writer.add(game, f"g{number:03d}")
        return writer.commit()


def _pairs(games: np.ndarray, plies: np.ndarray) -> list[tuple[int, int]]:  # type: ignore[type-arg]
    return list(zip(games.tolist(), plies.tolist(), strict=True))


def test_few_positions_are_each_asked_about_once(archive: Archive) -> None:
    positions = Positions(archive, "test", weights={"even": 1.0})
    listed = _pairs(*positions.listed())
    for limit in (len(listed), len(listed) + 1, 20_000):
        sample = source_sample(archive, "even", limit=limit)
        asked = _pairs(sample.games, sample.plies)
        assert sorted(asked) == sorted(listed) and asked != listed  # in random order
        again = source_sample(archive, "even", limit=limit)
        assert _pairs(again.games, again.plies) == asked


def test_of_many_positions_the_draw_stays_what_it_was(archive: Archive) -> None:
    for split, limit in (("test", 50), ("train", 2000)):
        positions = Positions(archive, split, weights={"even": 1.0})
        assert limit < len(positions.listed()[0])
        drawn = positions.draw(limit, np.random.default_rng(SEED))
        sample = source_sample(archive, "even", split=split, limit=limit)
        assert _pairs(sample.games, sample.plies) == _pairs(*drawn)


def test_a_large_archive_is_not_listed(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Positions) -> None:
        raise AssertionError("listed")

    monkeypatch.setattr(Positions, "listed", refuse)
    assert len(source_sample(archive, "even", split="train", limit=100)) == 100


def test_a_mixture_is_drawn_by_its_weights(archive: Archive) -> None:
    positions = Positions(archive, "test", weights={"even": 1.0, "handicap": 9.0})
    sample = fixed_sample(positions, 4000)
    handicap = archive.sources.index("handicap")
    share = float((archive.games["source"][sample.games] == handicap).mean())
    assert len(sample) == 4000 and abs(share - 0.9) < 0.03


def test_validation_asks_once_about_each_position_too(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    measure = selfplay.learners.policy_lessons.measure

    def counted(model, batches, **options):  # type: ignore[no-untyped-def]
        seen.extend(len(batch) for batch in batches)
        return measure(model, batches, **options)

    monkeypatch.setattr(selfplay.learners.policy_lessons, "measure", counted)
    run = small_run(tmp_path / "run", archive, replace(RECIPE, validate_positions=4096))
    run.validate(run.state.average)
    assert sum(seen) == len(Positions(archive, "validation").listed()[0])


def _evaluate(archive: Archive, net_file: Path, *words: object) -> int:
    rest = ["--data", archive.path, "--threads", 1, "--device", "cpu", *words]
    return main(["evaluate", str(net_file), *map(str, rest)])


def test_one_game_has_no_interval(
    tmp_path: Path, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = _one_test_game(tmp_path / "archive")
    count = len(Positions(archive, "test").listed()[0])
    page = tmp_path / "page.html"
    words = ("--limit", 3000, "--symmetry", "both")
    assert _evaluate(archive, net_file, *words, "--report", page) == 0
    out = capsys.readouterr().out
    assert f"% [one game] of {count}\n" in out.replace("  top-5", "\n") and "±" not in out
    assert "points" in out and "(one game)" in out
    text = page.read_text(encoding="utf-8")
    assert "(one game)" in text and "±" not in text and "as far as these positions" in text
    assert _evaluate(archive, net_file, *words, "--json") == 0
    one, _, gain = map(json.loads, capsys.readouterr().out.splitlines())
    assert one["top1"]["count"] == count
    assert (one["top1"]["low"], one["top1"]["high"], one["loss_error"]) == (None, None, None)
    assert {bin["low"] for bin in one["calibration"]} == {None}
    assert gain["difference"]["top1_error"] is None


def test_sources_without_such_games_are_left_out(
    tmp_path: Path,
    net_file: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    archive = _one_test_game(tmp_path / "archive", others=8)
    with caplog.at_level(logging.WARNING):
        assert _evaluate(archive, net_file) == 0
    assert "some: top-1" in capsys.readouterr().out
    told = "left out for want of 19x19 test games: g000, g001, g002, g003, g004 and 3 more"
    assert [record.getMessage() for record in caplog.records] == [told]
    assert _evaluate(archive, net_file, "--sources", "some,g001") == 2
    assert "no 19x19 test games of these sources" in capsys.readouterr().err
    assert _evaluate(archive, net_file, "--split", "validation") == 2
    told = capsys.readouterr().err
    assert "games, none of them a 19x19 validation game: a digest of its moves" in told
    assert "have 150 games or more" in told and "--split train" in told


def test_a_changed_archive_is_refused(
    tmp_path: Path, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = make_archive(tmp_path / "archive", games=60)
    moves = np.load(archive.path / "moves.npy")
    moves[[0, 1]] = moves[[1, 0]]
    np.save(archive.path / "moves.npy", moves)
    assert _evaluate(archive, net_file, "--split", "train", "--limit", 8) == 2
    assert "is damaged: run `selfplay ingest` again" in capsys.readouterr().err
