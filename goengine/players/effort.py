"""How hard a player looks at a position: what its clock allows, and what a short one leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from goengine.board import Board
from goengine.encoding.symmetry import SYMMETRIES
from goengine.games.game import Game
from goengine.players.player import Budget
from goengine.players.settings import PolicySettings

LENGTH = 0.75
"""Moves a point that a game is expected to have."""
FRONT = 0.7
"""Share of the moves still expected that the time is divided by: earlier moves get more."""
FEWEST, FEWEST_SHARE = 20.0, 1 / 12
"""Moves that are expected to follow at the least: so many, and so many a point."""
HASTY_PLAYOUTS = 30
"""Playouts that judge a late position when the clock runs out."""


def moves_ahead(board: Board) -> float:
    """Return how many moves the player to move is expected to make yet, for dividing its time."""
    points = board.size**2
    return max(FEWEST, FEWEST_SHARE * points, FRONT * (LENGTH * points - board.turn) / 2)


def time_budget(game: Game) -> Budget:
    """Return what the next move of a game may cost by its clock, no limit without one."""
    colour, ahead = game.board.to_play, moves_ahead(game.board)
    clock = game.clock
    return Budget(seconds=clock.budget(colour, ahead=ahead), most=clock.most(colour, ahead=ahead))


def quick(settings: PolicySettings) -> PolicySettings:
    """Return the settings of the least effort for a move: one view of the board, few playouts."""
    return replace(settings, symmetry="none", playouts=min(settings.playouts, HASTY_PLAYOUTS))


def saving(settings: PolicySettings) -> float:
    """Return how many times the quick settings' work a move by these is, at the most."""
    views = SYMMETRIES if settings.symmetry == "all" else 1
    return max(views, settings.playouts / HASTY_PLAYOUTS)


class Pace:
    """What a move in full takes, learnt from the last one, hasty or not."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._full = 0.0

    def is_short(self, seconds: float | None) -> bool:
        """Tell whether a budget is short of what the last move took, or would have in full."""
        return seconds is not None and self._full > seconds / 2

    @contextmanager
    def measured(self, *, times: float = 1.0) -> Iterator[None]:
        """Take the time of a move, one that in full would take so many `times` as long."""
        began = self._now()
        try:
            yield
        finally:
            self._full = times * (self._now() - began)
