"""Where a player was weak on purpose, to be shown when the game is over."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass

from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.types import colour_name

NOTABLE = 1.0
"""Points from which a weaker move is worth showing."""


@dataclass(frozen=True)
class WeakMove:
    """A move that was chosen although another seemed better."""

    turn: int
    """Moves before it."""
    colour: int
    move: int
    better: int
    """What the network or the search liked best."""
    lost: float
    """Points that it seemed to cost when it was chosen."""


class WeakMoves:
    """The weak moves of the games that a player plays; undone moves are forgotten."""

    def __init__(self) -> None:
        self._found: weakref.WeakKeyDictionary[Game, dict[int, WeakMove]]
        self._found = weakref.WeakKeyDictionary()

    def note(self, game: Game, found: WeakMove | None) -> None:
        """Keep the weak move, or that there is none, of a turn; later turns are forgotten."""
        turns = self._found.setdefault(game, {})
        for turn in [turn for turn in turns if turn >= len(game.moves)]:
            del turns[turn]
        if found is not None:
            turns[found.turn] = found

    def of(self, game: Game) -> tuple[WeakMove, ...]:
        """Return the weak moves that are in a game as it is now, in order."""
        found = self._found.get(game, {}).values()
        played = game.moves
        return tuple(
            one
            for one in sorted(found, key=lambda one: one.turn)
            if one.turn < len(played) and played[one.turn] == (one.colour, one.move)
        )


def described(found: Iterable[WeakMove], size: int) -> str:
    """Return lines for people about the weak moves that cost something, the dearest first."""
    notable = sorted((one for one in found if one.lost >= NOTABLE), key=lambda one: -one.lost)
    return "\n".join(
        f"move {one.turn + 1}, {colour_name(one.colour)} {move_to_gtp(one.move, size)}: "
        f"{move_to_gtp(one.better, size)} was better by about {one.lost:.0f} points"
        for one in notable
    )
