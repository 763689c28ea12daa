"""Read a small shut-in part of a board to its end: can this chain be captured?

Slow and simple, and independent of the product: a search over sets of cells with a depth limit
and a memory. Walls never die. Simple ko; a pass lifts it, as under Japanese rules after the game.
"""

from __future__ import annotations

from collections.abc import Iterator

Cell = tuple[int, int]
State = tuple[int, int, int]
"""Black's cells, White's cells and the ko point, as sets of bits."""
BLACK, WHITE = "X", "O"


def beside(cell: Cell, size: int) -> list[Cell]:
    """Return the up to four cells beside one."""
    row, column = cell
    return [
        (r, c)
        for r, c in ((row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column))
        if 0 <= r < size and 0 <= c < size
    ]


class Reading:
    """Both colours' moves inside a part of a board whose surroundings live."""

    def __init__(self, cells: dict[Cell, str], walls: dict[Cell, str], size: int) -> None:
        self.bits = {cell: 1 << number for number, cell in enumerate(cells)}
        self.near = {
            bit: sum(self.bits.get(x, 0) for x in beside(cell, size))
            for cell, bit in self.bits.items()
        }
        self.linked = [
            sum(
                bit
                for cell, bit in self.bits.items()
                if any(walls.get(x) == colour for x in beside(cell, size))
            )
            for colour in (BLACK, WHITE)
        ]
        black, white = (
            sum(self.bits[cell] for cell, what in cells.items() if what == colour)
            for colour in (BLACK, WHITE)
        )
        self.start: State = (black, white, 0)
        self.memory: dict[tuple[State, int, int, int], bool] = {}
        self.successors: dict[tuple[State, int], list[State]] = {}
        self.nodes = 0

    def captured(
        self, stone: Cell, first: str, *, depth: int = 14, nodes: int = 60_000
    ) -> bool | None:
        """Tell whether a stone's chain can be taken when a colour moves first; None: too big."""
        self.nodes = nodes
        self.memory = {}
        bit = self.bits[stone]
        for limit in range(2, depth + 1, 2):
            if self._forced(self.start, (BLACK, WHITE).index(first), bit, limit):
                return True
            if self.nodes <= 0:
                return None
        return False

    def _forced(self, state: State, mover: int, stone: int, depth: int) -> bool:
        """Tell whether the stone's enemy can force its capture within some moves."""
        defender = 0 if self.start[0] & stone else 1
        if not state[defender] & stone:
            return True
        if depth == 0 or self.nodes <= 0:
            return False
        key = (state, mover, stone, depth)
        if key not in self.memory:
            self.nodes -= 1
            results = (
                self._forced(after, 1 - mover, stone, depth - 1)
                for after in self._moves(state, mover)
            )
            self.memory[key] = all(results) if mover == defender else any(results)
        return self.memory[key]

    def _moves(self, state: State, mover: int) -> list[State]:
        """Return the states after each legal move and after a pass, remembered."""
        key = (state, mover)
        if key not in self.successors:
            self.successors[key] = list(self._played(state, mover))
        return self.successors[key]

    def _played(self, state: State, mover: int) -> Iterator[State]:
        """Yield the states after a pass and after each legal move."""
        yield (state[0], state[1], 0)
        for bit, near in self.near.items():
            if bit & (state[0] | state[1] | state[2]):
                continue
            own, foe = state[mover] | bit, state[1 - mover]
            taken, todo = 0, near & foe
            while todo:
                chain = self._chain(todo & -todo, foe)
                todo &= ~chain
                if not self._lives(chain, own | foe, 1 - mover):
                    taken |= chain
            foe &= ~taken
            chain = self._chain(bit, own)
            if not self._lives(chain, own | foe, mover):
                continue
            ko = 0
            if taken and not taken & (taken - 1) and chain == bit and near & ~(own | foe) == taken:
                ko = 0 if self.linked[mover] & bit else taken
            yield (own, foe, ko) if mover == 0 else (foe, own, ko)

    def _chain(self, bit: int, own: int) -> int:
        """Return the chain of a stone."""
        chain, todo = bit, bit
        while todo:
            one = todo & -todo
            todo ^= one
            more = self.near[one] & own & ~chain
            chain |= more
            todo |= more
        return chain

    def _lives(self, chain: int, stones: int, colour: int) -> bool:
        """Tell whether a chain has a liberty or belongs to a wall."""
        if chain & self.linked[colour]:
            return True
        while chain:
            one = chain & -chain
            chain ^= one
            if self.near[one] & ~stones:
                return True
        return False
