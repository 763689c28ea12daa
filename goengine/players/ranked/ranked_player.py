"""An opponent of a rank: weaker than it could be, but not in a way that no person is.

The network looks at the position once. Its policy, flattened and seen in part, proposes a move; one
look behind that move and behind the best one tells what it costs, and exact rules forbid what no
player of the rank would do. Stronger ranks draw among the moves of a short search instead. At every
rank the end of the game is read by the search, which passes, captures and counts as it should.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.inference.priors import Priors
from goengine.players.player import FREELY, NO_LIMIT, Analyst, Budget, Choice, Conditions
from goengine.players.ranked.manners import Hopeless, ThinkingTime, rather_than_pass
from goengine.players.ranked.rank_table import style_of
from goengine.players.ranked.styles import RankedSettings, Style
from goengine.players.ranked.vetoes import Vetoes
from goengine.players.ranked.weak_draw import drawn, heated, seen, weights
from goengine.players.ranked.weak_moves import WeakMove, WeakMoves
from goengine.players.reading.endgame import is_late
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import Settings
from goengine.types import RESIGN, GoError

ENDING_VISITS = 16
"""Positions that the search looks at for a move at the end of a game."""
PASS_VISITS = 150
"""Positions that it looks at before it passes: 16 may miss that something is left."""
SETTLED = 0.9
"""Ownership from which the network thinks a point settled."""
OVER = 0.93
"""Share of settled points from which the search takes over."""
REDRAWS = 3
"""Weak moves that may turn out too dear before the best one is played."""
MOVE_CAP = 2.0
"""Moves a point after which a player only passes."""
ENDING = "the ending"
"""The reason of moves that the search chose at the end of a game, weak on nothing."""


@dataclass
class _Turn:
    """One move being chosen."""

    game: Game
    style: Style
    priors: Priors
    """(N*N,) over what superko and sense allow."""
    winrate: float
    lead: float
    ownership: npt.NDArray[np.float32]
    """(N, N) for the player to move."""
    among: frozenset[int] | None = None
    dear: set[int] = field(default_factory=set)
    """Moves that are known to cost too much."""
    choice: Choice | None = None
    weak: WeakMove | None = None

    @property
    def board(self) -> Board:
        """The position."""
        return self.game.board

    @property
    def passes(self) -> bool:
        """Whether the choice is a pass."""
        return self.choice is not None and self.choice.move == self.game.size**2

    @property
    def best(self) -> int:
        """The policy's first choice."""
        return int(self.priors.argmax())

    def allowed(self, move: int) -> bool:
        """Tell whether a move is among those that were asked for."""
        return self.among is None or move in self.among


class RankedPlayer:
    """Play at the strength of a rank."""

    def __init__(
        self,
        reader: SearchPlayer,
        settings: RankedSettings,
        *,
        network: str = "ranked",
    ) -> None:
        self.settings = settings
        self.name = f"{network} {settings.rank}"
        self._network = network
        self._reader = reader.with_settings(replace(reader.settings, resign_below=None))
        self.thinking = ThinkingTime()
        """How long a move takes."""
        self._hopeless = Hopeless()
        self.weak_moves = WeakMoves()
        """Where it was weak on purpose; for people, after a game."""

    @property
    def evaluator(self) -> Evaluator:
        """What runs the network."""
        return self._reader.evaluator

    @property
    def analyst(self) -> Analyst:
        """Who says what the search sees, at full strength."""
        return self._reader.analyst

    def with_settings(self, settings: Settings) -> RankedPlayer:
        """Return this player by other settings; it remembers the same games.

        Raises:
            GoError: they are another player's.
        """
        if not isinstance(settings, RankedSettings):
            raise GoError(f"{settings} are not the settings of a rank: use RankedSettings")
        other = copy.copy(self)
        other.settings = settings
        other.name = f"{self._network} {settings.rank}"
        return other

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        """Return a move: a point, a pass, or RESIGN where that was allowed.

        It takes as long as a person would, never longer than the budget allows. The best move
        without chance, and a clean-up, are the search's at the end of a game and else the policy's.
        """
        self.thinking.begin()
        if conditions.cleanup and (is_late(game.board) or game.board.passes):
            return self._reader.choose(
                game, Budget(ENDING_VISITS, budget.seconds), rng=rng, conditions=conditions
            )
        turn = self._look([game])[0]
        turn.among = conditions.among
        if conditions.exact:
            turn.style = Style(visits=turn.style.visits)
        self._decide([turn], budget, rng, resigns=not (conditions.cleanup or conditions.exact))
        choice = self._made(turn)
        if not conditions.exact:
            self.thinking.wait(
                self.settings.think_least,
                self.settings.think_most,
                sure=float(turn.priors.max(initial=0.0)),
                limit=budget.seconds,
                rng=rng,
                stop=budget.stop,
            )
        return choice

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a choice for each game; the network sees the boards of one size together."""
        if len(games) == 1:
            return [self.choose(games[0], budget, rng=rng)]
        self.thinking.begin()
        turns: dict[int, _Turn] = {}
        for size in sorted({game.size for game in games}):
            places = [i for i, game in enumerate(games) if game.size == size]
            turns.update(zip(places, self._look([games[i] for i in places]), strict=True))
        self._decide(list(turns.values()), budget, rng, resigns=True)
        return [self._made(turns[i]) for i in range(len(games))]

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Return at once: thinking on the opponent's time would make it stronger than its rank."""

    def _look(self, games: Sequence[Game]) -> list[_Turn]:
        """Return what the network says of games on boards of one size."""
        found = self.evaluator.evaluate([game.board for game in games], symmetry="none")
        assert found.value is not None and found.lead is not None and found.ownership is not None
        style = style_of(self.settings, games[0].size)
        return [
            _Turn(
                game,
                style,
                found.priors[i, :-1],
                float(found.value[i] + 1) / 2,
                float(found.lead[i]),
                found.ownership[i],
            )
            for i, game in enumerate(games)
        ]

    def _decide(
        self, turns: Sequence[_Turn], budget: Budget, rng: np.random.Generator, *, resigns: bool
    ) -> None:
        """Find a choice for every turn."""
        for turn in turns:
            area = turn.game.size**2
            if turn.board.turn >= MOVE_CAP * area:
                turn.choice = Choice(area, reason="the game has gone on for too long")
            elif resigns and self.settings.resigns and self._is_hopeless(turn):
                turn.choice = Choice(RESIGN, reason="the game is hopeless at this rank")
        ending = [turn for turn in turns if turn.choice is None and _is_ending(turn)]
        self._end(ending, budget, rng)
        reading = [turn for turn in turns if turn.choice is None and turn.style.visits > 1]
        for visits in sorted({turn.style.visits for turn in reading}):
            some = [turn for turn in reading if turn.style.visits == visits]
            self._read(some, visits, budget, rng, self._take_read)
        self._draw([turn for turn in turns if turn.choice is None], budget, rng)

    def _is_hopeless(self, turn: _Turn) -> bool:
        """Tell whether a player of this rank gives the game up; a pass may end it as well."""
        lost = self._hopeless.gives_up(
            turn.game, winrate=turn.winrate, lead=turn.lead, behind=turn.style.resign
        )
        return lost and not (turn.board.passes and _is_settled(turn))

    def _read(
        self,
        turns: Sequence[_Turn],
        visits: int,
        budget: Budget,
        rng: np.random.Generator,
        take: Callable[[_Turn, Choice, np.random.Generator], None],
    ) -> None:
        """Let the search look at some positions, and take what it chose."""
        if not turns:
            return
        if len(turns) == 1:
            turn, left = turns[0], self.thinking.left(budget.seconds)
            limit, asked = Budget(visits, left, left, budget.stop), Conditions(among=turn.among)
            take(turn, self._reader.choose(turn.game, limit, rng=rng, conditions=asked), rng)
            return
        games = [turn.game for turn in turns]
        for turn, choice in zip(
            turns, self._reader.choose_each(games, Budget(visits), rng=rng), strict=True
        ):
            take(turn, choice, rng)

    def _end(self, turns: Sequence[_Turn], budget: Budget, rng: np.random.Generator) -> None:
        """Let the search choose at the end of a game; a pass is looked at for longer."""
        self._read(turns, ENDING_VISITS, budget, rng, self._take_ending)
        self._read([t for t in turns if t.passes], PASS_VISITS, budget, rng, self._take_last)

    def _take_ending(self, turn: _Turn, choice: Choice, rng: np.random.Generator) -> None:
        """Take the search's choice as it is."""
        turn.choice = replace(choice, reason=ENDING)

    def _take_last(self, turn: _Turn, choice: Choice, rng: np.random.Generator) -> None:
        """Take the search's choice; a first pass only where no move that was read gains points."""
        if not turn.board.passes:
            choice = replace(choice, move=rather_than_pass(choice, turn.board))
        self._take_ending(turn, choice, rng)

    def _take_read(self, turn: _Turn, choice: Choice, rng: np.random.Generator) -> None:
        """Draw among the moves that the search found good enough for the rank.

        Where rules forbid them all, there is no choice yet.
        """
        area = turn.game.size**2
        found = [one for one in choice.candidates if one.move != area]
        if choice.move == area or not found:
            turn.choice = replace(choice, reason=ENDING)
            return
        lead = {one.move: one.lead or 0.0 for one in found}
        best = choice.move
        noticed = seen(turn.board, turn.style, rng)
        noticed[best] = True
        near = [
            one
            for one in found
            if noticed[one.move] and lead[one.move] >= lead[best] - turn.style.most_lost
        ]
        visits = np.zeros(area, dtype=np.float32)
        for one in near:
            visits[one.move] = one.visits
        visits[best] = max(visits.max(), 1.0)
        shares = heated(visits, turn.style.heat)
        vetoes = Vetoes(turn.board, turn.ownership)
        while shares.any():
            move = drawn(shares, rng)
            shares[move] = 0
            if vetoes.of(move) is None:
                self._settle(turn, move, best, lead[best] - lead[move])
                return

    def _draw(self, turns: Sequence[_Turn], budget: Budget, rng: np.random.Generator) -> None:
        """Draw a move of the policy for each turn, and look what it costs.

        Where rules forbid every sensible move, the search decides.
        """
        vetoes = {id(turn): Vetoes(turn.board, turn.ownership) for turn in turns}
        first = {id(turn): self._first(turn, vetoes[id(turn)]) for turn in turns}
        stuck = [turn for turn in turns if first[id(turn)] == turn.game.size**2]
        self._end(stuck, budget, rng)
        waiting = [turn for turn in turns if turn.choice is None]
        for tried in range(REDRAWS + 1):
            asked: list[tuple[_Turn, int, int]] = []
            for turn in waiting:
                best = first[id(turn)]
                move = best
                if tried < REDRAWS:
                    move = self._drawn_from(turn, vetoes[id(turn)], best, rng)
                if move == best:
                    self._settle(turn, best, best, 0.0)
                else:
                    asked.append((turn, move, best))
            waiting = []
            for (turn, move, best), lost in zip(asked, self._costs(asked), strict=True):
                if lost <= turn.style.most_lost:
                    self._settle(turn, move, best, lost)
                else:
                    turn.dear.add(move)
                    waiting.append(turn)
            if not waiting:
                return

    def _first(self, turn: _Turn, vetoes: Vetoes) -> int:
        """Return the policy's likeliest move that no rule forbids, the pass where there is none.

        Where a rule forbids all of them, it is the likeliest move that sees to a duty.
        """
        area = turn.game.size**2
        order = np.argsort(-turn.priors, kind="stable")
        for move in map(int, order):
            if turn.priors[move] <= 0:
                break
            if turn.allowed(move) and vetoes.of(move) is None:
                return move
        answers = [move for duty in vetoes.duties for move in order if move in duty.answers]
        return next((int(move) for move in answers if turn.allowed(int(move))), area)

    def _drawn_from(self, turn: _Turn, vetoes: Vetoes, best: int, rng: np.random.Generator) -> int:
        """Return a move drawn by the style's weights that no rule forbids, else the best one."""
        priors = turn.priors.copy()
        priors[list(turn.dear)] = 0
        if turn.among is not None:
            priors[[move for move in range(len(priors)) if move not in turn.among]] = 0
        shares = weights(turn.board, priors, turn.style, rng)
        while shares.any():
            move = drawn(shares, rng)
            if move == best or vetoes.of(move) is None:
                return move
            shares[move] = 0
        return best

    def _costs(self, asked: Sequence[tuple[_Turn, int, int]]) -> list[float]:
        """Return the points that each move loses beside the best, by one look behind both."""
        costs = [0.0] * len(asked)
        for size in sorted({turn.game.size for turn, _, _ in asked}):
            places = [i for i, (turn, _, _) in enumerate(asked) if turn.game.size == size]
            boards = []
            for i in places:
                turn, move, best = asked[i]
                for one in (move, best):
                    after = turn.board.copy()
                    after.play(one)
                    boards.append(after)
            leads = self.evaluator.evaluate(boards, symmetry="none").lead
            assert leads is not None
            for k, i in enumerate(places):
                costs[i] = float(leads[2 * k] - leads[2 * k + 1])
        return costs

    def _settle(self, turn: _Turn, move: int, best: int, lost: float) -> None:
        """Note the move of a turn, and whether it was weak."""
        turn.choice = Choice(move, reason=self.settings.rank)
        if move != best:
            colour = turn.board.to_play
            turn.weak = WeakMove(len(turn.game.moves), colour, move, best, max(0.0, lost))

    def _made(self, turn: _Turn) -> Choice:
        """Return the choice of a turn, and remember whether it was weak."""
        assert turn.choice is not None
        self.weak_moves.note(turn.game, turn.weak)
        return turn.choice


def _is_ending(turn: _Turn) -> bool:
    """Tell whether a position is for the search, which passes where nothing is left to play.

    That is where the opponent passed, where no move is sensible, and late in a game where nearly
    all points are settled or the policy's own choice is inside settled territory.
    """
    if turn.board.passes or not turn.priors.any():
        return True
    if not is_late(turn.board):
        return False
    return _is_settled(turn) or bool(np.abs(turn.ownership.ravel()[turn.best]) > SETTLED)


def _is_settled(turn: _Turn) -> bool:
    """Tell whether nearly all points are settled."""
    return bool((np.abs(turn.ownership.ravel()) > SETTLED).mean() > OVER)
