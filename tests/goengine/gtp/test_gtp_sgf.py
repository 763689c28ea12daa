"""GTP sessions and game files: what is loaded, what is written, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.stub_players import failure, make_engine, result

CORNERS = "(;GM[1]FF[4]SZ[9]KM[5.5]RU[Japanese]PB[Ann];B[ee];W[ce];B[cc];W[gc];B[])"


def test_loadsgf_takes_size_and_komi_and_stops_before_the_move(tmp_path: Path) -> None:
    engine = make_engine(size=13)
    path = tmp_path / "a game.sgf"
    path.write_text(CORNERS, encoding="utf-8")
    result(engine, f"loadsgf {path}")
    assert result(engine, "get_komi") == "5.5"
    assert result(engine, "query_boardsize") == "9"
    assert result(engine, "last_move") == "black pass"
    result(engine, f"loadsgf {path} 3")
    assert result(engine, "last_move") == "white C5"
    result(engine, f"loadsgf {path} 1")
    assert failure(engine, "last_move") == "no previous move known"
    result(engine, f"loadsgf {path} 99")
    result(engine, "undo")
    assert result(engine, "last_move") == "white G7"


def test_what_cannot_be_loaded_changes_nothing(tmp_path: Path) -> None:
    engine = make_engine()
    result(engine, "play b C3")
    contents = {
        "broken.sgf": "(;SZ[9];B[ee",
        "illegal.sgf": "(;SZ[9];B[ee];W[ee])",
        "huge.sgf": "(;SZ[52];B[ee])",
        "empty.sgf": "",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    names = [str(tmp_path / name) for name in ("illegal.sgf", "huge.sgf", "empty.sgf", "none.sgf")]
    for path in [*names, str(tmp_path), "/dev/zero", "a\\b.sgf"]:
        assert failure(engine, f"loadsgf {path}").startswith("cannot load file"), path
    assert failure(engine, "loadsgf") == "syntax error: the file name is missing"
    assert result(engine, "last_move") == "black C3"
    assert result(engine, "query_boardsize") == "9"


def test_a_game_that_can_be_read_in_part_is_loaded_only_as_far_as_is_asked(tmp_path: Path) -> None:
    engine = make_engine()
    path = tmp_path / "part.sgf"
    path.write_text("(;SZ[9];B[cc];W[gg];AE[cc]AB[dd];B[ee];W[ff])")
    for words in ("", " 4", " 99"):
        assert failure(engine, f"loadsgf {path}{words}") == (
            "cannot load file: only its first 2 moves can be read (setup in mid-game): name a move "
            "number up to 3"
        )
    result(engine, f"loadsgf {path} 3")
    assert result(engine, "last_move") == "white G3"
    path.write_text("(;SZ[9];B[ee];W[cc];B[ee];W[gg])")
    assert failure(engine, f"loadsgf {path}") == (
        "cannot load file: move 3 (black): black E5 is illegal: the point is occupied: name an "
        "earlier move number, or set rules that allow it"
    )
    result(engine, f"loadsgf {path} 3")
    assert result(engine, "last_move") == "white C7"


def test_a_file_that_is_not_there_or_too_large_is_named_so(tmp_path: Path) -> None:
    engine = make_engine()
    assert failure(engine, "loadsgf missing.sgf") == (
        "cannot load file: there is no file 'missing.sgf': check its path"
    )
    assert "there is no file 'missing.sgf'" in failure(engine, "loadsgf missing.sgf 5")
    long = failure(engine, "loadsgf " + "x" * 20_000)
    assert long.startswith("cannot load file") and len(long) < 200
    path = tmp_path / "large.sgf"
    with path.open("wb") as file:
        file.truncate(10_000_001)
    assert "larger than 10,000,000 bytes" in failure(engine, f"loadsgf {path}")


def test_printsgf_and_loadsgf_agree(tmp_path: Path) -> None:
    engine = make_engine()
    result(engine, "fixed_handicap 3")
    result(engine, "komi 0.5")
    for move in ("w E5", "b pass", "w D4", "w D5"):
        result(engine, f"play {move}")
    text = result(engine, "printsgf")
    board = result(engine, "showboard")
    path = tmp_path / "out.sgf"
    result(engine, f"printsgf {path}")
    assert path.read_text(encoding="utf-8").split() == text.split()
    other = make_engine(size=5)
    result(other, f"loadsgf {path}")
    assert result(other, "printsgf") == text
    assert result(other, "showboard") == board
    assert failure(engine, f"printsgf {tmp_path}/no/such/folder.sgf").startswith(
        "cannot write file"
    )


def test_names_survive_and_a_stale_result_does_not(tmp_path: Path) -> None:
    path = tmp_path / "game.sgf"
    path.write_text("(;SZ[9]PB[Ann]RE[W+R];B[ee];W[cc])", encoding="utf-8")
    engine = make_engine()
    result(engine, f"loadsgf {path}")
    assert "PB[Ann]" in result(engine, "printsgf") and "RE[W+R]" in result(engine, "printsgf")
    result(engine, "play b G3")
    assert "PB[Ann]" in result(engine, "printsgf") and "RE[" not in result(engine, "printsgf")


def test_loadsgf_says_what_it_guessed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = make_engine()
    path = tmp_path / "korean.sgf"
    path.write_bytes("(;SZ[9]PB[이창호]PW[조훈현]KM[3.75];B[ee];W[ce])".encode("cp949"))
    result(engine, f"loadsgf {path}")
    assert result(engine, "get_komi") == "7.5"
    assert caplog.messages == [
        "SGF: encoding guessed as EUC-KR (CP949): the file has no CA",
        "SGF: komi guessed: KM[3.75] was read as 7.5 points",
    ]
    caplog.clear()
    path.write_text(CORNERS, encoding="utf-8")
    result(engine, f"loadsgf {path}")
    assert not caplog.messages
