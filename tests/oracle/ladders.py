"""Ladder reading by definition: hunter and prey alternate and look at ladder moves only."""

from __future__ import annotations

from dataclasses import dataclass

from .eyes import is_true_eye
from .rules import (
    OTHER,
    Point,
    Position,
    Stones,
    chain,
    is_legal,
    liberties,
    neighbours,
    place,
    simple_ko,
)

DEPTH_LIMIT = 80


class ReadingTooLongError(Exception):
    """Tell that a reading passed its limit of nodes."""


@dataclass(frozen=True)
class Reading:
    """What the reading needs of a position: stones, simple ko and whose prey it is."""

    stones: Stones
    ko: Point | None
    size: int

    def legal(self, point: Point, colour: str) -> bool:
        position = Position(self.size, self.stones, colour, self.ko)
        return is_legal(position, point)

    def after(self, point: Point, colour: str) -> Reading:
        after, _ = place(self.stones, point, colour, self.size)
        return Reading(after, simple_ko(self.stones, point, colour, self.size), self.size)

    def liberties_at(self, stone: Point) -> set[Point]:
        return liberties(self.stones, chain(self.stones, stone, self.size), self.size)


class Reader:
    """Read one ladder at a time, counting the moves that were played out."""

    def __init__(self, limit: int = 200_000) -> None:
        self.nodes = 0
        self.limit = limit

    def _step(self) -> None:
        self.nodes += 1
        if self.nodes > self.limit:
            raise ReadingTooLongError

    def replies(self, board: Reading, prey: Point) -> list[Point]:
        """List the prey's replies: its last liberty, and captures of touching chains in atari."""
        colour = board.stones[prey]
        group = chain(board.stones, prey, board.size)
        moves = set(liberties(board.stones, group, board.size))
        for stone in group:
            for near in neighbours(stone, board.size):
                if board.stones.get(near) == OTHER[colour]:
                    libs = board.liberties_at(near)
                    if len(libs) == 1:
                        moves |= libs
        return sorted(
            move
            for move in moves
            if board.legal(move, colour) and not is_true_eye(board.stones, move, colour, board.size)
        )

    def captures(self, board: Reading, prey: Point, point: Point, ply: int = 0) -> bool:
        """Ask capture(p): does the hunter, playing here, catch the prey that has two liberties?"""
        if ply >= DEPTH_LIMIT:
            return False
        self._step()
        after = board.after(point, OTHER[board.stones[prey]])
        if len(after.liberties_at(prey)) >= 2:
            return False
        return not any(
            self.escapes(after, prey, reply, ply + 1) for reply in self.replies(after, prey)
        )

    def escapes(self, board: Reading, prey: Point, point: Point, ply: int = 0) -> bool:
        """Ask escape(q): does the prey in atari, playing here, get away?"""
        if ply >= DEPTH_LIMIT:
            return True
        self._step()
        colour = board.stones[prey]
        after = board.after(point, colour)
        free = after.liberties_at(prey)
        if len(free) >= 3:
            return True
        if len(free) == 1:
            return False
        return not any(
            after.legal(move, OTHER[colour]) and self.captures(after, prey, move, ply + 1)
            for move in sorted(free)
        )


def _chains(position: Position, colour: str, count: int) -> list[tuple[Point, set[Point]]]:
    """List the colour's chains with so many liberties: a stone of each, and its liberties."""
    found = []
    done: set[Point] = set()
    for point, stone in sorted(position.stones.items()):
        if stone == colour and point not in done:
            group = chain(position.stones, point, position.size)
            done |= group
            free = liberties(position.stones, group, position.size)
            if len(free) == count:
                found.append((point, free))
    return found


def ladder_captures(position: Position) -> tuple[set[Point], int]:
    """Find the points of plane 44, and the longest reading in nodes."""
    hunter = position.to_play
    board = Reading(position.stones, position.ko, position.size)
    marked = set()
    longest = 0
    for prey, free in _chains(position, OTHER[hunter], 2):
        for point in sorted(free):
            if not board.legal(point, hunter):
                continue
            reader = Reader()
            if reader.captures(board, prey, point):
                marked.add(point)
            longest = max(longest, reader.nodes)
    return marked, longest


def ladder_escapes(position: Position) -> tuple[set[Point], int]:
    """Find the points of plane 45, and the longest reading in nodes."""
    colour = position.to_play
    board = Reading(position.stones, position.ko, position.size)
    marked = set()
    longest = 0
    for prey, free in _chains(position, colour, 1):
        (point,) = free
        if not board.legal(point, colour):
            continue
        if is_true_eye(position.stones, point, colour, position.size):
            continue
        reader = Reader()
        if reader.escapes(board, prey, point):
            marked.add(point)
        longest = max(longest, reader.nodes)
    return marked, longest
