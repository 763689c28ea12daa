"""Pictures of positions as PNG: the moves that a network likes, and the feature planes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from cnncore.system.atomic import replacing
from cnncore.system.fonts import lettering
from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.encoding.features import encode
from goengine.feature_table import POLICY_PLANES, feature_slices, plane_names
from goengine.pictures.board_drawing import (
    MARGIN,
    Axes,
    board_axes,
    draw_board,
    draw_probabilities,
    draw_stones,
)
from goengine.types import BLACK, GoError, colour_name

_EDGE = 0.14
"""Inches around everything."""

_HEAD = 0.86
"""Inches for the title and the line below it."""

_SOFT = "#5c564c"
_ON, _OFF = "#0072b2", "#f6efdf"
_ACROSS = 8
"""Planes in a row of the picture of planes, one group of the table of features."""


_BELOW = 6
"""The row of the one plane that stands under the board, below all others."""


def position_title(board: Board) -> str:
    """Return which position of a game a board is, such as `White to play, before move 60`."""
    return f"{colour_name(board.to_play).capitalize()} to play, before move {board.turn + 1}"


def policy_figure(board: Board, priors: npt.NDArray[np.float32], source: str) -> Figure:
    """Return a figure of a position with the probability of each likely move in per cent.

    Priors are float (N*N,). `source` is the line below the title: which game, which network.
    """
    side = max(5.8, 0.5 * (board.size - 1 + 2 * MARGIN) * (1 - 0.01 * board.size))
    foot = 0.42
    figure = Figure(figsize=(side + 2 * _EDGE, _HEAD + side + foot), facecolor="white")
    axes, cell = board_axes(figure, (_EDGE, foot, side), board)
    draw_board(axes, board, cell)
    draw_probabilities(axes, board, priors, cell)
    _write_head(figure, board, source)
    note = "Numbers: probability in per cent, from 1 % on."
    if board.last_move is not None and board.last_move < board.size**2:
        note += f" Ring: the last stone, {move_to_gtp(board.last_move, board.size)}."
    _write(figure, _EDGE, foot - 0.13, note, fontsize=10, color=_SOFT)
    return figure


def planes_figure(board: Board, planes: int = POLICY_PLANES, source: str = "") -> Figure:
    """Return a figure of the board and, beside it, each of its 48 or 49 feature planes.

    A plane is blue where it is 1, and shows the stones in small. `source` is the line below the
    title.
    """
    cell, title, gap = 1.4, 0.24, 0.17
    tall = _BELOW * (cell + title) - title
    foot = 0.66 if planes == POLICY_PLANES else cell + title + 0.1
    side = tall - foot
    left = _EDGE + side + 0.3
    width = left + _ACROSS * (cell + gap) - gap + _EDGE
    height = _HEAD + tall + _EDGE
    figure = Figure(figsize=(width, height), facecolor="white")
    axes, points = board_axes(figure, (_EDGE, _EDGE + foot, side), board)
    draw_board(axes, board, points)
    _write_head(figure, board, source)
    own, other = ("black", "white") if board.to_play == BLACK else ("white", "black")
    for line, text in enumerate(
        (
            "A plane is blue where it is 1. The small discs are the stones:",
            f"own ones are {own}, those of the opponent {other}.",
        )
    ):
        x = _EDGE if planes == POLICY_PLANES else _EDGE + cell + 0.2
        _write(figure, x, _EDGE + foot - 0.15 - 0.26 * line, text, fontsize=13, color=_SOFT)
    places = _places()
    for number, plane in enumerate(encode(board, planes)):
        row, column = places[number]
        x = left + column * (cell + gap) if row < _BELOW else _EDGE
        y = _EDGE + max(0, _BELOW - 1 - row) * (cell + title)
        axes = figure.add_axes((x / width, y / height, cell / width, cell / height))
        _draw_plane(axes, board, plane, 72 * cell / board.size)
        axes.set_title(f"{number} {plane_names()[number]}", fontsize=8, pad=3)
    return figure


def save_png(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a figure as PNG, whole or not at all.

    Raises:
        GoError: the file cannot be written.
    """
    FigureCanvasAgg(figure)
    try:
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": "goengine"})
    except OSError as error:
        reason = error.strerror or error
        raise GoError(f"cannot write {path}: {reason}; name another file with --png") from None


def _places() -> list[tuple[int, int]]:
    """Return a row and column for each of the 49 planes: groups in rows, single planes above.

    The last one, for which the rows do not have room, stands under the board.
    """
    single = 0
    below = 1
    places = {}
    for planes in feature_slices().values():
        several = planes.stop - planes.start == _ACROSS
        for number in range(planes.start, planes.stop):
            if several:
                places[number] = below, number - planes.start
            else:
                places[number] = (0, single) if single < _ACROSS else (_BELOW, 0)
                single += 1
        below += several
    return [places[number] for number in sorted(places)]


def _draw_plane(axes: Axes, board: Board, plane: npt.NDArray[np.uint8], cell: float) -> None:
    """Draw one plane (N, N) and the stones over it; the cell's size is in points."""
    axes.imshow(plane, cmap=ListedColormap([_OFF, _ON]), vmin=0, vmax=1)
    draw_stones(axes, board, cell, 0.33)
    axes.set_xticks([])
    axes.set_yticks([])


def _write_head(figure: Figure, board: Board, source: str) -> None:
    """Write the title, and below it where the position is from."""
    width, height = figure.get_size_inches()
    _write(figure, _EDGE, height - 0.14, position_title(board), fontsize=15, weight="bold")
    without_the_file = source.rpartition(", ")[2] if ", " in source else ""
    below = lettering(source, without_the_file, limit=int(11 * (width - 2 * _EDGE)))
    style = {"fontsize": 11, "color": _SOFT, **below.style()}
    _write(figure, _EDGE, height - 0.47, below.text, **style)


def _write(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Write a line at inches from the left and from below; y is its upper edge."""
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, va="top", **style)
