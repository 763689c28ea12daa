"""Make finished positions that are hard to count, and note what GNU Go says about them.

    python -m tests.goengine.scoring.generate_endings [--seed 1] [--each 1] [--out FILE]

Every position holds one scene: chains of one or both colours that are shut in by living stones and
whose fate a reading to the end finds settled. The rest of the board belongs to the walls around
the scene and is filled with stones but for eyes and rooms; rooms may hold dead stones.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from goengine.coords import gtp_to_move, move_to_gtp
from tests.goengine.scoring.small_reading import Cell, Reading, beside

RECORDED = Path(__file__).with_name("endings.json")
KOMI = (0.5, 3.5, 5.5, 6.5, 7.5)
PLAN = {
    "seki": 70,
    "seki, open outside": 20,
    "race": 40,
    "bent four": 16,
    "eyes": 34,
    "dead in territory": 20,
}
"""How many positions of each kind."""
ROOM = {"seki, open outside": 5, "dead in territory": 4}
"""The longest side of an empty room outside the scene; else 1 or 2."""
BLACK, WHITE, EMPTY = "X", "O", "."
OTHER = {BLACK: WHITE, WHITE: BLACK}


@dataclass
class Scene:
    """The inner part of a position: its cells, and the colours of the walls around them."""

    cells: dict[Cell, str]
    walls: dict[Cell, str] = field(default_factory=dict)


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

    ``only``: every wall is of this colour, and stones of it inside may touch it.
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


BENT = """
O O O . X
. X X X X
X X
"""


def bent_four(rng: random.Random, size: int) -> Scene | None:
    """Return a bent four in the corner, White's stones in Black's only eye space."""
    cells = {}
    for row, line in enumerate(BENT.strip().splitlines()):
        for column, what in enumerate(line.split()):
            cells[row, column] = what
    for cell in ((3, 0), (3, 1), (2, 2), (2, 3), (2, 4)):
        if rng.random() < 0.3:
            cells[cell] = BLACK
    if len(chains(cells, BLACK, size)) != 1:
        return None
    walls = wall_in(cells, size, WHITE)
    return None if walls is None else Scene(cells, walls)


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


def is_kind(kind: str, scene: Scene, size: int) -> bool:
    """Tell whether a scene is what its kind says, as far as reading to the end tells."""
    found = fates(scene, size)
    if found is None or (kind == "race" and not is_filled(scene, found, size)):
        return False
    if kind == "bent four":
        return True
    if kind.startswith("seki"):
        return set(found.values()) == {"alive"}
    if kind == "race":
        return set(found.values()) == {"alive", "dead"}
    return True


def surround(
    rng: random.Random, size: int, scene: Scene, *, room: int, dead: bool
) -> dict[Cell, str] | None:
    """Return the whole board around a scene, or None where a wall would not live.

    ``room`` is the longest side of an open room; with ``dead``, rooms hold stones of the enemy.
    """
    owner = dict(scene.walls)
    every = [(row, column) for row in range(size) for column in range(size)]
    rest = {cell for cell in every if cell not in scene.cells and cell not in owner}
    ragged = rng.random() < 0.3
    frontier = list(owner)
    rng.shuffle(frontier)
    while frontier and rest:
        cell = frontier.pop(rng.randrange(len(frontier)) if ragged else 0)
        for near in beside(cell, size):
            if near in rest:
                rest.discard(near)
                owner[near] = owner[cell]
                frontier += [near] if not ragged else [near, near]
    if rest:
        return None
    board = {**owner, **scene.cells}
    for colour in (BLACK, WHITE):
        for part in chains(owner, colour, size):
            inner = [
                cell
                for cell in sorted(part)
                if cell not in scene.walls and set(_around(cell, size)) <= part
            ]
            rooms = _rooms(rng, inner, room)
            if len(rooms) < 2 and not any(len(one) >= 12 for one in rooms):
                return None
            for one in rooms:
                for cell in one:
                    board[cell] = EMPTY
                if dead and len(one) >= 4:
                    for cell in rng.sample(
                        sorted(one), rng.choice((1, 1, 2, min(3, len(one) // 3)))
                    ):
                        board[cell] = OTHER[colour]
    for colour in (BLACK, WHITE):
        for chain in chains(board, colour, size):
            if not any(board[near] == EMPTY for c in chain for near in beside(c, size)):
                return None
    return board


def _around(cell: Cell, size: int) -> list[Cell]:
    """Return the up to eight cells around one."""
    return [
        (row, column)
        for row in range(cell[0] - 1, cell[0] + 2)
        for column in range(cell[1] - 1, cell[1] + 2)
        if (row, column) != cell and 0 <= row < size and 0 <= column < size
    ]


def _rooms(rng: random.Random, inner: list[Cell], longest: int) -> list[set[Cell]]:
    """Return rectangles of inner cells that do not touch each other, two or more if they fit."""
    free = set(inner)
    rooms: list[set[Cell]] = []
    for attempt in range(40):
        if not free or (len(rooms) >= 2 and rng.random() < 0.2):
            break
        high = rng.randrange(1, longest + 1) if attempt < 30 else 1
        wide = rng.randrange(1, longest + 1) if attempt < 30 else 1
        top, left = rng.choice(sorted(free))
        one = {(top + row, left + column) for row in range(high) for column in range(wide)}
        if one <= free:
            rooms.append(one)
            free -= one
            for row, column in one:
                free -= {(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)}
    return rooms


def turned(board: dict[Cell, str], size: int, symmetry: int) -> dict[Cell, str]:
    """Return the board under one of the eight symmetries; 8 to 15 also swap the colours."""
    result = {}
    for (row, column), what in board.items():
        if symmetry & 1:
            row = size - 1 - row
        if symmetry & 2:
            column = size - 1 - column
        if symmetry & 4:
            row, column = column, row
        result[row, column] = OTHER.get(what, EMPTY) if symmetry & 8 else what
    return result


MAKERS: dict[str, Callable[[random.Random, int], Scene | None]] = {
    "seki": two_sided,
    "seki, open outside": two_sided,
    "race": two_sided,
    "bent four": bent_four,
    "eyes": one_sided,
    "dead in territory": one_sided,
}


def positions(seed: int, each: float) -> Iterator[dict[str, object]]:
    """Yield positions of every kind of PLAN, ``each`` times as many."""
    for kind, count in PLAN.items():
        made = 0
        rng = random.Random(f"{seed} {kind}")
        sides = (9, 9, 13, 19) if kind == "seki, open outside" else (7, 9, 9, 9, 11, 13, 19)
        while made < round(count * each):
            size = rng.choice(sides)
            scene = MAKERS[kind](rng, size)
            if scene is None or not is_kind(kind, scene, size):
                continue
            room = ROOM.get(kind, rng.choice((1, 1, 2)))
            for _ in range(10):
                board = surround(rng, size, scene, room=room, dead=kind == "dead in territory")
                if board is not None and any(EMPTY == x for x in board.values()):
                    break
            if board is None:
                continue
            symmetry = made % 16 if kind == "bent four" else rng.randrange(16)
            board = turned(board, size, symmetry)
            made += 1
            yield {
                "kind": kind,
                "size": size,
                "rules": ("chinese", "japanese")[(made + made // 16) % 2],
                "komi": rng.choice(KOMI),
                "rows": " ".join(
                    "".join(board[row, column] for column in range(size)) for row in range(size)
                ),
            }


def gnugo() -> str | None:
    """Return the path of GNU Go, or None where it is not installed."""
    return shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")


class GnuGo:
    """One process of GNU Go that scores finished positions."""

    def __init__(self, rules: str) -> None:
        self._process = subprocess.Popen(
            [gnugo() or "gnugo", "--mode", "gtp", f"--{rules}-rules"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, command: str) -> str:
        """Return the answer to one command."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline()).strip() or not lines:
            if not line:
                raise RuntimeError(f"GNU Go ended at {command!r}")
            lines.append(line.rstrip())
        if not lines[0].startswith("="):
            raise RuntimeError(f"GNU Go answers {lines[0]!r} to {command!r}")
        return "\n".join([lines[0][2:], *lines[1:]]).strip()

    def judge(self, position: dict[str, object], folder: Path) -> dict[str, object]:
        """Return GNU Go's score, dead stones and seki stones of a position."""
        size = int(str(position["size"]))
        placed: dict[str, str] = {BLACK: "", WHITE: ""}
        for row, line in enumerate(str(position["rows"]).split()):
            for column, what in enumerate(line):
                if what != EMPTY:
                    placed[what] += f"[{chr(97 + column)}{chr(97 + row)}]"
        path = folder / "position.sgf"
        path.write_text(
            f"(;GM[1]FF[4]SZ[{size}]KM[{position['komi']}]AB{placed[BLACK]}AW{placed[WHITE]})"
        )
        self.ask(f"loadsgf {path}")
        self.ask(f"komi {position['komi']}")
        answers: dict[str, object] = {"score": self.ask("final_score")}
        for condition in ("dead", "seki"):
            listed = self.ask(f"final_status_list {condition}").split()
            moves = sorted(gtp_to_move(vertex, size) for vertex in listed)
            answers[condition] = " ".join(move_to_gtp(move, size) for move in moves)
        return answers


def main() -> int:
    """Write the positions with GNU Go's answers, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=float, default=1.0, help="times as many; default: 1")
    parser.add_argument("--out", type=Path, default=RECORDED)
    parser.add_argument("--scratch", type=Path, default=Path("."), help="folder for GNU Go's input")
    args = parser.parse_args()
    engines = {rules: GnuGo(rules) for rules in ("chinese", "japanese")}
    with args.out.open("w", encoding="utf-8") as out:
        for position in positions(args.seed, args.each):
            position |= engines[str(position["rules"])].judge(position, args.scratch)
            print(json.dumps(position), file=out, flush=True)
            print(position["kind"], position["score"], file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
