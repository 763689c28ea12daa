"""Play the moves that a policy network expects, without reading.

At the end of a game, which networks trained on human records have hardly seen, the endgame's
judgement (endgame.py) takes over. Every move is legal, superko included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluation import LOGISTIC, Evaluation
from goengine.inference.priors import Priors, sharpen
from goengine.players.effort import Pace, quick, saving
from goengine.players.player import (
    FREELY,
    NO_LIMIT,
    PLAINLY,
    Budget,
    Candidate,
    Choice,
    Conditions,
    Question,
    Snapshot,
)
from goengine.players.reading.endgame import Endgame, is_late
from goengine.players.settings import POLICY_DEFAULTS, PolicySettings, Settings
from goengine.types import BLACK, GoError

VISITS = 1000
"""A bare network's visits: each move gets its share of this many."""
MOVE_CAP = 2.0
"""Moves a point after which a player only passes."""


class PriorSource(Protocol):
    """Whoever evaluates boards; `inference.Evaluator` is the usual one."""

    def evaluate(
        self, boards: Sequence[Board], *, symmetry: str | None, rng: np.random.Generator | None
    ) -> Evaluation:
        """Return priors (B, N*N + 1) of boards of one size."""
        ...


class PolicyPlayer:
    """Play by the policy network alone."""

    def __init__(
        self,
        evaluator: PriorSource,
        settings: PolicySettings = POLICY_DEFAULTS,
        *,
        name: str = "policy",
        pace: Pace | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.settings = settings
        self.name = name
        self.pace = Pace() if pace is None else pace

    @property
    def analyst(self) -> PolicyAnalyst:
        """Who says what the network thinks."""
        return PolicyAnalyst(self)

    def with_settings(self, settings: Settings) -> PolicyPlayer:
        """Return this player by other settings.

        Raises:
            GoError: they are another player's.
        """
        if not isinstance(settings, PolicySettings):
            raise GoError(f"{settings} are not the settings of a policy player: use PolicySettings")
        return PolicyPlayer(self.evaluator, settings, name=self.name, pace=self.pace)

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        """Return a move: a point, a pass, or RESIGN where that was allowed.

        With a short clock it looks at one view of the board and judges by few playouts.
        """
        player, times = self._under(conditions), 1.0
        if self.pace.is_short(budget.seconds):
            times = saving(player.settings)
            player = player.with_settings(quick(player.settings))
        board = game.board
        with self.pace.measured(times=times):
            (priors,) = player.priors([board], rng)
            if conditions.among is None:
                return Choice(player._decide(board, priors, rng))
            return Choice(player._decide_among(board, priors, conditions.among, rng))

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a move for each game; the network sees all boards of one size together."""
        if len(games) == 1:
            return [self.choose(games[0], budget, rng=rng)]
        boards = [game.board for game in games]
        return [
            Choice(self._decide(board, priors, rng))
            for board, priors in zip(boards, self.priors(boards, rng), strict=True)
        ]

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Return at once: a bare network keeps no thoughts."""

    def priors(self, boards: Sequence[Board], rng: np.random.Generator) -> list[Priors]:
        """Return each board's probabilities (N*N,) over sensible moves that superko allows."""
        results: list[Priors] = [np.empty(0, dtype=np.float32)] * len(boards)
        for size in sorted({board.size for board in boards}):
            places = [i for i, board in enumerate(boards) if board.size == size]
            found = self.evaluator.evaluate(
                [boards[i] for i in places], symmetry=self.settings.symmetry, rng=rng
            )
            for i, priors in zip(places, found.priors[:, :-1], strict=True):
                results[i] = priors
        return results

    def _under(self, conditions: Conditions) -> PolicyPlayer:
        """Return this player by settings that meet the conditions."""
        settings = self.settings
        if conditions.exact:
            settings = replace(settings, temperature=0.0)
        if conditions.cleanup:
            settings = replace(settings, cleanup=True, resign=None)
        return self if settings is self.settings else self.with_settings(settings)

    def _decide(self, board: Board, priors: Priors, rng: np.random.Generator) -> int:
        """Return the move for one board from its probabilities."""
        pass_move = board.size**2
        settings = self.settings
        cap = MOVE_CAP * pass_move if settings.move_cap is None else settings.move_cap
        if board.turn >= cap or not priors.any():
            return pass_move
        if not is_late(board) and not board.passes:
            return self._pick(priors, rng)
        return Endgame(
            priors_of=lambda twin: self.priors([twin], rng)[0],
            pick=lambda some: self._pick(some, rng),
            rng=rng,
            playouts=settings.playouts,
            resign=settings.resign,
            cleanup=settings.cleanup,
        ).choose(board, priors)

    def _decide_among(
        self, board: Board, priors: Priors, moves: frozenset[int], rng: np.random.Generator
    ) -> int:
        """Return the choice among some moves.

        A pass that is not among them is chosen only where none of them is sensible.
        """
        allowed = np.zeros(board.size**2 + 1, dtype=np.bool_)
        allowed[list(moves)] = True
        wanted = priors * allowed[:-1]
        move = self._decide(board, wanted, rng)
        if move == board.size**2 and not allowed[move] and wanted.any():
            return self._pick(wanted, rng)
        return move

    def _pick(self, priors: Priors, rng: np.random.Generator) -> int:
        """Return the best move, or one drawn at this player's temperature."""
        if self.settings.temperature == 0:
            return int(priors.argmax())
        shares = sharpen(priors[None], self.settings.temperature)[0].astype(np.float64)
        return int(rng.choice(len(shares), p=shares / shares.sum()))


class PolicyAnalyst:
    """What a bare network thinks: the same at every moment, for it does not read."""

    def __init__(self, player: PolicyPlayer) -> None:
        self._player = player

    def stream(
        self,
        game: Game,
        *,
        interval: float,
        pause: Callable[[float], bool],
        question: Question = PLAINLY,
    ) -> Iterator[Snapshot]:
        """Yield the network's opinion now and after each interval, until `pause` says stop.

        A question with a limit of visits or seconds gets it once.
        """
        snapshot = self._opinion(game.board, question.banned(game.board.to_play, 0))
        yield snapshot
        if question.visits is not None or question.seconds is not None:
            return
        while not pause(interval):
            yield snapshot

    def _opinion(self, board: Board, banned: Collection[int]) -> Snapshot:
        """Return the likeliest moves but the banned ones, and who is ahead where that is known."""
        player, rng = self._player, np.random.default_rng(board.hash)
        seen = player.evaluator.evaluate([board], symmetry=player.settings.symmetry, rng=rng)
        found = _likeliest(board, seen.priors[0, :-1])
        shown = tuple(one for one in found if one.move not in banned)
        if seen.value is None or seen.lead is None or seen.spread is None or seen.ownership is None:
            return Snapshot(shown)
        winrate, lead = (float(seen.value[0]) + 1) / 2, float(seen.lead[0])
        return Snapshot(
            shown,
            winrate=winrate,
            ownership=seen.ownership[0] if board.to_play == BLACK else -seen.ownership[0],
            lead=lead,
            deviation=LOGISTIC * float(seen.spread[0]),
            raw_winrate=winrate,
            raw_lead=lead,
        )


def _likeliest(board: Board, priors: Priors) -> list[Candidate]:
    """Return all moves by probabilities (N*N,), best first; the pass where no point is sensible."""
    order = [int(move) for move in np.argsort(-priors, kind="stable") if priors[move] > 0]
    if not order:
        return [Candidate(board.size**2, 1.0, VISITS, (board.size**2,))]
    return [
        Candidate(move, float(priors[move]), max(1, round(VISITS * float(priors[move]))), (move,))
        for move in order
    ]
