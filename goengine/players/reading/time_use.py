"""When a search has seen enough: time that follows how open the choice is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from goengine.search.findings import MoveFinding, most_visited, move_findings
from goengine.search.pool import children
from goengine.search.tree_search import TreeSearch

ENOUGH = 10
"""Visits before which no choice counts as made, unless there is none."""
FORCED = 4
"""Visits that the only sensible move gets."""
HARDLY = 0.02
"""Prior of a pass beside which the only other move counts as the only one."""
RIVAL = 0.5
"""Share of the leader's visits from which the second move keeps a choice open."""
FALLING = 0.04
"""Win rate that a position loses while it is read, from which the choice is open."""
BATCH_MARGIN = 1.5
"""Times the longest recent batch must fit into the time that is left."""


@dataclass(frozen=True)
class Allowance:
    """What a choice may cost; None sets no limit."""

    visits: int | None = None
    usual: float | None = None
    """Seconds that a move takes whose choice is clear by then."""
    most: float | None = None
    """Seconds that it may take while the choice is open."""
    stop: Callable[[], bool] | None = None
    """Tells that nobody waits for the choice any more."""


class Watch:
    """Tells a search of one move when it has seen enough; made when the move begins."""

    def __init__(
        self,
        tree: TreeSearch,
        allowance: Allowance,
        *,
        lcb: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tree = tree
        self.allowance = allowance
        self._lcb = lcb
        self._now = now
        self._began = now()
        self._last = self._began
        self._batch = 0.0
        self._first_visits: int | None = None
        self._first_winrate: float | None = None

    def left(self) -> float | None:
        """Return the seconds that the move may still take at the most, None without a limit."""
        most = self.allowance.most
        return None if most is None else max(0.0, most - (self._now() - self._began))

    def enough(self) -> bool:
        """Tell whether the search may end; asked between two batches."""
        if self.allowance.stop is not None and self.allowance.stop():
            return True
        now = self._now()
        self._batch = max(0.8 * self._batch, now - self._last)
        self._last = now
        elapsed = now - self._began
        reserve = BATCH_MARGIN * self._batch
        most, usual = self.allowance.most, self.allowance.usual
        if most is not None and elapsed + reserve >= most:
            return True
        visits = self._tree.visits
        if self._first_visits is None:
            self._first_visits = visits
        if self._is_forced(visits):
            return True
        if visits < ENOUGH:
            return False
        if self._first_winrate is None:
            self._first_winrate = self._winrate()
        left = self._visits_left(visits, elapsed)
        late = usual is not None and elapsed + reserve >= usual
        if left is None and not late:
            return False
        counts = sorted(int(self._tree.pool.visits[c]) for c in children(self._tree.pool, 0))
        if not counts:  # a leaf of a full tree, seen again and again, has become the root
            return False
        ahead = counts[-1] - (counts[-2] if len(counts) > 1 else 0)
        if not late and left is not None and ahead <= left:
            return False
        found = move_findings(self._tree.pool, bonus=self._tree.order.bonus, lcb=self._lcb)
        may_go_on = most is not None and usual is not None and most > usual
        if may_go_on and self._is_open(found):
            return False
        return late or found[0].visits == counts[-1]

    def _is_forced(self, visits: int) -> bool:
        """Tell whether there is one move only, or one besides a pass that nobody thinks of."""
        pool = self._tree.pool
        edges = int(pool.edges[0])
        if edges == 1:
            return visits >= 2
        only = edges == 2 and float(pool.priors[0, :2].min()) < HARDLY
        return only and visits >= FORCED

    def _visits_left(self, visits: int, elapsed: float) -> float | None:
        """Return how many visits are still to come by the usual time, None where nothing says."""
        options = []
        if self.allowance.visits is not None:
            options.append(float(self.allowance.visits - visits))
        gained = visits - (self._first_visits or 0)
        if self.allowance.usual is not None and elapsed > 0 and gained >= ENOUGH:
            options.append(gained / elapsed * max(0.0, self.allowance.usual - elapsed))
        return min(options) if options else None

    def _winrate(self) -> float:
        """Return the win rate of the position by all visits."""
        pool = self._tree.pool
        return float(pool.value[0] / pool.visits[0] + 1) / 2

    def _is_open(self, found: list[MoveFinding]) -> bool:
        """Tell whether more time may change the choice."""
        leader, second = most_visited(found)
        if found[0] is not leader or second >= RIVAL * leader.visits:
            return True
        return self._first_winrate is not None and (self._winrate() < self._first_winrate - FALLING)
