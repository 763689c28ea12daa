"""A lease: what travels home is enough to go on, and it is said when something is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cnncore.training.run_folder import CHECKPOINT
from selfplay.__main__ import main
from selfplay.training.checkpoint_parts import pack, unpack
from selfplay.training.trained_network import read_facts
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)

SETTINGS = [
    "filters=4", "layers=3", "grow=[]", "positions=96", "batch=8", "sources={}", "warmup=0",
    "validate_positions=16", "report_steps=2",
]  # fmt: skip


def lease(tmp_path: Path, out: str, *extra: str) -> int:
    words = [
        "lease",
        "policy-64",
        "--data",
        str(tmp_path / "archive"),
        "--out",
        str(tmp_path / out),
    ]
    words += ["--reserve", "0", "--limit", "16", "--workers", "1", "--device", "cpu"]
    for setting in SETTINGS:
        words += ["--set", setting]
    return main([*words, *extra])


def test_a_second_lease_goes_on_from_what_the_first_brought_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive")
    assert lease(tmp_path, "first", "--work", str(tmp_path / "a"), "--minutes", "0.0001") == 0
    first = json.loads((tmp_path / "first" / "report.json").read_text())
    assert first["outcome"] == "time"
    assert first["positions_seen"] < 96
    home = ["--home", str(tmp_path / "first"), "--work", str(tmp_path / "b"), "--minutes", "5"]
    assert lease(tmp_path, "second", *home) == 0
    second = json.loads((tmp_path / "second" / "report.json").read_text())
    assert second["outcome"] == "finished"
    assert second["positions_seen"] == 96
    assert second["positions_per_second"] > 0
    # 361 points, kernels 5x5x48x4, 3x3x4x4 and three heads of 4, 6 operations a multiply-add
    assert second["flops_per_position"] == 6 * 361 * (4800 + 144 + 12)
    share = second["positions_per_second"] * second["flops_per_position"]
    assert second["mfu"] == pytest.approx(share / second["matrix_flops_per_second"], abs=1e-4)
    assert {entry["source"] for entry in second["validation"]} == {"even", "handicap"}
    assert capsys.readouterr().out.endswith((tmp_path / "second" / "report.json").read_text())


def test_a_checkpoint_survives_being_split(tmp_path: Path) -> None:
    run, out, back = tmp_path / "run", tmp_path / "out", tmp_path / "back"
    run.mkdir()
    out.mkdir()
    data = bytes(range(256)) * 10
    (run / CHECKPOINT).write_bytes(data)
    (run / "metrics.jsonl").write_text("{}\n")
    parts = pack(run, out, part_bytes=1000)
    assert [part.stat().st_size for part in parts] == [1000, 1000, 560]
    unpack(out, back)
    assert (back / CHECKPOINT).read_bytes() == data
    assert (back / "metrics.jsonl").read_text() == "{}\n"
    parts[1].unlink()
    with pytest.raises(OSError, match=r"lacks checkpoint.safetensors.01"):
        unpack(out, back)


def test_an_empty_home_and_too_little_time_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive", games=60)
    empty = ["--home", str(tmp_path / "none"), "--work", str(tmp_path / "w"), "--minutes", "5"]
    assert lease(tmp_path, "out", *empty) == 1
    assert "holds no checkpoint" in capsys.readouterr().err
    assert lease(tmp_path, "out", "--minutes", "0") == 1
    assert "leaves no time" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def test_a_network_from_a_run_may_be_widened(tmp_path: Path) -> None:
    make_archive(tmp_path / "archive")
    assert lease(tmp_path, "first", "--work", str(tmp_path / "a"), "--minutes", "5") == 0
    wide = ["--work", str(tmp_path / "b"), "--from", str(tmp_path / "a"), "--widen", "6"]
    assert lease(tmp_path, "second", *wide, "--set", "filters=6", "--minutes", "5") == 0
    assert read_facts(tmp_path / "b")["config"]["filters"] == 6
