"""Where handicap stones go: GTP's fixed layout, and our own order beyond it; star points.

Source of the fixed layout: Farneback 2002, GTP version 2 draft 2, section 4.1.1.
"""

from __future__ import annotations

from goengine.coords import rowcol_to_move

_LARGE = 15
"""Boards from this size have nine star points, smaller ones the corners and the centre."""


def most_fixed(size: int) -> int:
    """Return the largest fixed handicap of a board, 0 where there is none."""
    if size < 7:
        return 0
    return 9 if size % 2 and size >= 9 else 4


def fixed_points(size: int, count: int) -> list[int]:
    """Return the points of a fixed handicap of 2 to `most_fixed(size)` stones, in GTP's order."""
    near = 3 if size >= 13 else 2
    far, middle = size - 1 - near, size // 2
    corners = [(far, near), (near, far), (near, near), (far, far)]
    sides = [(middle, near), (middle, far), (far, middle), (near, middle)]
    even = corners[:count] if count < 6 else corners + sides[: (count - 4) // 2 * 2]
    cells = even[:count] if count in (2, 3, 4, 6, 8) else [*even, (middle, middle)]
    return [rowcol_to_move(row, column, size) for row, column in cells]


def star_points(size: int) -> frozenset[int]:
    """Return the moves of the star points: none below 7 lines, five below 15, else nine.

    Boards with an even number of lines have the four in the corners.
    """
    if size < 7:
        return frozenset()
    if size % 2 == 0:
        return frozenset(fixed_points(size, 4))
    return frozenset(fixed_points(size, 9 if size >= _LARGE else 5))


def free_points(size: int, count: int) -> list[int]:
    """Return the points of a free handicap of 2 to N*N - 1 stones.

    The fixed layout as far as it goes; then, one after the other, the point of the third line or
    above that is farthest from every stone; the two outer lines when nothing else is left.
    """
    points = fixed_points(size, min(count, most_fixed(size))) if most_fixed(size) else []
    gaps = [4 * size * size] * (size * size)
    for point in points:
        _shrink(gaps, size, point)
    while len(points) < count:
        points.append(max(range(size * size), key=lambda move: _merit(move, size, gaps[move])))
        _shrink(gaps, size, points[-1])
    return points


def _shrink(gaps: list[int], size: int, point: int) -> None:
    """Note a new stone in every point's squared distance to the nearest stone."""
    row, column = divmod(point, size)
    for move, gap in enumerate(gaps):
        gaps[move] = min(gap, (move // size - row) ** 2 + (move % size - column) ** 2)


def _merit(move: int, size: int, gap: int) -> tuple[bool, bool, int, int]:
    """Return how good a point is: free, high enough, far from the others, near the centre."""
    row, column = divmod(move, size)
    line = min(row, column, size - 1 - row, size - 1 - column)
    centre = (2 * row - size + 1) ** 2 + (2 * column - size + 1) ** 2
    return gap > 0, line >= 2, gap, -centre
