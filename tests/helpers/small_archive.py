"""A small archive of random legal games, for tests of what reads archives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from goengine import BLACK, WHITE, Board, GameRecord, opponent
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter


def random_game(rng: np.random.Generator, *, length: int, handicap: int = 0) -> GameRecord:
    """Return a game of random sensible moves; every fifteenth move or so is a pass."""
    board = Board(19, rules="replay")
    stones = tuple(int(m) for m in rng.choice(361, size=handicap, replace=False))
    colour = BLACK
    if stones:
        board.setup(black=stones)
        colour = WHITE
    first, moves = colour, []
    for _ in range(length):
        choices = np.flatnonzero(board.sensible(colour))
        move = 361 if rng.random() < 1 / 15 else int(rng.choice(choices))
        board.play(move, colour)
        moves.append((colour, move))
        colour = opponent(colour)
    return GameRecord(
        handicap=handicap, setup_black=stones, to_play=first, moves=tuple(moves), result="B+R"
    )


def make_archive(
    folder: Path,
    *,
    games: int = 300,
    seed: int = 0,
    facts: Callable[[int], dict[str, Any]] = lambda number: {},
) -> Archive:
    """Write and open an archive of two sources, "even" and "handicap".

    `facts` says of a game's number what its record holds besides, ranks and date for instance.
    """
    rng = np.random.default_rng(seed)
    with ArchiveWriter(folder) as writer:
        for number in range(games):
            handicap = 3 * (number % 3 == 0)
            game = random_game(rng, length=int(rng.integers(20, 60)), handicap=handicap)
            game = replace(game, **facts(number))
            writer.add(game, "handicap" if handicap else "even")
        return writer.commit()
