"""The pictures: commands write a PNG of the right kind, and refuse what is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from goengine import Board, GoError
from goengine.__main__ import main
from goengine.pictures.png import planes_figure, policy_figure, save_png

SGF = b"(;GM[1]FF[4]SZ[9]KM[7];B[ee];W[cc];B[gg];W[])"


@pytest.fixture
def game(tmp_path: Path) -> Path:
    path = tmp_path / "game.sgf"
    path.write_bytes(SGF)
    return path


def test_planes_command_draws_the_position_before_a_move(
    game: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "planes.png"
    assert main(["planes", str(game), "--move", "3", "--png", str(out)]) == 0
    assert "48 planes, black to play, before move 3: " in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 10
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_the_player_to_move_is_the_one_who_moved_in_the_game(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = tmp_path / "twice.sgf"
    twice.write_bytes(b"(;SZ[9];B[ee];B[cc];W[gg])")
    assert main(["planes", str(twice), "--move", "2", "--png", str(tmp_path / "p.png")]) == 0
    assert "black to play" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["", "none/planes.png", "game.sgf/planes.png"])
def test_a_picture_that_cannot_be_written_is_named(
    game: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = game.parent / name
    assert main(["planes", str(game), "--png", str(target)]) == 2
    errors = capsys.readouterr().err
    assert errors.splitlines()[-1].startswith(f"goengine planes: cannot write {target}: ")
    assert "--png" in errors


@pytest.mark.parametrize("command", ["planes", "policy"])
def test_a_picture_is_a_png_file(
    game: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([command, str(game), "--png", str(game.parent / "picture.jpg")])
    told = capsys.readouterr().err
    assert "picture.jpg' is not possible: pictures are PNG files, use " in told
    assert "picture.png'" in told and len(told.splitlines()) == 1
    assert not (game.parent / "picture.jpg").exists()


def test_what_takes_seconds_is_told(game: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = game.parent / "picture.PNG"
    assert main(["planes", str(game), "--png", str(picture)]) == 0
    assert capsys.readouterr().err == f"computing the planes, then drawing {picture} ...\n"
    assert main(["planes", str(game)]) == 0
    assert capsys.readouterr().err == "computing the planes ...\n"


@pytest.mark.parametrize("number", ["-78", "0", "ten"])
def test_as_many_moves_are_listed_as_there_can_be(
    game: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["policy", str(game), "--top", number])
    assert f"argument --top: '{number}' is not possible" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "6", "-1"])
def test_a_move_that_is_not_in_the_game_is_named(
    game: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["planes", str(game), "--move", number]) == 2
    assert "positions 1 to 5" in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["planes", str(tmp_path / "none.sgf")]) == 2
    assert "none.sgf" in capsys.readouterr().err


def test_every_plane_has_its_axes() -> None:
    figure = planes_figure(Board(5), 49)
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 50
    assert titles[1] == "0 own stone"
    assert titles[-1] == "48 player colour"


def test_policy_figure_writes_the_likely_moves_only(tmp_path: Path) -> None:
    priors = np.zeros(81, dtype=np.float32)
    priors[40], priors[41] = 0.75, 0.005
    figure = policy_figure(Board(9), priors, "title")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "75" in texts
    assert "0" not in texts
    save_png(figure, tmp_path / "policy.png")
    assert (tmp_path / "policy.png").stat().st_size > 1000


def test_errors_are_go_errors(tmp_path: Path) -> None:
    from argparse import Namespace

    from goengine.commands.study.position import chosen_position

    bad = tmp_path / "bad.sgf"
    bad.write_bytes(b"no game")
    with pytest.raises(GoError):
        chosen_position(Namespace(file=bad, move=None))
    bad.write_bytes(b"(;SZ[9];B[ee];W[ee])")
    with pytest.raises(GoError, match=r"bad.sgf: move 2 .* show an earlier position with --move"):
        chosen_position(Namespace(file=bad, move=None))
    assert chosen_position(Namespace(file=bad, move=2)).turn == 1


def test_only_moves_that_the_network_may_make_are_listed(
    tmp_path: Path, net_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from goengine.__main__ import main

    game = tmp_path / "small.sgf"
    game.write_bytes(b"(;SZ[2];B[aa])")
    picture = str(tmp_path / "policy.png")
    words = ["policy", str(game), "--network", str(net_file), "--top", "99", "--png", picture]
    assert main(words) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert sorted(listed) == ["A1", "B1", "B2"]
