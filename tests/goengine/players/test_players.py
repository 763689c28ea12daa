"""Players: masks, temperature, superko, passing, cleaning up, resigning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from goengine.board import Board
from goengine.games.game import Game
from goengine.match.random_player import RandomPlayer
from goengine.players.player import Candidate, Conditions, Question, Snapshot
from goengine.players.policy_player import PolicyPlayer
from goengine.players.settings import PolicySettings
from goengine.scoring.status import status
from goengine.types import BLACK, RESIGN, WHITE, GoError
from tests.helpers.diagrams import DEAD, SETTLED
from tests.helpers.stub_players import StubEvaluator


class Prefers(StubEvaluator):
    """An evaluator that likes the named moves best, in order, and all others a little."""

    def __init__(self, *moves: int) -> None:
        super().__init__(self.prefer)
        self.moves = moves

    def prefer(self, records: np.ndarray) -> np.ndarray:
        size = int(records["size"][0])
        weights = np.full((len(records), size * size), 0.01, dtype=np.float32)
        for place, move in enumerate(self.moves):
            weights[:, move] = 2.0 ** (3 - place)
        for row, record in zip(weights, records, strict=True):
            board = Board(size, rules="replay")
            board.records = record.reshape(1).copy()
            row *= board.sensible()[:-1]
        return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


RNG = 7


def policy(*moves: int, **settings: object) -> PolicyPlayer:
    return PolicyPlayer(Prefers(*moves), PolicySettings(**settings))  # type: ignore[arg-type]


def choose(player: PolicyPlayer | RandomPlayer, *boards: Board, seed: int = RNG) -> list[int]:
    games = [Game.at(board) for board in boards]
    return [choice.move for choice in player.choose_each(games, rng=np.random.default_rng(seed))]


def choice(player: PolicyPlayer, board: Board, rng: np.random.Generator) -> int:
    return player.choose(Game.at(board), rng=rng).move


def after_pass(text: str, colour: int, *, komi: float = 0.5, rules: str = "chinese") -> Board:
    board = Board.from_diagram(text, to_play=3 - colour, rules=rules)
    board.komi = komi
    board.play(board.size**2)
    return board


def test_random_player_plays_every_sensible_move_and_then_passes():
    board = Board(2)
    seen = {choose(RandomPlayer(), board, seed=seed)[0] for seed in range(40)}
    assert seen == {0, 1, 2, 3}
    full = Board.from_diagram("X . X | X X X | . X X")
    assert choose(RandomPlayer(), full) == [9]


def test_greedy_plays_the_best_sensible_move_of_each_board():
    player = policy(40, 41)
    board, other = Board(9), Board(9)
    other.play(40)
    assert choose(player, board, other) == [40, 41]


def test_a_choice_among_some_moves_is_one_of_them_or_a_forced_pass():
    player = policy(40, 41, 3)

    def among(board: Board, *moves: int) -> int:
        conditions = Conditions(among=frozenset(moves))
        rng = np.random.default_rng(RNG)
        return player.choose(Game.at(board), rng=rng, conditions=conditions).move

    assert among(Board(9), 3, 41, 81) == 41
    assert among(Board(9), 81) == 81
    occupied = Board(9)
    occupied.play(41)
    assert among(occupied, 41) == 81
    settled = after_pass(SETTLED, BLACK)
    assert among(settled, 5, 49) == 49
    assert among(settled, 5) == 5


def test_one_batch_for_each_board_size():
    player = policy(3)
    boards = [Board(9), Board(5), Board(9), Board(9)]
    assert choose(player, *boards) == [3, 3, 3, 3]
    assert isinstance(player.evaluator, Prefers) and player.evaluator.batches == [1, 3]


def test_temperature_spreads_the_choice_and_follows_the_seed():
    player = policy(40, 41, temperature=1.0)
    moves = [choose(player, Board(9), seed=seed)[0] for seed in range(60)]
    assert {40, 41} <= set(moves)
    assert moves.count(40) > moves.count(41) / 2
    assert moves == [choose(player, Board(9), seed=seed)[0] for seed in range(60)]
    cold = policy(40, 41, temperature=0.05)
    assert {choose(cold, Board(9), seed=seed)[0] for seed in range(20)} == {40}


def test_superko_is_respected():
    board = Board.from_diagram(". X O . | X O . O | . X O . | . . . .")
    player = policy(6, 5)
    board.play(6)
    assert board.captures == (1, 0)
    for move in (12, 13):
        board.play(move)
    assert choose(player, board) == [5]
    board.remember(after(board, 5).hash, WHITE)
    assert choose(player, board) not in ([5], [6])


def after(board: Board, move: int) -> Board:
    twin = board.copy()
    twin.play(move)
    return twin


def test_the_move_cap_passes():
    board = Board(5)
    player = policy(12, move_cap=1)
    assert choose(player, board) == [12]
    board.play(12)
    assert choose(player, board) == [25]


@pytest.mark.parametrize("colour", [BLACK, WHITE])
@pytest.mark.parametrize("rules", ["chinese", "japanese", "tromp-taylor"])
def test_a_settled_position_is_passed(colour, rules):
    board = after_pass(SETTLED, colour, rules=rules)
    assert status(board, rng=np.random.default_rng(1)).settled.mean() > 0.9
    assert choose(policy(5, 6, 28, 36), board) == [49]


def test_two_players_end_a_settled_game_by_themselves():
    board = Board.from_diagram(SETTLED)
    player = policy(5, 6, 28, 36)
    rng = np.random.default_rng(1)
    while board.passes < 2:
        board.play(choice(player, board, rng))
        assert board.turn < 12


@pytest.mark.parametrize("colour", [BLACK, WHITE])
def test_a_settled_position_of_set_up_stones_is_late(colour):
    board = Board.from_diagram(SETTLED, to_play=colour)
    assert board.turn == 0
    assert choose(policy(5, 6, 28, 36), board) == [49]
    few = Board.from_diagram(". . X . .\n" * 2 + ". . . . .\n" * 3, to_play=colour)
    assert choose(policy(0, 24), few) != [25]


def test_an_early_pass_of_the_opponent_is_no_reason_to_pass():
    board = Board(9)
    board.play(81)
    assert choose(policy(40), board) == [40]


def test_dead_stones_are_left_alone_or_captured_as_told():
    board = after_pass(DEAD, BLACK)
    assert status(board, rng=np.random.default_rng(1)).dead == {6, 36}
    assert choose(policy(28), board) == [49]
    beside = {35, 37}
    assert choose(policy(28, cleanup=True), board)[0] in beside
    strict = after_pass(DEAD, BLACK, rules="tromp-taylor")
    assert choose(policy(28), strict)[0] in beside
    assert choose(policy(28, cleanup=False), strict) == [49]


def test_cleaning_up_takes_the_stones_and_then_passes():
    board = after_pass(DEAD, BLACK)
    player = policy(28, cleanup=True)
    rng = np.random.default_rng(1)
    for _ in range(12):
        move = choice(player, board, rng)
        board.play(move)
        if board.passes == 2:
            break
        if board.passes == 0:
            board.play(49)
    assert board.grid.ravel()[36] != WHITE
    assert board.passes == 2


NAKADE = """
. X . O X . . . .
O O O O X . . . .
X X X X X . . . .
. . . . . . . . .
. . . . . . . . .
X X X X X X X X X
O O O O O O O O O
. . . . . . . . .
. . O . . . O . .
"""


def captures(board: Board, move: int) -> bool:
    if not board.is_legal(move):
        return False
    after = board.copy()
    after.play(move)
    return after.captures != board.captures


@pytest.mark.parametrize("answers", [False, True])
def test_a_dead_chain_with_an_eye_is_taken_by_throwing_in(answers):
    """Three points of eye space with a stone on the middle one: every capture begins in atari."""
    board = after_pass(NAKADE, BLACK, rules="tromp-taylor")
    dead = {3, 9, 10, 11, 12}
    assert dead <= status(board, rng=np.random.default_rng(1)).dead
    player, rng = policy(40), np.random.default_rng(1)
    for _ in range(12):
        board.play(choice(player, board, rng))
        if board.passes == 2:
            break
        room = [move for move in (0, 1, 2) if answers and captures(board, move)]
        board.play(room[0] if room else 81)
    assert board.passes == 2
    assert not (board.grid.ravel()[:18] == WHITE).any()


def test_a_hopeless_late_game_is_resigned_only_where_that_is_allowed():
    text = SETTLED
    early = Board(7, komi=40)
    early.play(49)
    assert choose(policy(28, resign=20), early) != [RESIGN]
    board = after_pass(text, BLACK, komi=40)
    assert choose(policy(28), board) == [49]
    assert choose(policy(28, resign=20), board) == [RESIGN]
    assert choose(policy(28, resign=60), board) == [49]
    board.komi = -40
    assert choose(policy(28, resign=20), board) == [49]


def test_no_own_eye_is_ever_filled():
    rng = np.random.default_rng(5)
    player = policy(*range(0, 25), temperature=1.0)
    boards: Sequence[Board] = [Board(5), Board(5, rules="japanese"), Board(7)]
    for _ in range(60):
        games = [Game.at(board) for board in boards]
        moves = [one.move for one in player.choose_each(games, rng=rng)]
        for board, move in zip(boards, moves, strict=True):
            assert board.is_legal(move)
            assert board.sensible()[move]
            board.play(move)


def seen(player: PolicyPlayer, board: Board) -> Snapshot:
    once = Question(visits=1)
    (snapshot,) = player.analyst.stream(
        Game.at(board), interval=1.0, pause=lambda _: True, question=once
    )
    return snapshot


def test_candidates_are_sorted_and_honest():
    found = seen(policy(40, 41, 42), Board(9)).candidates
    assert [c.move for c in found[:3]] == [40, 41, 42]
    assert [c.pv for c in found[:3]] == [(40,), (41,), (42,)]
    priors = [c.prior for c in found]
    assert priors == sorted(priors, reverse=True) and sum(priors[:3]) <= 1
    assert [c.visits for c in found] == [max(1, round(1000 * p)) for p in priors]
    assert {c.winrate for c in found} == {None}
    assert len(found) == 81
    assert min(c.visits for c in found) >= 1


def test_without_a_sensible_move_the_candidate_is_a_pass():
    full = Board.from_diagram("X . X | X X X | . X X")
    assert seen(policy(0), full).candidates == (Candidate(9, 1.0, 1000, (9,)),)


class Judges(Prefers):
    """Prefers moves, and thinks the player to move three points ahead and the owner of all."""

    def evaluate(self, boards, *, symmetry, rng):
        named = super().evaluate(boards, symmetry=symmetry, rng=rng)
        count, size = len(boards), boards[0].size
        return replace(
            named,
            value=np.full(count, 0.5, dtype=np.float32),
            lead=np.full(count, 3.0, dtype=np.float32),
            spread=np.full(count, 2.0, dtype=np.float32),
            ownership=np.ones((count, size, size), dtype=np.float32),
        )


def test_a_bare_network_that_judges_says_who_is_ahead():
    board = Board(9)
    board.play(40)
    assert seen(policy(41), board).winrate is None
    found = seen(PolicyPlayer(Judges(41)), board)
    assert found.winrate == found.raw_winrate == 0.75
    assert found.lead == found.raw_lead == 3.0
    assert found.deviation == pytest.approx(2 * np.pi / np.sqrt(3))
    assert found.ownership is not None and (found.ownership == -1).all()
    assert found.root_visits is None and found.candidates[0].winrate is None


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"temperature": -1}, "temperature -1 is negative"), ({"playouts": 0}, "0 playouts")],
)
def test_settings_that_make_no_sense_are_refused(settings, text):
    with pytest.raises(GoError, match=text):
        policy(28, **settings)
