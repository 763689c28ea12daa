"""Ends of games: passes in order, passes that would lose, and dead stones by two judges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.players.reading.ending import Ending
from goengine.scoring.counting import area_score
from goengine.scoring.status import status
from goengine.search.findings import MoveFinding, move_findings
from goengine.search.playing_out import final_lead, rollout_values, verdict
from goengine.search.tree_search import Limits
from goengine.types import BLACK, RESIGN, WHITE
from tests.goengine.players.test_search_player import choose, player
from tests.goengine.search.test_tree_search import search
from tests.helpers.diagrams import DEAD, SEKI, SETTLED

POINT, PASS = 36, 49


def ending(komi: float, *, passed: bool = False) -> tuple[Ending, MoveFinding]:
    """Return a settled position's ending, Black to move, and a finding to copy from."""
    board = Board.from_diagram(SETTLED, to_play=WHITE if passed else BLACK)
    board.komi = komi
    if passed:
        board.play(PASS)
    tree = search()
    tree.begin(Game.at(board))
    tree.run(Limits(visits=10))
    rng = np.random.default_rng(1)
    judged = Ending.of(board, tree, cleanup=None, playouts=100, rng=rng)
    judged = replace(judged, judged=status(board, rng=rng, playouts=100))
    return judged, move_findings(tree.pool)[0]


def lead_of(komi: float) -> float:
    board = Board.from_diagram(SETTLED)
    board.komi = komi
    return area_score(board)


@pytest.mark.parametrize("komi", [0.5, 9.5])
def test_nothing_left_to_gain_means_a_pass_and_something_means_a_move(komi: float) -> None:
    end, like = ending(komi)
    move = replace(like, move=POINT, lead=3.0, winrate=0.3)
    passing = replace(like, move=PASS, lead=2.8)
    assert end.instead_of(move, [move, passing])[0] is passing
    gain = replace(move, lead=8.0)
    assert end.instead_of(gain, [gain, passing])[0] is None
    assert end.instead_of(gain, [gain])[0] is None, "a pass that was not read is not known"


def test_a_move_that_playouts_find_useless_is_played_where_the_tree_sees_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """White's move in the last fight of a game of 5k on 9x9, where playouts thought all settled."""
    end, like = ending(0.5)
    monkeypatch.setattr(Ending, "_costs", lambda *_: True)
    passing = replace(like, move=PASS, lead=7.3)
    saves = replace(like, move=POINT, lead=11.2, winrate=0.9)
    assert end.instead_of(saves, [saves, passing])[0] is None
    doubtful = replace(saves, lead=9.2)
    assert end.instead_of(doubtful, [doubtful, passing])[0] is passing


def test_a_pass_that_would_lose_gives_way_to_a_move_that_may_win() -> None:
    assert lead_of(9.5) < 0 < lead_of(0.5)
    lost, like = ending(9.5, passed=True)
    move = replace(like, move=POINT, lead=4.0, winrate=0.8)
    passing = replace(like, move=PASS, lead=-2.0)
    assert lost.instead_of(passing, [passing, move])[0] is move
    hopeless = replace(move, lead=-1.9)
    assert lost.instead_of(passing, [passing, hopeless])[0] is None, "all is settled"
    won, _ = ending(0.5, passed=True)
    assert won.instead_of(passing, [passing, move])[0] is None
    assert lost.before_reading() is None


def test_it_is_too_early_to_pass_on_an_open_board() -> None:
    tree = search()
    board = Board(7)
    tree.begin(Game.at(board))
    tree.run(Limits(visits=10))
    end = Ending.of(board, tree, cleanup=None, playouts=20, rng=np.random.default_rng(1))
    assert end.judged is None and end.before_reading() is None
    found = move_findings(tree.pool)
    passing = replace(found[0], move=PASS)
    assert end.instead_of(passing, [passing, *found])[0] is found[0]


def test_a_player_against_itself_ends_every_game_within_the_points_of_the_board() -> None:
    for rules in ("chinese", "japanese", "tromp-taylor"):
        one = player(visits=20, resign_below=None, playouts=40)
        game = Game(5, rules=rules)
        while game.board.passes < 2:
            move = choose(one, game)
            assert move != RESIGN
            game.play(move)
            assert game.board.turn <= 50
        assert game.board.turn < 50, "two passes ended it, not the cap"


def test_dead_stones_need_both_judges_and_the_rules_decide_what_counts() -> None:
    board = Board.from_diagram(DEAD)
    judged = status(board, rng=np.random.default_rng(1), playouts=200)
    assert judged.dead
    agreed = verdict(board, judged.ownership, judged)
    assert agreed.dead == judged.dead and agreed.lead_for(WHITE) == -agreed.lead
    alive = np.where(board.grid == 1, 1.0, np.where(board.grid == 2, -1.0, 0.0))
    stubborn = verdict(board, 3 * alive, judged)
    assert not stubborn.dead, "a network that is sure of the opposite outweighs playouts"
    strict = Board.from_diagram(DEAD, rules="tromp-taylor")
    assert verdict(strict, judged.ownership, judged).lead == area_score(strict)
    assert verdict(strict, judged.ownership, judged).lead != agreed.lead
    assert final_lead(board, judged.ownership) == final_lead(board.copy(), judged.ownership)


def test_a_chain_whose_opponent_in_a_seki_is_dead_lives_and_has_its_eyes() -> None:
    board = Board.from_diagram(SEKI, rules="japanese")
    board.komi = 0.0
    judged = status(board, rng=np.random.default_rng(1), playouts=200)
    assert {2, 4} <= judged.seki
    both = verdict(board, judged.ownership, judged)
    assert both.seki == judged.seki and not both.dead
    white = board.chain(4)
    owners = judged.ownership.ravel().copy()
    owners[white] = 3.0
    found = verdict(board, owners, judged)
    assert found.dead == set(white)
    assert not found.seki, "nobody is left to be in seki with"
    shared = 2  # points between both, nobody's before
    assert found.lead == both.lead + 2 * len(white) + shared


def test_rollouts_tell_who_wins_a_settled_position() -> None:
    records = np.concatenate([Board.from_diagram(SETTLED, to_play=c).records for c in (1, 2)])
    rng = np.random.default_rng(1)
    mine, theirs = rollout_values(records, -40.5, rng=rng)
    assert mine == 1.0 and theirs == -1.0
    assert (rollout_values(records, 40.5, rng=rng) == [-1.0, 1.0]).all()
    choice = choose(player(rollouts=0.5), Game(5))
    assert Game(5).board.is_legal(choice)


def test_dead_stones_come_off_instead_of_a_pass_and_not_while_points_are_open() -> None:
    board = Board.from_diagram(DEAD, rules="tromp-taylor")
    tree = search()
    tree.begin(Game.at(board))
    tree.run(Limits(visits=10))
    rng = np.random.default_rng(1)
    seen = status(board, rng=rng, playouts=100)
    settled = np.ones((7, 7), dtype=np.bool_)
    end = Ending(board, tree, replace(seen, settled=settled), True, 100, rng)
    early = end.before_reading()
    assert early is not None and early.move in {35, 37}
    fight = settled.copy()
    fight[0, 4:6] = False
    end = Ending(board, tree, replace(seen, settled=fight), True, 100, rng)
    assert end.before_reading() is None, "the open points come first"
    taken = end.capture()
    assert taken is not None and taken.move in {35, 37}
    assert Ending(board, tree, seen, False, 100, rng).capture() is None


def test_a_capture_stands_for_the_pass_that_a_search_chose() -> None:
    for passed in (False, True):
        board = Board.from_diagram(DEAD, rules="tromp-taylor")
        board.komi = 30.0
        if passed:
            board.to_play = WHITE
            board.play(PASS)
        choice = player(visits=60, resign_below=None).choose(
            Game.at(board), rng=np.random.default_rng(2)
        )
        assert choice.move in {35, 37}, choice
