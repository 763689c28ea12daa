"""Invariants of the tree in any game: counts, signs, legal moves, seeds, and being broken off."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.search.findings import move_findings, root_finding
from goengine.search.leaf_evaluation import LeafEvaluator
from goengine.search.pool import EXPANDED, PENDING, TERMINAL, children
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import BLACK
from tests.goengine.search.test_tree_search import CountingBackend, search, walk

GAMES = st.builds(
    lambda size, rules, komi, seed, count: played(size, rules, komi, seed, count),
    st.integers(2, 9),
    st.sampled_from(["chinese", "japanese", "aga", "new-zealand", "tromp-taylor"]),
    st.sampled_from([-3.0, 0.0, 0.5, 7.5]),
    st.integers(0, 2**20),
    st.integers(0, 120),
)


def played(size: int, rules: str, komi: float, seed: int, count: int) -> Game:
    """Return a game after random legal moves, a pass now and then."""
    rng = np.random.default_rng(seed)
    game = Game(size, rules=rules, komi=komi)
    for _ in range(min(count, 2 * size * size)):
        legal = np.flatnonzero(game.board.legal())
        game.play(int(rng.choice(legal)) if rng.random() > 0.05 else size * size)
    return game


def check_tree(tree: TreeSearch, board: Board) -> None:
    """Check counts, sums, order and legality of a whole tree; `walk` plays every move."""
    pool = tree.pool

    def check(position: Board, node: int) -> None:
        below = children(pool, node)
        assert len(below) == pool.opened[node] <= pool.edges[node]
        assert pool.virtual[node] == 0 and pool.visits[node] >= 1
        assert pool.state[node] != PENDING
        own = int(pool.visits[node]) - sum(int(pool.visits[child]) for child in below)
        if pool.state[node] == TERMINAL:
            assert position.passes == 2 and not below and own == pool.visits[node]
        else:
            assert own == 1 and pool.edges[node] >= 1
            moves = pool.moves[node, : pool.edges[node]].tolist()
            assert len(set(moves)) == len(moves)
        for sums, raw in (
            (pool.value, pool.raw_value),
            (pool.lead, pool.raw_lead),
            (pool.utility, pool.raw_utility),
        ):
            back = own * float(raw[node]) - sum(float(sums[child]) for child in below)
            assert sums[node] == pytest.approx(back, abs=2e-3)

    twin = board.copy()
    twin.records["passes"] = 0
    walk(pool, twin, check)


@settings(max_examples=20, deadline=None)
@given(GAMES, st.integers(1, 150))
def test_a_tree_is_sound_wherever_it_begins(game: Game, visits: int) -> None:
    before = game.board.copy()
    tree = search()
    tree.begin(game)
    tree.run(Limits(visits=visits))
    assert tree.visits == visits
    check_tree(tree, game.board)
    fields = game.board.records.dtype.names
    assert fields is not None and all(
        (game.board.records[name] == before.records[name]).all() for name in fields
    )
    for finding in move_findings(tree.pool):
        assert game.board.is_legal(finding.move)
        assert 0 <= finding.winrate <= 1 and finding.bound <= finding.utility


@settings(max_examples=15, deadline=None)
@given(GAMES, st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_a_tree_that_follows_a_game_stays_sound(game: Game, ranks: list[int]) -> None:
    tree = search()
    for rank in ranks:
        tree.begin(game)
        kept = tree.visits
        tree.run(Limits(visits=kept + 40))
        check_tree(tree, game.board)
        found = move_findings(tree.pool)
        best = found[min(rank, len(found) - 1)]
        visits, value = best.visits, best.winrate
        game.play(best.move)
        tree.begin(game)
        if tree.visits:
            assert tree.visits == visits
            assert root_finding(tree.pool).winrate == pytest.approx(1 - value, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(GAMES, st.integers(0, 100))
def test_one_seed_makes_one_tree(game: Game, seed: int) -> None:
    trees = []
    for _ in range(2):
        tree = search(seed=seed)
        tree.begin(game)
        tree.run(Limits(visits=80))
        trees.append(tree)
    used = int(trees[0].pool.used[0])
    for first, second in zip(trees[0].pool, trees[1].pool, strict=True):
        assert (first[:used] == second[:used]).all()


class Breaks(CountingBackend):
    """Fails at one of its calls, as a key that interrupts or a driver that dies does."""

    def __init__(self, at: int, error: type[BaseException]) -> None:
        self.calls = 0
        self.at = at
        self.error = error

    def run(self, planes):  # type: ignore[no-untyped-def]
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return super().run(planes)


@settings(max_examples=15, deadline=None)
@given(GAMES, st.integers(1, 30), st.sampled_from([KeyboardInterrupt, MemoryError]))
def test_a_search_that_is_killed_leaves_game_and_tree_whole(
    game: Game, at: int, error: type[BaseException]
) -> None:
    before = game.board.copy()
    leaves = LeafEvaluator(Evaluator(Breaks(at, error)))
    tree = TreeSearch(leaves, rng=np.random.default_rng(1), megabytes=5.0)
    tree.begin(game)
    try:
        tree.run(Limits(visits=150))
    except error:
        assert game.board == before
    tree.run(Limits(visits=200))
    assert tree.visits == 200 and game.board == before
    pool = tree.pool
    assert not pool.virtual[: int(pool.used[0])].any()


def test_signs_follow_the_player_to_move() -> None:
    game = Game.at(Board.from_diagram("X X X . . | . . . . . | . . O . . | . . . . . | . . . . ."))
    tree = search()
    tree.begin(game)
    tree.run(Limits(visits=300))
    pool = tree.pool
    stones: list[tuple[float, float]] = []

    def note(board: Board, node: int) -> None:
        if pool.state[node] == EXPANDED:
            grid = board.grid
            margin = int((grid == 1).sum()) - int((grid == 2).sum()) - board.komi
            sign = 1 if board.to_play == BLACK else -1
            stones.append((sign * margin, float(pool.raw_lead[node])))

    walk(pool, game.board, note)
    assert len(stones) > 100
    for expected, lead in stones:
        assert lead == pytest.approx(expected, abs=1e-4)


def nonsense() -> list[Callable[[], Game]]:
    full = Board.from_diagram("X . X | X X X | . X X")
    dead = Board.from_diagram(". X | X X")
    over = Game(5)
    over.play(25)
    over.play(25)
    return [lambda: Game.at(full), lambda: Game.at(dead), lambda: over, lambda: Game(2)]


@pytest.mark.parametrize("make", nonsense(), ids=["full", "nothing legal", "over", "2x2"])
@pytest.mark.parametrize("limits", [Limits(visits=1), Limits(seconds=0.0), Limits(visits=300)])
def test_nonsense_is_answered(make: Callable[[], Game], limits: Limits) -> None:
    game = make()
    tree = search()
    tree.begin(game)
    tree.run(limits)
    assert tree.visits >= 1
    assert all(game.board.is_legal(finding.move) for finding in move_findings(tree.pool))
    assert tree.pool.edges[0] >= 1


def test_a_tree_that_is_read_out_ends_the_search() -> None:
    board = Board.from_diagram(". X | X X")
    tree = search()
    tree.begin(Game.at(board))
    tree.run(Limits())
    assert tree.exhausted and tree.visits > 10


def test_leaves_of_several_trees_go_through_one_evaluator() -> None:
    leaves = LeafEvaluator(Evaluator(CountingBackend()))
    rng = np.random.default_rng(1)
    games = [Game(5), Game(7), Game(5, komi=-9.5)]
    trees = [TreeSearch(leaves, rng=rng, megabytes=2.0) for _ in games]
    for tree, game in zip(trees, games, strict=True):
        tree.begin(game)
    while any(tree.visits < 100 for tree in trees):
        waiting = []
        for tree in trees:
            batch = tree.gather(4)
            if batch.root:
                tree.step(batch)
            else:
                waiting.append((tree, batch))
        if waiting:
            parts = [batch.leaves for _, batch in waiting]
            answers = leaves.evaluate(np.concatenate(parts), rng=rng)
            for tree, batch in waiting:
                tree.absorb(batch, answers[: len(batch)])
                answers = answers[len(batch) :]
    for tree, game in zip(trees, games, strict=True):
        check_tree(tree, game.board)
