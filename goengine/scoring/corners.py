"""Bent four in the corner, which playouts take for seki.

Three stones in a corner and the only eye of the chains around them leave two liberties. Their owner
can fill one of them at any time; the four stones are taken, and a ko in the corner decides. As
that ko can wait until no threat is left, the chains around are dead as they stand (Japanese rules
of 1989, life-and-death example 16).
"""

from __future__ import annotations

from goengine.scoring.regions import Grid, neighbours, regions
from goengine.types import EMPTY, opponent


def bent_fours(grid: Grid, seki: frozenset[int]) -> dict[int, int]:
    """Return the points that change hands: moves to the colour that owns them.

    `seki`: moves of the stones that playouts find in seki. A chain that lives elsewhere is not
    among them, so only those are looked at. The result holds the dead stones, the stones in the
    corner and the liberties that both share.
    """
    size = len(grid)
    flat = grid.ravel().tolist()
    chains = {move: inside for colour, inside, _ in regions(grid) if colour for move in inside}
    taken: dict[int, int] = {}
    for shape in _shapes(size):
        colours = sorted(flat[move] for move in shape)
        attacker = colours[-1]
        if colours != [EMPTY, attacker, attacker, attacker] or attacker == EMPTY:
            continue
        eye, around = _eye(flat, shape, opponent(attacker), size)
        if len(eye) != len(shape) + 1 or not around <= seki:
            continue
        if sum(flat[move] == EMPTY for move in eye) != 2:
            continue
        doomed = {stone for move in around for stone in chains[move]}
        taken.update(dict.fromkeys(doomed | eye, attacker))
    return taken


def _shapes(size: int) -> list[tuple[int, int, int, int]]:
    """Return the moves of the eight bent fours with their bend on a corner's first point."""
    found = []
    for corner in (0, size - 1, size * (size - 1), size * size - 1):
        right = 1 if corner % size == 0 else -1
        down = size if corner < size else -size
        found.append((corner, corner + right, corner + 2 * right, corner + down))
        found.append((corner, corner + down, corner + 2 * down, corner + right))
    return found if size >= 4 else []


def _eye(
    flat: list[int], shape: tuple[int, ...], owner: int, size: int
) -> tuple[set[int], set[int]]:
    """Return the points connected to a shape without crossing a colour, and that colour beside."""
    eye = set(shape)
    around: set[int] = set()
    todo = list(shape)
    while todo:
        for near in neighbours(size)[todo.pop()]:
            if flat[near] == owner:
                around.add(near)
            elif near not in eye:
                eye.add(near)
                todo.append(near)
    return eye, around
