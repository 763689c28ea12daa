"""Openings for matches: deterministic players need different starts to play different games."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from goengine.board import Board
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.games.sgf import read_collection
from goengine.players.policy_player import PolicyPlayer
from goengine.rules import Rules
from goengine.types import GoError

Opening = tuple[int, ...]
"""Moves from the empty board, Black first, colours alternating."""
OpeningSource = Callable[[int], Opening]
"""Gives the opening of a number; the same number, the same opening."""

_CORNER = ((3, 3), (3, 2), (2, 3), (3, 4), (4, 3))
"""(row, column) of a corner's usual first moves: 4-4, both 3-4s, both 5-4s, from the top-left."""
SMALL = 9
"""Below this size the corners run into each other; openings are then one random point."""


class OpeningError(GoError):
    """Openings that cannot be had."""


def corner_openings(size: int, moves: int, *, seed: int) -> OpeningSource:
    """Return random usual corner moves, at most four; on boards below 9x9 one random point."""

    def opening(number: int) -> Opening:
        rng = np.random.default_rng([seed, number])
        if size < SMALL:
            return (int(rng.integers(size * size)),) if moves else ()
        points = []
        for corner in rng.permutation(4)[:moves]:
            row, column = _CORNER[int(rng.integers(len(_CORNER) if size > SMALL else 3))]
            row = size - 1 - row if corner & 1 else row
            column = size - 1 - column if corner & 2 else column
            points.append(row * size + column)
        return tuple(points)

    return opening


def policy_openings(player: PolicyPlayer, size: int, moves: int, *, seed: int) -> OpeningSource:
    """Return openings that a network draws from its own probabilities; a pass ends them."""
    sampler = player.with_settings(replace(player.settings, temperature=1.0))

    def opening(number: int) -> Opening:
        rng = np.random.default_rng([seed, number])
        game = Game(size)
        played = []
        for _ in range(moves):
            move = sampler.choose(game, rng=rng).move
            if move == size * size:
                break
            game.play(move)
            played.append(move)
        return tuple(played)

    return opening


def sgf_openings(path: Path, size: int, moves: int, *, rules: Rules, seed: int) -> OpeningSource:
    """Return the first moves of the games in an SGF file, in a random order.

    Games of another size, with set-up stones, with passes among the moves or with moves that the
    rules forbid are left out.

    Raises:
        OpeningError: the file cannot be read or no game fits.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OpeningError(
            f"cannot read the openings {path}: {error.strerror}; name an SGF file, or use corners, "
            "policy or none"
        ) from None
    found = {
        tuple(move for _, move in game.moves[:moves])
        for game in read_collection(data)
        if isinstance(game, GameRecord) and _fits(game, size, moves, rules)
    }
    if not found:
        raise OpeningError(
            f"{path} has no {size}x{size} game that begins with {moves} legal moves: name another "
            "file, or ask for fewer with --opening-moves"
        )
    ordered = sorted(found)
    np.random.default_rng(seed).shuffle(ordered)
    return lambda number: ordered[number % len(ordered)]


def _fits(game: GameRecord, size: int, moves: int, rules: Rules) -> bool:
    """Tell whether a game can be an opening."""
    if game.size != size or game.setup_black or game.setup_white or len(game.moves) < moves:
        return False
    board = Board(size, rules=rules)
    for colour, move in game.moves[:moves]:
        if colour != board.to_play or move == size * size or not board.is_legal(move):
            return False
        board.play(move)
    return True
