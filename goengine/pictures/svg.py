"""A position as SVG text: stones, and marks on the points that somebody likes.

Self-contained markup for a page: no script, no style sheet, no picture beside it. Pictures in
files are png.py's work.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.coords import GTP_COLUMNS, move_to_rowcol
from goengine.handicap import star_points
from goengine.types import BLACK, EMPTY, WHITE

_WOOD, _LINE, _INK = "#e8c07a", "#5b4422", "#16161a"
_PALE, _DEEP, _PLAYED = (179, 222, 247), (5, 56, 120), "#c8281e"
_FONTS = "system-ui, 'Segoe UI', 'Noto Sans', Arial, sans-serif"
LIKELY = 0.25
"""Ownership from which a point gets a square."""
_UNIT = 20
_MARGIN = 1.05


def board_svg(
    board: Board,
    *,
    chances: Mapping[int, float] | None = None,
    played: int | None = None,
    ownership: npt.NDArray[np.float32] | None = None,
    title: str = "",
) -> str:
    """Return a position as an `<svg>` element.

    `chances` gives points a probability, written on them in per cent, the likelier the darker;
    `played` gets a red ring; the last stone has a dot. `ownership` (N, N), 1 is Black's, puts a
    square on each point whose owner is likely, the larger the surer, but not on a stone of that
    owner. `title` is what a screen
    reader says.
    """
    size = board.size
    side = (size - 1 + 2 * _MARGIN) * _UNIT
    parts = [
        f'<svg class="board" viewBox="0 0 {side:g} {side:g}" role="img" aria-label="{title}" '
        f'font-family="{_FONTS}">',
        f'<rect width="{side:g}" height="{side:g}" rx="6" fill="{_WOOD}"/>',
        _lines(size),
    ]
    for move, colour in enumerate(board.grid.ravel().tolist()):
        if colour != EMPTY:
            face = _INK if colour == BLACK else "#fbfbf8"
            parts.append(_disc(move, size, 0.47, face, f' stroke="{_INK}" stroke-width="0.8"'))
    if board.last_move is not None and board.last_move < size * size:
        colour = int(board.grid.ravel()[board.last_move])
        parts.append(_disc(board.last_move, size, 0.16, "#fbfbf8" if colour == BLACK else _INK))
    if ownership is not None:
        parts += _owners(ownership, board)
    most = max([*(chances or {}).values(), 1e-9])
    for move, chance in (chances or {}).items():
        share = chance / most
        parts.append(_disc(move, size, 0.46, _heat(share), f' stroke="{_INK}" stroke-width="0.4"'))
        x, y = _place(move, size)
        text = f"{100 * chance:.0f}" if chance >= 0.005 else "·"
        parts.append(
            f'<text x="{x:g}" y="{y + 3.4:g}" font-size="9.6" font-weight="700" '
            f'fill="{"#fff" if share > 0.5 else _INK}" text-anchor="middle">{text}</text>'
        )
    if played is not None:
        ring = f' stroke="{_PLAYED}" stroke-width="2.6"'
        parts.append(_disc(played, size, 0.5, "none", ring))
    return "".join([*parts, "</svg>"])


def _owners(ownership: npt.NDArray[np.float32], board: Board) -> list[str]:
    """Return a square for each point whose owner is likely and has no stone there."""
    size = len(ownership)
    stones = board.grid.ravel().tolist()
    parts = []
    for move, share in enumerate(ownership.ravel().tolist()):
        owner = BLACK if share > 0 else WHITE
        if abs(share) >= LIKELY and stones[move] != owner:
            x, y = _place(move, size)
            side = 0.4 * _UNIT * abs(share)
            face = _INK if owner == BLACK else "#fbfbf8"
            parts.append(
                f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" '
                f'height="{side:.1f}" fill="{face}" stroke="#8a8172" stroke-width="0.7"/>'
            )
    return parts


def _heat(share: float) -> str:
    """Return the blue of a share of the greatest probability, 0 ... 1."""
    mixed = (round(p + share * (d - p)) for p, d in zip(_PALE, _DEEP, strict=True))
    return "#" + "".join(f"{one:02x}" for one in mixed)


def _place(move: int, size: int) -> tuple[float, float]:
    row, column = move_to_rowcol(move, size)
    return (column + _MARGIN) * _UNIT, (row + _MARGIN) * _UNIT


def _disc(move: int, size: int, radius: float, fill: str, more: str = "") -> str:
    x, y = _place(move, size)
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius * _UNIT:g}" fill="{fill}"{more}/>'


def _lines(size: int) -> str:
    """Return the grid, the star points and the coordinates."""
    first, last = _MARGIN * _UNIT, (size - 1 + _MARGIN) * _UNIT
    at = [(line + _MARGIN) * _UNIT for line in range(size)]
    path = "".join(f"M{first:g} {p:g}H{last:g}M{p:g} {first:g}V{last:g}" for p in at)
    parts = [f'<path d="{path}" stroke="{_LINE}" stroke-width="0.8" fill="none"/>']
    parts += [_disc(star, size, 0.12, _LINE) for star in sorted(star_points(size))]
    style = f'font-size="8" fill="{_LINE}" text-anchor="middle"'
    for line in range(size):
        below, left = last + 0.85 * _UNIT, first - 0.72 * _UNIT
        parts.append(f'<text x="{at[line]:g}" y="{below:g}" {style}>{GTP_COLUMNS[line]}</text>')
        parts.append(f'<text x="{left:g}" y="{at[line] + 2.6:g}" {style}>{size - line}</text>')
    return "".join(parts)
