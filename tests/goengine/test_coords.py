"""Coordinates: every pair of conversions, over every point of every size."""

from __future__ import annotations

import pytest
from sgfmill import common, sgf_properties

from goengine import coords
from goengine.coords import CoordError
from goengine.types import RESIGN

SIZES = range(2, 20)


@pytest.mark.parametrize("size", SIZES)
def test_every_move_round_trips(size: int) -> None:
    for move in range(size * size + 1):
        assert coords.gtp_to_move(coords.move_to_gtp(move, size), size) == move
        assert coords.gtp_to_move(coords.move_to_gtp(move, size).lower(), size) == move
        assert coords.sgf_to_move(coords.move_to_sgf(move, size), size) == move
        if move < size * size:
            assert coords.rowcol_to_move(*coords.move_to_rowcol(move, size), size) == move


@pytest.mark.parametrize("size", SIZES)
def test_every_move_agrees_with_sgfmill(size: int) -> None:
    for move in range(size * size):
        row, col = coords.move_to_rowcol(move, size)
        from_bottom = (size - 1 - row, col)
        assert coords.move_to_gtp(move, size) == common.format_vertex(from_bottom)
        data = sgf_properties.serialise_go_point(from_bottom, size)
        assert coords.move_to_sgf(move, size) == data.decode("ascii")
        point = coords.move_to_sgf(move, size).encode("ascii")
        assert sgf_properties.interpret_go_point(point, size) == from_bottom


def test_corners_and_special_moves() -> None:
    assert coords.move_to_gtp(0, 19) == "A19"
    assert coords.move_to_gtp(18, 19) == "T19"
    assert coords.move_to_gtp(360, 19) == "T1"
    assert coords.move_to_gtp(8, 9) == "J9"
    assert coords.gtp_to_move("Q16", 19) == 3 * 19 + 15
    assert coords.move_to_sgf(3 * 19 + 15, 19) == "pd"
    assert coords.pass_move(19) == 361
    assert coords.move_to_gtp(361, 19) == "pass"
    assert coords.gtp_to_move("PASS", 9) == 81
    assert coords.move_to_gtp(RESIGN, 19) == "resign"
    assert coords.gtp_to_move("Resign", 19) == RESIGN
    assert coords.move_to_sgf(361, 19) == ""
    assert coords.sgf_to_move("tt", 19) == 361
    assert coords.sgf_to_move("tt", 9) == 81


@pytest.mark.parametrize("text", ["", "I5", "A0", "K1", "A10", "A", "5", "D-4", "D4x", "D²", "@4"])
def test_bad_vertices_are_refused(text: str) -> None:
    with pytest.raises(CoordError):
        coords.gtp_to_move(text, 9)


@pytest.mark.parametrize("text", ["a", "aaa", "jj", "a1", "  ", "ää", "zz"])
def test_bad_sgf_points_are_refused(text: str) -> None:
    with pytest.raises(CoordError):
        coords.sgf_to_move(text, 9)


@pytest.mark.parametrize("move", [-2, 82, 1000])
def test_moves_off_the_board_are_refused(move: int) -> None:
    with pytest.raises(CoordError, match=str(move)):
        coords.move_to_gtp(move, 9)
    with pytest.raises(CoordError, match=str(move)):
        coords.move_to_sgf(move, 9)
    with pytest.raises(CoordError, match=str(move)):
        coords.move_to_rowcol(move, 9)


@pytest.mark.parametrize("point", [(-1, 0), (0, -1), (9, 0), (0, 9)])
def test_points_off_the_board_are_refused(point: tuple[int, int]) -> None:
    with pytest.raises(CoordError):
        coords.rowcol_to_move(*point, 9)
