"""True eyes, asked recursively as the definition says."""

from __future__ import annotations

from .rules import OTHER, Point, Stones, diagonals, neighbours


def is_true_eye(
    stones: Stones, point: Point, colour: str, size: int, asked: frozenset[Point] = frozenset()
) -> bool:
    """Ask whether an empty point is a true eye of the colour.

    All orthogonal neighbours are own stones, and at most one diagonal is bad (none at the edge or
    in the corner). A diagonal is bad if it holds an opponent stone, or is empty and not itself a
    true eye; a point already being asked about counts as good.
    """
    if point in stones:
        return False
    if any(stones.get(near) != colour for near in neighbours(point, size)):
        return False
    asked = asked | {point}
    allowed = 1 if len(neighbours(point, size)) == 4 else 0
    bad = 0
    for diagonal in diagonals(point, size):
        if stones.get(diagonal) == OTHER[colour]:
            bad += 1
        elif diagonal not in stones and diagonal not in asked:
            bad += not is_true_eye(stones, diagonal, colour, size, asked)
        if bad > allowed:
            return False
    return True


def greatest_true_eyes(
    stones: Stones, colour: str, size: int, everywhere: set[Point]
) -> set[Point]:
    """Find all true eyes of a colour at once, as the greatest set that supports itself.

    Equal to asking point by point, because goodness is monotone; quick on boards where the
    recursion walks every path.
    """
    eyes = {
        p
        for p in everywhere
        if p not in stones and all(stones.get(near) == colour for near in neighbours(p, size))
    }
    while True:
        weak = set()
        for point in eyes:
            bad = sum(
                stones.get(d) == OTHER[colour] or (d not in stones and d not in eyes)
                for d in diagonals(point, size)
            )
            if bad > (1 if len(neighbours(point, size)) == 4 else 0):
                weak.add(point)
        if not weak:
            return eyes
        eyes -= weak
