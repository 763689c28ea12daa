"""What a terminal shows of a game: the board with the players beside it, and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping

from goengine.games.game import Game
from goengine.rules import format_points
from goengine.terminal.board_text import Style, draw
from goengine.terminal.clock_words import time_words
from goengine.types import BLACK, WHITE, colour_name

AFTERWARDS = "use save FILE.sgf, undo or quit"
"""What is left to do when a game has ended."""


def game_drawing(game: Game, names: Mapping[int, str], style: Style) -> str:
    """Return the board with the players beside it; `names` tells who plays which colour."""
    beside = [
        "  ".join(filter(None, [style.stone(colour), colour_name(colour), names[colour]]))
        for colour in (BLACK, WHITE)
    ]
    times = [time_words(game, colour) for colour in (BLACK, WHITE)]
    return draw(
        game.board,
        style,
        [f"{text}  {left}".rstrip() for text, left in zip(beside, times, strict=True)],
    )


def state_line(game: Game) -> str:
    """Return who is to move, or what to do after the end, the captures and the komi."""
    board = game.board
    by_black, by_white = board.captures
    state = f"move {board.turn + 1}, {colour_name(board.to_play)} to play"
    if game.over:
        state = f"{game.result}, {AFTERWARDS}"
    captures = f"captures: black {by_black}, white {by_white}; komi {format_points(board.komi)}"
    return f"{state}; {captures}"
