"""``goengine match`` refuses what it cannot play or keep, in one sentence."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from goengine.clock import TimeSettings
from goengine.commands.match import configure, run
from goengine.match.contest import MatchGame, Terms
from goengine.match.external import EngineError
from goengine.match.folder import RESULTS, SETTINGS, MatchError, MatchFolder
from goengine.rules import RULES


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(["random", "random", "--size", "3", "--games", "1", *words])


@pytest.mark.parametrize(
    "words",
    [
        ["--games", "0"],
        ["--size", "25"],
        ["--batch", "0"],
        ["--parallel", "0"],
        ["--move-cap", "0"],
        ["--move-cap", "-5"],
        ["--seed", "-1"],
        ["--komi", "nan"],
        ["--timeout", "inf"],
        ["--rules", "house"],
    ],
)
def test_options_that_make_no_sense_are_named(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        arguments(*words)
    errors = capsys.readouterr().err
    assert f"argument {words[0]}: {words[1]!r} is not" in errors and "use" in errors


def test_openings_of_less_than_no_moves_are_refused() -> None:
    with pytest.raises(MatchError, match="openings of -1 moves are not possible: use 0 or more"):
        run(arguments("--opening-moves", "-1"))


def test_a_referee_that_is_not_there_is_noticed_before_the_first_game(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with pytest.raises(EngineError, match="cannot start 'no-such-program-here'"):
        run(arguments("--referee", "no-such-program-here", "--out", str(folder)))
    assert not folder.exists()


@pytest.mark.parametrize("name", ["file", "file/m"])
def test_a_folder_that_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MatchError, match=f"cannot keep the match in .*{name}: .*--out"):
        run(arguments("--out", str(tmp_path / name)))


@pytest.mark.parametrize("content", [b"", b'{"size": 3', b"[3]", b"\xff"])
def test_damaged_settings_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / SETTINGS).write_bytes(content)
    with pytest.raises(MatchError, match="is damaged: restore it or name a new folder with --out"):
        run(arguments("--out", str(tmp_path)))


def finished_game() -> MatchGame:
    game = MatchGame(0, 0, Terms(3, RULES["chinese"], 7.5, 1, 18, TimeSettings()))
    game.game.end("B+1", "score")
    return game


def test_lines_that_are_not_results_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = MatchFolder(tmp_path, {})
    game = finished_game()
    result = folder.add(game, ("a", "b"))
    others = [b"{}", b"[]", b"7", b"\xff", json.dumps({**result.__dict__, "more": 1}).encode()]
    with open(tmp_path / RESULTS, "ab") as lines:
        lines.write(b"\n".join(others) + b"\n")
    assert folder.results() == [result]
    assert caplog.text.count("a broken line is ignored") == len(others)


def test_a_folder_that_fails_in_the_middle_is_named(tmp_path: Path) -> None:
    folder = MatchFolder(tmp_path, {})
    (tmp_path / RESULTS).mkdir()
    game = finished_game()
    with pytest.raises(MatchError, match="cannot keep the match in"):
        folder.add(game, ("a", "b"))
    with pytest.raises(MatchError, match="cannot keep the match in"):
        folder.results()
