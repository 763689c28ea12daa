"""Pictures of boards: stones, feature planes and move probabilities, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from cnncore.system.atomic import replacing
from goengine.board import Board
from goengine.coords import GTP_COLUMNS, STAR_LINES
from goengine.encoding.features import encode
from goengine.feature_table import POLICY_PLANES, plane_names
from goengine.types import BLACK, EMPTY, GoError, colour_name

Axes = Any

_WOOD = "#e8c07a"
_MARK = "#c0392b"
_HEAT = "#1f6fb2"


def draw_board(axes: Axes, board: Board, *, labels: bool = True) -> None:
    """Draw the stones of a position, the last move marked, on one pair of axes."""
    size = board.size
    axes.set_xlim(-0.9, size - 0.1)
    axes.set_ylim(size - 0.1, -0.9)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.add_patch(Rectangle((-0.8, -0.8), size + 0.6, size + 0.6, color=_WOOD, zorder=0))
    for line in range(size):
        axes.plot([0, size - 1], [line, line], color="#5b4422", linewidth=0.5, zorder=1)
        axes.plot([line, line], [0, size - 1], color="#5b4422", linewidth=0.5, zorder=1)
    for row in STAR_LINES.get(size, ()):
        for column in STAR_LINES[size]:
            axes.add_patch(Circle((column, row), 0.1, color="#5b4422", zorder=1))
    for (row, column), colour in np.ndenumerate(board.grid):
        if colour != EMPTY:
            face = "#16161a" if colour == BLACK else "#fbfbf8"
            stone = Circle((column, row), 0.46, facecolor=face, edgecolor="#16161a", linewidth=0.5)
            axes.add_patch(stone).set_zorder(2)
    if board.last_move is not None and board.last_move < size * size:
        row, column = divmod(board.last_move, size)
        axes.add_patch(Circle((column, row), 0.18, facecolor=_MARK, zorder=3))
    if labels:
        for line in range(size):
            axes.text(line, size - 0.35, GTP_COLUMNS[line], ha="center", va="center", fontsize=6)
            axes.text(-0.62, line, str(size - line), ha="center", va="center", fontsize=6)


def draw_probabilities(axes: Axes, board: Board, priors: npt.NDArray[np.float32]) -> None:
    """Colour the points of a drawn board by probability, float (N*N,), and write those over 1 %."""
    most = max(float(priors.max()), 1e-9)
    for move, prior in enumerate(priors.tolist()):
        if prior < 0.01:
            continue
        row, column = divmod(move, board.size)
        shade = 0.25 + 0.75 * prior / most
        spot = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=_HEAT, alpha=shade, zorder=2)
        axes.add_patch(spot)
        axes.text(
            column,
            row,
            f"{100 * prior:.0f}",
            ha="center",
            va="center",
            fontsize=6,
            color="white" if shade > 0.4 else "black",
            zorder=4,
        )


def planes_figure(board: Board, planes: int = POLICY_PLANES) -> Figure:
    """Return a figure of the board and, beside it, each of its 48 or 49 feature planes."""
    figure = Figure(figsize=(17, 12.5))
    grid = figure.add_gridspec(
        7, 10, left=0.01, right=0.99, bottom=0.01, top=0.97, wspace=0.06, hspace=0.16
    )
    axes = figure.add_subplot(grid[0:3, 0:3])
    draw_board(axes, board)
    axes.set_title(f"{colour_name(board.to_play)} to play, turn {board.turn}", fontsize=10)
    cells = [(row, column) for row in range(3) for column in range(3, 10)]
    cells += [(row, column) for row in range(3, 7) for column in range(10)]
    encoded = encode(board, planes)
    for number, (name, plane) in enumerate(zip(plane_names(), encoded, strict=False)):
        axes = figure.add_subplot(grid[cells[number]])
        stones = np.where(board.grid == EMPTY, 0.0, 0.18)
        axes.imshow(np.maximum(stones, plane), cmap="Blues", vmin=0, vmax=1)
        axes.set_title(f"{number} {name}", fontsize=7, pad=2)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def policy_figure(board: Board, priors: npt.NDArray[np.float32], title: str) -> Figure:
    """Return a figure of a position with the probability of each likely move in per cent."""
    figure = Figure(figsize=(6.4, 6.7), layout="constrained")
    axes = figure.add_subplot()
    draw_board(axes, board)
    draw_probabilities(axes, board, priors)
    axes.set_title(title, fontsize=10)
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
