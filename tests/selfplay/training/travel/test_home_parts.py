"""Runs travel home in parts, and come out of them as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import save_checkpoint
from selfplay.__main__ import main
from selfplay.training.travel import home_parts
from selfplay.training.travel.home_parts import pack_runs, unpack_runs


def make_runs(folder: Path) -> dict[str, Path]:
    runs = {name: folder / name for name in ("dual", "plain", "not-begun")}
    for number, run in enumerate(runs.values()):
        run.mkdir(parents=True)
        (run / "metrics.jsonl").write_text("{}\n" * (number + 1))
        if run.name != "not-begun":
            (run / CHECKPOINT).write_bytes(bytes(range(256)) * (10 + number))
    return runs


def test_the_checkpoint_is_called_as_runs_call_it() -> None:
    assert home_parts.CHECKPOINT == CHECKPOINT


def test_runs_survive_being_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs, out, back = make_runs(tmp_path / "runs"), tmp_path / "out", tmp_path / "back"
    out.mkdir()
    parts = pack_runs(runs, out, part_bytes=1000)
    assert {part.stat().st_size for part in parts[:-1]} == {1000}
    assert sorted(out.iterdir()) == parts
    assert main(["unpack", str(out), "--out", str(back)]) == 0
    assert capsys.readouterr().out == f"{back / 'dual'}\n{back / 'plain'}\n"
    for name in ("dual", "plain"):
        for file in (CHECKPOINT, "metrics.jsonl"):
            assert (back / name / file).read_bytes() == (runs[name] / file).read_bytes()
    assert not (back / "not-begun").exists()


def test_fewer_parts_take_the_place_of_more(tmp_path: Path) -> None:
    runs, out = make_runs(tmp_path / "runs"), tmp_path / "out"
    out.mkdir()
    many = pack_runs(runs, out, part_bytes=500)
    few = pack_runs(runs, out, part_bytes=4000)
    assert sorted(out.iterdir()) == few
    assert len(few) < len(many)
    assert unpack_runs(out, tmp_path / "back") == ["dual", "plain"]


def test_a_run_that_has_learnt_more_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def learnt(positions: int) -> None:
        facts = {"state": {"samples": positions}}
        tensors = {"weight": torch.full((3,), float(positions))}
        run.mkdir(parents=True, exist_ok=True)
        save_checkpoint(run / CHECKPOINT, tensors, kind="training-state", metadata=facts)

    run, out = tmp_path / "work" / "dual", tmp_path / "out"
    out.mkdir()
    learnt(2000)
    pack_runs({"dual": run}, out)
    brought = (run / CHECKPOINT).read_bytes()
    learnt(2500)
    further = (run / CHECKPOINT).read_bytes()
    assert unpack_runs(out, tmp_path / "work") == ["dual"]
    assert (run / CHECKPOINT).read_bytes() == further
    assert "has learnt from 2,500 positions and stays" in caplog.text
    learnt(1500)
    assert unpack_runs(out, tmp_path / "work") == ["dual"]
    assert (run / CHECKPOINT).read_bytes() == brought


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(OSError, match=r"holds no runs.zip.00"):
        unpack_runs(out, tmp_path / "back")
    parts = pack_runs(make_runs(tmp_path / "runs"), out, part_bytes=1000)
    whole = parts[1].read_bytes()
    parts[1].unlink()
    with pytest.raises(OSError, match=r"lacks runs.zip.01"):
        unpack_runs(out, tmp_path / "back")
    parts[1].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(OSError, match="damaged"):
        unpack_runs(out, tmp_path / "back")
    parts[1].write_bytes(whole)
    parts[-1].unlink()
    with pytest.raises(OSError, match="damaged, or the last is missing"):
        unpack_runs(out, tmp_path / "back")
