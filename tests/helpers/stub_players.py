"""Players and evaluators without a network, and engines that they sit in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from goengine.board import Board
from goengine.clock import Clock
from goengine.games.game import Game
from goengine.gtp.engine import Engine
from goengine.gtp.session import SessionSettings
from goengine.inference.evaluation import Evaluation
from goengine.players.player import (
    FREELY,
    NO_LIMIT,
    PLAINLY,
    Analyst,
    Budget,
    Candidate,
    Choice,
    Conditions,
    Player,
    Question,
    Snapshot,
)
from goengine.players.settings import Settings

Weights = Callable[[np.ndarray], np.ndarray]
"""Priors (B, N*N) of records (B,)."""


class StubEvaluator:
    """Gives the priors that a function makes of position records; remembers what it was asked."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.batches: list[int] = []
        self.symmetries: list[str | None] = []

    def evaluate(
        self,
        boards: Sequence[Board],
        *,
        symmetry: str | None = None,
        rng: np.random.Generator | None = None,
    ) -> Evaluation:
        self.batches.append(len(boards))
        self.symmetries.append(symmetry)
        priors = np.array(self.weights(np.concatenate([board.records for board in boards])))
        for row, board in zip(priors, boards, strict=True):
            row *= board.legal()[:-1]
        passes = ~priors.any(axis=1, keepdims=True)
        return Evaluation(np.concatenate([priors, passes], axis=1).astype(np.float32))


class StubPlayer:
    """A player without settings and opinions; subclasses say which move it makes."""

    name = "stub"
    settings: Settings = Settings()
    analyst: Analyst | None = None

    def move(self, board: Board) -> int:
        raise NotImplementedError

    def with_settings(self, settings: Settings) -> Player:
        return self

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        return Choice(self.move(game.board))

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        return [self.choose(game, budget, rng=rng) for game in games]

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Return at once."""


class Passes(StubPlayer):
    """A player that passes."""

    name = "passes"

    def move(self, board: Board) -> int:
        return board.size**2


class InOrder(StubPlayer):
    """A player that names given moves one after the other."""

    name = "in order"

    def __init__(self, *moves: int) -> None:
        self.moves = list(moves)

    def move(self, board: Board) -> int:
        return self.moves.pop(0)


@dataclass(frozen=True)
class CentreSettings(Settings):
    """What GTP shows and sets of a player that does nothing with it."""

    temperature: float = 0.0
    resign: float | None = None
    playouts: int = 20

    def brief(self) -> str:
        return f"temperature {self.temperature:g}"


class CentrePlayer(StubPlayer):
    """Plays the sensible point nearest the centre, the first one of equals; passes without one."""

    name = "centre"

    def __init__(self, settings: CentreSettings = CentreSettings()) -> None:
        self.settings = settings

    @property
    def analyst(self) -> Analyst:  # type: ignore[override]
        return self

    def with_settings(self, settings: Settings) -> Player:
        assert isinstance(settings, CentreSettings)
        return CentrePlayer(settings)

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        among = conditions.among
        found = [c.move for c in centred(game.board) if among is None or c.move in among]
        return Choice(found[0] if found else game.board.size**2)

    def stream(
        self,
        game: Game,
        *,
        interval: float,
        pause: Callable[[float], bool],
        question: Question = PLAINLY,
    ) -> Iterator[Snapshot]:
        banned = question.banned(game.board.to_play, 0)
        snapshot = Snapshot(tuple(c for c in centred(game.board) if c.move not in banned))
        yield snapshot
        if question.visits is not None or question.seconds is not None:
            return
        while not pause(interval):
            yield snapshot


def centred(board: Board) -> tuple[Candidate, ...]:
    """Return the sensible moves, the nearest to the centre first."""
    size = board.size
    rows, columns = np.divmod(np.arange(size * size), size)
    centre = (size - 1) / 2
    weights = 2.0 ** -((rows - centre) ** 2 + (columns - centre) ** 2)
    weights[~board.sensible()[:-1]] = 0.0
    if not weights.any():
        return (Candidate(size * size, 1.0, 1000, (size * size,)),)
    priors = weights / weights.sum()
    order = [int(move) for move in np.argsort(-priors, kind="stable") if priors[move] > 0]
    return tuple(
        Candidate(move, float(priors[move]), max(1, round(1000 * priors[move])), (move,))
        for move in order
    )


def make_engine(
    player: Callable[[], Player] = CentrePlayer,
    *,
    size: int = 9,
    rules: str = "chinese",
    clock: Clock | None = None,
) -> Engine:
    """Return an engine on a small board, random choices repeatable."""
    return Engine(player, SessionSettings(size=size, rules=rules, seed=1), clock=clock)


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
