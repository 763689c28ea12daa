"""The rules and komi of a query: a preset's name or KataGo's JSON object of single rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from goengine.analysis.requests.json_fields import Query, number, shorten, wrong
from goengine.rules import RULES, HandicapBonus, Ko, Rules, Scoring, get_rules
from goengine.types import GoError

MOST_KOMI = 150.0
"""Points that nobody may be given more than."""
_BONUS: dict[str, HandicapBonus] = {"0": "none", "N": "stones", "N-1": "stones-1"}
_NEAREST = {
    "stone-scoring": "chinese",
    "aga-button": "aga",
    "ancient-area": "chinese",
    "ancient-territory": "japanese",
}
"""Presets that there are not here, and the nearest one that there is."""


def asked_rules(query: Query) -> tuple[Rules, str | None]:
    """Return the rules of a query, and a warning where those that it names cannot be had.

    Raises:
        QueryError: the query has none, or they are not rules.
    """
    value = query.get("rules")
    warning = None
    if isinstance(value, str):
        rules, warning = _named(value)
    elif isinstance(value, dict):
        rules, warning = _listed(value)
    else:
        wrong(
            "rules",
            'Must specify rules string, such as "chinese" or "tromp-taylor", or a JSON object with '
            "detailed rules parameters.",
        )
    if "whiteHandicapBonus" in query:
        rules = _renamed(replace(rules, handicap_bonus=_bonus(query["whiteHandicapBonus"])))
    return rules, warning


def asked_komi(query: Query, rules: Rules) -> float:
    """Return the komi of a query, the usual one of its rules where it has none.

    Raises:
        QueryError: it is not a whole or half number of at most 150.
    """
    if "komi" not in query:
        return 6.5 if rules.scoring == "territory" else 7.5
    text = f"Must be a integer or half-integer from {-MOST_KOMI} to {MOST_KOMI}"
    komi = number(query, "komi", -MOST_KOMI, MOST_KOMI, text)
    if komi * 2 != int(komi * 2):
        wrong("komi", text)
    return komi


def _named(name: str) -> tuple[Rules, str | None]:
    """Return a preset by its name, or the nearest one with a warning."""
    key = name.strip().lower().replace("_", "-")
    if key in _NEAREST:
        near = _NEAREST[key]
        return RULES[near], f"Rules {key} are not supported, using {near} instead"
    try:
        return get_rules(key), None
    except GoError:
        wrong("rules", f"Could not parse rules: {shorten(name)}")


def _listed(value: Mapping[str, Any]) -> tuple[Rules, str | None]:
    """Return the rules of an object, on top of Tromp-Taylor's, with what of them is not here."""
    rules = RULES["tromp-taylor"]
    left_out = []
    for field, asked in value.items():
        text = str(asked).lower()
        if field == "ko" and text in ("simple", "positional", "situational"):
            rules = replace(rules, ko=cast("Ko", text))
        elif field == "scoring" and text in ("area", "territory"):
            rules = replace(rules, scoring=cast("Scoring", text))
        elif field == "suicide" and isinstance(asked, bool):
            rules = replace(rules, suicide=asked)
        elif field == "whiteHandicapBonus":
            rules = replace(rules, handicap_bonus=_bonus(str(asked)))
        elif field in ("hasButton", "friendlyPassOk") and isinstance(asked, bool):
            if field == "hasButton" and asked:
                left_out.append("hasButton")
        elif not (field == "tax" and text in ("none", "seki", "all")):
            wrong("rules", f"Could not parse rules: {shorten(field)} cannot be {shorten(asked)}")
    tax = "none" if rules.scoring == "area" else "seki"
    if str(value.get("tax", tax)).lower() != tax:
        left_out.append("tax")
    warning = f"Rules not supported, ignored: {', '.join(left_out)}" if left_out else None
    return _renamed(rules), warning


def _bonus(value: object) -> HandicapBonus:
    """Return the handicap bonus that a word names."""
    if not isinstance(value, str):
        wrong("whiteHandicapBonus", "Must be a string")
    if value not in _BONUS:
        wrong("whiteHandicapBonus", f"Must be 0, N or N-1, not {shorten(value)}")
    return _BONUS[value]


def _renamed(rules: Rules) -> Rules:
    """Return rules by the name of the preset that says the same, else as custom ones."""
    bare = replace(rules, name="", komi=0.0)
    for name, preset in RULES.items():
        if replace(preset, name="", komi=0.0) == bare:
            return replace(rules, name=name)
    return replace(rules, name="custom")
