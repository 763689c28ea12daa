"""How a player that searches ends a game: passes, captures that are asked for, nothing thrown away.

Playouts (scoring/status.py) and the network's ownership, averaged over the tree, judge together
which stones are dead and what the score is by the rules in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from goengine.board import Board
from goengine.players.player import Choice
from goengine.players.reading.endgame import is_late
from goengine.scoring.capturing import capturing_moves
from goengine.scoring.status import Status, status
from goengine.search.findings import MoveFinding, root_finding
from goengine.search.playing_out import Verdict, verdict
from goengine.search.tree_search import TreeSearch

POINTLESS = 0.5
"""Points by which the best move must beat a pass in a settled late position."""
QUIET = 0.97
"""Share of settled points from which a position may be over."""
CLEAN = 0.9
"""Share of settled points from which dead stones are taken off where that is asked."""


@dataclass(frozen=True)
class Ending:
    """The end of a game as seen in one position, whose tree has its root evaluated."""

    board: Board
    tree: TreeSearch
    judged: Status | None
    """What playouts say; None while it is too early to ask them."""
    cleanup: bool
    playouts: int
    rng: np.random.Generator

    @classmethod
    def of(
        cls,
        board: Board,
        tree: TreeSearch,
        *,
        cleanup: bool | None,
        playouts: int,
        rng: np.random.Generator,
    ) -> Ending:
        """Judge a position by playouts if it is late or the opponent passed."""
        asked = is_late(board) or board.passes
        judged = status(board, rng=rng, playouts=playouts) if asked else None
        wanted = board.rules.name == "tromp-taylor" if cleanup is None else cleanup
        return cls(board, tree, judged, wanted, playouts, rng)

    def before_reading(self) -> Choice | None:
        """Return a capture that the rules ask for, or a pass that ends a won game."""
        if self.judged is None:
            return None
        if self.cleanup and self.judged.settled_share > CLEAN:
            duties = capturing_moves(self.board, self.judged, rng=self.rng, playouts=self.playouts)
            if duties.any():
                return Choice(int(np.flatnonzero(duties)[0]), reason="dead stones come off")
        if not self.board.passes:
            return None
        found = self._verdict(self.judged)
        loose = np.count_nonzero(~self.judged.settled)
        sure = root_finding(self.tree.pool).winrate > 0.5
        if sure and found.lead_for(self.board.to_play) > loose:
            return Choice(self.board.size**2, reason="the game is over and won")
        return None

    def instead_of(
        self, best: MoveFinding, found: Sequence[MoveFinding]
    ) -> tuple[MoveFinding | None, str]:
        """Return what is better than the move that the search likes best, None if nothing is.

        A pass where nothing is left to gain; another move where a pass would lose what may still
        be won. With it comes the reason.
        """
        pass_move = self.board.size**2
        passing = next((one for one in found if one.move == pass_move), None)
        if self.judged is None:
            others = [one for one in found if one.move != pass_move]
            if best.move == pass_move and others and not self._all_settled():
                return others[0], "it is too early to pass"
            return None, ""
        quiet = self.judged.settled_share > QUIET
        lead = self._verdict(self.judged).lead_for(self.board.to_play)
        if best.move == pass_move:
            others = [one for one in found if one.move != pass_move and not self._costs(one)]
            if others and lead <= 0 and not (quiet and others[0].lead - best.lead < POINTLESS):
                return others[0], "a pass would lose"
            return None, ""
        if passing is None or not quiet:
            return None, ""
        lost_by_passing = lead <= 0 and best.winrate > 0.5
        if self._costs(best) or (not lost_by_passing and best.lead - passing.lead < POINTLESS):
            return passing, "nothing is left to gain"
        return None, ""

    def _verdict(self, judged: Status) -> Verdict:
        """Return how the game would end now."""
        return verdict(self.board, self.tree.ownership().ravel(), judged)

    def _costs(self, finding: MoveFinding) -> bool:
        """Tell whether a move is one inside settled territory that gains nothing."""
        pool = self.tree.pool
        edges = pool.moves[0, : pool.edges[0]]
        return bool((self.tree.order.bonus[: len(edges)][edges == finding.move] < 0).any())

    def _all_settled(self) -> bool:
        """Tell whether the tree sees an owner of nearly every point."""
        return bool((np.abs(self.tree.ownership()) > CLEAN).mean() > QUIET)
