"""A player that picks any sensible move: what others are measured against first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from goengine.games.game import Game
from goengine.players.player import FREELY, NO_LIMIT, Analyst, Budget, Choice, Conditions
from goengine.players.settings import Settings


class RandomPlayer:
    """Play any sensible move, each as likely; pass when there is none."""

    settings = Settings()
    analyst: Analyst | None = None

    def __init__(self, *, name: str = "random") -> None:
        self.name = name

    def with_settings(self, settings: Settings) -> RandomPlayer:
        """Return this player, which has no settings."""
        return self

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        """Return a random sensible move, a pass where there is none."""
        sensible = game.board.sensible()[:-1]
        if conditions.among is not None:
            sensible &= np.isin(np.arange(len(sensible)), list(conditions.among))
        moves = np.flatnonzero(sensible)
        return Choice(int(rng.choice(moves)) if len(moves) else game.board.size**2)

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a random sensible move for each game."""
        return [self.choose(game, budget, rng=rng) for game in games]

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Return at once: a random player keeps no thoughts."""
