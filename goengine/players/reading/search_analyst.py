"""What a search sees, more at every snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import islice

from goengine.games.game import Game
from goengine.players.player import PLAINLY, Candidate, Question, Snapshot
from goengine.players.reading.move_choice import candidate
from goengine.players.reading.time_use import Allowance, Watch
from goengine.search.findings import MoveFinding, RootFinding, move_findings, root_finding
from goengine.search.pool import Pool
from goengine.search.root import RootConditions
from goengine.search.tree_search import Limits, TreeSearch

FIRST_VISITS = 2
"""Visits before the first snapshot, so that it has a move."""
LEAST_INTERVAL = 0.01
"""Seconds between snapshots at the least, in which the tree grows in any case."""


class SearchAnalyst:
    """Analysis on the tree of a player."""

    def __init__(
        self, tree: TreeSearch, *, lcb: bool = True, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._tree = tree
        self._lcb = lcb
        self._now = now

    def stream(
        self,
        game: Game,
        *,
        interval: float,
        pause: Callable[[float], bool],
        question: Question = PLAINLY,
    ) -> Iterator[Snapshot]:
        """Yield snapshots while the tree grows, until `pause` says stop or the question's limits.

        A tree that has nothing more to find is shown again at every interval, unless the question
        has a limit: then it is done. So it is once a move is clear, where one is to be chosen in
        so much time.
        """
        tree = self._tree
        began = self._now()
        limit = question.seconds if question.most is None else question.most
        watch = None
        if question.chooses and limit is not None:
            allowance = Allowance(question.visits, question.seconds, limit)
            watch = Watch(tree, allowance, lcb=self._lcb, now=self._now)
        tree.begin(game, root_conditions(question))
        tree.run(Limits(visits=FIRST_VISITS))
        while True:
            yield snapshot(tree, game, question, lcb=self._lcb)
            left = None
            if limit is not None:
                left = limit - (self._now() - began)
            if (left is not None and left <= 0) or self._is_over(question):
                return
            stopped = False

            def asked() -> bool:
                nonlocal stopped
                stopped = stopped or pause(0.0) or (watch is not None and watch.enough())
                return stopped

            before = tree.visits
            seconds = max(LEAST_INTERVAL, interval if left is None else min(interval, left))
            tree.run(Limits(visits=question.visits, seconds=seconds), stop=asked)
            if tree.exhausted and not stopped:
                stopped = _is_limited(question) or pause(seconds)
            if stopped:
                if tree.visits > before:
                    yield snapshot(tree, game, question, lcb=self._lcb)
                return

    def _is_over(self, question: Question) -> bool:
        """Tell whether there are as many visits as were asked for."""
        return question.visits is not None and self._tree.visits >= question.visits


def _is_limited(question: Question) -> bool:
    """Tell whether a look at a position ends by itself."""
    return question.visits is not None or question.seconds is not None


def root_conditions(question: Question) -> RootConditions:
    """Return what a question asks of a search."""
    bans = tuple((ban.colour, ban.moves, ban.until) for ban in question.bans)
    return RootConditions(bans, width=question.width)


def snapshot(
    tree: TreeSearch, game: Game, question: Question = PLAINLY, *, lcb: bool = True
) -> Snapshot:
    """Return what a tree says at this moment."""
    root = root_finding(tree.pool)
    found = move_findings(tree.pool, bonus=tree.order.bonus, lcb=lcb)
    looked_at = {finding.move for finding in found} | {game.size**2}
    missing = question.least_moves - len(looked_at) + 1

    def shown(finding: MoveFinding) -> Candidate:
        one = candidate(finding)
        if not question.moves_ownership:
            return one
        return replace(one, ownership=tree.ownership(finding.node))

    return Snapshot(
        (*map(shown, found), *islice(_unread(tree.pool, looked_at, root), max(0, missing))),
        winrate=root.winrate,
        ownership=tree.ownership(),
        lead=root.lead,
        deviation=root.deviation,
        utility=root.utility,
        root_visits=root.visits,
        raw_winrate=root.raw_winrate,
        raw_lead=root.raw_lead,
    )


def _unread(pool: Pool, looked_at: Collection[int], root: RootFinding) -> Iterator[Candidate]:
    """Yield the root's other moves, the likeliest first, thought to be as good as the root is.

    Their lower bounds say that nothing is known of them.
    """
    edges = int(pool.edges[0])
    moves, priors = pool.moves[0, :edges].tolist(), pool.priors[0, :edges].tolist()
    for move, prior in zip(moves, priors, strict=True):
        if move not in looked_at:
            yield Candidate(
                move,
                prior,
                0,
                (move,),
                winrate=root.winrate,
                lcb=0.0,
                lead=root.lead,
                utility=root.utility,
                pv_visits=(0,),
                deviation=root.deviation,
            )
