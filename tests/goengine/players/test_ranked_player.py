"""Opponents by rank: how they draw, what they do not do, endings, manners, what they show."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.handicap import fixed_points
from goengine.inference.machine import Machine
from goengine.players.effort import time_budget
from goengine.players.making import evaluator_of, make_ranked_player
from goengine.players.player import Budget, Candidate, Choice, Conditions
from goengine.players.ranked.manners import Hopeless, ThinkingTime, rather_than_pass
from goengine.players.ranked.rank_table import read_table, shipped_table, style_of
from goengine.players.ranked.ranked_player import ENDING, RankedPlayer
from goengine.players.ranked.ranks import (
    BEST,
    RANKS,
    available_ranks,
    moved,
    nearest_rank,
    parse_rank,
    rank_name,
    rank_number,
)
from goengine.players.ranked.styles import MOST_LEVEL, RankedSettings, Style, style_at
from goengine.players.ranked.vetoes import Vetoes
from goengine.players.ranked.weak_draw import heated, policy_of, seen, weights
from goengine.players.ranked.weak_moves import WeakMove, WeakMoves, described
from goengine.players.search_player import SearchPlayer
from goengine.players.settings import PolicySettings, SearchSettings
from goengine.types import BLACK, EMPTY, RESIGN, WHITE, GoError
from tests.helpers.diagrams import DEAD, SETTLED
from tests.helpers.ranked_players import counting_opponent


class Wall:
    """A clock on the wall that goes on only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def player(wall: Wall | None = None, **settings: Any) -> RankedPlayer:
    """Return an opponent that judges by the stones on the board, with a clock of its own."""
    one = counting_opponent(**settings)
    clock = Wall() if wall is None else wall
    one.thinking = ThinkingTime(now=clock, sleep=clock.sleep)
    return one


def choose(one: RankedPlayer, game: Game, seed: int = 2, **conditions: Any) -> int:
    rng = np.random.default_rng(seed)
    return one.choose(game, rng=rng, conditions=Conditions(**conditions)).move


# Ranks


def test_ranks_are_in_order_and_have_names() -> None:
    numbers = [rank_number(name) for name in RANKS]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert [rank_name(number) for number in numbers] == list(RANKS)
    assert {"15k", "12k", "8k", "1k", "1d", "3d"} <= set(RANKS)
    assert rank_number("1d") == rank_number("1k") + 1
    assert available_ranks() == (*RANKS, BEST)


@pytest.mark.parametrize(
    ("text", "rank"),
    [
        ("8k", "8k"),
        (" 8 Kyu ", "8k"),
        ("1D", "1d"),
        ("2dan", "2d"),
        ("BEST", "best"),
        ("12급", "12k"),
        ("1단", "1d"),
    ],
)
def test_ranks_as_people_write_them(text: str, rank: str) -> None:
    assert parse_rank(text) == rank


@pytest.mark.parametrize("text", ["", "k", "0k", "8", "8q", "-3k", "eight", "100k", "9p"])
def test_what_is_not_a_rank_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(GoError, match=r"is not a rank: use 20k to 3d, or best$"):
        parse_rank(text)


@pytest.mark.parametrize("text", ["30k", "9d", "4d"])
def test_ranks_without_an_opponent_are_said_in_one_sentence(text: str) -> None:
    with pytest.raises(GoError, match=rf"^there is no opponent of {text}: use 20k to 3d, or best$"):
        parse_rank(text)
    assert nearest_rank(text) in (RANKS[0], RANKS[-1])


def test_moving_up_and_down_stays_among_the_ranks() -> None:
    assert (moved("1k", 1), moved("1d", -1), moved("8k", 3)) == ("1d", "1k", "5k")
    assert (moved(RANKS[-1], 1), moved(RANKS[0], -1)) == (RANKS[-1], RANKS[0])


# The scale and its table


def test_every_step_of_the_scale_is_stronger_in_every_way() -> None:
    styles = [style_at(level) for level in np.linspace(0, MOST_LEVEL, 73)]
    for weak, strong in pairwise(styles):
        assert strong.heat <= weak.heat and strong.overlook <= weak.overlook
        assert strong.sight >= weak.sight and strong.visits >= weak.visits
        assert strong.most_lost <= weak.most_lost and strong.resign <= weak.resign
    assert styles[0] != styles[-1] and styles[-1].heat == 0


@pytest.mark.parametrize("level", [-0.1, MOST_LEVEL + 0.1, float("nan")])
def test_levels_off_the_scale_are_refused(level: float) -> None:
    with pytest.raises(GoError, match="is off the scale"):
        style_at(level)


@pytest.mark.parametrize(
    "values",
    [{"sight": 0.0}, {"overlook": 1.5}, {"heat": -1.0}, {"visits": 0}, {"most_lost": -1.0}],
)
def test_styles_that_make_no_sense_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(GoError, match="is not possible"):
        Style(**values)


def test_the_shipped_table_rises_from_rank_to_rank() -> None:
    table = shipped_table()
    assert sorted(table.sizes) == [9, 13, 19]
    for size in (9, 11, 13, 16, 19, 5):
        levels = [table.level(rank, size) for rank in RANKS]
        assert levels == sorted(set(levels)) and levels[-1] <= MOST_LEVEL
    assert table.level("8k", 9) == table.level("8k", 5)
    middle = table.level("8k", 16)
    assert middle == pytest.approx((table.level("8k", 13) + table.level("8k", 19)) / 2)
    assert style_of(RankedSettings("8k"), 19) == style_at(table.level("8k", 19))


def test_tables_that_cannot_be_read(tmp_path: Any) -> None:
    with pytest.raises(GoError, match="cannot read the ranks"):
        read_table(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"sizes": 3}')
    with pytest.raises(GoError, match="is not a table of ranks"):
        read_table(tmp_path / "other.json")


# Drawing


def test_a_cold_style_plays_what_the_policy_likes_best() -> None:
    priors = np.linspace(0.0, 1.0, 81, dtype=np.float32)
    shares = weights(Board(9), priors, Style(), np.random.default_rng(1))
    assert shares[80] == 1 and shares.sum() == 1


def test_heat_flattens_and_keeps_the_order() -> None:
    priors = np.array([0.6, 0.3, 0.1, 0.0], dtype=np.float32)
    for heat in (0.5, 1.0, 2.0, 8.0):
        shares = heated(priors, heat)
        assert shares.sum() == pytest.approx(1.0) and shares[3] == 0
        assert shares[0] > shares[1] > shares[2]
        assert shares[0] / shares[1] == pytest.approx(2 ** (1 / heat), rel=1e-4)


def test_what_the_policy_hardly_thinks_of_is_never_drawn() -> None:
    priors = np.full(81, 1e-5, dtype=np.float32)
    priors[[30, 40]] = 0.4, 0.5
    style = Style(heat=8.0, sight=0.05, overlook=1.0)
    for seed in range(50):
        shares = weights(Board(9), priors, style, np.random.default_rng(seed))
        assert set(np.flatnonzero(shares)) <= {30, 40}


def test_the_surroundings_of_the_last_move_are_seen_unless_they_are_overlooked() -> None:
    board = Board(9)
    board.play(40)
    narrow = Style(sight=0.01, overlook=0.0)
    around = {r * 9 + c for r in range(2, 7) for c in range(2, 7)}
    for seed in range(20):
        mask = seen(board, narrow, np.random.default_rng(seed))
        assert mask[list(around)].all() and mask.sum() < 35
    blind = replace(narrow, overlook=1.0)
    assert sum(seen(board, blind, np.random.default_rng(s))[41] for s in range(50)) < 10


def test_nothing_to_draw_from_stays_nothing() -> None:
    none = np.zeros(81, dtype=np.float32)
    assert not weights(Board(9), none, Style(heat=2.0), np.random.default_rng(1)).any()


def test_a_weak_policy_is_repeatable_and_flatter() -> None:
    rng = np.random.default_rng(4)
    priors = (rng.random(81) ** 6).astype(np.float32)
    priors /= priors.sum()
    board = Board(9)
    weak, strong = (policy_of(board, priors, style_at(level)) for level in (6.0, 27.0))
    assert (weak == policy_of(board, priors, style_at(6.0))).all()
    assert weak.sum() == pytest.approx(1) and strong.sum() == pytest.approx(1)
    assert weak.max() < strong.max()


# Playing


@pytest.mark.parametrize("level", [0.0, 14.0, 22.0, 28.0, 30.0])
def test_whole_games_are_legal_break_no_rule_and_end_with_passes(level: float) -> None:
    one, game = player(style=style_at(level), resigns=False), Game(7)
    rng = np.random.default_rng(5)
    while game.board.passes < 2:
        choice = one.choose(game, rng=rng)
        if choice.reason != ENDING:
            owned = one.evaluator.evaluate([game.board], symmetry="none").ownership
            assert owned is not None
            assert Vetoes(game.board, owned[0]).of(choice.move) is None
            assert choice.move < 49, "a pass is for the ending"
        game.play(choice.move)  # raises where it is illegal
        assert len(game.moves) < 2 * 49
    assert len(game.moves) > 20


def test_many_games_side_by_side_give_a_choice_each() -> None:
    one = player(style=style_at(12.0))
    games = [Game(5), Game(7), Game(5), Game(7)]
    rng = np.random.default_rng(1)
    for _ in range(6):
        for game, choice in zip(games, one.choose_each(games, rng=rng), strict=True):
            game.play(choice.move)
    assert [len(game.moves) for game in games] == [6] * 4
    assert one.choose_each([], rng=rng) == []


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_two_of_them_end_a_settled_game(colour: int) -> None:
    game, one = Game.at(Board.from_diagram(SETTLED, to_play=colour)), player(resigns=False)
    while game.board.passes < 2:
        game.play(choose(one, game))
        assert game.board.turn < 20


def test_dead_stones_come_off_where_that_is_asked() -> None:
    board = Board.from_diagram(DEAD, to_play=WHITE)
    board.komi = 0.5
    board.play(49)
    assert choose(player(resigns=False), Game.at(board), cleanup=True) in {35, 37}


def test_only_the_moves_that_were_named_are_chosen() -> None:
    for level in (0.0, 24.0, 30.0):
        one = player(style=style_at(level))
        assert {choose(one, Game(7), seed, among=frozenset({3, 24})) for seed in range(8)} <= {
            3,
            24,
        }


def test_the_best_move_without_chance_is_always_the_same() -> None:
    one = player(style=style_at(4.0))
    assert len({choose(one, Game(7), seed, exact=True) for seed in range(5)}) == 1


def test_a_move_that_costs_too_much_is_not_played() -> None:
    """Of all moves only the captures gain points; a style that may lose none must take one."""
    board = Board.from_diagram(". . . . . | . X O X . | . . X . . | . . . . . | . . . . .")
    strict, careless = (
        player(style=Style(heat=8.0, plausible=1e-9, most_lost=points)) for points in (0.5, 99.0)
    )
    capture = 2
    assert {choose(strict, Game.at(board), seed) for seed in range(6)} <= {capture} | {
        int(strict.evaluator.evaluate([board], symmetry="none").priors[0].argmax())
    }
    assert len({choose(careless, Game.at(board), seed) for seed in range(12)}) > 3


def test_settings_of_others_are_refused_and_the_rank_can_change() -> None:
    one = player()
    with pytest.raises(GoError, match="are not the settings of a rank"):
        one.with_settings(PolicySettings())
    other = one.with_settings(RankedSettings("5k"))
    assert other.settings.rank == "5k" and other.name == "counting 5k"
    assert other.evaluator is one.evaluator
    assert evaluator_of(other) is one.evaluator and other.weak_moves is one.weak_moves
    with pytest.raises(GoError, match="seconds of thinking make no sense"):
        RankedSettings(think_least=2.0, think_most=1.0)


# Manners


def test_a_move_takes_a_human_while() -> None:
    wall = Wall()
    one, game = player(wall, think_least=1.0, think_most=4.0), Game(9)
    for seed in range(12):
        began = wall.seconds
        game.play(choose(one, game, seed))
        assert 1.0 <= wall.seconds - began <= 4.0
    assert len({round(wait, 3) for wait in wall.waits}) > 6


def test_it_answers_at_once_where_nobody_wants_it_to_wait() -> None:
    wall = Wall()
    choose(player(wall), Game(9))
    assert wall.waits == []


@pytest.mark.parametrize(
    "settings", [TimeSettings("absolute", 20.0), TimeSettings("byoyomi", 5.0, 2.0, periods=1)]
)
def test_it_never_thinks_over_the_clock(settings: TimeSettings) -> None:
    wall = Wall()
    one = player(wall, think_least=1.0, think_most=4.0)
    game = Game(9, clock=Clock(settings, now=wall))
    for seed in range(80):
        colour = game.board.to_play
        budget = time_budget(game)
        game.clock.start()
        move = one.choose(game, budget, rng=np.random.default_rng(seed)).move
        game.clock.stop(colour)
        assert not game.clock.overrun
        if move == RESIGN:
            break
        game.play(move)
    assert wall.waits


def test_easy_moves_are_quicker() -> None:
    def taken(sure: float) -> float:
        wall = Wall()
        thinking = ThinkingTime(now=wall, sleep=wall.sleep)
        thinking.begin()
        rng = np.random.default_rng(1)
        thinking.wait(1.0, 4.0, sure=sure, limit=None, rng=rng)
        return wall.seconds

    assert 1.0 <= taken(0.95) < taken(0.4) < taken(0.05) <= 4.0


def test_only_a_game_that_stays_hopeless_is_given_up() -> None:
    game, hopeless = Game(9), Hopeless()
    lost = {"winrate": 0.01, "lead": -20.0, "behind": 30.0}
    while len(game.moves) < 9:
        assert not hopeless.gives_up(game, **lost)
        game.play(len(game.moves))
    assert hopeless.gives_up(game, **lost)
    assert not hopeless.gives_up(game, **{**lost, "lead": -3.0})  # 30 on 19x19 are 6.7 on 9x9
    assert not hopeless.gives_up(game, **lost)  # it has to last


def test_who_gives_stones_does_not_give_up_before_they_had_to_tell() -> None:
    """With nine stones on 19x19 the network sees White behind by 90 points from the start."""
    game, hopeless = Game(9, komi=0.5), Hopeless()
    game.place_handicap(fixed_points(9, 4))
    lost = {"winrate": 0.001, "lead": -40.0, "behind": 30.0}
    free = [move for move in range(81) if game.board.grid.ravel()[move] == EMPTY]
    while game.board.turn < 41:
        assert not hopeless.gives_up(game, **lost), game.board.turn
        game.play(free.pop(0))
    assert hopeless.gives_up(game, **lost)


def test_turns_of_another_game_do_not_count_as_hopeless() -> None:
    game, hopeless = Game(9), Hopeless()
    lost = {"winrate": 0.01, "lead": -20.0, "behind": 30.0}
    for move in range(13):
        game.play(move)
        hopeless.gives_up(game, **lost)
    game.load(GameRecord(size=9, moves=tuple((1 + n % 2, 80 - n) for n in range(14))))
    for _ in range(4):  # two turns of each
        assert not hopeless.gives_up(game, **lost)
        game.play(next(move for move in range(81) if game.board.is_legal(move)))
    assert hopeless.gives_up(game, **lost)


def test_weaker_ranks_go_on_for_longer() -> None:
    behind = [style_of(RankedSettings(rank), 19).resign for rank in RANKS]
    assert behind == sorted(behind, reverse=True) and behind[0] > behind[-1]


def test_a_hopeless_game_is_resigned_unless_that_is_not_wanted() -> None:
    """The stub judges by stones: Black has one, White 27."""
    rows = ["O O O O O O O", "O . O O O . O", "O O O O O O O", ". O O O O O O", ". O O O O . ."]
    board = Board.from_diagram(" | ".join([*rows, ". . . . . . .", ". . . . . X ."]))
    for resigns in (True, False):
        one, game = player(resigns=resigns), Game.at(board)
        found = []
        for move in (42, 43, 44, 45):
            found.append(choose(one, game))
            game.play(move)
            game.play(49)
        assert (RESIGN in found) is resigns


@pytest.mark.parametrize(
    ("rules", "visits", "lead", "played"),
    [
        ("chinese", 9, -0.4, True),
        ("chinese", 4, -0.4, False),
        ("chinese", 9, -4.0, False),
        ("japanese", 9, -0.4, True),
        ("japanese", 9, -3.0, False),
    ],
)
def test_a_first_pass_gives_way_to_a_move_that_gains(
    rules: str, visits: int, lead: float, played: bool
) -> None:
    """The numbers of the first case are from a game of 5k on 9x9."""
    passing = Candidate(81, 0.1, 21, (81,), lead=-4.9)
    move = Candidate(7, 0.4, visits, (7,), lead=lead)
    board = Board(9, rules=rules)
    assert rather_than_pass(Choice(81, (passing, move)), board) == (7 if played else 81)
    assert rather_than_pass(Choice(7, (passing, move)), board) == 7


@pytest.mark.parametrize("passed", [True, False])
def test_a_pass_in_a_settled_position_is_not_answered_by_a_resignation(
    passed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hopeless, "gives_up", lambda *_, **__: True)
    monkeypatch.setattr("goengine.players.ranked.ranked_player._is_settled", lambda _: True)
    board = Board.from_diagram(SETTLED, to_play=WHITE if passed else BLACK)
    if passed:
        board.play(49)
    assert (choose(player(), Game.at(board)) == RESIGN) is not passed


def test_two_looks_at_an_ending_share_the_time_of_one_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall, asked = Wall(), []
    one, game = player(wall), Game.at(Board.from_diagram(SETTLED, to_play=BLACK))
    game.play(49)

    def reads(self: SearchPlayer, game: Game, budget: Budget, **_: Any) -> Choice:
        asked.append((budget.visits, budget.seconds, budget.most))
        wall.seconds += 0.75
        return Choice(49)

    monkeypatch.setattr(SearchPlayer, "choose", reads)
    assert one.choose(game, Budget(seconds=1.0), rng=np.random.default_rng(2)).move == 49
    assert asked == [(16, 1.0, 1.0), (150, 0.25, 0.25)]


# What it shows afterwards


def test_weak_moves_are_noted_and_told_in_order_of_what_they_cost() -> None:
    game, notes = Game(9), WeakMoves()
    notes.note(game, WeakMove(0, BLACK, 10, 20, 2.4))
    game.play(10)
    notes.note(game, None)
    game.play(11)
    notes.note(game, WeakMove(2, BLACK, 12, 22, 7.6))
    game.play(12)
    assert [one.turn for one in notes.of(game)] == [0, 2]
    lines = described(notes.of(game), 9).splitlines()
    assert lines == [
        "move 3, black D8: E7 was better by about 8 points",
        "move 1, black B8: C7 was better by about 2 points",
    ]
    game.undo()
    assert [one.turn for one in notes.of(game)] == [0]
    notes.note(game, None)
    assert [one.turn for one in notes.of(game)] == [0]
    assert described([WeakMove(0, BLACK, 10, 20, 0.4)], 9) == ""


def test_a_weak_player_knows_its_weak_moves() -> None:
    one, game = player(style=style_at(0.0)), Game(7)
    rng = np.random.default_rng(3)
    for _ in range(10):
        game.play(one.choose(game, rng=rng).move)
    found = one.weak_moves.of(game)
    assert found
    for weak in found:
        assert game.moves[weak.turn] == (weak.colour, weak.move) and weak.better != weak.move


# Making


def test_ranks_need_a_network_that_judges() -> None:
    with pytest.raises(GoError, match=r"policy-64 names moves .* too weak .* use ranks-96"):
        make_ranked_player("8k", "policy-64")
    with pytest.raises(GoError, match="there is no opponent of 9d"):
        make_ranked_player("9d")


def test_the_shipped_opponent_plays_and_best_is_the_search() -> None:
    one = make_ranked_player("12k", machine=Machine(threads=1), seed=1, size=9)
    assert isinstance(one, RankedPlayer) and one.name == "ranks-96 12k"
    games = [Game(9) for _ in range(6)]
    rng = np.random.default_rng(8)
    for _ in range(3):
        for game, choice in zip(games, one.choose_each(games, rng=rng), strict=True):
            game.play(choice.move)
    assert len({tuple(game.moves) for game in games}) > 1
    best = make_ranked_player(
        "best",
        best=SearchSettings(visits=7),
        megabytes=20.0,
        machine=Machine(threads=1),
        seed=1,
        size=9,
    )
    assert isinstance(best, SearchPlayer) and best.name == "dual-96"
    assert best.settings == SearchSettings(visits=7, megabytes=20.0)
    assert best.choose(Game(9), Budget(visits=4), rng=rng).move < 81
