"""One choice of a player that searches, from the first look at a position to the move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from goengine.games.game import Game
from goengine.players.player import Candidate, Choice, Conditions
from goengine.players.reading.ending import Ending
from goengine.players.reading.resigning import Resigning
from goengine.players.reading.time_use import Allowance, Watch
from goengine.players.settings import SearchSettings
from goengine.search.findings import MoveFinding, move_findings, root_finding, visit_shares
from goengine.search.root import RootConditions
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import RESIGN

MOVE_CAP = 2.0
"""Moves a point after which a player only passes."""
COOLING = 0.2
"""Share of the temperature that is left late in a game."""
NO_HEAT = 0.02
"""Temperature below which the best move is played."""
FULL_VIEWS_FROM = 50
"""Visits from which the root is seen from all eight sides."""
FULL_VIEWS_SECONDS = 0.3
"""Seconds from which it is."""


class MoveChoice:
    """A position being thought about; `begin`, reading, `finish`."""

    def __init__(
        self,
        game: Game,
        tree: TreeSearch,
        settings: SearchSettings,
        allowance: Allowance,
        *,
        conditions: Conditions,
        resigning: Resigning,
        rng: np.random.Generator,
        now: Callable[[], float],
    ) -> None:
        self.game = game
        self.tree = tree
        self.settings = settings
        self._among = conditions.among
        self._resigning = resigning
        self._rng = rng
        self.watch = Watch(tree, allowance, lcb=settings.lcb, now=now)
        self.allowance = allowance

    def begin(self) -> Choice | None:
        """Look at the position; return a choice where none needs reading."""
        board = self.game.board
        area = board.size**2
        cap = MOVE_CAP * area if self.settings.move_cap is None else self.settings.move_cap
        if board.turn >= cap:
            return Choice(area, reason="the game has gone on for too long")
        bans: tuple[tuple[int, frozenset[int], int], ...] = ()
        if self._among is not None:
            others = frozenset(range(area + 1)) - self._among
            bans = ((board.to_play, others, 1),)
        visits, usual = self.allowance.visits, self.allowance.usual
        few = visits is not None and visits < FULL_VIEWS_FROM
        few |= usual is not None and usual < FULL_VIEWS_SECONDS
        self._ending = Ending.of(
            board,
            self.tree,
            cleanup=self.settings.cleanup,
            playouts=self.settings.playouts,
            rng=self._rng,
        )
        pass_prior = self._ending.prior_of_a_pass()
        self.tree.begin(
            self.game,
            RootConditions(bans, noise=self.settings.noise, pass_prior=pass_prior),
            symmetry="random" if few else "all",
        )
        self.tree.run(Limits(visits=1))
        unseen = self.tree.order.least - int(self.tree.pool.opened[0])
        if pass_prior > 0 and unseen > 0:  # a kept tree may need no more visits, but for the pass
            self.tree.run(Limits(visits=self.tree.visits + unseen))
        return None if self._among is not None else self._ending.before_reading()

    def read(self) -> None:
        """Let the tree grow for as long as the choice is worth it."""
        limits = Limits(self.allowance.visits, self.watch.left())
        self.tree.run(limits, settled=self.watch.enough)

    def is_read(self) -> bool:
        """Tell whether the tree has grown for as long as the choice is worth it."""
        visits = self.allowance.visits
        if self.tree.exhausted or (visits is not None and self.tree.visits >= visits):
            return True
        return self.watch.enough()

    def finish(self) -> Choice:
        """Return the move."""
        found = move_findings(self.tree.pool, bonus=self.tree.order.bonus, lcb=self.settings.lcb)
        if not found:
            return Choice(int(self.tree.pool.moves[0, 0]), reason="there was no time to read")
        candidates = tuple(map(candidate, found))
        root = root_finding(self.tree.pool)
        hopeless = self._resigning.gives_up(self.game, root, self.settings.resign_below)
        if hopeless and not self._ending.may_be_passed_out:
            return Choice(RESIGN, candidates, "the game is lost")
        best = self._pick(found)
        if self._among is None:
            other, reason = self._ending.instead_of(best, found)
            pass_move = self.game.size**2
            if pass_move in (best.move, best.move if other is None else other.move):
                taken = self._ending.capture()
                if taken is not None:
                    return Choice(taken.move, candidates, taken.reason)
            if other is not None:
                return Choice(other.move, candidates, reason)
        return Choice(best.move, candidates, f"{best.visits} of {self.tree.visits} visits")

    def _pick(self, found: Sequence[MoveFinding]) -> MoveFinding:
        """Return the best move, or one drawn by visits at the present temperature.

        The temperature falls from its setting to a fifth of it, by half in as many moves as the
        board has lines.
        """
        board = self.game.board
        late = COOLING * self.settings.temperature
        heat = late + (self.settings.temperature - late) * 0.5 ** (board.turn / board.size)
        if heat < NO_HEAT:
            return found[0]
        shares = visit_shares(self.tree.pool, board.size**2)
        weights = np.array([shares[finding.move] for finding in found]) ** (1 / heat)
        return found[int(self._rng.choice(len(found), p=weights / weights.sum()))]


def candidate(found: MoveFinding) -> Candidate:
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
        deviation=found.deviation,
    )
