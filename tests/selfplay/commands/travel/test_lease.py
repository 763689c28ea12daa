"""A lease: what travels home is enough to go on, and it is said when something is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from selfplay.__main__ import main
from selfplay.commands.travel.lease_plan import names_of, settings_of, start_of
from selfplay.training.trained_network import read_facts
from selfplay.training.travel.archive_file import pack_archive
from tests.helpers.judged_games import judged_archive
from tests.helpers.small_archive import make_archive

torch.set_num_threads(1)

SETTINGS = [
    "filters=4", "layers=3", "grow=[]", "positions=96", "batch=8", "sources={}", "warmup=0",
    "validate_positions=16", "report_steps=2",
]  # fmt: skip

TWO = ("policy-64", "dual-96")
SMALL = [
    word
    for setting in ("layers=4", "pools=[0]", "clock=false", "filters=6")
    for word in ("--set", f"dual-96:{setting}")
]


def words(
    tmp_path: Path, out: str, *extra: str, recipes: tuple[str, ...] = TWO[:1], reserve: str = "0"
) -> list[str]:
    given = ["lease", *recipes, "--data", str(tmp_path / "archive"), "--out", str(tmp_path / out)]
    given += ["--limit", "16", "--workers", "1", "--device", "cpu", "--threads", "1"]
    given += ["--reserve", reserve] if reserve else []
    for setting in SETTINGS:
        given += ["--set", setting]
    return [*given, *extra]


def lease(tmp_path: Path, out: str, *extra: str, **how: Any) -> int:
    return main(words(tmp_path, out, *extra, **how))


def report_of(tmp_path: Path, out: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((tmp_path / out / "report.json").read_text())
    return report


def test_a_second_lease_goes_on_from_what_the_first_brought_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive")
    assert lease(tmp_path, "first", "--work", str(tmp_path / "a"), "--minutes", "0.0001") == 0
    first = report_of(tmp_path, "first")["networks"]["policy-64"]
    assert first["outcome"] == "time"
    assert first["positions_seen"] < 96
    home = ["--home", str(tmp_path / "first"), "--work", str(tmp_path / "b"), "--minutes", "5"]
    assert lease(tmp_path, "second", *home) == 0
    second = report_of(tmp_path, "second")["networks"]["policy-64"]
    assert second["outcome"] == "finished"
    assert second["positions_seen"] == 96
    assert second["positions_per_second"] > 0
    # 361 points, kernels 5x5x48x4, 3x3x4x4 and three heads of 4, 6 operations a multiply-add
    assert second["flops_per_position"] == 6 * 361 * (4800 + 144 + 12)
    share = second["positions_per_second"] * second["flops_per_position"]
    assert second["mfu"] == pytest.approx(share / second["matrix_flops_per_second"], abs=1e-4)
    assert {entry["source"] for entry in second["validation"]} == {"even", "handicap"}
    assert second["compiled"] is False
    assert capsys.readouterr().out.endswith((tmp_path / "second" / "report.json").read_text())


def test_an_empty_home_and_too_little_time_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive", games=60)
    empty = ["--home", str(tmp_path / "none"), "--work", str(tmp_path / "w"), "--minutes", "5"]
    assert lease(tmp_path, "out", *empty) == 1
    assert "holds no runs.zip.00" in capsys.readouterr().err
    assert lease(tmp_path, "out", "--minutes", "0") == 1
    assert "leaves no time" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def test_a_network_from_a_run_may_be_widened(tmp_path: Path) -> None:
    make_archive(tmp_path / "archive")
    assert lease(tmp_path, "first", "--work", str(tmp_path / "a"), "--minutes", "5") == 0
    wide = ["--work", str(tmp_path / "b"), "--from", str(tmp_path / "a" / "policy-64")]
    wide += ["--widen", "6"]
    assert lease(tmp_path, "second", *wide, "--set", "filters=6", "--minutes", "5") == 0
    assert read_facts(tmp_path / "b" / "policy-64")["config"]["filters"] == 6


def test_each_network_may_begin_from_its_own() -> None:
    starts = ["dual-96:a.safetensors", "C:\\b.safetensors"]
    assert start_of("dual-96", TWO, starts) == "a.safetensors"
    assert start_of("policy-64", TWO, starts) == "C:\\b.safetensors"
    assert start_of("policy-64", TWO, starts[:1]) is None


@pytest.mark.parametrize("how", ["--side-by-side", pytest.param("in turn", marks=pytest.mark.slow)])
def test_two_networks_go_home_together_and_go_on(tmp_path: Path, how: str) -> None:
    archive = make_archive(tmp_path / "archive")
    archive.path.rename(tmp_path / "folder")
    pack_archive(type(archive).open(tmp_path / "folder"), tmp_path / "archive")
    extra = ["--work", str(tmp_path / "a"), *([how] if how.startswith("--") else [])]
    extra += [*SMALL, "--minutes"]
    assert lease(tmp_path, "first", *extra, "0.0001", recipes=TWO) == 0
    first = report_of(tmp_path, "first")
    assert ("together" in first) == how.startswith("--")
    assert {n: r["filters"] for n, r in first["networks"].items()} == {TWO[0]: 4, TWO[1]: 6}
    assert all(0 < r["positions_seen"] < 96 for r in first["networks"].values())
    assert len(list((tmp_path / "first").iterdir())) == 2
    extra[1] = str(tmp_path / "b")
    home = ["--home", str(tmp_path / "first")]
    assert lease(tmp_path, "second", *extra, "5", *home, recipes=TWO) == 0
    second = report_of(tmp_path, "second")["networks"]
    assert [second[name]["positions_seen"] for name in TWO] == [96, 96]
    judged = {name: second[name]["validation"][0]["judgement"] for name in TWO}
    assert judged["policy-64"] is None
    assert set(judged["dual-96"]) == {"whole", "calibration", "by_move"}


@pytest.mark.slow
def test_a_network_that_is_not_trained_this_time_comes_home_all_the_same(tmp_path: Path) -> None:
    make_archive(tmp_path / "archive")
    extra = ["--work", str(tmp_path / "a"), "--minutes", "0.0001"]
    assert lease(tmp_path, "first", *extra, *SMALL, recipes=TWO) == 0
    home = ["--home", str(tmp_path / "first"), "--work", str(tmp_path / "b"), "--minutes", "5"]
    assert lease(tmp_path, "second", *home) == 0
    assert main(["unpack", str(tmp_path / "second"), "--out", str(tmp_path / "back")]) == 0
    assert {path.name for path in (tmp_path / "back").iterdir()} == set(TWO)


def test_what_an_earlier_lease_brought_home_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive")
    home = tmp_path / "home"
    home.mkdir()
    (home / "runs.zip.00").write_bytes(b"weeks of learning")
    assert lease(tmp_path, "home", "--work", str(tmp_path / "a"), "--minutes", "5") == 1
    said = capsys.readouterr().err
    assert "would be lost: give it as --home" in said and "another folder as --out" in said
    assert [path.read_bytes() for path in home.iterdir()] == [b"weeks of learning"]
    assert not (tmp_path / "a").exists()


def test_one_that_fails_does_not_take_the_other_along(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_archive(tmp_path / "archive")
    extra = ["--work", str(tmp_path / "a"), "--minutes", "5", "--side-by-side"]
    extra += [*SMALL, "--set", "dual-96:filters=many"]
    assert lease(tmp_path, "out", *extra, recipes=TWO) == 2
    told = capsys.readouterr().err
    assert "selfplay lease: dual-96: recipe: filters" in told
    report = report_of(tmp_path, "out")
    assert report["networks"]["policy-64"]["positions_seen"] == 96
    assert list(report["failed"]) == ["dual-96"]


@pytest.mark.slow
def test_the_last_second_is_used_and_not_more(tmp_path: Path) -> None:
    make_archive(tmp_path / "archive")
    extra = ["--work", str(tmp_path / "a"), "--set", "positions=10_000_000", "--minutes", "0.8"]
    extra += ["--set", "validate_every=0"]
    began = time.monotonic()
    assert lease(tmp_path, "out", *extra, reserve="") == 0
    report = report_of(tmp_path, "out")
    mine = report["networks"]["policy-64"]
    assert mine["outcome"] == "time"
    assert mine["seconds"]["afterwards_foreseen"]["a_position"] > 0
    assert len(mine["validation"]) == 2
    assert 30 < report["seconds"] < 56  # of 48: other programs share this machine
    assert time.monotonic() - began < 70


def _gone(group: int) -> bool:
    """Tell whether all processes of a group end within some seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("whom", [pytest.param("all", marks=pytest.mark.slow), "parent"])
def test_ctrl_c_brings_home_what_was_learnt(tmp_path: Path, whom: str) -> None:
    make_archive(tmp_path / "archive")
    extra = ["--work", str(tmp_path / "a"), "--set", "positions=10_000_000", "--minutes", "9"]
    extra += ["--workers", "2"]
    command = [sys.executable, "-m", "selfplay", *words(tmp_path, "out", *extra)]
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    metrics = tmp_path / "a" / "policy-64" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.is_file() and metrics.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.2)
    if whom == "all":
        os.killpg(program.pid, signal.SIGINT)
    else:
        program.send_signal(signal.SIGTERM)
    output, errors = program.communicate(timeout=120)
    assert program.returncode == 130, errors
    assert "Traceback" not in errors
    report = json.loads(output)
    assert report["interrupted"] is True
    assert report["networks"]["policy-64"]["outcome"] == "interrupted"
    assert report == report_of(tmp_path, "out")
    assert main(["unpack", str(tmp_path / "out"), "--out", str(tmp_path / "back")]) == 0
    assert _gone(program.pid)


def test_settings_may_be_for_one_of_several_networks() -> None:
    settings = ["batch=8", "dual-96:batch=16", 'policy-64:sources={"a:b" = 1}']
    assert settings_of("policy-64", TWO, settings) == ("batch=8", 'sources={"a:b" = 1}')
    assert settings_of("dual-96", TWO, settings) == ("batch=8", "batch=16")
    with pytest.raises(ValueError, match="'dual', which is not trained here"):
        settings_of("policy-64", TWO, ["dual:batch=8"])
    assert names_of(["policy-64", "mine/my.toml"]) == ["policy-64", "my"]
    with pytest.raises(ValueError, match="two networks are called my"):
        names_of(["mine/my.toml", "my"])


@pytest.mark.parametrize(
    ("option", "value"),
    [("--minutes", "nan"), ("--reserve", "-1"), ("--limit", "0"), ("--widen", "0")],
)
def test_numbers_that_make_no_sense_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        lease(tmp_path, "out", "--minutes", "1", option, value)
    assert f"{value!r} is not possible" in capsys.readouterr().err


def test_a_recipe_named_twice_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lease(tmp_path, "out", "--minutes", "1", recipes=("policy-64", "policy-64")) == 2
    told = "selfplay lease: two networks are called policy-64: give each recipe once\n"
    assert capsys.readouterr().err == told


def test_small_boards_are_measured_by_their_names(tmp_path: Path) -> None:
    judged_archive(tmp_path / "archive", sizes=(9, 13), source="self-play", games=240)
    home = ["--work", str(tmp_path / "work"), "--minutes", "5"]
    assert lease(tmp_path, "out", *home, *SMALL, recipes=TWO[1:]) == 0
    measured = report_of(tmp_path, "out")["networks"]["dual-96"]["validation"]
    assert {entry["source"] for entry in measured} == {"self-play 9x9", "self-play 13x13"}
