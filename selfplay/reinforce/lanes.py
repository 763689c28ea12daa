"""A batch of games of one size: begun, led to their ends and scored, all but the network.

Networks that cannot pass play on when nothing is left. So, late in a game, a few playouts look from
time to time what is open (scoring/unsettled.py). Once that is little, moves are chosen among the
open points and what the network is very sure of, and a player without such a move passes. A game
is over when the full judgement (scoring/status.py) finds nothing open, after two passes, or at the
move cap; the full judgement then finds the dead stones and the score.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.encoding.features import encode_batch
from goengine.feature_table import POLICY_PLANES
from goengine.lockstep import Floats, Lockstep
from goengine.scoring.counting import score
from goengine.scoring.status import Status, status
from goengine.scoring.unsettled import unsettled
from selfplay.reinforce.finished_games import CAP, PASSES, SETTLED, FinishedGame
from selfplay.reinforce.plan import Plan, Setup

LATE = 0.45
"""Share of the board's points as moves, from which playouts look what is open."""
FEW = 0.1
"""Share of the board's points below which so many open points are few."""
SURE = 0.3
"""Probability from which a move that is not on an open point is played although few are open."""

_MIX = 0x9E3779B97F4A7C15


class Lanes:
    """Games of one size side by side; `take` gives the next one to begin, None when all are."""

    def __init__(self, plan: Plan, size: int, take: Callable[[], Setup | None]) -> None:
        self.plan = plan
        self.size = size
        self._take = take
        self._games = Lockstep(plan.batch, size, plan.cap(size))
        self._setups: list[Setup | None] = [None] * plan.batch
        self._next_look = np.zeros(plan.batch, dtype=np.int64)
        self.planes = np.zeros((plan.batch, POLICY_PLANES, size, size), dtype=np.uint8)
        """uint8 (B, 48, N, N): what the network is to be asked about next."""

    @property
    def live(self) -> int:
        """How many games are in progress."""
        return int(np.count_nonzero(self._games.live))

    @property
    def oldest(self) -> int:
        """The smallest number of a game in progress, the largest integer if there is none."""
        numbers = self._games.numbers[self._games.live]
        return int(numbers.min()) if len(numbers) else np.iinfo(np.int64).max

    def prepare(self, priors: Floats | None = None) -> list[FinishedGame]:
        """Play a move in every game by priors (B, N*N), and return the games that are over.

        New games take their places, and `planes` shows the positions that are reached.
        """
        over: list[FinishedGame] = []
        if priors is not None:
            plan = self.plan
            cooled = 0.5 ** (self._games.turns / self.size)
            warm = plan.temperature - plan.late_temperature
            self._games.step(priors, plan.late_temperature + warm * cooled, urgent=SURE)
            over = self._judge()
        for lane, setup in enumerate(self._setups):
            if setup is None:
                self._begin(lane, self._take())
        encode_batch(self._games.records, out=self.planes)
        return over

    def _begin(self, lane: int, setup: Setup | None) -> None:
        if setup is None:
            return
        self._setups[lane] = setup
        self._next_look[lane] = int(LATE * self.size**2)
        self._games.begin(
            lane, setup.number, seed=setup.seed, handicap=setup.handicap, first=setup.first
        )

    def _judge(self) -> list[FinishedGame]:
        """Look at the games whose time it is; end those that are over."""
        games = self._games
        passes = games.records["passes"]
        due = games.live & ((games.turns >= self._next_look) | (passes > 0))
        due &= games.turns > 1
        ended = games.live & ((passes >= 2) | (games.turns >= games.cap))
        over = [self._end(lane, PASSES if passes[lane] >= 2 else CAP) for lane in _where(ended)]
        lanes = np.flatnonzero(due & ~ended)
        if not len(lanes):
            return over
        seeds = np.array([self._seed(lane) for lane in lanes.tolist()], dtype=np.uint64)
        counts, wanted = unsettled(games.records, lanes, seeds=seeds, playouts=self.plan.playouts)
        for lane, count, points in zip(lanes.tolist(), counts.tolist(), wanted, strict=True):
            few = count < FEW * self.size**2
            games.among[lane] = points if few else True
            wait = max(2, count // 2) if few else max(4, count // 3)
            self._next_look[lane] = games.turns[lane] + wait
            if count == 0:
                judged = self._status(lane)
                if judged.settled.all():
                    over.append(self._end(lane, SETTLED, judged))
                else:
                    games.among[lane] = ~judged.settled.ravel()
        return over

    def _end(self, lane: int, end: int, judged: Status | None = None) -> FinishedGame:
        """Score a game and take it off its lane."""
        setup = self._setup(lane)
        judged = self._status(lane) if judged is None else judged
        loose = int(np.count_nonzero(~judged.settled))
        game = FinishedGame(
            setup.number,
            self._games.moves(lane),
            score(self._board(lane), judged.dead, status=judged),
            loose,
            SETTLED if loose == 0 and end == CAP else end,
        )
        self._games.clear(lane)
        self._setups[lane] = None
        return game

    def _status(self, lane: int) -> Status:
        """Return the full judgement of a game's position."""
        rng = np.random.default_rng(self._seed(lane))
        return status(self._board(lane), rng=rng, playouts=self.plan.final_playouts)

    def _board(self, lane: int) -> Board:
        """Return the position of a game as a board; superko's history stays here."""
        setup = self._setup(lane)
        board = Board(self.size, rules=self.plan.rules, komi=setup.komi)
        board.records = self._games.records[lane : lane + 1].copy()
        board.handicap = len(setup.handicap)
        return board

    def _setup(self, lane: int) -> Setup:
        setup = self._setups[lane]
        assert setup is not None
        return setup

    def _seed(self, lane: int) -> int:
        """Return a random-looking number, not 0, that a game and its turn decide."""
        mixed = (self._setup(lane).seed + int(self._games.turns[lane]) * _MIX) % 2**64
        return mixed or _MIX


def _where(mask: npt.NDArray[np.bool_]) -> list[int]:
    return np.flatnonzero(mask).tolist()
