"""Queries of the analysis protocol: every field, and one sentence for whatever is wrong with it."""

from __future__ import annotations

import json

import pytest

from goengine.analysis.requests.json_fields import QueryError, parse_object
from goengine.analysis.requests.queries import FIELDS, Action, PositionQuery, Warning, read_query
from goengine.analysis.requests.query_settings import (
    WITHOUT_EFFECT,
    AnalysisSettings,
    with_settings,
)
from goengine.types import BLACK, WHITE, GoError
from tests.helpers.analysis_client import query

DEFAULTS = AnalysisSettings(visits=12)


def read(**changes: object) -> tuple[PositionQuery, list[Warning]]:
    found, warnings = read_query(query(**changes), DEFAULTS)
    assert isinstance(found, PositionQuery)
    return found, warnings


def refused(**changes: object) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read_query(query(**changes), DEFAULTS)
    return caught.value


def test_a_plain_query_takes_its_defaults_from_the_settings() -> None:
    found, warnings = read()
    assert not warnings
    assert (found.name, found.size, found.komi, found.rules.name) == ("q", 5, 0.5, "tromp-taylor")
    assert found.turns == (0,) and found.priorities == (0,)
    assert found.settings == DEFAULTS and found.first_report is None


def test_moves_stones_and_players_are_read_in_any_usual_form() -> None:
    found, _ = read(
        moves=[["B", "C3"], ["w", "pass"], ["black", "(0,1)"]],
        initialStones=[["b", "a1"], ["W", "E5"]],
        initialPlayer="w",
    )
    assert found.moves == ((BLACK, 12), (WHITE, 25), (BLACK, 5))
    assert (found.black, found.white, found.first_player) == ((20,), (4,), WHITE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("moves", None),
        ("moves", "B C3"),
        ("moves", [["B"]]),
        ("moves", [["B", "C3", "D4"]]),
        ("moves", [["B", 3]]),
        ("moves", [["G", "C3"]]),
        ("moves", [["B", "C9"]]),
        ("moves", [["B", "resign"]]),
        ("moves", [["B", "(5,0)"]]),
        ("moves", [["B", "(0)"]]),
        ("initialStones", 7),
        ("initialStones", [["B", "pass"]]),
        ("initialPlayer", "green"),
        ("rules", None),
        ("rules", 5),
        ("rules", "my own"),
        ("rules", {"ko": "SOMETIMES"}),
        ("rules", {"suicide": "perhaps"}),
        ("rules", {"unheard": 1}),
        ("komi", "7"),
        ("komi", 7.3),
        ("komi", 151),
        ("komi", True),
        ("whiteHandicapBonus", 1),
        ("whiteHandicapBonus", "M"),
        ("boardXSize", None),
        ("boardXSize", 29),
        ("boardXSize", 1),
        ("boardXSize", 5.5),
        ("boardXSize", True),
        ("boardYSize", None),
        ("boardYSize", 7),
        ("analyzeTurns", 0),
        ("analyzeTurns", []),
        ("analyzeTurns", [1]),
        ("analyzeTurns", [-1]),
        ("analyzeTurns", [0.0]),
        ("analyzeTurns", [True]),
        ("maxVisits", 0),
        ("maxVisits", 2**50 + 1),
        ("maxVisits", 1.5),
        ("rootPolicyTemperature", 0.001),
        ("rootFpuReductionMax", 2.5),
        ("analysisPVLen", 0),
        ("analysisPVLen", 1001),
        ("includeOwnership", 1),
        ("includeOwnershipStdev", "yes"),
        ("includeMovesOwnership", []),
        ("includeMovesOwnershipStdev", 0),
        ("includePolicy", "true"),
        ("includePVVisits", {}),
        ("includeNoResultValue", 3),
        ("avoidMoves", {}),
        ("avoidMoves", [3]),
        ("avoidMoves", [{"player": "B", "moves": ["C3"]}]),
        ("avoidMoves", [{"player": "G", "moves": ["C3"], "untilDepth": 1}]),
        ("avoidMoves", [{"player": "B", "moves": "C3", "untilDepth": 1}]),
        ("avoidMoves", [{"player": "B", "moves": ["C9"], "untilDepth": 1}]),
        ("avoidMoves", [{"player": "B", "moves": ["C3"], "untilDepth": 0}]),
        ("allowMoves", [{"player": "B", "moves": ["C3"], "untilDepth": 1}] * 2),
        ("overrideSettings", []),
        ("overrideSettings", {"maxVisits": "many"}),
        ("overrideSettings", {"maxVisits": 1.5}),
        ("overrideSettings", {"wideRootNoise": -1}),
        ("overrideSettings", {"maxTime": True}),
        ("overrideSettings", {"reportAnalysisWinratesAs": "BOTH"}),
        ("overrideSettings", {"humanSLProfile": "rank_"}),
        ("overrideSettings", {"humanSLProfile": 5}),
        ("reportDuringSearchEvery", 0),
        ("firstReportDuringSearchAfter", 1e7),
        ("priority", 0.5),
        ("priority", 2**62),
        ("priorities", [1]),
        ("action", "dance"),
        ("action", None),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    if (field, value) == ("action", None):
        value = []  # an action of another kind than a word
    error = refused(**{field: value})
    assert error.field == field and error.name == "q" and str(error)


def test_priorities_belong_to_turns() -> None:
    moves = [["B", "A1"], ["W", "B2"]]
    found, _ = read(moves=moves, analyzeTurns=[2, 0], priorities=[5, -7])
    assert (found.turns, found.priorities) == ((2, 0), (5, -7))
    assert read(moves=moves, analyzeTurns=[2, 0], priority=3)[0].priorities == (3, 3)
    assert read(moves=moves, analyzeTurns=[1, 1])[0].turns == (1,)
    both = refused(moves=moves, analyzeTurns=[2], priorities=[5], priority=1)
    assert both.field == "priority"
    assert refused(moves=moves, analyzeTurns=[2], priorities=[5, 6]).field == "priorities"
    assert refused(moves=moves, analyzeTurns=[2], priorities=[2**62]).field == "priorities"


def test_moves_to_avoid_and_moves_to_allow() -> None:
    entry = {"player": "W", "moves": ["A1", "pass"], "untilDepth": 3}
    (ban,) = read(avoidMoves=[entry])[0].bans
    assert (ban.colour, ban.moves, ban.until) == (WHITE, {20, 25}, 3)
    (ban,) = read(allowMoves=[entry])[0].bans
    assert ban.moves == set(range(26)) - {20, 25}
    assert refused(allowMoves=[entry], avoidMoves=[entry]).field == "allowMoves"
    assert read(avoidMoves=[])[0].bans == ()


def test_settings_of_a_query_count_more_than_the_engines_and_its_fields_more_than_both() -> None:
    found, warnings = read(
        maxVisits=7,
        analysisPVLen=3,
        reportDuringSearchEvery=0.5,
        firstReportDuringSearchAfter=2,
        overrideSettings={
            "reportAnalysisWinratesAs": "sidetomove",
            "maxVisits": 9,
            "maxTime": "8.5",
            "wideRootNoise": 0.04,
            "humanSLProfile": "rank_5k",
        },
    )
    assert not warnings
    settings = found.settings
    assert (settings.side, settings.visits, settings.seconds) == ("SIDETOMOVE", 7, 8.5)
    assert (settings.width, settings.pv_length, settings.human_profile) == (0.04, 3, "rank_5k")
    assert (settings.report_every, found.first_report) == (0.5, 2)


def test_what_does_not_count_is_warned_of_and_the_query_goes_on() -> None:
    found, warnings = read(
        fantasy=1,
        rootPolicyTemperature=1.5,
        rootFpuReductionMax=0,
        overrideSettings={"unheard": 1, "cpuctExploration": 2},
        rules={"tax": "ALL", "hasButton": True},
    )
    assert found.name == "q"
    said = {(warning.field, warning.text.split(":")[0]) for warning in warnings}
    assert said == {
        ("fantasy", "Unexpected or unused field"),
        ("rootPolicyTemperature", "Is read but has no effect in this engine"),
        ("rootFpuReductionMax", "Is read but has no effect in this engine"),
        ("overrideSettings", "Unknown config params"),
        ("overrideSettings", "Config params without effect"),
        ("rules", "Rules not supported, ignored"),
    }


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("Chinese", ("area", "positional", "stones")),
        ("japanese", ("territory", "simple", "none")),
        ("tromp_taylor", ("area", "positional", "none")),
        ("chinese-kgs", ("area", "positional", "stones")),
        (
            {"ko": "SITUATIONAL", "scoring": "TERRITORY", "suicide": False, "tax": "SEKI"},
            ("territory", "situational", "none"),
        ),
        ({"scoring": "AREA", "whiteHandicapBonus": "N-1"}, ("area", "positional", "stones-1")),
    ],
)
def test_rules_are_a_name_or_an_object(rules: object, expected: tuple[str, str, str]) -> None:
    found, warnings = read(rules=rules)
    got = found.rules
    assert (got.scoring, got.ko, got.handicap_bonus) == expected
    assert not warnings


def test_komi_is_guessed_from_the_rules_and_the_bonus_overrides_theirs() -> None:
    assert read(komi=None, rules="japanese")[0].komi == 6.5
    assert read(komi=None, rules="chinese")[0].komi == 7.5
    assert read(rules="chinese", whiteHandicapBonus="N-1")[0].rules.handicap_bonus == "stones-1"
    found, (warning,) = read(rules="stone-scoring")
    assert found.rules.name == "chinese" and warning.field == "rules"


def test_actions() -> None:
    for name in ("query_version", "query_models", "clear_cache", "terminate_all"):
        found, _ = read_query({"id": "a", "action": name}, DEFAULTS)
        assert isinstance(found, Action) and found.name == name and found.target is None
    found, _ = read_query(
        {"id": "a", "action": "terminate", "terminateId": "q", "turnNumbers": [1, 2]}, DEFAULTS
    )
    assert isinstance(found, Action) and (found.target, found.turns) == ("q", {1, 2})
    for wrong, field in (
        ({"action": "terminate"}, "terminateId"),
        ({"action": "terminate", "terminateId": 5}, "terminateId"),
        ({"action": "terminate", "terminateId": "q", "turnNumbers": "1"}, "turnNumbers"),
        ({"action": "terminate_all", "turnNumbers": [None]}, "turnNumbers"),
    ):
        with pytest.raises(QueryError) as caught:
            read_query({"id": "a", **wrong}, DEFAULTS)
        assert (caught.value.field, caught.value.name) == (field, "a")


@pytest.mark.parametrize("name", [None, 5, ["q"]])
def test_a_query_without_a_name_is_refused_without_one(name: object) -> None:
    with pytest.raises(QueryError) as caught:
        read_query(query() | {"id": name}, DEFAULTS)
    assert (caught.value.field, caught.value.name) == (None, None)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"5",
        b'"q"',
        b'{"id": NaN}',
        b'{"id": -Infinity}',
        b'{"id": 1e999}',
        b'{"id": ' + b"9" * 5000 + b"}",
        b'{"id": "\xff\xfe"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\x00",
        b'{"id": "q"} x',
    ],
)
def test_a_line_that_is_not_an_object_is_one_sentence(line: bytes) -> None:
    with pytest.raises(QueryError) as caught:
        parse_object(line)
    assert len(str(caught.value)) < 700 and "\n" not in str(caught.value).split(": ")[0]


def test_every_field_of_the_protocol_is_known_and_settings_do_not_overlap() -> None:
    assert len(FIELDS) == 28
    settings, said = with_settings(AnalysisSettings(), dict.fromkeys(WITHOUT_EFFECT, "1"))
    assert settings == AnalysisSettings() and len(said) == 1
    assert not WITHOUT_EFFECT & {"maxVisits", "maxTime", "wideRootNoise", "analysisPVLen"}
    with pytest.raises(GoError, match="maxTime must be a number"):
        with_settings(AnalysisSettings(), json.loads('{"maxTime": "nan"}'))
