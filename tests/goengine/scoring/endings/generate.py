"""Make finished positions that are hard to count, and note what GNU Go says about them.

    python -m tests.goengine.scoring.endings.generate [--seed 1] [--each 1] [--out FILE]

Every position holds one scene: chains of one or both colours that are shut in by living stones and
whose fate a reading to the end finds settled. The rest of the board belongs to the walls around
the scene and is filled with stones but for eyes and rooms; rooms may hold dead stones.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.goengine.scoring.endings.gnugo import GnuGo, vertices
from tests.goengine.scoring.endings.scenes import (
    BLACK,
    EMPTY,
    MAKERS,
    OTHER,
    WHITE,
    Scene,
    chains,
    judged,
)
from tests.goengine.scoring.endings.small_reading import Cell, beside

RECORDED = Path(__file__).with_name("recorded.jsonl")
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


def dead_stones(
    scene: Scene, found: dict[Cell, str], board: dict[Cell, str], size: int
) -> set[Cell]:
    """Return the stones that are dead by the reading, and those put into rooms of the enemy."""
    dead = {
        cell
        for colour in (BLACK, WHITE)
        for chain in chains(scene.cells, colour, size)
        if found.get(min(chain)) == "dead"
        for cell in chain
    }
    owner: dict[Cell, str] = {}
    todo = list(scene.walls.items())
    while todo:
        cell, colour = todo.pop()
        if cell not in owner and cell not in scene.cells:
            owner[cell] = colour
            todo += [(x, colour) for x in beside(cell, size) if board[x] in (colour, EMPTY)]
    return dead | (set(board) - set(owner) - set(scene.cells))


def surround(
    rng: random.Random, size: int, scene: Scene, *, room: int, dead: bool
) -> dict[Cell, str] | None:
    """Return the whole board around a scene, or None where a wall would not live.

    `room` is the longest side of an open room; with `dead`, rooms hold stones of the enemy.
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
                    stones = rng.choice((1, 1, 2, min(3, len(one) // 3)))
                    board.update(dict.fromkeys(rng.sample(sorted(one), stones), OTHER[colour]))
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


def positions(seed: int, each: float) -> Iterator[dict[str, object]]:
    """Yield positions of every kind of PLAN, `each` times as many, at least one of a kind."""
    for kind, count in PLAN.items():
        made = 0
        rng = random.Random(f"{seed} {kind}")
        sides = (9, 9, 13, 19) if kind == "seki, open outside" else (7, 9, 9, 9, 11, 13, 19)
        while made < max(1, round(count * each)):
            size = rng.choice(sides)
            scene = MAKERS[kind](rng, size)
            if scene is None:
                continue
            found = judged(kind, scene, size)
            if found is None:
                continue
            room = ROOM.get(kind, rng.choice((1, 1, 2)))
            for _ in range(10):
                board = surround(rng, size, scene, room=room, dead=kind == "dead in territory")
                if board is not None and any(EMPTY == x for x in board.values()):
                    break
            if board is None:
                continue
            symmetry = made % 16 if kind == "bent four" else rng.randrange(16)
            dead = dead_stones(scene, found, board, size)
            dead = set(turned(dict.fromkeys(dead, BLACK), size, symmetry))
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
                "read": vertices((row * size + column for row, column in dead), size),
            }


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
            if position["read"] != position["dead"]:
                position["left out"] = "the reading to the end finds other stones dead than GNU Go"
            del position["read"]
            print(json.dumps(position), file=out, flush=True)
            print(position["kind"], position["score"], file=sys.stderr)
    for engine in engines.values():
        engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
