"""The tree: counts add up, signs are right, moves are legal, and the same seed grows it again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.backends.backend import RawOutputs
from goengine.inference.evaluation import EvaluatorError
from goengine.inference.evaluator import Evaluator
from goengine.search.findings import move_findings, root_finding, visit_shares
from goengine.search.leaf_evaluation import LeafEvaluator, position_keys
from goengine.search.pool import EXPANDED, PENDING, TERMINAL, Pool, children
from goengine.search.root import RootConditions
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import BLACK, WHITE


class CountingBackend:
    """Judges by stones on the board: ownership where stones are, a lead by their difference."""

    name, device, precision = "counting", "cpu", "float32"
    planes, forgetful, threads, chunk = 48, False, 1, 64

    def run(self, planes: np.ndarray) -> RawOutputs:
        batch, size = len(planes), planes.shape[-1]
        own, other = planes[:, 0].astype(np.float32), planes[:, 1].astype(np.float32)
        ownership = own - other
        rows = np.arange(size * size, dtype=np.float32)
        return RawOutputs(
            logits=np.tile(-0.05 * rows, (batch, 1)) + planes[:, 21].reshape(batch, -1) * 3.0,
            margin=ownership.sum(axis=(1, 2)),
            spread=np.full(batch, 2.0, dtype=np.float32),
            ownership=ownership,
        )


def search(seed: int = 1, **options: float) -> TreeSearch:
    return TreeSearch(
        LeafEvaluator(Evaluator(CountingBackend())),
        rng=np.random.default_rng(seed),
        megabytes=options.get("megabytes", 5.0),
    )


def grown(game: Game, visits: int, **options: float) -> TreeSearch:
    found = search(**options)
    found.begin(game)
    found.run(Limits(visits=visits))
    return found


def walk(pool: Pool, board: Board, visit: Callable[[Board, int], None], node: int = 0) -> None:
    visit(board, node)
    for edge, child in enumerate(children(pool, node)):
        after = board.copy()
        after.play(int(pool.moves[node, edge]))  # raises where the move is illegal
        walk(pool, after, visit, child)


@pytest.mark.parametrize("rules", ["chinese", "japanese", "tromp-taylor"])
@pytest.mark.parametrize("size", [2, 5, 7])
def test_counts_and_sums_add_up_and_all_moves_are_legal(size: int, rules: str) -> None:
    game = Game(size, rules=rules, komi=0.5)
    tree = grown(game, 300)
    pool = tree.pool
    assert tree.visits == 300

    def check(board: Board, node: int) -> None:
        assert pool.virtual[node] == 0 and pool.state[node] != PENDING
        below = children(pool, node)
        assert len(below) == pool.opened[node] <= pool.edges[node]
        behind = sum(int(pool.visits[child]) for child in below)
        if pool.state[node] == EXPANDED:
            assert pool.visits[node] == behind + 1
            priors = pool.priors[node, : pool.edges[node]]
            assert (np.diff(priors) <= 0).all() and priors.sum() <= 1 + 1e-5
            own = float(pool.raw_value[node])
            down = sum(float(pool.value[child]) for child in below)
            assert pool.value[node] == pytest.approx(own - down, abs=1e-6)
        else:
            assert pool.state[node] == TERMINAL and board.passes == 2 and not behind

    walk(pool, game.board, check)


def test_the_same_seed_grows_the_same_tree() -> None:
    one, two = grown(Game(7), 200), grown(Game(7), 200)
    used = int(one.pool.used[0])
    for first, second in zip(one.pool, two.pool, strict=True):
        assert (first[:used] == second[:used]).all()


def test_a_capture_that_wins_is_found() -> None:
    board = Board.from_diagram(". O X . . | O X . . . | . . . . . | . . . . . | . . . . .")
    board.komi = 0.0
    tree = grown(Game.at(board), 200)
    best = move_findings(tree.pool)[0]
    assert best.move == 0 and best.winrate > 0.6 and best.lead > 0
    assert root_finding(tree.pool).winrate > 0.5
    assert visit_shares(tree.pool, 25)[0] > 0.4
    assert best.pv[0] == 0 and best.pv_visits[0] == best.visits
    assert best.bound < best.utility and best.winrate_bound < best.winrate


def test_win_rates_are_of_the_player_to_move_and_mirror_with_the_colours() -> None:
    diagram = "X X X . . | . . . . . | . . O . . | . . . . . | . . . . ."
    board = Board.from_diagram(diagram)
    board.komi = 0.0
    swapped = Board.from_diagram(diagram.translate(str.maketrans("XO", "OX")), to_play=WHITE)
    swapped.komi = 0.0
    mine, theirs = (root_finding(grown(Game.at(b), 100).pool) for b in (board, swapped))
    assert mine.winrate > 0.5 and mine == theirs


def test_the_tree_is_kept_from_move_to_move() -> None:
    game = Game(7)
    tree = grown(game, 300)
    best = move_findings(tree.pool)[0]
    game.play(best.move)
    tree.begin(game)
    assert tree.visits == best.visits
    answer = move_findings(tree.pool)[0]
    game.play(answer.move)
    tree.begin(game)
    assert tree.visits == answer.visits
    tree.run(Limits(visits=tree.visits + 50))
    walk(tree.pool, game.board, lambda board, node: None)
    game.undo(2)
    tree.begin(game)
    assert tree.visits == 0, "another line than the tree's begins anew"
    other = Game(7, komi=20.0)
    tree.run(Limits(visits=20))
    tree.begin(other)
    assert tree.visits == 0, "another komi means other values"


def test_superko_is_kept_in_the_tree() -> None:
    rng = np.random.default_rng(3)
    for _ in range(6):
        game = Game(3, rules="tromp-taylor", komi=0.5)
        for _ in range(12):
            legal = np.flatnonzero(game.board.legal()[:-1])
            if len(legal):
                game.play(int(rng.choice(legal)))
        tree = grown(game, 150)
        walk(tree.pool, game.board, lambda board, node: None)


def test_moves_can_be_restricted() -> None:
    game = Game(7)
    tree = search()
    others = frozenset(range(50)) - {3, 49}
    tree.begin(game, RootConditions(((BLACK, others, 1),)))
    tree.run(Limits(visits=60))
    assert {finding.move for finding in move_findings(tree.pool)} <= {3, 49}


def test_a_full_tree_refines_what_it_knows_and_does_not_grow() -> None:
    game = Game(7)
    small = grown(game, 3_000, megabytes=0.05)
    pool = small.pool
    assert small.full and 30 < pool.used[0] == len(pool.state) < small.visits == 3_000
    asked = small.leaves.asked
    small.run(Limits(visits=3_100))
    assert small.leaves.asked > asked, "known leaves are looked at again"

    def check(board: Board, node: int) -> None:
        below = children(pool, node)
        own = pool.visits[node] - sum(int(pool.visits[child]) for child in below)
        assert own >= 1 and pool.virtual[node] == 0
        down = sum(float(pool.value[child]) for child in below)
        assert pool.value[node] == pytest.approx(own * pool.raw_value[node] - down, abs=1e-3)

    walk(pool, game.board, check)


def test_a_search_leaves_the_game_as_it_was_and_stops_when_told() -> None:
    game = Game(7)
    before = game.board.copy()
    tree = search()
    tree.begin(game)
    calls = iter([False, False, True])
    tree.run(Limits(), stop=lambda: next(calls))
    assert game.board == before and game.moves == [] and 1 <= tree.visits < 10
    tree.run(Limits(seconds=0.0))
    assert tree.visits < 10


def test_a_full_board_and_a_finished_game_are_searched_sensibly() -> None:
    full = Board.from_diagram("X . X | X X X | . X X")
    tree = grown(Game.at(full), 20)
    assert [finding.move for finding in move_findings(tree.pool)] == [9]
    game = Game(5)
    game.play(25)
    game.play(25)
    assert grown(game, 30).visits == 30


def test_a_network_that_only_names_moves_cannot_search() -> None:
    class Names(CountingBackend):
        def run(self, planes: np.ndarray) -> RawOutputs:
            return RawOutputs(super().run(planes).logits)

    tree = TreeSearch(
        LeafEvaluator(Evaluator(Names())), rng=np.random.default_rng(1), megabytes=1.0
    )
    tree.begin(Game(5))
    with pytest.raises(EvaluatorError, match="does not judge positions, so it cannot search"):
        tree.run(Limits(visits=5))


def test_equal_positions_are_evaluated_once() -> None:
    leaves = LeafEvaluator(Evaluator(CountingBackend()))
    game = Game(5)
    for move in range(12):
        game.play(move)
    rng = np.random.default_rng(1)
    (first,) = leaves.evaluate(game.board.records, rng=rng)
    (again,) = leaves.evaluate(game.board.copy().records, rng=rng)
    assert leaves.asked == 1 and (first["priors"] == again["priors"]).all()
    aged = game.board.copy()
    aged.records["born"][0][aged.records["born"][0] == game.board.turn - 1] -= 2
    leaves.evaluate(aged.records, rng=rng)
    assert leaves.asked == 2, "ages of stones are planes, so they count"
    turned = game.board.copy()
    turned.to_play = 3 - turned.to_play
    keys = np.empty(1, dtype=np.uint64)
    other = np.empty(1, dtype=np.uint64)
    position_keys(game.board.records, keys)
    position_keys(turned.records, other)
    assert keys[0] != other[0] and BLACK != WHITE


def test_answers_outlive_undo_another_komi_and_another_tree() -> None:
    game = Game(7)
    tree = grown(game, 120)
    asked = tree.leaves.asked
    game.play(24)
    tree.begin(game)
    tree.run(Limits(visits=tree.visits + 10))
    game.undo()
    between = tree.leaves.asked
    assert between > asked
    tree.begin(game)
    tree.run(Limits(visits=60))
    assert tree.leaves.asked - between < 10, "after undo the tree is made of what is remembered"
    values = tree.pool.raw_lead[0]
    other = TreeSearch(tree.leaves, rng=np.random.default_rng(2), megabytes=2.0)
    other.begin(Game(7, komi=-3.0))
    other.run(Limits(visits=2))
    assert tree.leaves.asked - between < 15
    assert other.pool.raw_lead[0] == pytest.approx(values + 10.5), "komi comes in afterwards"
    tree.leaves.forget()
    assert len(tree.leaves) == 0
    few = LeafEvaluator(Evaluator(CountingBackend()), megabytes=0.01)
    small = TreeSearch(few, rng=np.random.default_rng(1), megabytes=2.0)
    small.begin(game)
    small.run(Limits(visits=100))
    assert 5 < len(few) < 15, "the oldest answers go first"


@pytest.mark.parametrize(
    ("rules", "lead"),
    [("japanese", 0.5 + 3 - 4), ("chinese", 0.5 + 4 - 4), ("new-zealand", 0.5 - 4)],
)
def test_handicap_stones_are_points_on_the_board_and_not_of_territory(
    rules: str, lead: float
) -> None:
    game = Game(9, rules=rules, komi=0.5)
    game.place_handicap([20, 24, 56, 60])
    assert root_finding(grown(game, 1).pool).lead == lead, "White's"
    seen = Evaluator(CountingBackend()).evaluate([game.board])
    assert seen.lead is not None and seen.lead[0] == lead
