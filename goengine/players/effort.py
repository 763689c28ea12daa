"""How hard a player looks at a position: copies of it that do less, and how much less that is."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from goengine.players.player import Player

HASTY_PLAYOUTS = 30
"""Playouts that judge a late position when the clock runs out."""
Made = TypeVar("Made")


def variant(player: Made, **changes: object) -> Made:
    """Return a copy of a player with those attributes changed that it has at all."""
    twin = copy.copy(player)
    for name, value in changes.items():
        if hasattr(twin, name):
            setattr(twin, name, value)
    return twin


def quick(player: Player) -> Player:
    """Return the player with the least effort for a move: one view of the board, few playouts."""
    evaluator = getattr(player, "evaluator", None)
    return variant(
        player,
        evaluator=variant(evaluator, symmetry="none"),
        playouts=HASTY_PLAYOUTS,
    )


def saving(player: Player) -> float:
    """Return how many times the quick player's work a move of this player is, at the most."""
    from goengine.encoding.symmetry import SYMMETRIES

    evaluator = getattr(player, "evaluator", None)
    views = SYMMETRIES if getattr(evaluator, "symmetry", None) == "all" else 1
    return max(views, getattr(player, "playouts", 0) / HASTY_PLAYOUTS)
