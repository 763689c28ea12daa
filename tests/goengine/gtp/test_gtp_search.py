"""GTP with a player that reads: what clients parse, who is asked, what a search is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import gtp_to_move
from goengine.gtp.engine import Engine
from goengine.gtp.reports.cgos_report import LETTERS
from goengine.gtp.reports.raw_network import one_view
from goengine.inference.evaluator import Evaluator
from goengine.players.search_player import SearchPlayer
from goengine.types import BLACK, WHITE
from tests.goengine.search.test_tree_search import CountingBackend
from tests.helpers.counting_players import counting_engine, counting_player
from tests.helpers.stub_players import failure, make_engine, result

LAST = re.compile(r"play (\S+)$")


def tree_of(engine: Engine) -> int:
    """Return the visits of the player's tree."""
    player = engine.session.player
    assert isinstance(player, SearchPlayer)
    return player.tree.visits


def looks(count: int) -> Callable[..., bool]:
    """Return a pause that lets so many questions pass before it says stop."""
    left = [count]

    def pause(seconds: float = 0.0) -> bool:
        left[0] -= 1
        return left[0] < 0

    return pause


def report(engine: Engine, line: str, *, asked: int = 60) -> str:
    """Return the last report of an analysis that goes on for a while."""
    engine.session.pause = looks(asked)
    return result(engine, line).split("\n")[-1]


def segments(line: str) -> list[dict[str, list[str]]]:
    """Return what each `info` says, as key -> words behind it, single values in a list too."""
    lists = {"pv", "pvVisits", "movesOwnership", "ownership"}
    found = []
    for text in re.split(r"\binfo\b", line)[1:]:
        text = re.split(r" (?:rootInfo|ownership) ", text)[0]
        words, fields = text.split(), {}
        while words:
            key = words.pop(0)
            if key in lists:
                end = next((i for i, word in enumerate(words) if word in lists), len(words))
                fields[key], words = words[:end], words[end:]
            else:
                fields[key] = [words.pop(0)]
        found.append(fields)
    return found


# Formats


def as_sabaki_reads(line: str) -> list[dict[str, object]]:
    """Return the variations that Sabaki finds in a line: pv last, vertices only."""
    found = []
    for text in re.split(r"\s*info\s+", line.strip())[1:]:
        match = re.fullmatch(r"(.*?)\s+pv\s+((?:[A-Za-z]\d+\s*)+)", text)
        if match is None:
            continue
        words = match[1].split()
        fields = dict(zip(words[::2], words[1::2], strict=True))
        if re.fullmatch(r"[A-Za-z]\d+", fields["move"]):
            found.append({**fields, "pv": match[2].split()})
    return found


@pytest.mark.parametrize("command", ["analyze", "lz-analyze", "kata-analyze"])
def test_sabaki_finds_every_move_with_win_rate_and_score(command: str) -> None:
    engine = counting_engine()
    line = report(engine, f"{command} B 10")
    found = as_sabaki_reads(line)
    assert len(found) == line.count("info ") > 5
    for one in found:
        assert one["pv"][0] == one["move"]
        assert float(one["scoreLead"]) == float(one["scoreMean"])
        scale = 1 if command.startswith("kata") else 10_000
        assert ("." in str(one["winrate"])) == (scale == 1)
        assert 0 <= float(one["winrate"]) <= scale and 0 <= float(one["lcb"]) <= scale
    assert [int(str(one["order"])) for one in found] == list(range(len(found)))
    assert sum(int(str(one["visits"])) for one in found) <= tree_of(engine)


def test_lizzieyzy_and_q5go_find_what_they_insist_on() -> None:
    engine = counting_engine()
    for one in segments(report(engine, "lz-analyze 10")):
        for key in ("visits", "winrate", "prior", "lcb", "order"):
            assert one[key][0].isdigit()
    options = "ownership true pvVisits true movesOwnership true"
    line = report(engine, f"kata-analyze b 10 {options}")
    for one in segments(line):
        keys = list(one)
        assert keys[-3:] == ["pv", "pvVisits", "movesOwnership"]
        assert len(one["pv"]) == len(one["pvVisits"]) and len(one["movesOwnership"]) == 49
        assert int(one["pvVisits"][0]) == int(one["visits"][0])
        assert {"scoreMean", "scoreStdev", "scoreLead", "utility"} <= set(keys)
    assert len(line.rpartition(" ownership ")[2].split()) == 49


def test_nothing_that_was_not_asked_for_stands_behind_the_variation() -> None:
    line = report(counting_engine(), "kata-analyze b 10")
    for word in ("ownership", "movesOwnership", "pvVisits", "rootInfo"):
        assert word not in line


def test_the_root_is_there_on_request() -> None:
    engine = counting_engine()
    line = report(engine, "kata-analyze b 10 rootInfo true")
    words = line.partition(" rootInfo ")[2].split()
    root = dict(zip(words[::2], words[1::2], strict=True))
    assert int(root["visits"]) == tree_of(engine)
    assert {"winrate", "scoreLead", "scoreStdev", "utility", "rawWinrate", "rawLead"} <= set(root)


# Whose values


@pytest.mark.parametrize("order", ["{} 10", "10 {}", "{} interval 10", "interval 10 "])
def test_values_are_those_of_the_side_that_is_asked(order: str) -> None:
    engine = counting_engine()
    result(engine, "komi 60.5")
    sides = ("b", "w") if "{}" in order else ("", "")
    rates = []
    for side in sides:
        line = report(engine, f"kata-analyze {order.format(side)} rootInfo true ownership true")
        rates.append(float(segments(line)[0]["winrate"][0]))
        assert (float(segments(line)[0]["scoreLead"][0]) > 0) == (rates[-1] > 0.5)
    assert rates[0] < 0.1
    assert (rates[1] > 0.9) == (sides[1] == "w")


def test_ownership_is_that_of_the_side_that_is_asked() -> None:
    engine = counting_engine()
    for line in ("b A7", "w G1"):
        result(engine, f"play {line}")
    for side, sign in (("b", 1), ("w", -1)):
        line = report(engine, f"kata-analyze {side} 10 ownership true")
        values = [float(word) for word in line.rpartition(" ownership ")[2].split()]
        assert values[0] * sign > 0.2 and values[-1] * sign < -0.2


# What is searched


def test_moves_are_avoided_and_allowed_at_the_root_and_below() -> None:
    engine = counting_engine()
    best = segments(report(engine, "kata-analyze b 10"))[0]["move"][0]
    for one in segments(report(engine, f"kata-analyze b 10 avoid b {best} 1")):
        assert one["move"][0] != best
    answers = segments(report(engine, "kata-analyze b 10 allow w A1,A2 2"))
    assert any(len(one["pv"]) > 1 for one in answers)
    assert all(one["pv"][1] in ("A1", "A2") for one in answers if len(one["pv"]) > 1)
    only = segments(report(engine, "kata-analyze b 10 allow b C3,C4 1 avoid b C4 1"))
    assert [one["move"][0] for one in only] == ["C3"]


@pytest.mark.parametrize("form", ["lz-genmove_analyze", "kata-genmove_analyze"])
def test_a_restricted_move_keeps_to_the_restriction(form: str) -> None:
    engine = counting_engine()
    answer = result(engine, f"{form} b 10 allow b C3,D4 1")
    assert LAST.search(answer)[1] in ("C3", "D4")
    assert {one["move"][0] for one in segments(answer)} <= {"C3", "D4"}


def test_reports_come_while_a_move_is_thought_about_and_end_with_the_best() -> None:
    engine = counting_engine(visits=400)
    engine.session.pause = lambda seconds: True  # input does not end this
    pieces = list(engine.handle_line("7 kata-genmove_analyze b 10"))
    assert pieces[0] == "=7\n" and pieces[-1] == "\n"
    assert re.fullmatch(r"play [A-G][1-7]\n", pieces[-2])
    last = segments(pieces[-3])
    assert last[0]["move"][0] == pieces[-2].split()[1]
    assert sum(int(one["visits"][0]) for one in last) > 300
    assert result(engine, "last_move") == f"black {pieces[-2].split()[1]}"


def test_a_search_answers_a_move_and_does_not_play_it() -> None:
    engine = counting_engine()
    answer = result(engine, "kata-search_analyze b 10")
    assert LAST.search(answer) and segments(answer)
    assert gtp_to_move(result(engine, "kata-search b"), 7) < 49
    assert result(engine, "move_history") == ""


def test_play_and_analysis_share_one_tree() -> None:
    engine = counting_engine()
    report(engine, "lz-analyze b 10", asked=200)
    seen = tree_of(engine)
    assert seen > 200
    result(engine, "genmove b")
    assert 0 < tree_of(engine)
    report(engine, "lz-analyze w 10", asked=1)
    assert tree_of(engine) > 10


def test_the_clock_is_charged_for_what_is_streamed() -> None:
    engine = counting_engine(visits=200)
    result(engine, "time_settings 100 0 0")
    result(engine, "kata-genmove_analyze b 10")
    left = engine.session.clock.left(BLACK)
    assert left is not None and left < 100 and engine.session.clock.left(WHITE) == 100


# CGOS


def test_cgos_gets_one_line_of_json_and_a_move() -> None:
    engine = counting_engine()
    for line in ("play b A7", "play w G1"):
        result(engine, line)
    answer = result(engine, "cgos-genmove_analyze b 100").split("\n")
    assert len(answer) == 2 and LAST.search(answer[1])
    told = json.loads(answer[0])
    assert 0 <= told["winrate"] <= 1 and told["visits"] > 10 and isinstance(told["score"], float)
    assert len(told["ownership"]) == 49
    first, last = (LETTERS.index(told["ownership"][point]) for point in (0, -1))
    assert 40 < first <= 62 and 0 <= last < 20
    for one in told["moves"]:
        assert {"move", "visits", "winrate", "score", "prior", "pv"} == set(one)
        assert one["move"] not in one["pv"].split()[:1]
    assert LAST.search(answer[1])[1] in {one["move"] for one in told["moves"]}


# The network alone


def test_the_raw_network_is_shown_under_each_symmetry() -> None:
    board = Board(7, komi=3.5)
    for move in (3, 20, 44):
        board.play(move)
    evaluator = Evaluator(CountingBackend())
    plain = evaluator.evaluate([board], symmetry="none")
    together = evaluator.evaluate([board], symmetry="all")
    views = [one_view(evaluator, board, symmetry) for symmetry in range(8)]
    np.testing.assert_allclose(views[0].priors, plain.priors, atol=1e-6)
    np.testing.assert_allclose(
        np.mean([view.ownership for view in views], axis=0), together.ownership, atol=1e-6
    )
    np.testing.assert_allclose(
        np.mean([view.priors for view in views], axis=0), together.priors, atol=0.02
    )
    assert len({int(view.priors[0].argmax()) for view in views}) > 1


def test_the_raw_network_speaks_for_white_and_names_what_is_illegal() -> None:
    engine = counting_engine(size=5)
    result(engine, "play b C3")
    answer = result(engine, "kata-raw-nn 0").split("\n")
    assert answer[0] == "symmetry 0" and answer[1].startswith("whiteWin 0.")
    table = answer[answer.index("policy") + 1 :][:5]
    words = [word for row in table for word in row.split()]
    assert words[12] == "NAN" and words.count("NAN") == 1
    assert sum(float(word) for word in words if word != "NAN") == pytest.approx(1, abs=1e-4)
    owned = [float(w) for row in answer[answer.index("whiteOwnership") + 1 :] for w in row.split()]
    assert owned[12] == -1 and len(owned) == 25
    assert result(engine, "kata-raw-nn b all").count("symmetry") == 8
    assert failure(engine, "kata-raw-nn 8").startswith("symmetry cannot be 8")
    assert failure(engine, "kata-raw-nn x").startswith("syntax error")
    assert "does not have a network" in failure(make_engine(), "kata-raw-nn 0")


# GoGui


def test_gogui_draws_what_the_search_thinks() -> None:
    engine = counting_engine(size=5)
    visits = result(engine, "goengine-visits").split()
    assert sum(int(word) for word in visits[1::2]) <= 40
    pairs = result(engine, "goengine-value").split()
    assert all(0 <= int(word) <= 100 for word in pairs[1::2])
    for command in ("goengine-visits_gfx", "goengine-value_gfx", "goengine-policy_gfx"):
        drawn = result(engine, command).split("\n")
        assert drawn[0].startswith("INFLUENCE ") and drawn[1].startswith("LABEL ")
        shades = [float(word) for word in drawn[0].split()[2::2]]
        assert all(-1 <= shade <= 1 for shade in shades)
    words = result(engine, "goengine-pv").split()
    assert words[::2] == ["B", "W"] * (len(words) // 4) + ["B"] * (len(words) // 2 % 2)
    assert len(result(engine, "goengine-ownership").split()) == 25
    menu = result(engine, "gogui-analyze_commands").split("\n")
    for line in menu:
        kind, _, call = line.split("/", 2) if line.count("/") == 2 else line.rsplit("/", 2)
        assert kind in {"gfx", "dboard", "pspairs", "var", "param", "plist", "hstring", "string"}
        assert call.split()[0] in engine.session.command_names
    assert "wins" in result(engine, "genmove b") + result(engine, "gomill-explain_last_move")


# Settings while it runs


def test_limits_are_set_under_every_program_s_names() -> None:
    engine = counting_engine()
    assert result(engine, "kata-get-param maxVisits") == "40"
    result(engine, "kata-set-param maxVisits 7")
    assert result(engine, "kata-get-param maxPlayouts") == "7"
    result(engine, "lz-setoption name visits value 9")
    assert "[string] visits 9" in result(engine, "goengine-param")
    result(engine, "goengine-param visits none")
    assert result(engine, "kata-get-param maxVisits") == str(2**50)
    result(engine, "kata-set-param maxTime 0.05")
    assert result(engine, "goengine-param").split("\n")[1] == "[string] seconds 0.05"
    result(engine, "lz-setoption name Resign Percentage value 10")
    assert result(engine, "kata-get-param resign_below") == "0.1"
    result(engine, "kata-set-param allowResignation false")
    assert result(engine, "kata-get-param resign_below") == "never"
    result(engine, "kata-set-param ponderingEnabled true")
    assert engine.session.pondering
    result(engine, "lz-setoption name pondering value false")
    assert not engine.session.pondering
    result(engine, "kata-set-param analysisWideRootNoise 0.2")
    assert engine.session.width == 0.2
    result(engine, "lz-setoption name Maximum Memory Use (MiB) value 9")
    assert result(engine, "kata-get-param megabytes") == "9"
    assert result(engine, "lz-setoption").count("option name ") == 5


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("kata-set-param humour 3", "'humour' is not a parameter: there are visits, seconds"),
        ("lz-setoption name humour value 3", "'humour' is not a parameter: there are visits"),
        ("lz-setoption visits 3", "syntax error"),
        ("kata-set-param maxVisits 0", "--visits 0"),
        ("kata-set-param maxVisits -1", "cannot be -1"),
        ("kata-set-param maxVisits x", "syntax error"),
        ("kata-set-param maxTime -1", "cannot be -1"),
        ("kata-set-param ponderingEnabled perhaps", "use true or false"),
        ("kata-set-param resign_below 1", "use a share below 1"),
        ("goengine-param megabytes 0", "use 1 to"),
        ("lz-setoption name resign percentage value 100", "use 0 to 99"),
    ],
)
def test_values_that_make_no_sense_get_one_sentence(line: str, text: str) -> None:
    engine = counting_engine()
    before = result(engine, "goengine-param")
    message = failure(engine, line)
    assert text in message and "\n" not in message
    assert result(engine, "goengine-param") == before


def test_more_visits_than_anybody_searches_leave_the_limit_to_the_time() -> None:
    engine = counting_engine()
    result(engine, "kata-set-param maxVisits 1000000000000")
    result(engine, "kata-set-param maxTime 0.05")
    assert re.fullmatch(r"[A-G][1-7]", result(engine, "genmove b"))


@pytest.mark.parametrize("line", ["goengine-param seconds none", "kata-set-param maxTime 1e20"])
def test_a_limit_of_time_can_be_lifted(line: str) -> None:
    engine = counting_engine()
    result(engine, "goengine-param seconds 0.01")
    assert engine.session.longest == 0.01
    result(engine, line)
    assert engine.session.longest is None
    assert result(engine, "kata-get-param maxTime") == "1e+20"  # 40 visits end a search
    result(engine, "goengine-param visits none")
    assert result(engine, "kata-get-param maxTime") == "1"


def test_a_parameter_keeps_the_tree() -> None:
    engine = counting_engine()
    report(engine, "lz-analyze b 10", asked=100)
    seen = tree_of(engine)
    result(engine, "kata-set-param maxVisits 5")
    assert tree_of(engine) == seen


# Pondering


def test_it_ponders_after_its_own_move_until_a_line_comes() -> None:
    engine = counting_engine(ponder=True)
    engine.idle(looks(50))
    assert engine.session.player.tree.visits == 0  # type: ignore[attr-defined]
    result(engine, "genmove b")
    engine.idle(looks(50))
    seen = tree_of(engine)
    assert seen > 40
    result(engine, "time_left b 100 0")
    engine.idle(looks(50))
    assert tree_of(engine) > seen
    result(engine, "play w A1")
    before = tree_of(engine)
    engine.idle(looks(50))
    assert tree_of(engine) == before


def test_it_does_not_ponder_unless_it_is_told_to() -> None:
    engine = counting_engine()
    result(engine, "genmove b")
    before = tree_of(engine)
    engine.idle(looks(50))
    assert tree_of(engine) == before
    result(engine, "kata-set-param ponderingEnabled true")
    engine.idle(looks(50))
    assert tree_of(engine) > before


def test_a_line_that_waits_already_is_not_kept_waiting() -> None:
    engine = counting_engine(ponder=True)
    result(engine, "genmove b")
    before = tree_of(engine)
    engine.idle(lambda: True)
    assert tree_of(engine) == before


def test_pondering_ends_with_memory() -> None:
    engine = counting_engine(ponder=True, megabytes=1.0)
    result(engine, "genmove b")
    engine.idle(lambda: False)
    assert engine.session.player.tree.full  # type: ignore[attr-defined]
    assert re.fullmatch(r"[A-G][1-7]", result(engine, "genmove w"))


def test_a_fault_while_pondering_ends_it_and_not_the_engine(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Dreamer(SearchPlayer):
        def ponder(self, game: object, stop: object) -> None:
            raise RuntimeError("a bad dream")

    asleep = counting_player()
    asleep.__class__ = Dreamer
    engine = make_engine(lambda: asleep, size=7)
    result(engine, "kata-set-param ponderingEnabled true")
    result(engine, "genmove b")
    engine.idle(lambda: False)
    assert "a bad dream" in caplog.text and not engine.session.pondering
    assert result(engine, "name") == "goengine"


# Ends of games


def test_finished_games_and_full_boards_are_answered() -> None:
    engine = counting_engine(size=3)
    for line in ("play b pass", "play w pass"):
        result(engine, line)
    for line in (
        "lz-analyze b 10",
        "kata-analyze w 10 rootInfo true ownership true",
        "kata-search_analyze b 10",
        "goengine-pv",
        "goengine-visits_gfx",
        "goengine-value_gfx",
        "kata-raw-nn 0",
    ):
        result(engine, line)
    answer = result(engine, "kata-genmove_analyze b 10")
    assert LAST.search(answer)
    full = counting_engine(size=2)
    for line in ("b A1", "b A2", "b B1"):
        result(full, f"play {line}")
    for line in ("lz-analyze w 10", "kata-genmove_analyze b 10", "cgos-genmove_analyze b"):
        result(full, line)


def test_a_lost_game_is_resigned_and_a_cleanup_is_not() -> None:
    engine = counting_engine(size=9, visits=8)
    result(engine, "komi 300")
    game = engine.session.game
    rng = np.random.default_rng(3)
    answer = ""
    while answer != "resign":
        turn = game.board.turn
        answer = result(engine, "genmove b")
        if answer != "resign":
            game.play(int(rng.choice(np.flatnonzero(game.board.legal()[:-1]))), WHITE)
    assert 4 < turn < 60
    result(engine, "kata-set-param resign_below never")
    assert result(engine, "reg_genmove b") != "resign"
    result(engine, "kata-set-param resign_below 0.05")
    assert result(engine, "reg_genmove b") == "resign"
    assert result(engine, "kgs-genmove_cleanup b") != "resign"


def test_a_game_that_two_passes_ended_is_counted_by_network_and_playouts() -> None:
    """This network holds every stone for alive, which playouts alone do not."""
    lines = [f"play {side}{n}" for n in range(1, 8) for side in ("b C", "w D")]
    lines += ["play w A1", "play b pass"]
    engine, bare = counting_engine(size=7), make_engine(size=7)
    for line in lines:
        result(engine, line)
        result(bare, line)
    assert result(engine, "final_status_list dead") == "A1"
    assert result(engine, "final_score") == result(bare, "final_score") == "W+14.5"
    result(engine, "play w pass")
    result(bare, "play w pass")
    assert result(bare, "final_status_list dead") == "A1"
    assert result(bare, "final_score") == "W+14.5"
    assert result(engine, "final_status_list dead") == ""
    assert result(engine, "final_score") == "W+29.5"
    assert "A1" in result(engine, "final_status_list alive").split()
