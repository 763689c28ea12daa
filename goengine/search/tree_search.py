"""The search of one game: a tree that grows, is kept from move to move, and stops when told."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from goengine._kernels.state import TURN_WORD, Records, new_records
from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator, mover_komi
from goengine.scoring.counting import handicap_bonus
from goengine.search.descent import DEPTH, back_up, expand, select_leaves, words_on_path
from goengine.search.leaf_evaluation import LeafEvaluation, LeafEvaluator, with_pass
from goengine.search.pool import NOTHING, Pool, keep_subtree, new_node, new_pool, nodes_within
from goengine.types import BLACK, opponent

FULL_VIEWS_FROM = 50
"""Visits from which the root is seen from all eight sides."""
RECENT_PULL = 0.8
"""Share of the root's own lead that the score utility is centred on; the rest is 0."""


def batch_for(visits: int) -> int:
    """Return how many leaves go together after so many visits: few while each matters most."""
    return 1 if visits < 8 else 2 if visits < 64 else 4 if visits < 200 else 8


@dataclass(frozen=True)
class Limits:
    """When a search stops: whichever comes first; None sets no limit."""

    visits: int | None = None
    """Visits of the root, those of a tree that was kept among them."""
    seconds: float | None = None
    """Time on the wall."""


class TreeSearch:
    """A tree over the positions that follow from a game's.

    Deterministic for one seed while time does not end it. `megabytes` bounds the tree: where it is
    full, a search ends with what it has.

    Raises:
        EvaluatorError: at the first evaluation, where the network cannot judge positions.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        rng: np.random.Generator,
        megabytes: float = 1000.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pool: Pool = new_pool(nodes_within(megabytes))
        self.rng = rng
        self.full = False
        """Whether the last search met the bound of its memory."""
        self._evaluator = evaluator
        self._places = np.empty(len(self.pool.state), dtype=np.int32)
        self._now = now
        self._leaves: LeafEvaluator | None = None
        self._line: tuple[object, tuple[tuple[int, int], ...]] | None = None
        self._among: frozenset[int] | None = None

    @property
    def visits(self) -> int:
        """Visits of the root."""
        return int(self.pool.visits[0]) if self.pool.used[0] else 0

    def begin(self, game: Game, *, among: Collection[int] | None = None) -> None:
        """Set the root to a game's present position, and keep what the tree knows of it.

        `among` names the moves that are searched there, N*N the pass; None leaves all.
        """
        board = game.board
        wanted = None if among is None else frozenset(among)
        line = (_origin(game), tuple(game.moves))
        kept = wanted is None and self._among is None and self._follow(line)
        self._line, self._among = line, wanted
        self.board = board.copy()
        self._root: Records = self.board.records.copy()
        self._root["passes"] = 0  # a pass at the root must not end the game in the tree
        points = board.komi + handicap_bonus(board)
        if self._leaves is None or self._leaves.points != points:
            self._leaves = LeafEvaluator(self._evaluator, points=points)
            kept = False
        self.ownership = np.zeros(board.size**2)
        """Sum of ownerships over the evaluations of this root, for Black."""
        self.owned = 0
        """How many they are."""
        self._history = board.history if board.rules.ko != "simple" else np.zeros(0, np.uint64)
        turn = TURN_WORD if board.rules.ko == "situational" else 0
        self._turn_word = np.uint64(turn)
        if not kept:
            self.pool.used[0] = 0
        self.full = False

    def run(
        self,
        limits: Limits,
        *,
        least: int = 0,
        stop: Callable[[], bool] = lambda: False,
        settled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Search until the limits, until `stop` says so, or until `settled` finds nothing open.

        `least`: so many of the likeliest root moves are visited at any rate.
        """
        began = self._now()
        if not self.pool.used[0]:
            self._plant(limits)
        while limits.visits is None or self.visits < limits.visits:
            if limits.seconds is not None and self._now() - began >= limits.seconds:
                return
            if stop() or settled():
                return
            size = batch_for(self.visits)
            if limits.visits is not None:
                size = min(size, limits.visits - self.visits)
            if not self._grow(size, least):
                self.full = True
                return

    def _plant(self, limits: Limits) -> None:
        """Make the root node."""
        assert self._leaves is not None
        few = limits.visits is not None and limits.visits < FULL_VIEWS_FROM
        (answer,) = self._leaves.ask(self._root, symmetry="random" if few else "all", rng=self.rng)
        answer = answer._replace(priors=with_pass(answer, self.board.passes))
        new_node(self.pool)
        self._recent = RECENT_PULL * answer.lead
        path = np.zeros(1, dtype=np.int32)
        utility = self._expand(self._root, 0, answer, path)
        back_up(self.pool, path, utility, answer.value, answer.lead, False)

    def _grow(self, size: int, least: int) -> bool:
        """Evaluate one batch of leaves; return False where the tree cannot grow."""
        assert self._leaves is not None
        leaves = new_records(size, self.board.size)
        paths = np.zeros((size, DEPTH), dtype=np.int32)
        lengths = np.zeros(size, dtype=np.int64)
        found, ended = select_leaves(self.pool, self._root, least, leaves, paths, lengths)
        if not found:
            return bool(ended)
        answers = self._leaves.evaluate(leaves[:found], rng=self.rng)
        for i, answer in enumerate(answers):
            path = paths[i, : lengths[i]]
            utility = self._expand(leaves[i : i + 1], int(path[-1]), answer, path)
            back_up(self.pool, path, utility, answer.value, answer.lead, True)
        return True

    def _expand(self, leaf: Records, node: int, answer: LeafEvaluation, path: np.ndarray) -> float:
        """Give a node its edges and its evaluation; return its utility."""
        sign = 1.0 if leaf["to_play"][0] == BLACK else -1.0
        self.ownership += sign * answer.ownership
        self.owned += 1
        priors = answer.priors
        if node == 0 and self._among is not None:
            allowed = np.zeros(len(priors), dtype=np.bool_)
            allowed[list(self._among)] = True
            priors = np.where(allowed, np.maximum(priors, 1e-6 * self._legal()), 0.0)
            priors = priors.astype(np.float32)
        words = np.zeros(len(path), dtype=np.uint64)
        if len(self._history):
            scratch = self._root.copy()
            words_on_path(self.pool, self._root, path, scratch, self._turn_word, words)
        same_side = leaf["to_play"][0] == self._root["to_play"][0]
        recent = self._recent if same_side else -self._recent
        return float(
            expand(
                self.pool,
                leaf,
                node,
                priors,
                answer.value,
                answer.lead,
                answer.spread,
                recent,
                self._history,
                self._turn_word,
                words,
            )
        )

    def _legal(self) -> np.ndarray:
        """Return float32 (N*N + 1,): 1 for the root's sensible moves and the pass."""
        mask: np.ndarray = self.board.sensible().astype(np.float32)
        return mask

    def _follow(self, line: tuple[object, tuple[tuple[int, int], ...]]) -> bool:
        """Go down the tree to where a game has gone on; tell whether it leads there."""
        if self._line is None or not self.pool.used[0]:
            return False
        origin, moves = self._line
        if bool(origin != line[0]) or line[1][: len(moves)] != moves:
            return False
        node = 0
        turn = int(self._root["to_play"][0])
        for colour, move in line[1][len(moves) :]:
            if colour != turn:
                return False
            edges = self.pool.moves[node, : self.pool.opened[node]]
            hit = np.flatnonzero(edges == move)
            if not len(hit) or self.pool.children[node, hit[0]] == NOTHING:
                return False
            node = int(self.pool.children[node, hit[0]])
            turn = opponent(turn)
        if self.pool.visits[node] == 0 or self.pool.edges[node] == 0:
            return False
        if node:
            keep_subtree(self.pool, node, self._places)
        self._recent = RECENT_PULL * float(self.pool.raw_lead[0])
        return True


def _origin(game: Game) -> object:
    """Return what makes two games the same but for their moves."""
    first: Board = game.first
    return (
        game.size,
        game.rules,
        mover_komi(game.board) if game.board.to_play == BLACK else -mover_komi(game.board),
        first.hash,
        first.to_play,
    )
