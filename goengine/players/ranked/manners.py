"""How an opponent behaves: it takes a human while, gives up what is hopeless, passes in the end."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from goengine.board import Board
from goengine.games.game import Game
from goengine.players.player import Choice
from goengine.players.reading.resigning import HOPELESS_TURNS, LostTurns, is_too_early

STEP = 0.05
"""Seconds of a wait after which an opponent looks whether anybody waits for it."""
CLOCK_SHARE = 0.5
"""Share of what a clock allows for a move that an opponent may seem to think."""
EASY = 0.8
"""Probability of the best move from which a move is easy, and quick."""
LOST = 0.02
"""Win chance below which a game may be hopeless, besides the points that it is behind."""
FULL_AREA = 19 * 19
READ_VISITS = 5
"""Visits from which a move counts as read when it is compared with a pass."""
GAIN = 1.5
"""Points that such a move gains for the pass to be too early."""
OWN_STONE = 2.0
"""Points that it must gain besides under territory rules, where a needless stone costs one."""


class ThinkingTime:
    """Makes a move take as long as a person would."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._began = now()

    def begin(self) -> None:
        """Note that a move begins."""
        self._began = self._now()

    def left(self, seconds: float | None) -> float | None:
        """Return what is left of the seconds that a move may take, None for no limit."""
        return None if seconds is None else max(0.0, seconds - (self._now() - self._began))

    def wait(
        self,
        least: float,
        most: float,
        *,
        sure: float,
        limit: float | None,
        rng: np.random.Generator,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Wait until a move has taken between `least` and `most` seconds, less if it is easy.

        `sure`: how likely the best move is. `limit`: seconds that the clock allows, None for no
        limit; the move then takes at most CLOCK_SHARE of them. `stop` tells that nobody waits any
        more for the move.
        """
        if most <= 0:
            return
        hard = max(0.0, 1.0 - sure / EASY)
        wanted = least + (most - least) * (0.6 * hard + 0.4 * float(rng.random()))
        if limit is not None:
            wanted = min(wanted, CLOCK_SHARE * limit)
        while (left := wanted - (self._now() - self._began)) > 0:
            if stop is None:
                self._sleep(left)
                return
            if stop():
                return
            self._sleep(min(STEP, left))


class Hopeless:
    """Remembers for how many turns a game has been hopeless for a player."""

    def __init__(self) -> None:
        self._lost = LostTurns()

    def gives_up(self, game: Game, *, winrate: float, lead: float, behind: float) -> bool:
        """Note how a game looks to the player to move; tell whether it is given up.

        That is so when the win chance was nearly nothing and the score behind by `behind` points on
        19x19, fewer on smaller boards, in HOPELESS_TURNS turns of this player in a row. A game with
        a handicap has to be half over: whoever gives many stones is far behind from the first move
        on.
        """
        points = behind * game.size**2 / FULL_AREA
        turns = self._lost.note(game, lost=winrate < LOST and lead < -points)
        return turns >= HOPELESS_TURNS and not is_too_early(game.board)


def rather_than_pass(choice: Choice, board: Board) -> int:
    """Return the move to play where a search chose to pass: the pass, or what gains points.

    A move that was read and gains `GAIN` points comes first, the one with most visits.
    """
    pass_move = board.size**2
    gain = GAIN + (OWN_STONE if board.rules.scoring == "territory" else 0.0)
    passing = next((one for one in choice.candidates if one.move == pass_move), None)
    if choice.move != pass_move or passing is None:
        return choice.move
    better = [
        one
        for one in choice.candidates
        if one.move != pass_move
        and one.visits >= READ_VISITS
        and (one.lead or 0.0) - (passing.lead or 0.0) >= gain
    ]
    return max(better, key=lambda one: one.visits).move if better else pass_move
