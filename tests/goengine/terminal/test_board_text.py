"""The drawn board: signs that differ, star points where they belong, colours only where wanted."""

from __future__ import annotations

import io
import re

import pytest

from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.handicap import star_points
from goengine.terminal.board_text import LETTERS, Style, draw, style_for


class Screen(io.TextIOWrapper):
    """A terminal, or a pipe, with some encoding."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("encoding", "terminal", "environment", "style"),
    [
        ("utf-8", True, {}, Style("●", "○", True)),
        ("utf-8", True, {"NO_COLOR": "1"}, Style("●", "○", False)),
        ("utf-8", True, {"TERM": "dumb"}, LETTERS),
        ("utf-8", False, {}, LETTERS),
        ("ascii", True, {}, Style("X", "O", True)),
        ("cp1252", True, {"NO_COLOR": "1"}, LETTERS),
    ],
)
def test_signs_and_colours_are_those_that_the_terminal_has(
    encoding: str, terminal: bool, environment: dict[str, str], style: Style
) -> None:
    assert style_for(Screen(encoding, terminal=terminal), environment) == style


@pytest.mark.parametrize(
    ("size", "points"),
    [
        (5, ""),
        (9, "C3 C7 E5 G3 G7"),
        (13, "D10 D4 G7 K10 K4"),
        (19, "D10 D16 D4 K10 K16 K4 Q10 Q16 Q4"),
        (8, "C3 C6 F3 F6"),
    ],
)
def test_star_points_lie_where_boards_have_them(size: int, points: str) -> None:
    assert " ".join(sorted(move_to_gtp(move, size) for move in star_points(size))) == points


def test_a_board_shows_stones_stars_the_last_move_and_who_is_who() -> None:
    board = Board(9)
    board.play(40)
    board.play(10)
    lines = draw(board, Style("●", "○"), ["● black", "○ white"]).split("\n")
    assert lines[0] == "   A B C D E F G H J" == lines[-1]
    assert lines[1].endswith(" 9    ● black") and "(○)" in lines[2]
    assert lines[3].startswith(" 7 . . + . . . + . . 7")
    assert lines[5].startswith(" 5 . . . . ● . . . . 5")


def test_colours_change_nothing_but_the_colours() -> None:
    board = Board(19)
    board.play(72)
    board.play(300)
    coloured = draw(board, Style(colour=True), ["X", "O"])
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == draw(board, LETTERS, ["X", "O"])
    assert coloured.count("\x1b[43m") == coloured.count("\x1b[0m") == 19
