"""Time: games that are never lost on it, moves that are forced, open or decided."""

from __future__ import annotations

import numpy as np
import pytest

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.games.game import Game
from goengine.inference.backends.backend import RawOutputs
from goengine.inference.evaluator import Evaluator
from goengine.players.effort import moves_ahead, time_budget
from goengine.players.player import Budget
from goengine.players.reading.time_use import Allowance, Watch
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import SearchSettings
from goengine.search.pool import children
from goengine.search.tree_search import Limits, TreeSearch
from goengine.types import RESIGN
from tests.goengine.search.test_tree_search import CountingBackend, search
from tests.goengine.test_clock import FakeTime


class SlowBackend(CountingBackend):
    """Takes time on a wall that only it moves: a load on the machine now and then triples it."""

    def __init__(self, wall: FakeTime, seconds: float, seed: int = 1) -> None:
        self.wall = wall
        self.seconds = seconds
        self.rng = np.random.default_rng(seed)

    def run(self, planes: np.ndarray) -> RawOutputs:
        load = 3.0 if self.rng.random() < 0.1 else self.rng.uniform(1.0, 1.5)
        self.wall.seconds += self.seconds * load * (0.3 + 0.7 * len(planes) / 8)
        return super().run(planes)


def slow_player(wall: FakeTime, seconds: float, **settings: object) -> SearchPlayer:
    by = SearchSettings(**{"megabytes": 5.0, "playouts": 20, **settings})  # type: ignore[arg-type]
    evaluator = Evaluator(SlowBackend(wall, seconds))
    return SearchPlayer(evaluator, by, rng=np.random.default_rng(1), now=wall)


@pytest.mark.parametrize(
    "settings",
    [
        TimeSettings("byoyomi", 10, 1, periods=3),
        TimeSettings("canadian", 5, 10, stones=10),
        TimeSettings("fischer", 5, increment=1),
        TimeSettings("fischer", 1, increment=10),
        TimeSettings("absolute", 60),
    ],
    ids=lambda settings: f"{settings.kind}-{settings.main:g}",
)
def test_no_game_is_lost_on_time(settings: TimeSettings) -> None:
    wall = FakeTime()
    player = slow_player(wall, 0.08, resign_below=None)
    clock = Clock(settings, now=wall)
    game = Game(7, clock=clock)
    used = []
    while game.board.passes < 2 and game.board.turn < 90:
        colour = game.board.to_play
        budget = time_budget(game)
        clock.start()
        choice = player.choose(game, budget, rng=np.random.default_rng(2))
        used.append(clock.stop(colour))
        assert not clock.overrun
        if settings.kind == "byoyomi":
            assert clock.count(colour) in (0, 3), "nor is a period lost"
        game.play(choice.move)
    assert game.board.turn > 20 and sum(used) > 10, "and the time is used"


def test_time_spent_follows_the_clock() -> None:
    wall = FakeTime()
    game = Game(19, clock=Clock(TimeSettings("absolute", 1800), now=wall))
    budget = time_budget(game)
    assert budget.seconds is not None and budget.most is not None
    assert budget.seconds == pytest.approx(1800 / moves_ahead(game.board) - 0.5)
    assert 2.5 < budget.most / budget.seconds < 3.5
    assert moves_ahead(Board(19)) > moves_ahead(Board(9)) > 10
    assert time_budget(Game(9)) == Budget()


def test_the_only_move_is_played_at_once() -> None:
    wall = FakeTime()
    board = Board.from_diagram("X . X | X X X | . X X")
    choice = slow_player(wall, 0.01).choose(
        Game.at(board), Budget(seconds=50.0), rng=np.random.default_rng(1)
    )
    assert choice.move == 9 and wall.seconds - 100 < 1


def test_a_search_ends_when_the_leader_cannot_be_caught() -> None:
    diagram = ". O X . . | O X . . . | . . . . . | . . . . . | . . . . ."
    game = Game.at(Board.from_diagram(diagram))
    player = slow_player(FakeTime(), 0.0, visits=2000)
    assert player.choose(game, rng=np.random.default_rng(1)).move == 0
    assert player.tree.visits < 1500
    wall = FakeTime()
    timed = slow_player(wall, 0.1)
    timed.choose(game, Budget(seconds=20.0), rng=np.random.default_rng(1))
    assert wall.seconds - 100 < 15


def add(tree: TreeSearch, edge: int, visits: int) -> None:
    """Let an edge of the root look good in so many more visits, and the root as good as before."""
    pool = tree.pool
    child = children(pool, 0)[edge]
    mean = pool.value[0] / pool.visits[0]
    for sums, each in ((pool.visits, 1), (pool.utility, -1.0), (pool.squares, 1.0)):
        sums[child] += each * visits
    pool.visits[0] += visits
    pool.value[0] += mean * visits


@pytest.mark.parametrize("state", ["clear", "rival", "falling"])
def test_an_open_choice_may_take_longer_and_a_clear_one_may_not(state: str) -> None:
    wall = FakeTime()
    tree = search()
    tree.begin(Game(7, komi=-9.0))
    tree.run(Limits(visits=40))
    watch = Watch(tree, Allowance(usual=10.0, most=30.0), now=wall)
    assert not watch.enough()
    add(tree, 0, 500)
    if state == "rival":
        add(tree, 1, 400)
    elif state == "falling":
        tree.pool.value[0] -= 60
    wall.seconds += 0.1
    assert not watch.enough(), "much can still come"
    for seconds in (9.0, 5.0, 10.0):
        wall.seconds += seconds
        watch.enough()
        wall.seconds += 0.1
        for _ in range(40):
            watch.enough()
        assert watch.enough() is (state == "clear")
    wall.seconds += 6.0
    assert watch.enough(), "in the end everything has to stop"
    rigid = Watch(tree, Allowance(usual=1.0, most=1.0), now=wall)
    wall.seconds += 1.0
    assert rigid.enough()


def test_a_kept_tree_is_not_taken_for_progress() -> None:
    wall = FakeTime()
    tree = search()
    game = Game(7)
    tree.begin(game)
    tree.run(Limits(visits=400))
    for less in (False, True):
        watch = Watch(tree, Allowance(usual=10.0, most=10.0), now=wall)
        if less:
            game.play(int(tree.pool.moves[0, 0]))
            tree.begin(game)
        wall.seconds += 0.1
        assert not watch.enough(), "nothing was read yet"
        tree.run(Limits(visits=tree.visits + 20))
        wall.seconds += 0.1
        assert not watch.enough(), "at this rate a thousand visits are to come"


def test_no_time_at_all_still_gives_a_move() -> None:
    wall = FakeTime()
    player = slow_player(wall, 0.2)
    for seconds in (0.0, 1e-9):
        choice = player.choose(Game(5), Budget(seconds=seconds), rng=np.random.default_rng(1))
        assert choice.move != RESIGN and Game(5).board.is_legal(choice.move) and choice.reason
