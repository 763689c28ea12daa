"""Players: whoever, given boards, names moves.

A Player answers many boards at once, so that matches in lockstep cost one network call a move.
PolicyPlayer plays by the policy network alone; at the end of a game, which networks trained on
human records have hardly seen, playouts (scoring.py) tell it what is settled, when to pass and
which dead stones are left to capture. Every move a player returns is legal, superko included.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.inference.evaluator import Priors, PriorSource, sharpen
from goengine.scoring.capturing import capturing_moves
from goengine.scoring.counting import score
from goengine.scoring.regions import liberty_points, neighbours
from goengine.scoring.status import Status, move_scores, status
from goengine.types import BLACK, EMPTY, RESIGN, GoError

VISITS = 1000
"""A policy-only engine's visits: each move gets its share of this many."""
PLAYOUTS = 200
"""Playouts that judge a late position before a move: about 15 ms on a 19x19 board."""
LATE = 0.45
"""From this share of moves a point on, set-up stones among them, playouts look whether anything is
left to play for."""
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
"""Share of open points below which every move is checked: what is left then is no longer a fight,
and the network, which has hardly seen the end of a game, starts to make useless ones."""
MOVE_CAP = 2.0
"""Moves a point after which a player only passes."""


class Player(Protocol):
    """Whoever names moves for boards."""

    name: str

    def choose(self, boards: Sequence[Board], *, rng: np.random.Generator) -> list[int]:
        """Return a move for the player to move on each board: a point, a pass or RESIGN."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One move in an analysis, honest about what a policy network knows.

    ``prior`` is the move's probability, ``visits`` its share of 1,000, ``winrate`` 0.5 because
    nobody asked who wins, ``pv`` the move and what the network expects to follow.
    """

    move: int
    prior: float
    visits: int
    winrate: float
    pv: list[int]


class RandomPlayer:
    """Play any sensible move, each as likely; pass when there is none."""

    def __init__(self, *, name: str = "random") -> None:
        self.name = name

    def choose(self, boards: Sequence[Board], *, rng: np.random.Generator) -> list[int]:
        """Return a random sensible move for each board, a pass where there is none."""
        moves = []
        for board in boards:
            sensible = np.flatnonzero(board.sensible()[:-1])
            moves.append(int(rng.choice(sensible)) if len(sensible) else board.size**2)
        return moves


class PolicyPlayer:
    """Play the moves that a policy network expects.

    ``temperature`` 0 plays the likeliest move, 1 samples from the network's probabilities.
    ``cleanup`` captures dead stones before it passes (None: where the rules ask for it, as
    Tromp-Taylor's do). ``resign``: give up a late game when no playout in fifty is won and the
    score is behind by at least this many points (None: never). ``playouts`` judge late positions.
    ``move_cap``: from this turn on only pass (None: twice the points of the board).
    """

    def __init__(
        self,
        evaluator: PriorSource,
        *,
        temperature: float = 0.0,
        cleanup: bool | None = None,
        resign: float | None = None,
        playouts: int = PLAYOUTS,
        move_cap: int | None = None,
        name: str = "policy",
    ) -> None:
        if temperature < 0:
            raise GoError(f"temperature {temperature} is negative: use 0 (best move) or more")
        if playouts < 1:
            raise GoError(f"{playouts} playouts cannot judge a position: use 1 or more")
        self.evaluator = evaluator
        self.temperature = temperature
        self.cleanup = cleanup
        self.resign = resign
        self.playouts = playouts
        self.move_cap = move_cap
        self.name = name

    def choose(self, boards: Sequence[Board], *, rng: np.random.Generator) -> list[int]:
        """Return a move for each board: a point, a pass, or RESIGN where that was allowed."""
        return [
            self._decide(board, priors, rng)
            for board, priors in zip(boards, self._priors(boards, rng), strict=True)
        ]

    def choose_among(
        self, board: Board, moves: Collection[int], *, rng: np.random.Generator
    ) -> int:
        """Return the choice for one board among some moves, N*N the pass; RESIGN as in ``choose``.

        A pass that is not among them is chosen only where none of them is sensible.
        """
        allowed = np.zeros(board.size**2 + 1, dtype=np.bool_)
        allowed[list(moves)] = True
        priors = self._priors([board], rng)[0] * allowed[:-1]
        move = self._decide(board, priors, rng)
        if move == board.size**2 and not allowed[move] and priors.any():
            return self._pick(priors, rng)
        return move

    def candidates(
        self,
        board: Board,
        *,
        limit: int = 10,
        plies: int = 1,
        rng: np.random.Generator | None = None,
    ) -> list[Candidate]:
        """Return the likeliest moves, best first; the pass where no point is sensible.

        ``plies`` is the length of the principal variation, the move itself included.
        """
        rng = np.random.default_rng(board.hash) if rng is None else rng
        priors = self._priors([board], rng)[0]
        order = np.argsort(-priors, kind="stable")[:limit]
        moves = [int(move) for move in order if priors[move] > 0]
        if not moves:
            pass_move = board.size**2
            return [Candidate(pass_move, 1.0, VISITS, 0.5, [pass_move])]
        lines = self._continue(board, moves, plies, rng)
        found = []
        for move, line in zip(moves, lines, strict=True):
            prior = float(priors[move])
            found.append(Candidate(move, prior, max(1, round(VISITS * prior)), 0.5, line))
        return found

    def _continue(
        self, board: Board, moves: list[int], plies: int, rng: np.random.Generator
    ) -> list[list[int]]:
        """Follow each move greedily until it is ``plies`` long or nothing sensible is left."""
        lines = [[move] for move in moves]
        boards = [board.copy() for _ in moves]
        for _ in range(plies - 1):
            for line, after in zip(lines, boards, strict=True):
                after.play(line[-1])
            for line, priors in zip(lines, self._priors(boards, rng), strict=True):
                line.append(int(priors.argmax()) if priors.any() else board.size**2)
        return lines

    def _priors(self, boards: Sequence[Board], rng: np.random.Generator) -> list[Priors]:
        """Return each board's probabilities over sensible moves that superko allows."""
        results: list[Priors] = [np.empty(0, dtype=np.float32)] * len(boards)
        for size in sorted({board.size for board in boards}):
            places = [i for i, board in enumerate(boards) if board.size == size]
            records = np.concatenate([boards[i].records for i in places])
            batch = self.evaluator.evaluate(records, rng=rng)
            for i, priors in zip(places, batch, strict=True):
                results[i] = np.where(boards[i].legal()[:-1], priors, np.float32(0))
        return results

    def _decide(self, board: Board, priors: Priors, rng: np.random.Generator) -> int:
        """Return the move for one board from its probabilities."""
        pass_move = board.size**2
        cap = MOVE_CAP * pass_move if self.move_cap is None else self.move_cap
        if board.turn >= cap or not priors.any():
            return pass_move
        if not _is_late(board) and not board.passes:
            return self._pick(priors, rng)
        judged = status(board, rng=rng, playouts=self.playouts)
        lead = score(board, judged.dead, status=judged)
        lead = lead if board.to_play == BLACK else -lead
        if self._hopeless(board, judged, lead):
            return RESIGN
        cleanup = board.rules.name == "tromp-taylor" if self.cleanup is None else self.cleanup
        duties = np.zeros(pass_move, dtype=np.bool_)
        if cleanup:
            duties = capturing_moves(board, judged, rng=rng, playouts=self.playouts)
        loose = np.count_nonzero(~judged.settled)
        taking = priors * duties
        if board.passes and lead > loose:
            return self._pick(taking, rng) if taking.any() else pass_move
        move = self._ending(board, priors, judged, rng)
        return self._pick(taking, rng) if move == pass_move and taking.any() else move

    def _ending(
        self, board: Board, priors: Priors, judged: Status, rng: np.random.Generator
    ) -> int:
        """Return the network's move while much is open, then what playouts find necessary.

        When little is open, or no likely move is on an open point, moves on open points and answers
        near the last move must not lose against a pass in playouts; then come answers to what the
        opponent threatens if we pass; then the pass.
        """
        open_points = _worthwhile(board, judged)
        trusted = (priors >= LIKELY) & open_points
        trusted |= (priors >= URGENT) & open_points.any()
        if trusted.any() and np.count_nonzero(open_points) >= FIGHT * board.size**2:
            return self._pick(priors * trusted, rng)
        local = np.zeros_like(open_points)
        if board.last_move is not None and board.last_move < board.size**2:
            local[_nearby(board, board.last_move)] = True
        move = self._first_sound(board, priors, open_points, local, rng)
        if move is None:
            threats = self._threatened(board, rng) & ~open_points & ~local
            move = self._first_sound(board, priors, np.zeros_like(local), threats, rng)
        return board.size**2 if move is None else move

    def _first_sound(
        self,
        board: Board,
        priors: Priors,
        open_points: npt.NDArray[np.bool_],
        answers: npt.NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> int | None:
        """Return the likeliest open point that costs nothing or answer that gains something."""
        wanted = open_points | answers
        passed: float | None = None
        for _ in range(TRIES):
            if not (priors * wanted).any():
                break
            move = self._pick(priors * wanted, rng)
            wanted[move] = False
            ask = [move] if passed is not None else [move, board.size**2]
            scores = move_scores(board, ask, rng=rng, playouts=self.playouts)
            passed = float(scores[-1]) if passed is None else passed
            gain = float(scores[0]) - passed
            gain = gain if board.to_play == BLACK else -gain
            if gain > (-NOTICE if open_points[move] else NOTICE):
                return move
        return None

    def _threatened(self, board: Board, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Return bool (N*N,): where an answer may be needed although the point seems settled.

        Around each of the opponent's likeliest moves that would cost points if we passed.
        """
        twin = board.copy()
        twin.play(board.size**2)
        priors = self._priors([twin], rng)[0]
        moves = [int(move) for move in np.argsort(-priors)[:THREATS] if priors[move] > 0]
        wanted = np.zeros(board.size**2, dtype=np.bool_)
        if not moves:
            return wanted
        ask = [*moves, board.size**2]
        scores = move_scores(twin, ask, rng=rng, playouts=self.playouts // 2)
        losses = scores[-1] - scores if board.to_play == BLACK else scores - scores[-1]
        for move, loss in zip(ask, losses, strict=True):
            if loss > NOTICE:
                wanted[_nearby(board, move)] = True
        return wanted

    def _pick(self, priors: Priors, rng: np.random.Generator) -> int:
        """Return the best move, or one drawn at this player's temperature."""
        if self.temperature == 0:
            return int(priors.argmax())
        shares = sharpen(priors[None], self.temperature)[0].astype(np.float64)
        return int(rng.choice(len(shares), p=shares / shares.sum()))

    def _hopeless(self, board: Board, judged: Status, lead: float) -> bool:
        """Tell whether this player may and should resign."""
        if self.resign is None or lead > -self.resign or not _is_late(board):
            return False
        mean = judged.lead if board.to_play == BLACK else -judged.lead
        return mean < -2 * judged.spread


def _is_late(board: Board) -> bool:
    """Tell whether as many moves were played, or stones set up, as in a late game."""
    return max(board.turn, int(np.count_nonzero(board.grid))) >= LATE * board.size**2


def _nearby(board: Board, move: int) -> list[int]:
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
