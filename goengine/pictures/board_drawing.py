"""A board on axes of matplotlib: grid, coordinates, stones, and numbers on likely moves.

Sizes are parts of a cell, the distance of two lines, so that letters and digits are readable on
boards of every size. The colours are told apart by people who do not see red and green: blue, light
to dark, on wood.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from goengine.board import Board
from goengine.coords import GTP_COLUMNS
from goengine.handicap import star_points
from goengine.types import BLACK, EMPTY

Axes = Any

MARGIN = 1.15
"""Cells between the outer lines and the edge of the wood."""

LISTED = 0.01
"""The least probability that is drawn."""

DISC = 0.46
"""The radius of a stone, and of the disc of a probability, in cells."""

INK, PAPER, LINE = "#16161a", "#fbfbf8", "#5b4422"
_WOOD = "#e8c07a"
_PALE, _DEEP = np.array([0.70, 0.87, 0.97]), np.array([0.02, 0.22, 0.47])


def board_axes(figure: Figure, box: tuple[float, float, float], board: Board) -> tuple[Axes, float]:
    """Return axes for a board and the size of their cell in points.

    The box is the square's left and lower edge and its side in the figure, in inches.
    """
    left, bottom, side = box
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    axes.set_xlim(-MARGIN, board.size - 1 + MARGIN)
    axes.set_ylim(board.size - 1 + MARGIN, -MARGIN)
    axes.axis("off")
    return axes, 72 * side / (board.size - 1 + 2 * MARGIN)


def draw_board(axes: Axes, board: Board, cell: float) -> None:
    """Draw the stones of a position, the last one with a ring, on axes of `board_axes`."""
    size, last = board.size, board.size - 1
    wood = Rectangle((-MARGIN, -MARGIN), last + 2 * MARGIN, last + 2 * MARGIN, color=_WOOD)
    axes.add_patch(wood).set_zorder(0)
    style = {"color": LINE, "linewidth": 0.025 * cell, "zorder": 1}
    axes.hlines(range(size), 0, last, **style)
    axes.vlines(range(size), 0, last, **style)
    for star in star_points(size):
        axes.add_patch(Circle((star % size, star // size), 0.1, color=LINE, zorder=1))
    letters: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": INK}
    letters["fontsize"] = min(0.36 * cell, 18.0)
    for line in range(size):
        for outside in (-0.78, last + 0.78):
            axes.text(line, outside, GTP_COLUMNS[line], **letters)
            axes.text(outside, line, str(size - line), **letters)
    draw_stones(axes, board, cell, DISC)
    if board.last_move is not None and board.last_move < size * size:
        row, column = divmod(board.last_move, size)
        colour = PAPER if board.grid[row, column] == BLACK else INK
        ring = Circle((column, row), 0.22, fill=False, edgecolor=colour, linewidth=0.065 * cell)
        axes.add_patch(ring).set_zorder(3)


def draw_stones(axes: Axes, board: Board, cell: float, radius: float) -> None:
    """Draw the stones of a position with a radius in cells."""
    for (row, column), colour in np.ndenumerate(board.grid):
        if colour != EMPTY:
            face = INK if colour == BLACK else PAPER
            stone = Circle((column, row), radius, facecolor=face, edgecolor=INK)
            stone.set_linewidth(max(0.03 * cell, 0.5))
            axes.add_patch(stone).set_zorder(2)


def draw_probabilities(
    axes: Axes, board: Board, priors: npt.NDArray[np.float32], cell: float
) -> None:
    """Put a disc on each point of a drawn board that has 1 % or more, the likelier the darker.

    Priors are float (N*N,). Each disc has its per cent as a number.
    """
    most = max(float(priors.max()), 1e-9)
    for move in np.flatnonzero(priors >= LISTED).tolist():
        row, column = divmod(move, board.size)
        share = float(priors[move] / most)
        face = tuple((1 - share) * _PALE + share * _DEEP)
        disc = Circle((column, row), DISC, facecolor=face, edgecolor=tuple(_DEEP))
        disc.set_linewidth(0.03 * cell)
        axes.add_patch(disc).set_zorder(3)
        text = f"{100 * priors[move]:.0f}"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center_baseline",
            weight="bold",
            fontsize=cell * (0.48 if len(text) < 3 else 0.34),
            color=PAPER if _bright(face) < 0.179 else INK,
            zorder=4,
        )


def _bright(colour: tuple[float, ...]) -> float:
    """Return the relative luminance of a colour in sRGB, 0 ... 1 (WCAG 2.1).

    Below 0.179 white letters have more contrast, above it black ones.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
