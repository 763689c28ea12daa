"""When a game is settled: passes, answers that are still needed, dead stones, resignation.

Networks trained on human records have hardly seen the end of a game, for people stop before it.
There playouts (scoring/status.py) tell what is settled, when to pass and which dead stones are
left to capture; the network's probabilities say which moves to try. Any player that has priors
can ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.inference.priors import Priors
from goengine.scoring.capturing import capturing_moves
from goengine.scoring.counting import score
from goengine.scoring.regions import liberty_points, neighbours
from goengine.scoring.status import Status, move_scores, signed, status
from goengine.types import EMPTY, RESIGN

LATE = 0.45
"""Playouts judge a position once moves or stones reach this share of the board's points."""
THREATS = 8
"""How many of the opponent's likeliest moves are looked at before a settled position is passed."""
NOTICE = 3.0
"""Points by which playouts must differ to matter."""
TRIES = 6
"""How many moves are tried against a pass before a late position is passed."""
LIKELY = 0.05
"""Probability from which a move on an open point is played as it is: in a fight the network knows
better than playouts."""
URGENT = 0.25
"""Probability from which that holds for any move while points are open."""
FIGHT = 0.1
"""Share of open points below which every move is checked: what is left then is not a fight, and the
network, which has hardly seen the end of a game, starts to make useless moves."""

PriorsOf = Callable[[Board], Priors]
"""Gives the probabilities (N*N,) of a board's moves."""
Pick = Callable[[Priors], int]
"""Chooses a move by probabilities (N*N,), some of which are not 0."""


@dataclass(frozen=True)
class Endgame:
    """The judgement of late positions.

    `priors_of` gives the network's probabilities, `pick` chooses by them as the player does.
    """

    priors_of: PriorsOf
    pick: Pick
    rng: np.random.Generator
    playouts: int
    resign: float | None
    """Points behind from which a hopeless game is given up; None: never."""
    cleanup: bool | None
    """Capture dead stones before a pass; None: where the rules ask for it."""

    def choose(self, board: Board, priors: Priors) -> int:
        """Return the move for a late position with some sensible moves: one, a pass or RESIGN."""
        pass_move = board.size**2
        judged = status(board, rng=self.rng, playouts=self.playouts)
        lead = signed(score(board, judged.dead, status=judged), board.to_play)
        if self._hopeless(board, judged, lead):
            return RESIGN
        cleanup = board.rules.counts_as_it_stands if self.cleanup is None else self.cleanup
        duties = np.zeros(pass_move, dtype=np.bool_)
        if cleanup:
            duties = capturing_moves(board, judged, rng=self.rng, playouts=self.playouts)
        loose = np.count_nonzero(~judged.settled)
        taking = priors * duties
        if board.passes and lead > loose:
            return self.pick(taking) if taking.any() else pass_move
        move = self._ending(board, priors, judged)
        return self.pick(taking) if move == pass_move and taking.any() else move

    def _hopeless(self, board: Board, judged: Status, lead: float) -> bool:
        """Tell whether this player may and should resign."""
        if self.resign is None or lead > -self.resign or not is_late(board):
            return False
        return judged.lead_for(board.to_play) < -2 * judged.spread

    def _ending(self, board: Board, priors: Priors, judged: Status) -> int:
        """Return the network's move while much is open, then what playouts find necessary.

        When little is open, or no likely move is on an open point, moves on open points and answers
        near the last move must not lose against a pass in playouts; then come answers to what the
        opponent threatens if we pass; then the pass.
        """
        open_points = _worthwhile(board, judged)
        trusted = (priors >= LIKELY) & open_points
        trusted |= (priors >= URGENT) & open_points.any()
        if trusted.any() and np.count_nonzero(open_points) >= FIGHT * board.size**2:
            return self.pick(priors * trusted)
        local = np.zeros_like(open_points)
        if board.last_move is not None and board.last_move < board.size**2:
            local[nearby(board, board.last_move)] = True
        move = self._first_sound(board, priors, open_points, local)
        if move is None:
            threats = self._threatened(board) & ~open_points & ~local
            move = self._first_sound(board, priors, np.zeros_like(local), threats)
        return board.size**2 if move is None else move

    def _first_sound(
        self,
        board: Board,
        priors: Priors,
        open_points: npt.NDArray[np.bool_],
        answers: npt.NDArray[np.bool_],
    ) -> int | None:
        """Return the likeliest open point that costs nothing or answer that gains something."""
        wanted = open_points | answers
        passed: float | None = None
        for _ in range(TRIES):
            if not (priors * wanted).any():
                break
            move = self.pick(priors * wanted)
            wanted[move] = False
            ask = [move] if passed is not None else [move, board.size**2]
            scores = move_scores(board, ask, rng=self.rng, playouts=self.playouts)
            passed = float(scores[-1]) if passed is None else passed
            gain = signed(float(scores[0]) - passed, board.to_play)
            if gain > (-NOTICE if open_points[move] else NOTICE):
                return move
        return None

    def _threatened(self, board: Board) -> npt.NDArray[np.bool_]:
        """Return bool (N*N,): where an answer may be needed although the point seems settled.

        Around each of the opponent's likeliest moves that would cost points if we passed.
        """
        twin = board.copy()
        twin.play(board.size**2)
        priors = self.priors_of(twin)
        moves = [int(move) for move in np.argsort(-priors)[:THREATS] if priors[move] > 0]
        wanted = np.zeros(board.size**2, dtype=np.bool_)
        if not moves:
            return wanted
        ask = [*moves, board.size**2]
        scores = move_scores(twin, ask, rng=self.rng, playouts=max(1, self.playouts // 2))
        for move, after in zip(ask, scores, strict=True):
            if signed(float(scores[-1] - after), board.to_play) > NOTICE:
                wanted[nearby(board, move)] = True
        return wanted


def is_late(board: Board) -> bool:
    """Tell whether as many moves were played, or stones set up, as in a late game."""
    return max(board.turn, int(np.count_nonzero(board.grid))) >= LATE * board.size**2


def nearby(board: Board, move: int) -> list[int]:
    """Return a point, its neighbours, and the liberties of the chains beside it."""
    found = {move}
    for near in neighbours(board.size)[move]:
        found.add(near)
        found.update(liberty_points(board, near))
    return sorted(found)


def _worthwhile(board: Board, judged: Status) -> npt.NDArray[np.bool_]:
    """Return bool (N*N,): points whose owner is open, or that touch a chain whose fate is open."""
    loose = ~judged.settled.ravel()
    stones = board.grid.ravel() != EMPTY
    wanted = loose.copy()
    for move in np.flatnonzero(loose & stones):
        for near in neighbours(board.size)[move]:
            wanted[near] = True
    return wanted
