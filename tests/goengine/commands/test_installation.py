"""What an installation says of itself: its networks, how to enter it elsewhere, no stray files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from goengine.__main__ import main
from goengine.commands.setup import installed_command, instructions
from goengine.networks.files import (
    default_judge,
    default_network,
    name_of,
    open_network,
    shipped_networks,
)
from goengine.players.ranked.rank_table import shipped_table


def test_every_shipped_network_has_a_line_and_one_is_the_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["networks"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()[1:]
    assert [line.split("  ")[0] for line in captured.err.splitlines()] == [
        "default",
        "ranks",
    ]
    measured = [line.split()[0] for line in lines if line.endswith("ranks")]
    assert measured == [shipped_table().network]
    assert [line.split()[0] for line in lines] == shipped_networks()
    assert [line.split()[0] for line in lines if line.endswith("default")] == [default_judge(19)]
    assert default_judge(19) == default_network()
    assert max(map(len, lines)) <= 90
    for line in lines:
        file = open_network(line.split()[0])
        assert f"{file.config.layers} x {file.config.filters}" in line
        assert ("moves and score" in line) == ("pools" in file.facts["config"])
        seen = file.facts["positions_seen"] + file.facts.get("positions_seen_before", 0)
        assert f" {seen:,}" in line


def test_a_file_called_network_goes_by_the_name_of_its_folder(tmp_path: Path) -> None:
    assert name_of(tmp_path / "my_games-net" / "network.safetensors") == "my_games-net"
    assert name_of(tmp_path / "mine.v2.safetensors") == "mine.v2"
    assert name_of("dual-96") == "dual-96"


def test_setup_tries_the_network_and_names_this_installation(
    net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["setup", "--network", str(net_file)]) == 0
    captured = capsys.readouterr()
    command = installed_command()
    assert f"  path               {command[0]}\n" in captured.out
    assert f"--network {net_file}" in captured.out
    assert "its first move, " in captured.err and "ms" in captured.err


def test_an_installation_is_its_program_or_python_with_the_module(tmp_path: Path) -> None:
    assert installed_command(scripts=tmp_path) == [sys.executable, "-m", "goengine"]
    (tmp_path / "goengine").touch()
    (tmp_path / "goengine.exe").touch()
    (found,) = installed_command(scripts=tmp_path)
    assert Path(found).parent == tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="quotes are those of a POSIX shell")
def test_paths_with_blanks_survive_a_command_line() -> None:
    text = instructions(["/my go/goengine"], ["--network", "/my nets/a.safetensors"])
    assert "  path               /my go/goengine\n" in text
    words = ["/my go/goengine", "gtp", "--network", "/my nets/a.safetensors"]
    assert shlex.split(text.splitlines()[-1]) == words


@pytest.mark.parametrize("command", ["policy", "planes"])
def test_no_picture_is_written_unasked(
    command: str,
    net_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.sgf").write_bytes(b"(;SZ[9];B[ee];W[cc])")
    network = ["--network", str(net_file)] if command == "policy" else []
    assert main([command, "game.sgf", *network]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["game.sgf"]
    out = capsys.readouterr().out
    assert "picture" not in out and "before move 3" in out
    if command == "planes":
        assert " 0 own stone                1 points\n" in out
