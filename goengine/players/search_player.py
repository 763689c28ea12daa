"""Play by reading: a tree search, and around it when to pass, to clean up and to resign."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.players.endgame import is_late
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
from goengine.players.settings import SEARCH_DEFAULTS, SearchSettings, Settings
from goengine.scoring.capturing import capturing_moves
from goengine.scoring.counting import score
from goengine.scoring.status import Status, signed, status
from goengine.search.findings import MoveFinding, move_findings, root_finding, visit_shares
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import RESIGN, GoError

HOPELESS_TURNS = 3
"""Turns in a row that a game must look lost before it is resigned."""
RESIGN_FROM = 40
"""Moves before which nobody resigns."""
POINTLESS = 0.5
"""Points by which the best move must beat a pass in a settled late position."""
MOVE_CAP = 2.0
"""Moves a point after which a player only passes."""
HALF_LIFE = 19.0
"""Moves in which the temperature of a choice halves on its way from early to late."""


class SearchPlayer:
    """Play the moves that a search finds best.

    It keeps one tree, which follows the game from move to move.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        settings: SearchSettings = SEARCH_DEFAULTS,
        *,
        rng: np.random.Generator,
        name: str = "search",
        tree: TreeSearch | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.settings = settings
        self.name = name
        self._rng = rng
        self.tree = tree or TreeSearch(evaluator, rng=rng, megabytes=settings.megabytes)
        self._lost: weakref.WeakKeyDictionary[Game, list[int]] = weakref.WeakKeyDictionary()

    @property
    def analyst(self) -> SearchAnalyst:
        """Who says what the search sees; play and analysis share one tree."""
        return SearchAnalyst(self.tree)

    def with_settings(self, settings: Settings) -> SearchPlayer:
        """Return this player by other settings, on the same tree.

        Raises:
            GoError: they are another player's.
        """
        if not isinstance(settings, SearchSettings):
            raise GoError(f"{settings} are not the settings of a search: use SearchSettings")
        same = settings.megabytes == self.settings.megabytes
        twin = SearchPlayer(
            self.evaluator,
            settings,
            rng=self._rng,
            name=self.name,
            tree=self.tree if same else None,
        )
        twin._lost = self._lost
        return twin

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        """Return a move: a point, a pass, or RESIGN where that was allowed."""
        board = game.board
        pass_move = board.size**2
        settings = self._under(conditions)
        cap = MOVE_CAP * pass_move if settings.move_cap is None else settings.move_cap
        if board.turn >= cap:
            return Choice(pass_move, reason="the game has gone on for too long")
        judged = self._judged(board, rng)
        if judged is not None and conditions.among is None:
            early = self._before_reading(board, judged, settings, rng)
            if early is not None:
                return early
        self.tree.begin(game, among=conditions.among)
        limits = self._limits(settings, budget)
        self.tree.run(limits, least=2, settled=lambda: _decided(self.tree, limits))
        found = move_findings(self.tree.pool)
        candidates = tuple(map(_candidate, found))
        if self._resigns(game, settings):
            return Choice(RESIGN, candidates, "the game is lost")
        best = self._pick(found, board, settings, rng)
        passing = next((f for f in found if f.move == pass_move), None)
        if judged is not None and passing is not None and best.move != pass_move:
            settled = bool(judged.settled.mean() > 0.97)
            if settled and best.lead - passing.lead < POINTLESS and conditions.among is None:
                return Choice(pass_move, candidates, "nothing is left to gain")
        return Choice(best.move, candidates, f"{best.visits} of {self.tree.visits} visits")

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a choice for each game, one after the other."""
        return [self.choose(game, budget, rng=rng) for game in games]

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Grow the tree of a position until `stop` says so or memory is full."""
        self.tree.begin(game)
        self.tree.run(Limits(), stop=stop)

    def _under(self, conditions: Conditions) -> SearchSettings:
        """Return the settings that meet the conditions."""
        settings = self.settings
        if conditions.exact:
            settings = replace(settings, temperature=0.0)
        if conditions.cleanup:
            settings = replace(settings, cleanup=True, resign_below=None)
        return settings

    def _limits(self, settings: SearchSettings, budget: Budget) -> Limits:
        """Return where a search ends: the settings' limits, the budget's where it is shorter."""
        visits = settings.visits if budget.visits is None else budget.visits
        seconds = settings.seconds if settings.visits is None else None
        if budget.seconds is not None:
            seconds = budget.seconds if seconds is None else min(seconds, budget.seconds)
        return Limits(visits, seconds)

    def _judged(self, board: Board, rng: np.random.Generator) -> Status | None:
        """Return what playouts say of a late position, or of one where the opponent passed."""
        if not is_late(board) and not board.passes:
            return None
        return status(board, rng=rng, playouts=self.settings.playouts)

    def _before_reading(
        self, board: Board, judged: Status, settings: SearchSettings, rng: np.random.Generator
    ) -> Choice | None:
        """Return a pass that ends a won game, or a capture that the rules ask for first."""
        pass_move = board.size**2
        asked = board.rules.name == "tromp-taylor"
        cleanup = asked if settings.cleanup is None else settings.cleanup
        if cleanup and judged.settled.mean() > 0.9:
            duties = capturing_moves(board, judged, rng=rng, playouts=settings.playouts)
            if duties.any():
                return Choice(int(np.flatnonzero(duties)[0]), reason="dead stones come off")
        lead = signed(score(board, judged.dead, status=judged), board.to_play)
        if board.passes and lead > np.count_nonzero(~judged.settled):
            return Choice(pass_move, reason="the game is over and won")
        return None

    def _pick(
        self,
        found: Sequence[MoveFinding],
        board: Board,
        settings: SearchSettings,
        rng: np.random.Generator,
    ) -> MoveFinding:
        """Return the best move, or one drawn by visits at the present temperature."""
        if settings.temperature == 0:
            return found[0]
        heat = settings.temperature * 0.5 ** (board.turn / HALF_LIFE * 19 / board.size)
        if heat < 0.02:
            return found[0]
        shares = visit_shares(self.tree.pool, board.size**2)
        weights = np.array([shares[finding.move] for finding in found]) ** (1 / heat)
        if not weights.sum():
            return found[0]
        return found[int(rng.choice(len(found), p=weights / weights.sum()))]

    def _resigns(self, game: Game, settings: SearchSettings) -> bool:
        """Note how the game looks, and tell whether it has looked lost for long enough."""
        if settings.resign_below is None:
            return False
        turn = game.board.turn
        root = root_finding(self.tree.pool)
        hopeless = root.winrate < settings.resign_below and root.lead < 0
        open_handicap = game.board.handicap > 0 and turn < game.size**2 // 2
        turns = [old for old in self._lost.get(game, []) if old < turn]
        turns = [*turns, turn] if hopeless else []
        self._lost[game] = turns
        return turn >= RESIGN_FROM and not open_handicap and len(turns) >= HOPELESS_TURNS


class SearchAnalyst:
    """What a search sees, more at every snapshot."""

    def __init__(self, tree: TreeSearch) -> None:
        self._tree = tree

    def stream(
        self,
        game: Game,
        *,
        interval: float,
        pause: Callable[[float], bool],
        question: Question = PLAINLY,
    ) -> Iterator[Snapshot]:
        """Yield snapshots while the tree grows, until `pause` says stop or memory is full."""
        banned = question.banned(game.board.to_play, 0)
        every = frozenset(range(game.size**2 + 1))
        self._tree.begin(game, among=every - banned if banned else None)
        self._tree.run(Limits(visits=max(2, self._tree.visits)))
        while True:
            yield snapshot(self._tree, game)
            stopped = False

            def asked() -> bool:
                nonlocal stopped
                stopped = stopped or pause(0.0)
                return stopped

            self._tree.run(Limits(seconds=interval), stop=asked)
            if stopped or (self._tree.full and pause(interval)):
                return


def snapshot(tree: TreeSearch, game: Game) -> Snapshot:
    """Return what a tree says at this moment."""
    root = root_finding(tree.pool)
    size = game.size
    owned = (tree.ownership / max(1, tree.owned)).astype(np.float32).reshape(size, size)
    return Snapshot(
        tuple(map(_candidate, move_findings(tree.pool))),
        winrate=root.winrate,
        ownership=owned,
        lead=root.lead,
        deviation=root.deviation,
        utility=root.utility,
        root_visits=root.visits,
        raw_winrate=root.raw_winrate,
        raw_lead=root.raw_lead,
    )


def _candidate(found: MoveFinding) -> Candidate:
    """Return a finding as an analysis shows it."""
    return Candidate(
        move=found.move,
        prior=found.prior,
        visits=found.visits,
        pv=found.pv,
        winrate=found.winrate,
        lcb=max(0.0, min(1.0, found.winrate_bound)),
        lead=found.lead,
        utility=found.utility,
        pv_visits=found.pv_visits,
    )


def _decided(tree: TreeSearch, limits: Limits) -> bool:
    """Tell whether the leader in visits cannot be caught with the visits that are left."""
    if limits.visits is None or tree.visits < 10:
        return False
    pool = tree.pool
    visits = sorted(int(pool.visits[child]) for child in pool.children[0, : pool.opened[0]])
    if len(visits) < 2:
        return False
    return visits[-1] - visits[-2] > limits.visits - tree.visits
