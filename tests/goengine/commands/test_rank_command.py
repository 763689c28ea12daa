"""`goengine rank`: what is kept of a partner, shown, set and taken back; the table of ranks."""

from __future__ import annotations

from pathlib import Path

import pytest

from goengine.__main__ import main
from goengine.players.ranked.own_rank import OwnRank
from goengine.players.ranked.ranks import RANKS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_it_is_shown_set_and_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank"]) == 0
    assert capsys.readouterr().out == "your partner is 12k\n"
    assert main(["rank", "set", "8 kyu"]) == 0
    OwnRank().note(True, 9)
    assert main(["rank", "show"]) == 0
    assert "your partner is 7k after 1 game, of which you won 1" in capsys.readouterr().out
    assert main(["rank", "undo"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("taken back: your partner was 7k\nyour partner is 8k")


def test_the_table_lists_every_rank(capsys: pytest.CaptureFixture[str]) -> None:
    for size in ("9", "13", "19"):
        assert main(["rank", "table", "--size", size]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[2 : 2 + len(RANKS)]] == list(RANKS)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["undo"], "there is no game to take back"),
        (["set"], "set needs one: goengine rank set 8k"),
        (["show", "8k"], "a rank goes with set"),
        (["set", "best"], "best does not follow anybody"),
        (["set", "9d"], "there is no opponent of 9d: use 20k to 3d"),
        (["table", "--size", "7"], "boards of 9, 13, 19 lines, not 7"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["rank", *words])
    except SystemExit as refused:
        status = int(str(refused.code))
    assert status == 2 and error in capsys.readouterr().err
