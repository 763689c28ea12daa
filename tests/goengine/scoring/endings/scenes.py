"""The inner part of a hard position: chains that are shut in, and how a reading finds them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.goengine.scoring.endings.small_reading import Cell, Reading, beside

BLACK, WHITE, EMPTY = "X", "O", "."
OTHER = {BLACK: WHITE, WHITE: BLACK}


@dataclass
class Scene:
    """The inner part of a position: its cells, and the colours of the walls around them."""

    cells: dict[Cell, str]
    walls: dict[Cell, str]


def blob(rng: random.Random, size: int, corner: Cell, count: int, width: int) -> list[Cell]:
    """Return a connected set of cells near a corner of a window, in random order of growth."""
    row, column = corner
    found = [(row + rng.randrange(width), column + rng.randrange(width))]
    if not all(0 <= x < size for x in found[0]):
        return []
    for _ in range(20 * count):
        if len(found) == count:
            return found
        cell = rng.choice(beside(rng.choice(found), size))
        inside = row <= cell[0] < row + width and column <= cell[1] < column + width
        if inside and cell not in found:
            found.append(cell)
    return []


def chains(cells: dict[Cell, str], colour: str, size: int) -> list[set[Cell]]:
    """Return the connected sets of one colour."""
    left = {cell for cell, what in cells.items() if what == colour}
    found = []
    while left:
        group, todo = set(), [next(iter(sorted(left)))]
        while todo:
            cell = todo.pop()
            if cell in left:
                left.discard(cell)
                group.add(cell)
                todo += beside(cell, size)
        found.append(group)
    return found


def wall_in(cells: dict[Cell, str], size: int, only: str | None = None) -> dict[Cell, str] | None:
    """Return the walls that shut the cells in, or None where two colours want one point.

    `only`: every wall is of this colour, and stones of it inside may touch it.
    """
    wanted: dict[Cell, set[str]] = {}
    for cell, what in cells.items():
        for near in beside(cell, size):
            if near in cells:
                continue
            if what == EMPTY:
                touched = {cells.get(x, EMPTY) for x in beside(cell, size)} - {EMPTY}
                if len(touched) != 1:
                    return None
                what = touched.pop()
            wanted.setdefault(near, set()).add(OTHER[what])
    if only is not None:
        return dict.fromkeys(wanted, only)
    if any(len(colours) > 1 for colours in wanted.values()):
        return None
    return {cell: colours.pop() for cell, colours in wanted.items()}


def two_sided(rng: random.Random, size: int) -> Scene | None:
    """Return chains of both colours that share liberties, or None where the draw was no good."""
    width = rng.choice((3, 3, 4, 4, 5))
    corner = rng.choice(((0, 0), (0, rng.randrange(1, 3)), (0, size // 2 - 1)))
    cells = blob(rng, size, corner, rng.randrange(6, 14), width)
    if not cells:
        return None
    empties = set(rng.sample(cells, rng.choice((2, 2, 2, 2, 3, 4))))
    stones = [cell for cell in cells if cell not in empties]
    start = rng.choice(stones)
    black = {start}
    share = rng.randrange(2, max(3, len(stones) - 1))
    for _ in range(60):
        if len(black) == share:
            break
        near = rng.choice(beside(rng.choice(sorted(black)), size))
        if near in stones:
            black.add(near)
    inner = {c: EMPTY if c in empties else BLACK if c in black else WHITE for c in cells}
    parts = [len(chains(inner, colour, size)) for colour in (BLACK, WHITE)]
    if sorted(parts) not in ([1, 1], [1, 2]):
        return None
    walls = wall_in(inner, size)
    if walls is None or len(set(walls.values())) < 2:
        return None
    shared = 0
    for cell in empties:
        touched = {inner.get(x) for x in beside(cell, size)}
        shared += {BLACK, WHITE} <= touched
    return Scene(inner, walls) if shared >= 1 else None


def one_sided(rng: random.Random, size: int) -> Scene | None:
    """Return black chains with small eyes, shut in by White, or None."""
    width = rng.choice((3, 4, 4, 5))
    corner = rng.choice(((0, 0), (0, rng.randrange(1, 3)), (0, size // 2 - 1), (2, 2)))
    cells = blob(rng, size, corner, rng.randrange(7, 14), width)
    if not cells:
        return None
    empties = set(rng.sample(cells, rng.choice((1, 2, 2, 3))))
    white = set(rng.sample(cells, rng.choice((0, 0, 1, 2, 3)))) - empties
    inner = {c: EMPTY if c in empties else WHITE if c in white else BLACK for c in cells}
    black = chains(inner, BLACK, size)
    if not 1 <= len(black) <= 2 or sum(map(len, black)) < 4:
        return None
    walls = wall_in(inner, size, WHITE)
    if walls is None or len(walls) < 3:
        return None
    for stone in white:
        if any(walls.get(near) for near in beside(stone, size)):
            return None
    return Scene(inner, walls)


BENT = ((0, 0), (0, 1), (0, 2), (1, 0))
"""The four stones that can be thrown in."""


def bent_four(rng: random.Random, size: int) -> Scene | None:
    """Return a bent four in the corner, White's three stones in Black's only eye, or None."""
    missing = rng.choice(BENT)
    other = rng.choice(((0, 3), (0, 3), (2, 0), (1, 2)))
    eye = {*BENT, other}
    cells = {cell: EMPTY if cell in (missing, other) else WHITE for cell in eye}
    ring = {near for cell in eye for near in beside(cell, size)} - eye
    extra = {near for cell in ring for near in beside(cell, size)} - eye - ring
    ring |= {cell for cell in sorted(extra) if rng.random() < 0.4}
    cells.update(dict.fromkeys(sorted(ring), BLACK))
    if len(chains(cells, BLACK, size)) != 1 or not _two_liberties(cells, size):
        return None
    walls = wall_in(cells, size, WHITE)
    return None if walls is None else Scene(cells, walls)


def _two_liberties(cells: dict[Cell, str], size: int) -> bool:
    """Tell whether every chain of White inside has two liberties."""
    return all(
        len({x for cell in chain for x in beside(cell, size) if cells[x] == EMPTY}) == 2
        for chain in chains(cells, WHITE, size)
    )


def fates(scene: Scene, size: int) -> dict[Cell, str] | None:
    """Return "alive" or "dead" for a stone of each inner chain, or None where it is unsettled."""
    reading = Reading(scene.cells, scene.walls, size)
    found = {}
    for colour in (BLACK, WHITE):
        for chain in chains(scene.cells, colour, size):
            stone = min(chain)
            if any(scene.walls.get(near) == colour for c in chain for near in beside(c, size)):
                continue
            first = reading.captured(stone, OTHER[colour])
            second = reading.captured(stone, colour)
            if first is None or second is None or first != second:
                return None
            found[stone] = "dead" if first else "alive"
    return found


def is_filled(scene: Scene, found: dict[Cell, str], size: int) -> bool:
    """Tell whether no liberty that both could fill is left, once the dead are taken off."""
    after = {**scene.walls, **scene.cells}
    for colour in (BLACK, WHITE):
        for chain in chains(scene.cells, colour, size):
            if found.get(min(chain)) == "dead":
                after.update(dict.fromkeys(chain, EMPTY))
    for region in chains(after, EMPTY, size):
        if len({after.get(x) for cell in region for x in beside(cell, size)} & set(OTHER)) > 1:
            return False
    return True


def is_kind(kind: str, scene: Scene, found: dict[Cell, str], size: int) -> bool:
    """Tell whether a scene with some fates is what its kind says."""
    if kind == "race" and not is_filled(scene, found, size):
        return False
    if kind.startswith("seki"):
        return set(found.values()) == {"alive"}
    if kind == "race":
        return set(found.values()) == {"alive", "dead"}
    return True


def judged(kind: str, scene: Scene, size: int) -> dict[Cell, str] | None:
    """Return the fates of a scene of a kind, or None where it is unsettled or of another kind.

    A bent four is dead by rule, as no reading knows how many ko threats there are.
    """
    if kind == "bent four":
        return {min(chain): "dead" for chain in chains(scene.cells, BLACK, size)}
    found = fates(scene, size)
    return found if found is not None and is_kind(kind, scene, found, size) else None


MAKERS: dict[str, Callable[[random.Random, int], Scene | None]] = {
    "seki": two_sided,
    "seki, open outside": two_sided,
    "race": two_sided,
    "bent four": bent_four,
    "eyes": one_sided,
    "dead in territory": one_sided,
}
