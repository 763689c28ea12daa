"""`selfplay train` as a command: killed, interrupted, refused, exported, started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import save_checkpoint
from goengine.networks.files import read_network, save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from selfplay.archive.reader import Archive
from selfplay.training.trained_network import averaged_network
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import (
    RECIPE,
    ROOT,
    environment,
    metrics,
    same,
    small_run,
    wait_for_metrics,
    weights,
)

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("training") / "archive")


def _command(archive: Archive, out: Path, *extra: str) -> list[str]:
    settings = [f"{k}={json.dumps(v)}" for k, v in RECIPE.table().items() if k != "sources"]
    sets = [
        word for setting in [*settings, "checkpoint_seconds=0.4"] for word in ("--set", setting)
    ]
    where = ["--data", str(archive.path), "--out", str(out), "--quiet", "--threads", "1"]
    return [sys.executable, "-m", "selfplay", "train", "policy-64", *where, *sets, *extra]


@pytest.mark.slow
def test_killed_runs_equal_an_uninterrupted_one(archive: Archive, tmp_path: Path) -> None:
    length = ["--set", "positions=2400"]
    subprocess.run(
        _command(archive, tmp_path / "whole", *length), cwd=ROOT, env=environment(), check=True
    )
    parts = tmp_path / "parts"
    for kill in (True, True, False):
        process = subprocess.Popen(_command(archive, parts, *length), cwd=ROOT, env=environment())
        if kill:
            _wait_for_newer(parts / CHECKPOINT, process)
            process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=300) == (-signal.SIGKILL if kill else 0)
    assert metrics(parts) == metrics(tmp_path / "whole")
    assert same(weights(parts), weights(tmp_path / "whole"))


def _wait_for_newer(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a checkpoint is there that is not the present one."""
    before = file.stat().st_mtime_ns if file.is_file() else 0
    while process.poll() is None:
        if file.is_file() and file.stat().st_mtime_ns > before:
            return
        time.sleep(0.02)
    raise AssertionError("the run ended before its first checkpoint")


def test_ctrl_c_saves_and_says_so(archive: Archive, tmp_path: Path) -> None:
    process = subprocess.Popen(
        _command(archive, tmp_path / "run", "--set", "positions=10_000_000"),
        cwd=ROOT,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for_metrics(tmp_path / "run", seconds=60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == "" and "stopped" in err and "goes on from there" in err and "Traceback" not in err
    state = small_run(tmp_path / "run", archive, replace(RECIPE, positions=10_000_000)).state
    assert state.samples > 0 and metrics(tmp_path / "run")[-1]["step"] <= state.step


def _train(archive: Archive, out: Path, *extra: str) -> tuple[int, list[str]]:
    """Run the command in this process; return its exit status and its arguments."""
    from selfplay.__main__ import main

    arguments = _command(archive, out, *extra)[3:]
    return main(arguments), arguments


def test_another_recipe_or_archive_is_refused(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = ["--set", "positions=16", "--set", "validate_every=0"]
    assert _train(archive, tmp_path / "run", *short)[0] == 0
    assert "finished; 16 positions seen" in capsys.readouterr().err
    assert _train(archive, tmp_path / "run", *short, "--set", "batch=4")[0] == 2
    assert "has batch = 8, not 4" in capsys.readouterr().err
    assert _train(archive, tmp_path / "run", *short, "--set", "filters=6")[0] == 2
    assert "has filters = 8, not 6" in capsys.readouterr().err
    other = make_archive(tmp_path / "other", seed=3)
    more = [*short, "--set", "positions=32"]
    assert _train(other, tmp_path / "run", *more)[0] == 2
    assert "began with another archive" in capsys.readouterr().err
    assert _train(other, tmp_path / "run", *more, "--other-data")[0] == 0
    assert "finished; 32 positions seen" in capsys.readouterr().err


def test_failures_are_one_sentence(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(archive, tmp_path / "run", "--set", "colour=3")[0] == 2
    assert "unknown key 'colour'" in capsys.readouterr().err
    assert _train(archive, tmp_path / "run", "--widen", "16")[0] == 2
    assert "--widen needs a network" in capsys.readouterr().err
    run = tmp_path / "run"
    run.mkdir(exist_ok=True)
    (run / CHECKPOINT).write_bytes(b"nonsense")
    assert _train(archive, run)[0] == 2
    err = capsys.readouterr().err
    assert "damaged" in err and "Traceback" not in err
    save_checkpoint(run / CHECKPOINT, {"x": torch.zeros(1)}, kind="training-state", metadata={})
    assert _train(archive, run)[0] == 2
    assert "not the checkpoint of a run of this kind" in capsys.readouterr().err
    evaluate = ["evaluate", "policy-7", "--data", str(archive.path)]
    from selfplay.__main__ import main

    assert main(evaluate) == 2
    assert "no network named 'policy-7'" in capsys.readouterr().err
    assert main([*evaluate, "--limit", "0"]) == 2
    assert "--limit 0" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "nowhere"), "--out", str(tmp_path / "x")]) == 2
    assert "no checkpoint at" in capsys.readouterr().err


def test_a_full_disk_leaves_the_last_checkpoint(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cnncore.weights.checkpoint

    run = small_run(
        tmp_path / "run", archive, replace(RECIPE, positions=160, checkpoint_seconds=0.0)
    )
    run.fit(minutes=0.0)
    before = (tmp_path / "run" / CHECKPOINT).read_bytes()

    def full(tensors: object, path: Path, metadata: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cnncore.weights.checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        run.fit()
    assert (tmp_path / "run" / CHECKPOINT).read_bytes() == before


def test_export_evaluate_and_start_again(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from selfplay.__main__ import main

    run, file = tmp_path / "run", tmp_path / "small.safetensors"
    assert _train(archive, run, "--set", "positions=160")[0] == 0
    assert main(["export", str(run), "--out", str(file)]) == 0
    assert "8 filters" in capsys.readouterr().out
    net, facts = read_network(file)
    assert facts["positions_seen"] == 160 and facts["archive"] == archive.digest
    assert facts["recipe"]["filters"] == 8 and not net.config.norm
    wider = tmp_path / "wider.safetensors"
    assert main(["export", str(run), "--out", str(wider), "--widen", "12"]) == 0
    capsys.readouterr()
    wide, wide_facts = read_network(wider)
    assert wide.config.filters == 12 and wide_facts["widened_from"] == 8
    planes = torch.randint(0, 2, (2, 48, 19, 19), dtype=torch.uint8)
    assert torch.allclose(wide(planes), net(planes), atol=1e-4)
    arguments = ["evaluate", str(file), "--data", str(archive.path), "--limit", "50"]
    assert main([*arguments, "--json", "--sources", "even"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["source"] == "even" and report["top1"]["count"] == 50
    assert main([*arguments, "--symmetry", "all"]) == 0
    out = capsys.readouterr().out
    assert "even: top-1" in out and "handicap: top-1" in out
    again = ["--from", str(run), "--widen", "12", "--set", "filters=12", "--set", "positions=16"]
    assert _train(archive, tmp_path / "wide", *again)[0] == 0
    assert averaged_network(tmp_path / "wide").config.filters == 12


def test_a_folded_network_starts_a_run_without_normalisation(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    file = tmp_path / "plain.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=8, layers=4)), file, metadata={})
    start = ["--from", str(file), "--set", "positions=16"]
    assert _train(archive, tmp_path / "a", *start)[0] == 2
    assert "add --set norm=false" in capsys.readouterr().err
    assert _train(archive, tmp_path / "a", *start, "--set", "norm=false")[0] == 0


def test_a_short_run_has_metrics_and_a_curve(archive: Archive, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    length = ["--set", "positions=64", "--set", "validate_every=0"]
    assert _train(archive, parts, *length, "--minutes", "0")[0] == 0
    (line,) = metrics(parts)
    assert (line["event"], line["step"], line["samples"]) == ("train", 1, 8)
    assert line["partial"] and line["loss"] > 0
    assert (parts / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert _train(archive, parts, *length)[0] == 0
    assert _train(archive, whole, *length)[0] == 0
    assert metrics(parts) == metrics(whole)
    assert not any("partial" in line for line in metrics(whole))


def test_every_stop_writes_the_steps_since_the_last_line(archive: Archive, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", archive, replace(RECIPE, report_steps=1000))
    assert run.fit(minutes=0.0) == "time"
    assert [line["step"] for line in metrics(run.folder)] == [1]
    assert run.fit(minutes=0.0) == "time"
    assert [line["samples"] for line in metrics(run.folder)] == [8, 16]


def test_an_sgf_file_is_not_an_archive(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from selfplay.__main__ import main

    game = tmp_path / "game.sgf"
    game.write_bytes(b"(;GM[1];B[aa])")
    out = tmp_path / "run"
    assert main(["train", "policy-64", "--data", str(game), "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert f"{game} is a file, and an archive is a folder" in told and "damaged" not in told
    assert f"`selfplay ingest {game} --out ARCHIVE`" in told
    assert not out.exists()


def test_a_run_that_cannot_begin_leaves_nothing(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "first"
    elsewhere = ["--data", str(tmp_path / "archvie")]
    assert _train(archive, out, *elsewhere)[0] == 2
    assert "archvie is not an archive" in capsys.readouterr().err
    assert _train(archive, out, "--set", 'sources={"fox" = 1.0}')[0] == 2
    assert "no source 'fox'" in capsys.readouterr().err
    assert _train(archive, out, "--from", str(tmp_path / "absent.safetensors"))[0] == 2
    assert not out.parent.exists()
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    assert _train(archive, out, "--set", 'sources={"fox" = 1.0}')[0] == 2
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_an_export_does_not_replace_the_checkpoint_of_a_run(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from selfplay.__main__ import main

    run = small_run(tmp_path / "run", archive)
    run.checkpoint()
    before = run.files.file.read_bytes()
    assert main(["export", str(run.folder), "--out", str(run.files.file)]) == 2
    assert "would be lost" in capsys.readouterr().err
    assert run.files.file.read_bytes() == before


@pytest.mark.parametrize("words", [("--stop-after", "nan"), ("--stop-after", "-1")])
def test_a_time_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    from selfplay.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(["train", "dual-96", "--data", str(tmp_path), "--out", str(tmp_path / "run"), *words])
    assert f"{words[1]!r} is not possible" in capsys.readouterr().err


def test_a_time_limit_says_so(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert _train(archive, out, "--minutes", "0")[0] == 0
    told = capsys.readouterr().err
    assert "stopped by its time limit after 8 positions; checkpoint in" in told
    assert str(out) in told
