"""The search of one game: a tree that grows, is kept from move to move, and stops when told.

Every step has three parts, so that whoever has many trees can let their leaves share one call of
the network: `gather` selects leaves, a `LeafEvaluator` answers for them, `absorb` puts the answers
into the tree. `run` does all three for one tree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine._kernels.state import TURN_WORD, Records, new_records
from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluation import LOGISTIC
from goengine.inference.evaluator import Symmetry
from goengine.scoring.counting import points_given
from goengine.search.descent import AGAIN, DEPTH, select_leaves
from goengine.search.expansion import absorb_answers, refresh_utilities, utility_of
from goengine.search.findings import ownership_for_black
from goengine.search.leaf_evaluation import Answers, LeafEvaluator
from goengine.search.playing_out import final_lead, rollout_values
from goengine.search.pool import (
    EDGES,
    EXPANDED,
    Pool,
    children,
    keep_subtree,
    new_pool,
    nodes_within,
)
from goengine.search.root import PLAIN_ROOT, RootConditions, RootOrder, arrange_root, plant_root
from goengine.types import BLACK, opponent

RECENT_PULL = 0.8
"""Share of the root's lead that the score utility is centred on; the rest is 0."""
MOST_LEAVES = 8
"""Leaves that go together at the most."""
IDLE = 200
"""Batches in a row without anything to evaluate after which a tree is thought to be read out."""

Line = tuple[object, tuple[tuple[int, int], ...]]


def batch_for(visits: int) -> int:
    """Return how many leaves go together after so many visits: few while each matters most."""
    return 1 if visits < 8 else 2 if visits < 64 else 4 if visits < 200 else MOST_LEAVES


@dataclass(frozen=True)
class Limits:
    """When a search stops: whichever comes first; None sets no limit."""

    visits: int | None = None
    """Visits of the root, those of a tree that was kept among them."""
    seconds: float | None = None
    """Time on the wall."""


@dataclass
class Batch:
    """Leaves that wait for their answers."""

    leaves: Records
    """(B,)"""
    fresh: npt.NDArray[np.bool_]
    """(B,) leaves that were evaluated before and are to be seen anew."""
    allowed: npt.NDArray[np.bool_] | None = None
    """(B, N*N + 1) where bans reach the leaves, else None."""
    root: bool = False
    """Whether it is the root, whose edges are to be arranged."""

    def __len__(self) -> int:
        """Return how many leaves there are."""
        return len(self.leaves)

    def may_pass(self) -> npt.NDArray[np.bool_]:
        """Return bool (B,): whether bans leave the pass."""
        return np.ones(len(self), np.bool_) if self.allowed is None else self.allowed[:, -1].copy()


class TreeSearch:
    """A tree over the positions that follow from a game's.

    Deterministic for one seed while time does not end it and the cache begins empty. `megabytes`
    bounds the tree, and so does `most_nodes` where many small ones are wanted. Where it is nearly
    full, unlikely moves are no longer opened; where it is full, known leaves are evaluated again
    under other symmetries, which refines their values. `rollouts` is the share of playouts in the
    value of a leaf, `score_share` scales the score in utilities.
    """

    def __init__(
        self,
        leaves: LeafEvaluator,
        *,
        rng: np.random.Generator,
        megabytes: float = 1000.0,
        most_nodes: int | None = None,
        rollouts: float = 0.0,
        score_share: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leaves = leaves
        self.rng = rng
        self.megabytes = megabytes
        self.most_nodes = most_nodes
        self.rollouts = rollouts
        self.score_share = score_share
        self.order = RootOrder(np.zeros(EDGES), 0)
        self.conditions = PLAIN_ROOT
        self.exhausted = False
        """Whether the last search found nothing more to evaluate."""
        self.symmetry: Symmetry = "all"
        """How the root is looked at."""
        self._now = now
        self._size = 0
        self._line: Line | None = None
        self._points = 0.0
        self._centre = 0.0
        self._arranged = False

    @property
    def visits(self) -> int:
        """Visits of the root."""
        return int(self.pool.visits[0]) if self._size and self.pool.used[0] else 0

    @property
    def full(self) -> bool:
        """Whether there is no room for further nodes."""
        return bool(self._size) and int(self.pool.used[0]) >= len(self.pool.state)

    def begin(
        self,
        game: Game,
        conditions: RootConditions = PLAIN_ROOT,
        *,
        symmetry: Symmetry = "all",
    ) -> None:
        """Set the root to a game's present position, and keep what the tree knows of it."""
        board = game.board
        if board.size != self._size:
            self._make_room(board.size)
        line: Line = (_origin(game), tuple(game.moves))
        points = points_given(board)
        node = self._place_of(line, board)
        kept = node is not None and points == self._points and self._may_keep(conditions, node)
        same = kept and node == 0 and conditions == self.conditions and symmetry == self.symmetry
        self._arranged = self._arranged and same
        self._line, self._points, self.conditions = line, points, conditions
        self.symmetry = symmetry
        self.board: Board = board.copy()
        self.root: Records = self.board.records.copy()
        self.root["passes"] = 0  # a pass at the root must not end the game in the tree
        self._history = board.history if board.rules.ko != "simple" else np.zeros(0, np.uint64)
        self._turn_word = np.uint64(TURN_WORD if board.rules.ko == "situational" else 0)
        self.exhausted = False
        if not kept:
            self.pool.used[0] = 0
        elif node:
            keep_subtree(self.pool, node, self._places)
            self._recentre()

    def run(
        self,
        limits: Limits,
        *,
        stop: Callable[[], bool] = lambda: False,
        settled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Search until the limits, until `stop` says so, or until `settled` finds nothing open.

        The root itself is evaluated at any rate. Where evaluation is broken off by an exception,
        the tree stays whole.
        """
        began = self._now()
        idle = 0
        while not self._arranged or limits.visits is None or self.visits < limits.visits:
            if self._arranged:
                if limits.seconds is not None and self._now() - began >= limits.seconds:
                    return
                if stop() or settled():
                    return
            size = batch_for(self.visits)
            if limits.visits is not None:
                size = max(1, min(size, limits.visits - self.visits))
            batch = self.gather(size)
            idle = 0 if len(batch) else idle + 1
            if idle >= IDLE:
                self.exhausted = True
                return
            if len(batch):
                self.step(batch)

    def step(self, batch: Batch) -> None:
        """Evaluate what was gathered, and absorb the answers."""
        try:
            answers = self.answer(batch)
        except BaseException:
            self.release(batch)
            raise
        self.absorb(batch, answers)

    def answer(self, batch: Batch) -> Answers:
        """Return the answers of this tree's own evaluator to what was gathered."""
        if batch.allowed is not None:
            symmetry = self.symmetry if batch.root else "random"
            return self.leaves.evaluate_among(
                batch.leaves, batch.allowed, symmetry=symmetry, rng=self.rng
            )
        if batch.root:
            return self.leaves.evaluate_root(batch.leaves, symmetry=self.symmetry, rng=self.rng)
        return self.leaves.evaluate(batch.leaves, rng=self.rng, fresh=batch.fresh)

    def gather(self, size: int) -> Batch:
        """Select up to `size` leaves that need an evaluation; the root comes first, and alone.

        An empty batch means that descents met ended games only, and were counted. What is gathered
        has to be absorbed or released before the next time.
        """
        if not self._arranged:
            allowed = None
            if self.conditions.bans:
                allowed = self._allowed(self.root, np.ones(1, dtype=np.int64))
                allowed &= self.board.legal()
            return Batch(self.root, np.zeros(1, dtype=np.bool_), allowed, root=True)
        size = min(size, MOST_LEAVES)
        bonus = self.order.bonus
        if self.conditions.width > 0:
            extra = np.abs(self.rng.standard_normal(EDGES)) * (self.rng.random(EDGES) < 0.5)
            bonus = bonus + self.conditions.width * extra
        found, _ = select_leaves(
            self.pool,
            self.root,
            size,
            self.order.least,
            bonus,
            self._turn_word,
            self._leaves,
            self._kinds,
            self._paths,
            self._words,
            self._lengths,
        )
        leaves = self._leaves[:found]
        depth = self.conditions.depth
        allowed = None
        if depth > 1 and (self._lengths[:found] <= depth).any():
            allowed = self._allowed(leaves, self._lengths[:found])
        return Batch(leaves, self._kinds[:found] == AGAIN, allowed)

    def absorb(self, batch: Batch, answers: Answers) -> None:
        """Put the answers (B,) to what was gathered into the tree."""
        leads = answers["margin"].astype(np.float64)
        leads -= np.where(batch.leaves["to_play"] == BLACK, self._points, -self._points)
        spreads = answers["spread"].astype(np.float64)
        values = np.tanh(leads / spreads / 2)
        spreads *= LOGISTIC
        if batch.root:
            self._absorb_root(answers[0], float(values[0]), float(leads[0]), float(spreads[0]))
            return
        if self.rollouts > 0:
            played = rollout_values(batch.leaves, self._points, rng=self.rng)
            values = (1 - self.rollouts) * values + self.rollouts * played
        for i in np.flatnonzero(batch.leaves["passes"] >= 2):
            leads[i] = self._ended(batch.leaves[i : i + 1], answers[i])
            values[i] = np.sign(leads[i])
            spreads[i] = 0.0
        absorb_answers(
            self.pool,
            batch.leaves,
            self._kinds,
            self._paths,
            self._words,
            self._lengths,
            answers,
            batch.may_pass(),
            values,
            leads,
            spreads,
            self._centre,
            self.score_share,
            self._history,
            self._turn_word,
        )

    def release(self, batch: Batch) -> None:
        """Give up what was gathered: its descents no longer count as under way."""
        if not batch.root:
            for i in range(len(batch)):
                self.pool.virtual[self._paths[i, : self._lengths[i]]] -= 1

    def ownership(self, node: int = 0) -> npt.NDArray[np.float32]:
        """Return who owns each point on average, float32 (N, N), 1 is Black's.

        `node` is the root or one of the nodes behind its edges.
        """
        black = (self.board.to_play == BLACK) == (node == 0)
        owners = ownership_for_black(self.pool, node, black)
        return owners.astype(np.float32).reshape(self._size, self._size)

    def _make_room(self, size: int) -> None:
        """Make the arrays for boards of another size."""
        points = size * size
        self._size = size
        self._line = None
        nodes = nodes_within(self.megabytes, points)
        if self.most_nodes is not None:
            nodes = max(2, min(nodes, self.most_nodes))
        self.pool: Pool = new_pool(nodes, points)
        self._places = np.empty(len(self.pool.state), dtype=np.int32)
        self._leaves = new_records(MOST_LEAVES, size)
        self._kinds = np.zeros(MOST_LEAVES, dtype=np.int8)
        self._paths = np.zeros((2 * MOST_LEAVES, DEPTH), dtype=np.int32)
        self._words = np.zeros((2 * MOST_LEAVES, DEPTH), dtype=np.uint64)
        self._lengths = np.zeros(2 * MOST_LEAVES, dtype=np.int64)

    def _absorb_root(self, answer: Answers, value: float, lead: float, spread: float) -> None:
        """Make the root where there is none, and put its edges in order."""
        pool = self.pool
        mover = 1.0 if self.board.to_play == BLACK else -1.0
        if not pool.used[0]:
            self._centre = RECENT_PULL * mover * lead
            recent = mover * self._centre
            area = self._size**2
            utility = float(utility_of(value, lead, recent, area, self.score_share))
            plant_root(pool, answer["ownership"][:area], utility, value, lead, spread)
        self.order = arrange_root(
            pool,
            self.board,
            answer,
            self.conditions,
            recent=mover * self._centre,
            share=self.score_share,
            rng=self.rng,
        )
        self._arranged = True

    def _ended(self, leaf: Records, answer: Answers) -> float:
        """Return the score of a leaf where the game is over, for the player to move."""
        board = self.board.copy()
        board.records = leaf.copy()
        mover = 1.0 if board.to_play == BLACK else -1.0
        owners = mover * answer["ownership"][: self._size**2].astype(np.float32) / 127
        return mover * final_lead(board, owners)

    def _allowed(self, leaves: Records, lengths: np.ndarray) -> npt.NDArray[np.bool_]:
        """Return bool (B, N*N + 1): what bans leave of the sensible moves of leaves."""
        masks = np.ones((len(leaves), self._size**2 + 1), dtype=np.bool_)
        board = self.board.copy()
        for i, length in enumerate(lengths):
            board.records = leaves[i : i + 1].copy()
            masks[i] = self.conditions.allowed(board.to_play, int(length) - 1, self._size)
            masks[i] &= board.legal() if i == 0 and length == 1 else board.sensible()
        return masks

    def _recentre(self) -> None:
        """Centre the score utility on the lead that the tree sees at its new root."""
        black = self.board.to_play == BLACK
        lead = float(self.pool.lead[0]) / int(self.pool.visits[0])
        self._centre = RECENT_PULL * (lead if black else -lead)
        area = self._size**2
        refresh_utilities(self.pool, black, self._centre, area, self.score_share, self._places)

    def _may_keep(self, conditions: RootConditions, node: int) -> bool:
        """Tell whether the tree from a row on is as these conditions want it."""
        if node == 0:
            return conditions.bans == self.conditions.bans
        return not conditions.bans and self.conditions.depth <= 1

    def _place_of(self, line: Line, board: Board) -> int | None:
        """Return the row of a game's position, None where the tree does not hold it."""
        if self._line is None or not self.pool.used[0]:
            return None
        origin, moves = self._line
        if bool(origin != line[0]) or line[1][: len(moves)] != moves:
            return None
        node = 0
        turn = int(self.root["to_play"][0])
        for colour, move in line[1][len(moves) :]:
            hit = np.flatnonzero(self.pool.moves[node, : self.pool.opened[node]] == move)
            if colour != turn or not len(hit):
                return None
            node = children(self.pool, node)[int(hit[0])]
            turn = opponent(turn)
        if turn != board.to_play or self.pool.state[node] != EXPANDED:
            return None
        return None if node and board.passes else node


def _origin(game: Game) -> object:
    """Return what makes two games the same but for their moves and komi."""
    first = game.first
    told = tuple(first.records[name].tobytes() for name in ("colour", "born", "turn", "ko"))
    return game.rules, first.size, first.to_play, first.captures, told, first.history.tobytes()
