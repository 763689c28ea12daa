"""Territory rules: no stone goes into one's own settled territory unless something threatens it.

The positions are from games of the search against itself at 60 visits, 9x9, Japanese rules.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import gtp_to_move
from goengine.games.game import Game
from goengine.players.reading.ending import NEARLY_OVER, OVER, Ending
from goengine.scoring.status import status
from goengine.search.findings import MoveFinding, move_findings
from goengine.search.root import RootConditions
from goengine.search.tree_search import Limits
from goengine.types import BLACK, WHITE
from tests.goengine.players.test_search_player import choose, player
from tests.goengine.search.test_tree_search import search
from tests.helpers.diagrams import SETTLED

DEAD_INSIDE = """
O X X X X . . . .
. X X . . . X . X
X . X X X . X X .
X X O X . O O X X
O O O O X O X O X
. O . O X . X . X
. . O X X X X X X
. O X X X X . X .
. O X X X . X . X
"""
"""Black's seven white stones in the middle and at the side are dead, and White's corner lives."""
SMALL_CORNER = """
. X X X X . X X X
X X X . O X X . X
X . X X X . X X .
X X O X X X . X X
O O O O X . X . X
. O . O X X X X X
. . O X X X X X X
. O X X X . X . X
. O X X X . X . X
"""
ONE_POINT = """
O X X X X O O O O
. X X O O O X O .
X . X X . O X X O
X X O X O O O X .
O O O O X O X . X
. O . O X O X . X
. . O X X X X X .
. O X X . X . . .
. O X X O O X . .
"""
"""White at J6 cuts off the stone below and lives at the top."""


def late(
    diagram: str, to_play: int, *, rules: str = "japanese", komi: float = 6.5
) -> tuple[Ending, MoveFinding]:
    """Return the ending of a late position with a pass in its tree, and the pass."""
    board = Board.from_diagram(diagram, to_play=to_play, rules=rules)
    board.komi = komi
    tree = search()
    rng = np.random.default_rng(1)
    end = Ending.of(board, tree, cleanup=None, playouts=200, rng=rng)
    tree.begin(Game.at(board), RootConditions(pass_prior=end.prior_of_a_pass()))
    tree.run(Limits(visits=30))
    passed = [one for one in move_findings(tree.pool) if one.move == board.size**2]
    return end, passed[0] if passed else move_findings(tree.pool)[0]


def played(vertex: str, end: Ending, passing: MoveFinding, *, gain: float) -> int | None:
    """Return what is played instead of a vertex that the tree holds for better than a pass."""
    move = replace(passing, move=gtp_to_move(vertex, end.board.size), lead=passing.lead + gain)
    other, _ = end.instead_of(move, [move, passing])
    return None if other is None else other.move


@pytest.mark.parametrize(
    ("diagram", "to_play", "vertex"),
    [
        (DEAD_INSIDE, BLACK, "E6"),
        (DEAD_INSIDE, BLACK, "F8"),
        (SMALL_CORNER, WHITE, "B3"),
        (SMALL_CORNER, WHITE, "A4"),
        (SMALL_CORNER, BLACK, "G6"),
    ],
)
def test_a_stone_inside_the_own_settled_territory_is_never_played(
    diagram: str, to_play: int, vertex: str
) -> None:
    end, passing = late(diagram, to_play)
    area = end.board.size**2
    assert played(vertex, end, passing, gain=0.4) == area
    assert played(vertex, end, passing, gain=4.0) == area, "the network's doubts are not points"


def test_a_move_on_an_open_point_comes_before_the_pass_and_an_invasion_does_not() -> None:
    end, passing = late(DEAD_INSIDE, BLACK)
    fill, other = (replace(passing, move=gtp_to_move(name, 9), lead=20.0) for name in ("E6", "C4"))
    passing = replace(passing, lead=18.0)
    assert end.instead_of(fill, [fill, other, passing])[0] is passing, "C4 is White's"
    assert end.judged is not None
    end.judged.settled.ravel()[other.move] = False
    assert end.instead_of(fill, [fill, other, passing])[0] is other


def test_an_answer_to_a_threat_is_played() -> None:
    end, passing = late(ONE_POINT, BLACK)
    owners = status(end.board, rng=np.random.default_rng(2), playouts=400).ownership
    assert owners.ravel()[gtp_to_move("J6", 9)] > 0.9, "Black's, for Black answers in most playouts"
    assert played("J6", end, passing, gain=4.0) is None


def test_a_capture_inside_the_own_territory_is_played() -> None:
    end, passing = late(DEAD_INSIDE, BLACK)
    assert played("H4", end, passing, gain=4.0) is None


def test_area_rules_leave_such_stones_alone() -> None:
    end, passing = late(DEAD_INSIDE, BLACK, rules="chinese")
    assert end.prior_of_a_pass() == 0.0
    assert played("E6", end, passing, gain=4.0) is None


def test_a_pass_is_looked_at_where_playouts_find_all_settled() -> None:
    open_end = Ending.of(
        Board(9, rules="japanese"),
        search(),
        cleanup=None,
        playouts=50,
        rng=np.random.default_rng(1),
    )
    assert open_end.prior_of_a_pass() == 0.0
    assert late(SMALL_CORNER, WHITE)[0].prior_of_a_pass() == OVER
    end, passing = late(DEAD_INSIDE, BLACK)
    assert end.prior_of_a_pass() in (NEARLY_OVER, OVER)
    assert passing.move == 81 and passing.visits > 1


@pytest.mark.parametrize("komi", [-20.5, 0.5, 30.5])
def test_a_settled_game_ends_without_a_stone_in_the_own_territory(komi: float) -> None:
    board = Board.from_diagram(SETTLED, rules="japanese")
    board.komi = komi
    owners = status(board, rng=np.random.default_rng(1), playouts=400).ownership.ravel()
    game, one = Game.at(board), player(resign_below=None)
    while game.board.passes < 2:
        mover = game.board.to_play
        move, before = choose(one, game), game.board.captures
        game.play(move)
        if move < board.size**2 and game.board.captures == before:
            assert owners[move] * (1 if mover == BLACK else -1) < 0.9
        assert game.board.turn < 30


def test_the_pass_is_looked_at_in_a_tree_that_has_visits_enough() -> None:
    board = Board.from_diagram(SMALL_CORNER, to_play=WHITE, rules="japanese")
    game, one = Game.at(board), player(visits=30, resign_below=None)
    one.tree.begin(game, RootConditions(bans=((WHITE, frozenset({81}), 1),)))
    one.tree.run(Limits(visits=60))
    one.tree.conditions = RootConditions()  # as a tree that thought of no pass so far
    assert 81 not in {found.move for found in move_findings(one.tree.pool)}
    choice = one.choose(game, rng=np.random.default_rng(1))
    passing = [found for found in choice.candidates if found.move == 81]
    assert one.tree.visits <= 62 and passing and passing[0].visits > 0
