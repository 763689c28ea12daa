"""A player that reads: passes, captures, resignation, limits, and what it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.inference.evaluator import Evaluator
from goengine.match.entrants import EntrantError, make_entrant
from goengine.players.player import Budget, Conditions
from goengine.players.policy_player import PolicyPlayer
from goengine.players.reading.resigning import Resigning, first_resignation
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import PolicySettings, SearchSettings
from goengine.search.findings import RootFinding, move_findings
from goengine.search.tree_search import Limits
from goengine.types import BLACK, RESIGN, WHITE, GoError
from tests.goengine.search.test_tree_search import CountingBackend
from tests.helpers.diagrams import DEAD, SETTLED


def player(**settings: object) -> SearchPlayer:
    by = SearchSettings(**{"visits": 60, "megabytes": 5.0, **settings})  # type: ignore[arg-type]
    return SearchPlayer(Evaluator(CountingBackend()), by, rng=np.random.default_rng(1))


def choose(one: SearchPlayer, game: Game, **conditions: object) -> int:
    rng = np.random.default_rng(2)
    return one.choose(game, rng=rng, conditions=Conditions(**conditions)).move  # type: ignore[arg-type]


def after_pass(text: str, colour: int, *, komi: float = 0.5, rules: str = "chinese") -> Game:
    board = Board.from_diagram(text, to_play=3 - colour, rules=rules)
    board.komi = komi
    board.play(board.size**2)
    return Game.at(board)


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_two_of_them_end_a_settled_game(colour: int) -> None:
    board = Board.from_diagram(SETTLED, to_play=colour)
    game, one = Game.at(board), player(resign_below=None)
    while game.board.passes < 2:
        game.play(choose(one, game))
        assert game.board.turn < 20


def test_a_won_game_is_ended_by_the_second_pass() -> None:
    game = after_pass(SETTLED, BLACK)
    assert choose(player(), game) == 49


def test_dead_stones_come_off_where_that_is_asked() -> None:
    game = after_pass(DEAD, BLACK)
    assert choose(player(resign_below=None), game) == 49
    assert choose(player(), game, cleanup=True) in {35, 37}
    strict = after_pass(DEAD, BLACK, rules="tromp-taylor")
    assert choose(player(), strict) in {35, 37}


def test_a_pass_in_a_settled_position_is_not_answered_by_a_resignation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Resigning, "gives_up", lambda *_: True)
    assert choose(player(visits=20), after_pass(SETTLED, BLACK, komi=60.0)) != RESIGN
    open_board = " | ".join([". . . X O . ."] * 2 + [". . . . . . ."] * 5)
    assert choose(player(visits=20), after_pass(open_board, BLACK, komi=60.0)) == RESIGN
    board = Board.from_diagram(SETTLED, to_play=BLACK)
    board.komi = 60.0
    assert choose(player(visits=20), Game.at(board)) == RESIGN


def test_a_lost_game_is_resigned_after_three_turns_and_not_before() -> None:
    board = Board.from_diagram("O O O O O O O | " + " | ".join([". . . . . . ."] * 6))
    board.komi = 30.0
    game, one = Game.at(board), player(visits=20)
    moves: list[int] = []
    while RESIGN not in moves and len(moves) < 60:
        move = choose(one, game)
        moves.append(move)
        if move != RESIGN:
            game.play(move)
            game.play(game.size**2)
            game.board.records["passes"][0] = 0
    assert moves[-1] == RESIGN and game.board.turn == 6, "the first turn from move 5 on"
    again = one.with_settings(replace(one.settings, resign_below=None))
    assert choose(again, game) != RESIGN


def test_resignation_waits_for_move_40_and_for_the_score_to_agree() -> None:
    assert [first_resignation(size) for size in (9, 13, 19)] == [9, 19, 40]

    def root(winrate: float, lead: float) -> RootFinding:
        return RootFinding(100, winrate, lead, -1.0, 5.0, winrate, lead)

    def given_up(game: Game, seen: list[tuple[float, float]]) -> list[int]:
        resigning, turns = Resigning(), []
        for winrate, lead in seen:
            if resigning.gives_up(game, root(winrate, lead), 0.05):
                turns.append(game.board.turn)
            game.play(int(np.flatnonzero(game.board.sensible())[0]))
            game.play(int(np.flatnonzero(game.board.sensible())[0]))
        return turns

    lost = (0.03, -20.0)
    assert given_up(Game(19), [lost] * 24) == [40, 42, 44, 46]
    assert given_up(Game(9), [lost] * 3 + [(0.03, 0.5)] + [lost] * 3) == [12]
    assert given_up(Game(9), ([lost, lost, (0.2, -9.0)]) * 4) == []
    handicap = Game(9)
    handicap.place_handicap([20, 60])
    assert given_up(handicap, [lost] * 22)[0] == 42, "half of the points are played"
    never = Resigning()
    assert not any(never.gives_up(Game(9), root(0.0, -50.0), None) for _ in range(9))


def test_limits_and_conditions_are_kept() -> None:
    game = Game(7)
    one = player()
    choice = one.choose(game, Budget(visits=25), rng=np.random.default_rng(1))
    assert one.tree.visits <= 25 and sum(c.visits for c in choice.candidates) <= 25
    assert choice.candidates[0].move == choice.move and choice.reason
    assert choose(one, game, among=frozenset({5, 6})) in {5, 6}
    assert choose(player(move_cap=0), game) == 49
    warm = player(temperature=3.0)
    assert choose(warm, game, exact=True) == choose(player(), Game(7), exact=True)


def test_the_analyst_shares_the_tree_and_counts_up() -> None:
    game, one = Game(7), player()
    ends = iter([False] * 3 + [True] * 99)
    seen = [
        shot.visits
        for shot, _ in zip(
            one.analyst.stream(game, interval=0.05, pause=lambda seconds: next(ends)),
            range(4),
            strict=False,
        )
    ]
    assert seen == sorted(seen) and seen[0] >= 1
    before = one.tree.visits
    one.choose(game, Budget(visits=before + 10), rng=np.random.default_rng(1))
    assert one.tree.visits >= before
    shot = next(one.analyst.stream(game, interval=1.0, pause=lambda seconds: True))
    assert shot.ownership is not None and shot.ownership.shape == (7, 7)
    assert shot.lead is not None and shot.deviation is not None and shot.winrate is not None
    top = shot.candidates[0]
    assert top.lcb is not None and top.winrate is not None and top.lcb <= top.winrate
    assert len(top.pv) == len(top.pv_visits)


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong, text in (
        ({"visits": 0}, "0 visits cannot search"),
        ({"seconds": 0.0}, "0 seconds are too few"),
        ({"temperature": -1.0}, "temperature -1 is negative"),
        ({"megabytes": 0.0}, "0 MB cannot hold a tree"),
    ):
        with pytest.raises(GoError, match=text):
            SearchSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(GoError, match="are not the settings of a search"):
        player().with_settings(PolicySettings())
    with pytest.raises(EntrantError, match="this player has no setting 'visits': use temperature"):
        make_entrant("policy:visits=5")
    with pytest.raises(EntrantError, match="this player has no setting 'resign'"):
        make_entrant("search:dual-96,resign=5")
    assert not isinstance(player(), PolicyPlayer)


def test_games_at_the_same_time_are_read_side_by_side() -> None:
    one = player(visits=60, megabytes=50.0)
    backend = one.evaluator.backend
    assert isinstance(backend, CountingBackend)
    sizes: list[int] = []
    run = backend.run
    backend.run = lambda planes: sizes.append(len(planes)) or run(planes)  # type: ignore
    games = [Game(7, komi=komi) for komi in (0.5, 3.5, 7.5)]
    rng = np.random.default_rng(1)
    for _ in range(3):
        for game, choice in zip(games, one.choose_each(games, rng=rng), strict=True):
            assert sum(c.visits for c in choice.candidates) <= 59
            game.play(choice.move)
    assert sizes.count(6) > 10, "two leaves of each game go together"
    tree = one._trees[games[0]]
    assert len(tree.pool.state) < 100, "with room for what is asked"
    before = tree.visits
    one.choose(games[0], rng=rng)
    assert tree.visits != before, "the last game goes on with its own tree"
    alone = one.choose_each(games, Budget(visits=90), rng=rng)
    assert len(alone) == 3 and one._trees[games[1]].visits > 60


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="nothing is compiled")
def test_nothing_is_compiled_once_a_player_is_warm() -> None:
    code = (
        "import numpy as np\n"
        "from numba.core import event\n"
        "from goengine.games.game import Game\n"
        "from goengine.players.player import Budget, Question\n"
        "from goengine.players.making import make_search_player\n"
        "player = make_search_player('dual-96', size=7)\n"
        "class Heard(event.Listener):\n"
        "    def on_start(self, happening): print('compiles', happening.data['dispatcher'])\n"
        "    def on_end(self, happening): pass\n"
        "rng = np.random.default_rng(1)\n"
        "with event.install_listener('numba:compile', Heard()):\n"
        "    for rules in ('chinese', 'japanese', 'tromp-taylor'):\n"
        "        game = Game(7, rules=rules)\n"
        "        for _ in range(60):\n"
        "            move = player.choose(game, Budget(visits=12), rng=rng).move\n"
        "            if move < 0 or game.board.passes == 2: break\n"
        "            game.play(move)\n"
        "        ask = Question(visits=40, moves_ownership=True, width=0.1)\n"
        "        shots = player.analyst.stream(\n"
        "            game, interval=0.1, pause=lambda s: False, question=ask)\n"
        "        list(shots)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stdout


def test_a_leaf_of_a_full_tree_may_become_the_root() -> None:
    """Its visits are all its own, and no move has any."""
    one, game = player(visits=4), Game(5)
    one.choose_each([game, Game(5)], rng=np.random.default_rng(1))
    tree = one._trees[game]
    tree.run(Limits(visits=400))
    assert tree.full
    game.play(max(move_findings(tree.pool), key=lambda found: found.visits).move)
    reply = move_findings(tree.pool)[0].pv
    for move in reply[1:]:
        game.play(move)
    assert one.choose(game, Budget(visits=60), rng=np.random.default_rng(1)).move >= 0
    assert (one._trees[game].most_nodes or 0) >= 60
