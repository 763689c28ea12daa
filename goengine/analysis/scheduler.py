"""Many positions, one evaluator: whose turn it is, and the leaves of several trees in one batch.

The position with the highest priority is searched first, ties in order of arrival. Its tree alone
seldom fills a batch without harm to its search, so trees of the same priority fill the rest. A
position of higher priority that arrives meanwhile goes first; the others keep their trees and wait.
Among equals, long searches, such as those that programs let run until they cancel them, take turns
by their visits, so that each of them goes on.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from goengine.analysis.position_analysis import Grid, Parts, PositionAnalysis, read_tree
from goengine.analysis.replayed_games import ReplayedGames, check_moves
from goengine.analysis.requests.json_fields import QueryError
from goengine.analysis.requests.queries import PositionQuery
from goengine.board import Board, joined
from goengine.inference.evaluator import Evaluator
from goengine.search.expansion import pass_share
from goengine.search.leaf_evaluation import Answers, LeafEvaluator
from goengine.search.pool import nodes_within
from goengine.search.root import RootConditions
from goengine.search.tree_search import IDLE, Batch, TreeSearch, batch_for

log = logging.getLogger(__name__)

TREES = 8
"""Trees that are kept at once; the memory is divided among them."""
BATCH, LARGE_BATCH = 8, 64
"""Leaves that go through the network together: on a processor, where more gain little, and on an
accelerator."""
LONG = 1000
"""Visits beyond which a search is long and takes turns with others of its priority."""
TURN = 64
"""Visits of one turn."""
FULL_VIEWS_FROM = 50
"""Visits from which the root is seen from all eight sides."""
ROOM, SPARE_NODES = 1.2, 32
"""Nodes of a tree for each of its visits, and beside them, so that it does not feel short."""
CACHE_SHARE = 0.1
"""Share of the memory that remembered evaluations may take."""
MOST_WAITING = 200_000
"""Positions that wait at the most; a query that would add more is refused."""


@dataclass(order=True)
class Job:
    """One position to analyse."""

    order: tuple[int, int]
    """Its priority downwards, and its number of arrival: the smallest goes first."""
    query: PositionQuery = field(compare=False)
    turn: int = field(compare=False)
    ended: bool = field(default=False, compare=False)
    """Whether it was told to end."""
    tree: TreeSearch | None = field(default=None, compare=False)
    policy: Grid | None = field(default=None, compare=False)
    began: float = field(default=0.0, compare=False)
    next_report: float | None = field(default=None, compare=False)
    reported: int = field(default=0, compare=False)
    """Visits of the last partial report."""
    idle: int = field(default=0, compare=False)
    """Steps in a row without a leaf."""

    @property
    def rank(self) -> tuple[int, int, int]:
        """Whose turn it is: the smallest goes first."""
        turns = 0
        if self.tree is not None and self.query.settings.visits > LONG:
            turns = self.tree.visits // TURN
        return self.order[0], turns, self.order[1]


@dataclass(frozen=True)
class Report:
    """What was found, to be shown to whoever asked."""

    query: PositionQuery
    turn: int
    analysis: PositionAnalysis | None
    """None where the analysis ended before it began."""
    board: Board | None
    """The position; None likewise."""
    during: bool
    """Whether the search goes on."""
    failure: str | None = None
    """What went wrong, where something did."""


class Scheduler:
    """Positions that wait or are being searched. `step` does a small part of the work.

    `megabytes` bounds all trees and remembered evaluations together. Deterministic for one seed and
    order of queries, as long as neither time nor cancelling ends a search.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        report: Callable[[Report], None],
        megabytes: float = 1000.0,
        seed: int = 0,
        wants_partial: Callable[[], bool] = lambda: True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.evaluator = evaluator
        self.leaves = LeafEvaluator(evaluator, megabytes=CACHE_SHARE * megabytes)
        self.batch = BATCH if evaluator.backend.device == "cpu" else LARGE_BATCH
        self._report = report
        self._wants_partial = wants_partial
        self._tree_megabytes = (1 - CACHE_SHARE) * megabytes / TREES
        self._rng = np.random.default_rng(seed)
        self._now = now
        self._waiting: list[Job] = []
        self._searched: list[Job] = []
        self._arrived = 0
        self._games = ReplayedGames()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self._waiting and not self._searched

    @property
    def waiting(self) -> int:
        """How many positions have no final answer yet."""
        return len(self._waiting) + len(self._searched)

    def add(self, query: PositionQuery) -> None:
        """Take a query's positions.

        Raises:
            QueryError: a move of its game is illegal, or too many positions wait; none is taken.
        """
        if self.waiting + len(query.turns) > MOST_WAITING:
            raise QueryError(f"More than {MOST_WAITING} positions would wait: send fewer at a time")
        check_moves(query)
        for turn, priority in zip(query.turns, query.priorities, strict=True):
            heapq.heappush(self._waiting, Job((-priority, self._arrived), query, turn))
            self._arrived += 1

    def end(self, name: str | None = None, turns: Collection[int] | None = None) -> None:
        """End the analysis of a query's positions, or of all queries'; of these turns, or of all.

        Those that wait are answered at once, those under way at the next step.
        """
        kept = []
        for job in sorted(self._waiting):
            if _is_meant(job, name, turns):
                self._report(Report(job.query, job.turn, None, None, during=False))
            else:
                kept.append(job)
        self._waiting = kept
        for job in self._searched:
            job.ended = job.ended or _is_meant(job, name, turns)

    def clear_cache(self) -> None:
        """Forget all evaluations that are remembered."""
        self.leaves.forget()

    def step(self) -> None:
        """Evaluate one batch of leaves, and report what is finished or due."""
        self._finish()
        group = list(self._choose())
        if not group:
            return
        try:
            self._evaluate(group)
        except Exception as error:  # whatever fails, every position gets its answer
            log.exception("an analysis failed")
            for job, _ in group:
                self._fail(job, error)
            return
        self._finish()

    def _choose(self) -> Iterator[tuple[Job, Batch]]:
        """Yield jobs with leaves that wait for evaluation, best first, until a batch is full."""
        room = self.batch
        for job in self._by_rank():
            tree = job.tree
            if tree is None:  # it failed, or another one has taken its place
                continue
            left = max(1, job.query.settings.visits - tree.visits)
            leaves = tree.gather(min(batch_for(tree.visits), room, left))
            job.idle = 0 if len(leaves) else job.idle + 1
            room -= len(leaves)
            if len(leaves):
                yield job, leaves
            if room <= 0:
                return

    def _by_rank(self) -> Iterator[Job]:
        """Yield the jobs of the highest priority in order; those next in line begin."""
        searched = sorted(self._searched, key=lambda job: job.rank)
        level = None
        crowded = False
        while searched or (self._waiting and not crowded):
            waits = bool(self._waiting) and not crowded
            waits = waits and (not searched or self._waiting[0].rank < searched[0].rank)
            first = self._waiting[0] if waits else searched[0]
            if level is not None and first.order[0] != level:
                return
            level = first.order[0]
            if not waits:
                yield searched.pop(0)
                continue
            job = self._begin()
            crowded = job is None
            if job is not None:
                yield job

    def _begin(self) -> Job | None:
        """Give the first job that waits a tree; None where all trees are taken by better ones."""
        if len(self._searched) >= TREES:
            last = max(self._searched)
            if last < self._waiting[0] or last.order[0] == self._waiting[0].order[0]:
                return None
            self._searched.remove(last)
            last.tree = None
            heapq.heappush(self._waiting, last)
        job = heapq.heappop(self._waiting)
        settings = job.query.settings
        few = settings.visits < FULL_VIEWS_FROM
        try:
            game = self._games.at(job.query, job.turn)
            tree = TreeSearch(
                self.leaves,
                rng=self._rng,
                megabytes=self._megabytes_for(settings.visits, job.query.size),
            )
            bans = tuple((ban.colour, ban.moves, ban.until) for ban in job.query.bans)
            tree.begin(
                game,
                RootConditions(bans, width=settings.width),
                symmetry="random" if few else "all",
            )
        except Exception as error:  # memory, most likely: this position is answered, others go on
            log.exception("an analysis could not begin")
            self._fail(job, error)
            return job
        job.tree = tree
        job.began = self._now()
        if job.query.first_report is not None:
            job.next_report = job.began + job.query.first_report
        self._searched.append(job)
        return job

    def _megabytes_for(self, visits: int, size: int) -> float:
        """Return the memory of a tree: no more than its visits need, or its share of all."""
        needed = ROOM * visits + SPARE_NODES
        per_megabyte = nodes_within(1000.0, size * size) / 1000.0
        return min(self._tree_megabytes, needed / per_megabyte)

    def _evaluate(self, group: Sequence[tuple[Job, Batch]]) -> None:
        """Evaluate the leaves of several jobs together, and put the answers into their trees."""
        together: list[tuple[Job, Batch]] = []
        for job, batch in group:
            tree = job.tree
            assert tree is not None
            if batch.root and job.query.wanted.policy:
                tree.absorb(batch, self._look_at_root(job, batch))
            elif batch.allowed is not None or (batch.root and tree.symmetry == "all"):
                tree.step(batch)
            else:
                together.append((job, batch))
        if not together:
            return
        answers = self.leaves.evaluate(
            joined([batch.leaves for _, batch in together]),
            rng=self._rng,
            fresh=np.concatenate([batch.fresh for _, batch in together]),
        )
        start = 0
        for job, batch in together:
            assert job.tree is not None
            job.tree.absorb(batch, answers[start : start + len(batch)])
            start += len(batch)

    def _look_at_root(self, job: Job, batch: Batch) -> Answers:
        """Return the answer (1,) for a root, and keep all its probabilities for the report."""
        tree = job.tree
        assert tree is not None
        answers, priors = self.leaves.evaluate_fully(
            batch.leaves, symmetry=tree.symmetry, rng=self._rng, allowed=batch.allowed
        )
        board = tree.board
        area = board.size**2
        legal = board.legal()
        policy = np.where(legal, priors, np.float32(0))
        share = pass_share(answers["ownership"][0], area, board.passes)
        policy[area] = 0.0
        total = float(policy.sum())
        policy *= (1 - share) / total if total else 0.0
        policy[area] = share if total else 1.0
        job.policy = np.where(legal, policy, np.float32(-1))
        return answers

    def _finish(self) -> None:
        """Report what is finished or due."""
        now = self._now()
        for job in list(self._searched):
            tree = job.tree
            assert tree is not None
            settings = job.query.settings
            over = settings.seconds is not None and now - job.began >= settings.seconds
            if job.ended and not tree.visits:
                self._searched.remove(job)
                self._report(Report(job.query, job.turn, None, None, during=False))
            elif tree.visits and (
                job.ended or over or tree.visits >= settings.visits or job.idle >= IDLE
            ):
                self._searched.remove(job)
                self._send(job, tree, during=False)
                job.tree = None
            elif job.next_report is not None and now >= job.next_report and tree.visits:
                every = settings.report_every
                job.next_report = None if every is None else now + every
                if tree.visits > job.reported and self._wants_partial():
                    job.reported = tree.visits
                    self._send(job, tree, during=True)

    def _send(self, job: Job, tree: TreeSearch, *, during: bool) -> None:
        """Report what a tree says."""
        wanted = job.query.wanted
        parts = Parts(
            ownership=wanted.ownership,
            ownership_deviation=wanted.ownership_deviation,
            moves_ownership=wanted.moves_ownership,
            moves_ownership_deviation=wanted.moves_ownership_deviation,
            pv_length=job.query.settings.pv_length,
        )
        found = read_tree(tree, job.turn, parts, policy=job.policy)
        self._report(Report(job.query, job.turn, found, tree.board, during=during))

    def _fail(self, job: Job, error: Exception) -> None:
        """Give a job up, with its one final answer."""
        if job in self._searched:
            self._searched.remove(job)
        job.tree = None
        said = " ".join(str(error).split()) or type(error).__name__
        self._report(Report(job.query, job.turn, None, None, during=False, failure=said))


def _is_meant(job: Job, name: str | None, turns: Collection[int] | None) -> bool:
    """Tell whether a cancelling means a job."""
    return (name is None or job.query.name == name) and (turns is None or job.turn in turns)
