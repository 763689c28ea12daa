"""A player without a network for GTP tests: it likes the centre, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from goengine.board import Board
from goengine.gtp.engine import Engine
from goengine.gtp.session import Settings
from goengine.players.player import Candidate


@dataclass
class CentrePlayer:
    """Plays the sensible point nearest the centre, the first one of equals; passes without one."""

    name: str = "centre"
    temperature: float = 0.0
    playouts: int = 20
    resign: float | None = None

    def choose(self, boards: Sequence[Board], *, rng: np.random.Generator) -> list[int]:
        return [self.candidates(board, limit=1)[0].move for board in boards]

    def candidates(self, board: Board, *, limit: int) -> list[Candidate]:
        size = board.size
        rows, columns = np.divmod(np.arange(size * size), size)
        centre = (size - 1) / 2
        weights = 2.0 ** -((rows - centre) ** 2 + (columns - centre) ** 2)
        weights[~board.sensible()[:-1]] = 0.0
        if not weights.any():
            return [Candidate(size * size, 1.0, 1000, 0.5, [size * size])]
        priors = weights / weights.sum()
        order = [int(move) for move in np.argsort(-priors, kind="stable") if priors[move] > 0]
        return [
            Candidate(move, float(priors[move]), max(1, round(1000 * priors[move])), 0.5, [move])
            for move in order[:limit]
        ]


def make_engine(
    player: Callable[[], object] = CentrePlayer, *, size: int = 9, rules: str = "chinese"
) -> Engine:
    """Return an engine on a small board, random choices repeatable."""
    return Engine(player, Settings(size=size, rules=rules, seed=1))  # type: ignore[arg-type]


def result(engine: Engine, line: str) -> str:
    """Return the result of a command that must succeed."""
    response = engine.answer(line)
    assert response.startswith("=") and response.endswith("\n\n"), (line, response)
    return response[1:].strip()


def failure(engine: Engine, line: str) -> str:
    """Return the message of a command that must fail."""
    response = engine.answer(line)
    assert response.startswith("? ") and response.endswith("\n\n"), (line, response)
    return response[2:].strip()
