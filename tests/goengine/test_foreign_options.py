"""KataGo's command lines: read, used where something of ours is meant, one warning for the rest."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from goengine.commands import gtp
from goengine.commands.study import analysis
from goengine.foreign_options import foreign_settings, read_config, take_foreign_options


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    analysis.configure(parser)
    return parser.parse_args(words)


def test_a_model_of_ours_is_the_network_unless_one_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    args = parsed("-model", "mine.safetensors")
    take_foreign_options(args)
    assert args.network == "mine.safetensors" and not caplog.records
    args = parsed("--network", "dual-96", "-model", "mine.safetensors")
    take_foreign_options(args)
    assert args.network == "dual-96" and len(caplog.records) == 1


def test_all_that_is_ignored_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    words = [
        "-model",
        "/a/b.bin.gz",
        "-human-model",
        "h",
        "-config",
        "c",
        "-override-config",
        "k=1",
    ]
    args = parsed(*words, "-analysis-threads", "12", "-quit-without-waiting")
    assert args.quit_without_waiting and not parsed().quit_without_waiting
    take_foreign_options(args)
    (record,) = caplog.records
    for part in ("-model b.bin.gz", "-human-model h", "-config c", "k=1", "-analysis-threads 12"):
        assert part in record.getMessage()
    caplog.clear()
    take_foreign_options(parsed("-config", "c"), used=("-config",))
    assert not caplog.records


def test_settings_of_files_and_overrides(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.cfg"
    file.write_text(
        '# maxVisits = 1\nmaxVisits = 7 # few\n@include other\nx = "y z"\nmaxTime=\n\n='
    )
    assert read_config(file.read_text()) == {"maxVisits": "7", "x": "y z", "maxTime": ""}
    args = parsed("-config", str(file), "-override-config", "maxVisits=9, logDir = d")
    assert foreign_settings(args) == {
        "maxVisits": "9",
        "x": "y z",
        "maxTime": "",
        "logDir": "d",
    }
    assert foreign_settings(parsed("-config", str(tmp_path / "none"))) == {}
    assert "cannot read -config" in caplog.text


def test_the_gtp_engine_takes_the_same_words(caplog: pytest.LogCaptureFixture) -> None:
    parser = argparse.ArgumentParser()
    gtp.configure(parser)
    args = parser.parse_args(["-model", "m.bin.gz", "-config", "g.cfg", "--size", "9"])
    take_foreign_options(args)
    assert args.network is None and args.size == 9 and len(caplog.records) == 1
