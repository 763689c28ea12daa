"""The root: bans, noise, width, a pass that is looked at, moves that gain nothing, owners."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.scoring.counting import area_score
from goengine.search.findings import move_findings
from goengine.search.leaf_evaluation import LeafEvaluator
from goengine.search.pool import EXPANDED, TERMINAL, children
from goengine.search.root import RootConditions
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import BLACK, WHITE
from tests.goengine.search.test_tree_search import CountingBackend, search, walk
from tests.helpers.diagrams import SETTLED


def read(game: Game, conditions: RootConditions, visits: int = 150, seed: int = 1) -> TreeSearch:
    tree = search(seed=seed)
    tree.begin(game, conditions)
    tree.run(Limits(visits=visits))
    return tree


def test_bans_hold_for_a_colour_and_so_many_moves() -> None:
    game = Game(7)
    banned = frozenset(range(0, 49, 2)) | {49}
    white = frozenset(range(1, 49, 2))
    tree = read(game, RootConditions(((BLACK, banned, 1), (WHITE, white, 2))))
    pool = tree.pool
    seen: set[int] = set()

    def check(board: Board, node: int) -> None:
        moves = {int(move) for move in pool.moves[node, : pool.edges[node]]}
        if board.turn == 0:
            assert moves == set(range(1, 49, 2))
        elif board.turn == 1 and pool.state[node] == EXPANDED:
            assert not moves & white
        elif board.turn >= 2 and pool.state[node] == EXPANDED:
            seen.update(moves)

    walk(pool, game.board, check)
    assert seen >= set(range(49)), "further down everything is looked at"


def test_moves_that_the_network_does_not_name_can_be_asked_for() -> None:
    board = Board.from_diagram("X . X . | X X X . | . . . . | . . . .")
    others = frozenset(range(17)) - {1}
    tree = read(Game.at(board), RootConditions(((BLACK, others, 1),)), 20)
    assert [finding.move for finding in move_findings(tree.pool)] == [1], "an own eye"
    everything = RootConditions(
        ((BLACK, frozenset(range(17)), 3), (WHITE, frozenset(range(17)), 3))
    )
    assert [f.move for f in move_findings(read(Game.at(board), everything, 20).pool)] == [16]


def test_a_tree_without_bans_is_kept_and_one_with_them_only_for_the_same_question() -> None:
    game = Game(7)
    bans = RootConditions(((BLACK, frozenset(range(20)), 1),))
    tree = read(game, bans)
    tree.begin(game, bans)
    assert tree.visits == 150
    game.play(move_findings(tree.pool)[0].move)
    tree.begin(game)
    assert tree.visits > 1, "bans of the root do not reach behind its moves"
    tree.begin(game, RootConditions(((WHITE, frozenset({3}), 1),)))
    assert tree.visits == 0


def test_noise_and_width_change_priors_by_the_seed() -> None:
    def priors(conditions: RootConditions, seed: int = 1) -> dict[int, float]:
        pool = read(Game(7), conditions, 30, seed).pool
        count = int(pool.edges[0])
        assert pool.priors[0, :count].sum() == pytest.approx(1.0, abs=1e-5)
        return dict(zip(pool.moves[0, :count].tolist(), pool.priors[0, :count], strict=True))

    plain = priors(RootConditions())
    noisy = priors(RootConditions(noise=0.25))
    assert noisy == priors(RootConditions(noise=0.25)) != plain
    assert noisy != priors(RootConditions(noise=0.25), seed=2)
    assert all(noisy[move] >= 0.75 * plain[move] - 1e-6 for move in plain)
    wide = priors(RootConditions(width=0.2))
    assert 0 < max(wide.values()) < max(plain.values())
    few = {f.move for f in move_findings(read(Game(7), RootConditions(), 60).pool)}
    many = {f.move for f in move_findings(read(Game(7), RootConditions(width=0.5), 60).pool)}
    assert len(many) > len(few)


def test_width_is_taken_back_for_play_on_the_same_tree() -> None:
    tree = read(Game(7), RootConditions(width=0.5), 60)
    wide = tree.pool.priors[0].copy()
    tree.begin(Game(7))
    tree.run(Limits(visits=61))
    assert tree.visits == 61
    count = int(tree.pool.edges[0])
    assert count == 50
    named = dict(zip(tree.pool.moves[0, :50].tolist(), tree.pool.priors[0, :50], strict=True))
    fresh = read(Game(7), RootConditions(), 2).pool
    for move, prior in zip(fresh.moves[0, :50].tolist(), fresh.priors[0, :50], strict=True):
        assert named[move] == pytest.approx(float(prior), abs=1e-6)
    assert not np.allclose(wide, tree.pool.priors[0])


def test_a_pass_and_another_move_are_looked_at_where_a_pass_would_end_the_game() -> None:
    game = Game(7)
    for move in (24, 10, 12):
        game.play(move)
    game.play(49)
    tree = read(game, RootConditions(), 3)
    assert 49 in {finding.move for finding in move_findings(tree.pool)}
    assert len(move_findings(tree.pool)) == 2


def test_the_own_pass_never_ends_the_game_but_two_further_ones_do() -> None:
    game = Game.at(Board.from_diagram(SETTLED))
    game.play(49)
    points = frozenset(range(49))
    only_passes = RootConditions(((BLACK, points, 9), (WHITE, points, 9)))
    tree = read(game, only_passes, 20)
    pool = tree.pool
    passed = [c for e, c in enumerate(children(pool, 0)) if pool.moves[0, e] == 49]
    assert len(passed) == 1 and pool.state[passed[0]] == EXPANDED
    again = [c for e, c in enumerate(children(pool, passed[0])) if pool.moves[passed[0], e] == 49]
    assert again and pool.state[again[0]] == TERMINAL
    lead = -area_score(game.board)  # White moves there
    assert pool.raw_lead[again[0]] == pytest.approx(lead)
    assert pool.raw_value[again[0]] == np.sign(lead)
    assert pool.raw_spread[again[0]] == 0.0 and tree.exhausted is False
    reply = read(Game.at(Board.from_diagram(SETTLED)), RootConditions(), 50)
    before = Game.at(Board.from_diagram(SETTLED))
    before.play(49)
    reply.begin(before)
    assert reply.visits == 0, "what the tree thought to be the end is not"


def test_moves_inside_settled_territory_cost_half_a_point() -> None:
    class Owners(CountingBackend):
        """Owns whatever the mover's colour surrounds, and likes all points as much."""

        def run(self, planes):  # type: ignore[no-untyped-def]
            outputs = super().run(planes)
            own, other = planes[:, 0].astype(np.float32), planes[:, 1].astype(np.float32)
            left = own[:, :, :4].sum(axis=(1, 2)) > other[:, :, :4].sum(axis=(1, 2))
            outputs.ownership[:] = np.where(left, 1.0, -1.0)[:, None, None]
            outputs.ownership[:, :, 4:] *= -1
            return outputs

    leaves = LeafEvaluator(Evaluator(Owners()))
    tree = TreeSearch(leaves, rng=np.random.default_rng(1), megabytes=5.0)
    tree.begin(Game.at(Board.from_diagram(SETTLED)), symmetry="random")
    tree.run(Limits(visits=2))
    pool = tree.pool
    named = dict(zip(pool.moves[0].tolist(), tree.order.bonus, strict=True))
    assert named[36] < 0 and named[49] == 0.0, "a pass costs nothing"
    assert named[37] == named[36], "points inside one territory cost the same"


def test_ownership_is_blacks_and_outlives_the_move() -> None:
    board = Board.from_diagram("X X X . . | . . . . . | . . O . . | . . . . . | . . . . .")
    game = Game.at(board)
    tree = read(game, RootConditions(), 200)
    owners = tree.ownership()
    assert owners.shape == (5, 5) and owners[0, 0] > 0.5 and owners[2, 2] < -0.5
    best = move_findings(tree.pool)[0]
    behind = tree.ownership(best.node)
    assert behind[0, 0] > 0.5 and behind[divmod(best.move, 5)] > 0.5
    game.play(best.move)
    tree.begin(game)
    np.testing.assert_allclose(tree.ownership(), behind, atol=1e-5)


def test_a_pass_that_is_banned_is_not_searched_further_down_either() -> None:
    never = frozenset({25})
    game = Game(5)
    for move in (12, 7, 11, 13):
        game.play(move)
    tree = read(game, RootConditions(((BLACK, never, 6), (WHITE, never, 3))), 300)
    passes: set[tuple[int, int]] = set()

    def check(board: Board, node: int) -> None:
        if tree.pool.state[node] == EXPANDED and tree.pool.edges[node] > 1:
            moves = tree.pool.moves[node, : tree.pool.edges[node]]
            if (moves == 25).any():
                passes.add((board.to_play, board.turn - game.board.turn))

    walk(tree.pool, game.board, check)
    assert not passes & {(BLACK, 0), (BLACK, 2), (BLACK, 4), (WHITE, 1)}
    assert (WHITE, 3) in passes, "from there on White may"
