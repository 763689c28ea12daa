"""Rule sets, colours and the errors that name them."""

from __future__ import annotations

import dataclasses

import pytest

from goengine import types
from goengine.rules import RULES, Rules, format_points, get_rules


def test_presets_carry_their_own_name() -> None:
    expected = {"chinese", "japanese", "korean", "aga", "new-zealand", "tromp-taylor", "replay"}
    assert set(RULES) >= expected
    for name, rules in RULES.items():
        assert rules.name == name
        assert get_rules(name) is rules
        assert get_rules(name.upper().replace("-", " ")) is rules
        assert get_rules(f" {name.replace('-', '_')} ") is rules


@pytest.mark.parametrize(
    ("name", "scoring", "ko", "suicide"),
    [
        ("chinese", "area", "positional", False),
        ("japanese", "territory", "simple", False),
        ("korean", "territory", "simple", False),
        ("aga", "area", "situational", False),
        ("new-zealand", "area", "situational", True),
        ("tromp-taylor", "area", "positional", True),
        ("replay", "area", "simple", True),
    ],
)
def test_presets_say_what_they_forbid(name: str, scoring: str, ko: str, suicide: bool) -> None:
    rules = get_rules(name)
    assert (rules.scoring, rules.ko, rules.suicide) == (scoring, ko, suicide)


def test_a_rule_set_is_a_value() -> None:
    mine = Rules("mine", "area", "simple", True, 0.5, "none")
    assert get_rules(mine) is mine
    assert dataclasses.replace(mine, komi=7.5) != mine
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.komi = 6.5  # type: ignore[misc]


def test_an_unknown_rule_set_is_refused_by_name() -> None:
    with pytest.raises(types.GoError, match=r"'martian'.*chinese"):
        get_rules("martian")


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (7.5, "7.5"),
        (-6.0, "-6"),
        (100.0, "100"),
        (0.25, "0.25"),
        (0.0, "0"),
        (-1e-9, "0"),
        (3.9000000000000004, "3.9"),
        (1234567.5, "1234567.5"),
        (1e16, "1" + "0" * 16),
    ],
)
def test_points_are_written_in_plain_digits(points: float, text: str) -> None:
    assert format_points(points) == text


def test_colours() -> None:
    for colour, name in ((types.BLACK, "black"), (types.WHITE, "white")):
        assert types.colour_name(colour) == name
        assert types.opponent(types.opponent(colour)) == colour != types.opponent(colour)
        for text in (name, name.upper(), name[0], types.colour_letter(colour)):
            assert types.parse_colour(text) == colour
    for text in ("", "grey", "bl", "1"):
        with pytest.raises(types.GoError, match="black or white"):
            types.parse_colour(text)
