"""Play by reading: a tree search, and around it when to pass, to clean up and to resign."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from goengine.board import joined
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.players.player import FREELY, NO_LIMIT, Ban, Budget, Choice, Conditions, Question
from goengine.players.reading.move_choice import MoveChoice
from goengine.players.reading.resigning import Resigning
from goengine.players.reading.search_analyst import SearchAnalyst
from goengine.players.reading.time_use import Allowance
from goengine.players.settings import SEARCH_DEFAULTS, SearchSettings, Settings
from goengine.search.leaf_evaluation import LeafEvaluator
from goengine.search.tree_search import MOST_LEAVES, Batch, Limits, TreeSearch, batch_for
from goengine.types import BLACK, WHITE, GoError

WARM_SIZE = 5
"""Lines of the board on which everything is tried once."""
CACHE_SHARE = 0.1
"""Share of the memory that remembered evaluations may take."""


class SearchPlayer:
    """Play the moves that a search finds best.

    It keeps one tree, which follows the game from move to move, and one for each of the games that
    it plays at the same time.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        settings: SearchSettings = SEARCH_DEFAULTS,
        *,
        rng: np.random.Generator,
        name: str = "search",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.evaluator = evaluator
        self.settings = settings
        self.name = name
        self._rng = rng
        self._now = now
        self._leaves = LeafEvaluator(evaluator, megabytes=CACHE_SHARE * settings.megabytes)
        self.tree = self._new_tree()
        self._trees: weakref.WeakKeyDictionary[Game, TreeSearch] = weakref.WeakKeyDictionary()
        self._resigning = Resigning()

    @property
    def analyst(self) -> SearchAnalyst:
        """Who says what the search sees; play and analysis share one tree."""
        return SearchAnalyst(self.tree, lcb=self.settings.lcb, now=self._now)

    def with_settings(self, settings: Settings) -> SearchPlayer:
        """Return this player by other settings, on the same tree where they leave it as it is.

        Raises:
            GoError: they are another player's.
        """
        if not isinstance(settings, SearchSettings):
            raise GoError(f"{settings} are not the settings of a search: use SearchSettings")
        twin = SearchPlayer(self.evaluator, settings, rng=self._rng, name=self.name, now=self._now)
        twin._resigning = self._resigning
        if settings.megabytes == self.settings.megabytes:
            twin._leaves = self._leaves
            if settings.of_the_tree() == self.settings.of_the_tree():
                twin.tree, twin._trees = self.tree, self._trees
            else:
                twin.tree = twin._new_tree()
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
        tree, visits = self._trees.get(game, self.tree), _allowance(self.settings, budget).visits
        if tree.most_nodes is not None and visits is not None and tree.most_nodes < visits:
            tree = self._tree_of(game, 1, visits)
        choice = self._choice(game, tree, budget, conditions, rng)
        early = choice.begin()
        if early is not None:
            return early
        choice.read()
        return choice.finish()

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a choice for each game.

        Where visits limit the search, the games are read side by side, so that the network sees the
        leaves of all of them together; where time does, one after the other.
        """
        timed = self.settings.visits is None and budget.visits is None
        if len(games) == 1 or timed or budget.seconds is not None:
            return [self.choose(game, budget, rng=rng) for game in games]
        visits = _allowance(self.settings, budget).visits or 1
        choices = [
            self._choice(game, self._tree_of(game, len(games), visits), budget, FREELY, rng)
            for game in games
        ]
        found = [choice.begin() for choice in choices]
        self._read_together(
            [choice for choice, early in zip(choices, found, strict=True) if early is None], rng
        )
        return [
            choice.finish() if early is None else early
            for choice, early in zip(choices, found, strict=True)
        ]

    def warm_up(self, size: int) -> None:
        """Call all that a game may call once, so that no clock runs while anything is compiled.

        `size`: lines of the boards that the network is asked about first.
        """
        rng = np.random.default_rng(0)
        game = Game(WARM_SIZE)
        move = self.choose(game, Budget(visits=8), rng=rng).move
        game.play(move)
        area = WARM_SIZE**2
        game.play(area)
        self.choose(game, Budget(visits=4), rng=rng)
        self.tree.release(self.tree.gather(1))
        points = frozenset(range(area))
        ends = Question((Ban(BLACK, points, 4), Ban(WHITE, points, 4)), visits=4)
        list(self.analyst.stream(game, interval=0.0, pause=lambda seconds: False, question=ends))
        once = Game(WARM_SIZE)
        best = self.choose(once, Budget(visits=8), rng=rng).candidates[0].move
        once.play(best)
        self.tree.begin(once)
        self.choose(Game(size), Budget(visits=4), rng=rng)

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Grow the tree of a position until `stop` says so or memory is full."""
        self.tree.begin(game)
        self.tree.run(Limits(), stop=stop, settled=lambda: self.tree.full)

    def _choice(
        self,
        game: Game,
        tree: TreeSearch,
        budget: Budget,
        conditions: Conditions,
        rng: np.random.Generator,
    ) -> MoveChoice:
        """Return a choice that is about to be made."""
        settings = self.settings
        if conditions.exact:
            settings = replace(settings, temperature=0.0, noise=0.0)
        if conditions.cleanup:
            settings = replace(settings, cleanup=True, resign_below=None)
        return MoveChoice(
            game,
            tree,
            settings,
            _allowance(settings, budget),
            conditions=conditions,
            resigning=self._resigning,
            rng=rng,
            now=self._now,
        )

    def _read_together(self, choices: list[MoveChoice], rng: np.random.Generator) -> None:
        """Let several trees grow by leaves that the network sees together."""
        while choices:
            pairs: list[tuple[MoveChoice, Batch]] = []
            for choice in choices:
                left = (choice.allowance.visits or 1) - choice.tree.visits
                size = max(1, min(batch_for(choice.tree.visits), left))
                batch = choice.tree.gather(size)
                if batch.allowed is not None:
                    choice.tree.step(batch)
                elif len(batch):
                    pairs.append((choice, batch))
            if pairs:
                leaves = joined([batch.leaves for _, batch in pairs])
                fresh = np.concatenate([batch.fresh for _, batch in pairs])
                try:
                    answers = self._leaves.evaluate(leaves, rng=rng, fresh=fresh)
                except BaseException:
                    for choice, batch in pairs:
                        choice.tree.release(batch)
                    raise
                first = 0
                for choice, batch in pairs:
                    choice.tree.absorb(batch, answers[first : first + len(batch)])
                    first += len(batch)
            choices = [choice for choice in choices if not choice.is_read()]

    def _tree_of(self, game: Game, games: int, visits: int) -> TreeSearch:
        """Return the tree of one of so many games at the same time, with room for the visits."""
        tree = self._trees.get(game)
        if tree is None or (tree.most_nodes or 0) < visits:
            tree = self._trees[game] = self._new_tree(games, visits + MOST_LEAVES)
        return tree

    def _new_tree(self, games: int = 1, most_nodes: int | None = None) -> TreeSearch:
        """Return an empty tree with its share of the memory."""
        return TreeSearch(
            self._leaves,
            rng=self._rng,
            megabytes=(1 - CACHE_SHARE) * self.settings.megabytes / games,
            most_nodes=most_nodes,
            rollouts=self.settings.rollouts,
            score_share=self.settings.score_utility,
            now=self._now,
        )


def _allowance(settings: SearchSettings, budget: Budget) -> Allowance:
    """Return what a move may cost: the settings' limits, the budget's where it has some."""
    visits = settings.visits if budget.visits is None else budget.visits
    usual = settings.seconds if visits is None else None
    most = usual
    if budget.seconds is not None:
        usual = budget.seconds
        most = budget.seconds if budget.most is None else max(budget.most, budget.seconds)
    return Allowance(visits, usual, most, budget.stop)
