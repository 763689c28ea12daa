"""The board in a terminal: stones that differ, star points, the last move, who is who beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from goengine.board import Board
from goengine.coords import GTP_COLUMNS, rowcol_to_move
from goengine.handicap import star_points
from goengine.types import BLACK, EMPTY, WHITE

_WOOD, _DARK, _BRIGHT, _PLAIN = "\x1b[43m", "\x1b[1;30m", "\x1b[1;97m", "\x1b[0m"


@dataclass(frozen=True)
class Style:
    """How stones are drawn."""

    black: str = "X"
    white: str = "O"
    colour: bool = False
    """Whether the terminal understands ANSI colours."""

    def stone(self, colour: int) -> str:
        """Return the sign of a colour."""
        return self.black if colour == BLACK else self.white


LETTERS = Style()
"""What every terminal can show."""


def style_for(stream: TextIO, environment: Mapping[str, str]) -> Style:
    """Return the style that a stream can show: round stones and colours only where they can be.

    Colours follow the convention of no-color.org: none with `NO_COLOR` set to anything.
    """
    on_terminal = stream.isatty() and environment.get("TERM") != "dumb"
    colour = on_terminal and not environment.get("NO_COLOR")
    try:
        "●○".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return Style(colour=colour)
    return Style("●", "○", colour) if on_terminal else LETTERS


def draw(board: Board, style: Style, beside: Sequence[str] = ()) -> str:
    """Return the position with coordinates, the last move in parentheses, and lines beside it."""
    size = board.size
    letters = "   " + " ".join(GTP_COLUMNS[:size])
    stars = star_points(size)
    lines = [letters]
    for row, stones in enumerate(board.grid.tolist()):
        gaps = [" "] * (size + 1)
        if board.last_move is not None and board.last_move // size == row:
            column = board.last_move % size
            gaps[column], gaps[column + 1] = "(", ")"
        cells = [
            _cell(colour, rowcol_to_move(row, column, size) in stars, style)
            for column, colour in enumerate(stones)
        ]
        inside = "".join(gap + cell for gap, cell in zip(gaps, [*cells, ""], strict=True))
        if style.colour:
            inside = f"{_WOOD}{_DARK}{inside}{_PLAIN}"
        text = f"{size - row:2d}{inside}{size - row}"
        if row < len(beside):
            text += " " * (3 + (size - row < 10)) + beside[row]
        lines.append(text)
    return "\n".join([*lines, letters])


def _cell(colour: int, star: bool, style: Style) -> str:
    """Return one point: a stone, a star point or an empty point."""
    if colour == EMPTY:
        return "+" if star else "."
    if colour == WHITE and style.colour:
        return f"{_BRIGHT}{style.white}{_DARK}"
    return style.stone(colour)
