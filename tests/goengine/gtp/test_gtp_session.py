"""GTP sessions beyond transcripts: files, scores, failures, two engines at once."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pytest

from goengine._kernels import chains
from goengine._version import __version__
from goengine.board import Board
from goengine.games.game import Game
from goengine.gtp.engine import Engine
from goengine.gtp.session import SessionSettings
from goengine.handicap import fixed_points, free_points, most_fixed
from goengine.players.effort import quick
from goengine.players.player import Choice
from goengine.players.policy_player import PolicyPlayer
from goengine.players.settings import PolicySettings
from goengine.types import RESIGN
from tests.helpers.stub_players import (
    CentrePlayer,
    StubEvaluator,
    StubPlayer,
    failure,
    make_engine,
    result,
)


class Stubborn(CentrePlayer):
    """A player that gives one answer whatever the position."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self.answer = answer

    def choose(self, *arguments: object, **rest: object) -> Choice:
        return Choice(self.answer)


# Identity


def test_the_version_is_that_of_the_project_and_suits_lizzie() -> None:
    text = Path(__file__).parents[3].joinpath("pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'^version = "(.*)"$', text, re.MULTILINE)
    dynamic = "cnncore.system.version" in text
    assert dynamic or (declared is not None and declared[1] == __version__)
    assert int(__version__.split(".")[1]) >= 15


def test_the_list_of_commands_is_complete_and_derived() -> None:
    engine = make_engine()
    names = result(engine, "list_commands").split("\n")
    assert len(names) == len(set(names)) > 50
    required = (
        "protocol_version name version known_command list_commands quit boardsize clear_board komi "
        "play genmove fixed_handicap place_free_handicap set_free_handicap loadsgf reg_genmove "
        "undo time_settings time_left final_score final_status_list showboard"
    )
    assert set(required.split()) <= set(names)
    for name in names:
        assert result(engine, f"known_command {name}") == "true"


# Score


def test_a_divided_board_is_scored(tmp_path: Path) -> None:
    engine = make_engine(size=7)
    for line in range(1, 8):
        result(engine, f"play b C{line}")
        result(engine, f"play w D{line}")
    result(engine, "play w A1")
    result(engine, "komi 2")
    assert result(engine, "final_score") == "W+9"
    assert result(engine, "final_status_list dead") == "A1"
    alive = result(engine, "final_status_list alive").split("\n")
    assert sorted(alive) == [" ".join(f"{c}{n}" for n in range(7, 0, -1)) for c in "CD"]
    assert result(engine, "final_status_list seki") == ""
    assert failure(engine, "final_status_list ill").startswith("syntax error: 'ill'")
    result(engine, "komi 0.5")
    assert result(engine, "final_score") == "W+7.5"
    ownership = result(engine, "goengine-ownership").split()
    assert len(ownership) == 49 and float(ownership[0]) > 0.4 and float(ownership[6]) < -0.4


def test_stones_that_nobody_captured_are_alive_under_tromp_taylor_rules() -> None:
    engine = make_engine(size=7, rules="tromp-taylor")
    for line in range(1, 8):
        result(engine, f"play b C{line}")
        result(engine, f"play w D{line}")
    result(engine, "play w A1")
    result(engine, "komi 2")
    assert result(engine, "final_score") == "W+24", "21 points between A and C count for nobody"
    assert result(engine, "final_status_list dead") == ""
    assert "A1" in result(engine, "final_status_list alive").split()
    result(engine, "kgs-rules chinese")
    assert result(engine, "final_score") == "W+9"


# Moves


def test_resigning_and_passing_are_answered() -> None:
    assert result(make_engine(lambda: Stubborn(RESIGN)), "genmove b") == "resign"
    engine = make_engine(lambda: Stubborn(81))
    assert result(engine, "genmove b") == "pass"
    assert result(engine, "lz-genmove_analyze w 10 maxmoves 1").endswith("\nplay pass")
    assert result(engine, "move_history") == "white pass\nblack pass"


def test_an_illegal_choice_becomes_a_pass(caplog: pytest.LogCaptureFixture) -> None:
    engine = make_engine(lambda: Stubborn(40))
    assert result(engine, "genmove b") == "E5"
    with caplog.at_level(logging.ERROR):
        assert result(engine, "genmove w") == "pass"
    assert "illegal" in caplog.text


def test_a_player_without_opinions_cannot_analyse() -> None:
    class Silent(StubPlayer):
        name = "silent"

        def move(self, board: Board) -> int:
            return 0

    engine = make_engine(Silent)
    assert failure(engine, "lz-analyze b 10").startswith("this player cannot analyse")
    assert failure(engine, "kata-get-param temperature").startswith("'temperature' is not")
    assert result(engine, "genmove b") == "A9"


def test_cleanup_and_regression_use_variants_of_the_player() -> None:
    uniform = StubEvaluator(lambda records: np.full((1, 81), 1 / 81))
    settings = PolicySettings(temperature=1.0, resign=5.0)
    player = PolicyPlayer(uniform, settings)
    engine = make_engine(lambda: player)
    assert len({result(engine, "reg_genmove b") for _ in range(4)}) == 1
    result(engine, "kgs-genmove_cleanup b")
    assert player.settings == settings
    assert (settings.temperature, settings.cleanup, settings.resign) == (1.0, None, 5.0)
    hasty = quick(settings)
    assert hasty.playouts < settings.playouts and hasty.temperature == 1.0


def test_cleanup_takes_dead_stones_that_genmove_leaves() -> None:
    def likes_all(records: np.ndarray) -> np.ndarray:
        masks = np.empty((len(records), 26), dtype=np.bool_)
        chains.sensible_masks(records, masks)
        return masks[:, :-1] / np.maximum(1, masks[:, :-1].sum(axis=1, keepdims=True))

    evaluator = StubEvaluator(likes_all)
    engine = make_engine(lambda: PolicyPlayer(evaluator), size=5, rules="japanese")
    black, white = "A4 B1 B2 B3 B4 B5", "A1 C1 C2 C3 C4 C5 D1 D2 D3 D4 D5 E2 E4"
    stones = [f"b {v}" for v in black.split()] + [f"w {v}" for v in white.split()]
    result(engine, "set_position " + " ".join(stones))
    for line in ("play b pass", "play w pass"):
        result(engine, line)
    assert result(engine, "final_status_list dead") == "A1"
    assert result(engine, "reg_genmove b") == "pass"
    assert result(engine, "kgs-genmove_cleanup b") == "A2"
    result(engine, "play w pass")
    assert result(engine, "final_status_list dead") == ""
    assert result(engine, "kgs-genmove_cleanup b") == "pass"


def test_the_clock_is_charged_and_reset() -> None:
    engine = make_engine()
    result(engine, "time_settings 100 0 0")
    result(engine, "genmove b")
    left = engine.session.clock.left(1)
    assert left is not None and left < 100
    result(engine, "clear_board")
    assert engine.session.clock.left(1) == 100


def test_komi_and_rules_outlive_the_game() -> None:
    engine = make_engine()
    result(engine, "komi 3.5")
    result(engine, "kgs-rules japanese")
    for line in ("boardsize 13", "clear_board", "boardsize 9", "fixed_handicap 2"):
        result(engine, line)
        assert result(engine, "get_komi") == "3.5"
        assert engine.session.game.board.komi == 3.5
        assert engine.session.game.board.rules.name == "japanese"


def test_rules_keep_their_name_while_they_say_the_same() -> None:
    engine = make_engine()
    for preset in ("chinese", "japanese", "korean", "aga", "new-zealand", "tromp-taylor"):
        result(engine, f"kata-set-rules {preset}")
        result(engine, "kata-set-rule friendlyPassOk true")
        assert engine.session.game.rules.name == preset
    result(engine, "kata-set-rule suicide false")
    assert engine.session.game.rules.name == "custom"
    result(engine, "kgs-rules japanese")
    result(engine, "kata-set-rules " + result(make_engine(rules="new-zealand"), "kata-get-rules"))
    assert engine.session.game.rules.name == "new-zealand"


def test_rules_that_must_hold_are_checked() -> None:
    engine = make_engine()
    for line in (
        'kata-set-rules {"scoring":"TERRITORY","tax":"NONE"}',
        'kata-set-rules {"tax":"ALL","scoring":"AREA"}',
        "kata-set-rule tax SEKI",
        "kata-set-rule friendlyPassOk banana",
    ):
        assert "cannot be" in failure(engine, line)
        assert engine.session.game.rules.name == "chinese"
    result(engine, 'kata-set-rules {"tax":"seki","scoring":"TERRITORY","friendlyPassOk":false}')
    assert engine.session.game.rules.scoring == "territory"


def test_an_unknown_rule_set_is_named_in_short() -> None:
    word = "x" * 20_000
    for line in (f"kata-set-rules {word}", f"kgs-rules {word}"):
        answer = failure(make_engine(), line)
        assert answer.startswith("'xxx") and "use one of chinese" in answer and len(answer) < 200


def test_a_ridiculous_komi_keeps_its_digits() -> None:
    engine = make_engine()
    result(engine, "komi 1234567.5")
    assert result(engine, "get_komi") == "1234567.5"
    assert result(engine, "final_score") == "W+1234567.5"
    assert "Komi 1234567.5," in result(engine, "showboard")


def test_who_plays_is_told_by_its_name() -> None:
    engine = make_engine()
    result(engine, "kata-set-param temperature 0.5")
    assert "\nplayer: centre, temperature 0.5\n" in result(engine, "gomill-describe_engine")
    assert "centre, temperature 0.5" in result(engine, "kgs-chat game somebody hello")


def test_the_seed_decides() -> None:
    def game(seed: int) -> str:
        engine = Engine(RandomCentre, SessionSettings(size=9, seed=seed))
        return " ".join(result(engine, f"genmove {'bw'[turn % 2]}") for turn in range(10))

    class RandomCentre(CentrePlayer):
        def choose(self, game: Game, *rest: object, rng: np.random.Generator, **more: object):
            return Choice(int(rng.choice(np.flatnonzero(game.board.legal()[:-1]))))

    assert game(1) == game(1) != game(2)


# Failures


def test_an_internal_error_is_an_answer_and_a_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(CentrePlayer):
        def choose(self, *arguments: object, **rest: object) -> Choice:
            raise RuntimeError("spilt coffee")

    engine = make_engine(Broken)
    with caplog.at_level(logging.ERROR):
        assert engine.answer("5 genmove b") == "?5 internal error\n\n"
    assert "spilt coffee" in caplog.text
    assert result(engine, "play b C3") == ""


def test_a_player_that_cannot_be_loaded_leaves_the_board(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []

    def factory() -> object:
        tries.append(1)
        raise FileNotFoundError("no network\nnamed 'x'")

    engine = make_engine(factory)
    with caplog.at_level(logging.ERROR):
        engine.session.load()
    assert "cannot load the player: no network named 'x'" in caplog.text
    for line in ("genmove b", "lz-analyze b", "reg_genmove w", "goengine-policy"):
        assert failure(engine, line) == "cannot load the player: no network named 'x'"
    assert "no network named 'x'" in result(engine, "gomill-describe_engine")
    assert result(engine, "play b C3") == ""
    assert result(engine, "final_score").startswith("B+")
    assert len(tries) == 1


def test_two_engines_do_not_disturb_each_other() -> None:
    small, large = make_engine(size=5), make_engine(size=19, rules="japanese")
    result(small, "komi 1")
    for turn in range(8):
        colour = "bw"[turn % 2]
        result(small, f"genmove {colour}")
        result(large, f"genmove {colour}")
    assert result(small, "query_boardsize") == "5" and result(large, "query_boardsize") == "19"
    assert result(small, "get_komi") == "1" and result(large, "get_komi") == "6.5"
    result(small, "quit")
    assert small.closing and not large.closing
    assert result(large, "move_history").count("\n") == 7


# Handicap


@pytest.mark.parametrize("size", range(2, 20))
def test_handicaps_are_distinct_points_of_the_board(size: int) -> None:
    for count in range(2, most_fixed(size) + 1):
        points = fixed_points(size, count)
        assert len(set(points)) == len(points) == count
        assert free_points(size, count) == points
    for count in {2, 3, min(10, size * size - 1), size * size - 1}:
        points = free_points(size, count)
        assert len(set(points)) == len(points) == count
        assert all(0 <= point < size * size for point in points)


# Documentation


def test_the_documentation_lists_every_command() -> None:
    text = Path(__file__).parents[3].joinpath("docs", "gtp.md").read_text(encoding="utf-8")
    table = text.partition("## Errors")[0]
    rows = re.findall(r"^\| (`.*`) \|", table, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert documented == make_engine().session.command_names


def test_who_moves_first_after_a_set_up_had_the_turn_there() -> None:
    """White begins, so Black never had the move in the first position and it may come again."""
    for rules, answer in (("aga", ""), ("tromp-taylor", "illegal move")):
        engine = make_engine(rules=rules)
        result(engine, "set_position b b8 b a8 w b9 w c8 w d9")
        result(engine, "play w a9")
        result(engine, "play b c9")
        line = "play w b9"
        assert (result if not answer else failure)(engine, line) == answer
