"""Rules by flood fill: a position is a dictionary of stones.

Points are ``(row, column)`` pairs from the top left. A position is never changed: every move
makes a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

Point = tuple[int, int]
Stones = dict[Point, str]

OTHER = {"X": "O", "O": "X"}
OLDEST = None  # the time of a handicap or set-up stone


@cache
def points(size: int) -> tuple[Point, ...]:
    """List every point of the board in reading order."""
    return tuple((row, col) for row in range(size) for col in range(size))


@cache
def neighbours(point: Point, size: int) -> tuple[Point, ...]:
    """List the orthogonal neighbours on the board."""
    row, col = point
    around = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
    return tuple(p for p in around if 0 <= p[0] < size and 0 <= p[1] < size)


@cache
def diagonals(point: Point, size: int) -> tuple[Point, ...]:
    """List the diagonal neighbours on the board."""
    row, col = point
    around = [(row - 1, col - 1), (row - 1, col + 1), (row + 1, col - 1), (row + 1, col + 1)]
    return tuple(p for p in around if 0 <= p[0] < size and 0 <= p[1] < size)


def chain(stones: Stones, point: Point, size: int) -> set[Point]:
    """Flood fill the stones connected to the stone on the point."""
    colour = stones[point]
    found = {point}
    frontier = [point]
    while frontier:
        for near in neighbours(frontier.pop(), size):
            if stones.get(near) == colour and near not in found:
                found.add(near)
                frontier.append(near)
    return found


def liberties(stones: Stones, group: set[Point], size: int) -> set[Point]:
    """Collect the empty points next to a chain."""
    return {near for stone in group for near in neighbours(stone, size) if near not in stones}


def place(stones: Stones, point: Point, colour: str, size: int) -> tuple[Stones, set[Point]]:
    """Put a stone down, take off what it captures, then take off its own chain if it is dead.

    Returns the new stones and every stone taken off, of either colour.
    """
    after = dict(stones)
    after[point] = colour
    taken: set[Point] = set()
    for near in neighbours(point, size):
        if after.get(near) == OTHER[colour]:
            group = chain(after, near, size)
            if not liberties(after, group, size):
                taken |= group
    for dead in taken:
        del after[dead]
    if not taken:
        own = chain(after, point, size)
        if not liberties(after, own, size):
            taken = own
            for dead in own:
                del after[dead]
    return after, taken


def simple_ko(stones: Stones, point: Point, colour: str, size: int) -> Point | None:
    """Name the point that a retake may not use after this move, if the move takes a ko.

    A ko: exactly one stone is captured, by a single stone that is left with one liberty.
    """
    after, taken = place(stones, point, colour, size)
    if len(taken) != 1 or point not in after:
        return None
    own = chain(after, point, size)
    if len(own) == 1 and liberties(after, own, size) == taken:
        return next(iter(taken))
    return None


@dataclass(frozen=True)
class Position:
    """One position of a game, with what the planes and the rules need of its past."""

    size: int
    stones: Stones = field(default_factory=dict)
    to_play: str = "X"
    ko: Point | None = None
    turn: int = 0
    played: dict[Point, int | None] = field(default_factory=dict)
    seen: tuple[tuple[frozenset[tuple[Point, str]], str], ...] = ()
    captured_by: tuple[int, int] = (0, 0)  # by X, by O

    def grid(self) -> frozenset[tuple[Point, str]]:
        """Freeze the stones, for comparison with other positions."""
        return frozenset(self.stones.items())

    def play(self, point: Point | None, colour: str | None = None) -> Position:
        """Return the position after a move (None passes); legality is not asked."""
        colour = colour or self.to_play
        seen = (*self.seen, (self.grid(), self.to_play))
        common = {"turn": self.turn + 1, "to_play": OTHER[colour], "seen": seen}
        if point is None:
            return Position(
                self.size,
                self.stones,
                ko=None,
                played=self.played,
                captured_by=self.captured_by,
                **common,
            )
        after, taken = place(self.stones, point, colour, self.size)
        played = {p: t for p, t in self.played.items() if p in after and p not in taken}
        if point in after:
            played[point] = self.turn
        by_x, by_o = self.captured_by
        for stone in taken:
            taken_colour = self.stones.get(stone, colour)
            by_x, by_o = by_x + (taken_colour == "O"), by_o + (taken_colour == "X")
        return Position(
            self.size,
            after,
            ko=simple_ko(self.stones, point, colour, self.size),
            played=played,
            captured_by=(by_x, by_o),
            **common,
        )


def is_legal(position: Position, point: Point, colour: str | None = None) -> bool:
    """Ask legality as the planes mean it: empty, not suicide, not the simple-ko point."""
    if point in position.stones or point == position.ko:
        return False
    after, _ = place(position.stones, point, colour or position.to_play, position.size)
    return point in after


def is_legal_by_rules(position: Position, point: Point | None, ko: str, suicide: bool) -> bool:
    """Ask legality under a rule set: ko is "simple", "positional" or "situational".

    Suicide, where allowed, is of several stones: a single stone may never remove itself.
    """
    if point is None:
        return True
    if point in position.stones:
        return False
    colour = position.to_play
    after, taken = place(position.stones, point, colour, position.size)
    if point not in after and not (suicide and len(taken) > 1):
        return False
    if ko == "simple":
        return point != position.ko
    new = frozenset(after.items())
    past = [*position.seen, (position.grid(), colour)]
    if ko == "positional":
        return all(new != grid for grid, _ in past)
    return (new, OTHER[colour]) not in past


def legal_moves(position: Position) -> Iterator[Point]:
    """Yield the legal points of the player to move, as the planes mean it."""
    return (p for p in points(position.size) if is_legal(position, p))


def perft(position: Position, depth: int, ko: str, suicide: bool) -> int:
    """Count the sequences of moves of the given length; a pass is a move and ends nothing."""
    if depth == 0:
        return 1
    moves = [p for p in points(position.size) if is_legal_by_rules(position, p, ko, suicide)]
    return sum(perft(position.play(move), depth - 1, ko, suicide) for move in [None, *moves])


def is_possible(stones: Stones, size: int) -> bool:
    """Ask whether every chain has a liberty."""
    return all(liberties(stones, chain(stones, p, size), size) for p in stones)


def count_legal_positions(size: int) -> int:
    """Count the colourings of the board in which every chain has a liberty."""
    everywhere = points(size)
    count = 0
    for code in range(3 ** len(everywhere)):
        stones: Stones = {}
        for point in everywhere:
            code, digit = divmod(code, 3)
            if digit:
                stones[point] = "?XO"[digit]
        count += is_possible(stones, size)
    return count


def area(stones: Stones, size: int) -> dict[Point, str]:
    """Give each point its owner: stones own their point, empty regions what alone touches them."""
    owners = dict(stones)
    for start in points(size):
        if start in owners:
            continue
        region = {start}
        frontier = [start]
        borders = set()
        while frontier:
            for near in neighbours(frontier.pop(), size):
                if near in stones:
                    borders.add(stones[near])
                elif near not in region:
                    region.add(near)
                    frontier.append(near)
        owner = borders.pop() if len(borders) == 1 else "."
        owners.update(dict.fromkeys(region, owner))
    return owners
