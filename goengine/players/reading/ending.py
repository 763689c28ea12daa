"""How a player that searches ends a game: passes, captures that are asked for, nothing thrown away.

Playouts (scoring/status.py) and the network's ownership, averaged over the tree, judge together
which stones are dead and what the score is by the rules in force. Under territory rules a stone
inside one's own settled territory costs a point, which the network, whose leads are those of area
rules, does not see: playouts and the tree compare it with a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.players.player import Choice
from goengine.players.reading.endgame import is_late, nearby
from goengine.scoring.capturing import capturing_moves
from goengine.scoring.status import Status, status
from goengine.search.findings import MoveFinding, root_finding
from goengine.search.playing_out import Verdict, verdict
from goengine.search.pool import children
from goengine.search.tree_search import TreeSearch
from goengine.types import BLACK

POINTLESS = 0.5
"""Points by which the best move must beat a pass in a settled late position."""
QUIET = 0.97
"""Share of settled points from which a position may be over."""
CLEAN = 0.9
"""Share of settled points from which dead stones are taken off where that is asked, and from which
territory rules keep stones out of one's own territory."""
NEARLY_OVER, OVER = 0.1, 0.5
"""Priors of a pass, at the least, under territory rules where playouts say that `CLEAN` is settled,
or that all is surely owned or surely nobody's."""
STONE = 1.0
"""Points that a stone inside one's own territory costs under territory rules."""
DOUBT = 1.0
"""Points by which the tree must see more gained than that where playouts see nothing to gain."""
SURE = 0.9
"""Mean owner of a point, by playouts, from which it is surely owned."""
FALL = 1.0
"""How far the mean owner of a point falls, of 2, where a reply takes it whoever goes on; half of
the playouts let the opponent move again, and so show at most that much of a threat of a threat."""
REPLIES = 8
"""How many of the opponent's likeliest replies to a pass are looked at for threats, besides those
around the move in question."""


@dataclass(frozen=True)
class Ending:
    """The end of a game as seen in one position.

    All but `prior_of_a_pass` needs the tree's root to be evaluated.
    """

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
        wanted = board.rules.counts_as_it_stands if cleanup is None else cleanup
        return cls(board, tree, judged, wanted, playouts, rng)

    def prior_of_a_pass(self) -> float:
        """Return the prior that a pass has at the least, so that moves are compared with it."""
        if self.judged is None or self.board.rules.scoring != "territory":
            return 0.0
        owned = np.abs(self.judged.ownership)
        sure = self.judged.settled & ((owned > SURE) | (owned < 1 - SURE))
        if float(sure.mean()) > QUIET:
            return OVER
        return NEARLY_OVER if self.judged.settled_share > CLEAN else 0.0

    @property
    def may_be_passed_out(self) -> bool:
        """Whether the opponent passed and nearly all is settled, so that a pass ends the game."""
        judged = self.judged
        return judged is not None and self.board.passes > 0 and judged.settled_share > QUIET

    def before_reading(self) -> Choice | None:
        """Return a capture that is asked for where all is settled, or a pass that ends a won game.

        Before a pass dead stones come off, too.
        """
        if self.judged is None:
            return None
        loose = int(np.count_nonzero(~self.judged.settled))
        over = False
        if self.board.passes:
            sure = root_finding(self.tree.pool).winrate > 0.5
            over = sure and self._verdict(self.judged).lead_for(self.board.to_play) > loose
        taken = self.capture() if over or not loose else None
        if taken is not None:
            return taken
        return Choice(self.board.size**2, reason="the game is over and won") if over else None

    def capture(self) -> Choice | None:
        """Return the move that takes dead stones off before a pass, None where none has to.

        While points are open it would lose those, so it only ever stands for a pass.
        """
        if not self.cleanup or self.judged is None or self.judged.settled_share <= CLEAN:
            return None
        duties = capturing_moves(self.board, self.judged, rng=self.rng, playouts=self.playouts)
        if not duties.any():
            return None
        return Choice(int(np.flatnonzero(duties)[0]), reason="dead stones come off")

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
            moves = (one for one in found if one.move != pass_move and not self._costs(one))
            other = next((one for one in moves if not self._fills(one, best, self.judged)), None)
            if other and lead <= 0 and not (quiet and other.lead - best.lead < POINTLESS):
                return other, "a pass would lose"
            return None, ""
        lost_by_passing = lead <= 0 and best.winrate > 0.5
        if passing is not None and quiet:
            gained = best.lead - passing.lead
            useless = self._costs(best) and gained < STONE + DOUBT
            if useless or (not lost_by_passing and gained < POINTLESS):
                return passing, "nothing is left to gain"
        if passing is None or not self._fills(best, passing, self.judged):
            return None, ""
        open_points = np.append(~self.judged.settled.ravel(), [True])
        options = (one for one in found if one.lead > best.lead - STONE - DOUBT)
        other = next((one for one in options if open_points[one.move]), passing)
        return other, "a stone there would fill the own territory"

    def _fills(self, finding: MoveFinding, passing: MoveFinding, judged: Status) -> bool:
        """Tell whether a move costs a point of one's own under territory rules and gains nothing.

        It lies inside one's own settled territory, captures nothing, and neither the tree nor
        playouts see a threat that it answers. On points that are surely owned, where all are
        settled, a network that still doubts what is dead is not believed.
        """
        board = self.board
        if board.rules.scoring != "territory" or judged.settled_share <= CLEAN:
            return False
        if finding.move == passing.move or not self._mine[finding.move]:
            return False
        surely = _owners_for(judged, board.to_play)[finding.move] > SURE
        allowed = STONE + DOUBT if surely else STONE
        if finding.lead - passing.lead >= allowed and not (surely and judged.settled_share > QUIET):
            return False
        after = board.copy()
        after.play(finding.move)
        return after.captures == board.captures and not self._answers_threat(finding.move)

    @cached_property
    def _mine(self) -> npt.NDArray[np.bool_]:
        """Bool (N*N,): points inside the mover's settled territory, by playouts; none too early."""
        if self.judged is None:
            return np.zeros(self.board.size**2, dtype=np.bool_)
        return self.judged.settled.ravel() & (_owners_for(self.judged, self.board.to_play) > 0)

    def _answers_threat(self, move: int) -> bool:
        """Tell whether a reply to a pass takes some of the mover's settled territory in playouts.

        The replies are the likeliest ones, and those on a point and around it.
        """
        assert self.judged is not None
        before = _owners_for(self.judged, self.board.to_play)
        pool = self.tree.pool
        pass_move = self.board.size**2
        edge = int(np.flatnonzero(pool.moves[0, : pool.opened[0]] == pass_move)[0])
        node = children(pool, 0)[edge]
        likely = pool.moves[node, : pool.edges[node]].tolist()[:REPLIES]
        passed = self.board.copy()
        passed.play(pass_move)
        for reply in dict.fromkeys([*nearby(self.board, move), *likely]):
            if reply != pass_move and passed.is_legal(reply):
                after = passed.copy()
                after.play(reply)
                then = status(after, rng=self.rng, playouts=max(1, self.playouts // 2))
                fall = before - _owners_for(then, self.board.to_play)
                if (fall[self._mine] > FALL).any():
                    return True
        return False

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


def _owners_for(judged: Status, colour: int) -> npt.NDArray[np.float32]:
    """Return the mean owner of each point as a colour sees it, float32 (N*N,), 1 its own."""
    owners = judged.ownership.ravel()
    return owners if colour == BLACK else -owners
