"""Commands about rules: names as KGS sends them, names and JSON as KataGo's clients do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, parse_json_object, shorten, syntax_error
from goengine.rules import RULES, Rules, get_rules
from goengine.types import GoError, IllegalMoveError

if TYPE_CHECKING:
    from goengine.rules import HandicapBonus, Ko, Scoring

_BONUS = {"none": "0", "stones": "N", "stones-1": "N-1"}
_BONUS_NAMES = {text: name for name, text in _BONUS.items()}


class RulesCommands(CommandGroup):
    """What the players agree on, apart from komi, which these commands leave alone."""

    @command("kgs-rules")
    def kgs_rules(self, arguments: Arguments) -> str:
        """Play under chinese, aga, japanese, new_zealand or another preset."""
        self._set(_named(arguments.word(0, "the rule set")))
        return ""

    @command("kata-get-rules")
    def get_rules(self, arguments: Arguments) -> str:
        """Answer the rules as a JSON object."""
        return rules_to_json(self.session.game.rules)

    @command("kata-set-rules")
    def set_rules(self, arguments: Arguments) -> str:
        """Play under a preset, or under the rules of a JSON object."""
        arguments.word(0, "the rule set")
        text = arguments.text.strip()
        rules = self.session.game.rules
        if text.startswith("{"):
            self._set(_changed(rules, parse_json_object(text, "the rule set")))
        else:
            self._set(_named(text))
        return ""

    @command("kata-set-rule")
    def set_rule(self, arguments: Arguments) -> str:
        """Change one rule, named as in kata-get-rules."""
        name = arguments.word(0, "the rule")
        word = arguments.word(1, "its value")
        value: object = {"true": True, "false": False}.get(word.lower(), word)
        self._set(_changed(self.session.game.rules, {name: value}))
        return ""

    def _set(self, rules: Rules) -> None:
        """Change the rules unless the game so far breaks them."""
        try:
            self.session.game.set_rules(rules)
        except IllegalMoveError as error:
            raise GtpError(f"cannot set rules in this game: {error}") from None


def rules_to_json(rules: Rules) -> str:
    """Return rules as KataGo's clients read them."""
    return json.dumps(
        {
            "friendlyPassOk": True,
            "hasButton": False,
            "ko": rules.ko.upper(),
            "scoring": rules.scoring.upper(),
            "suicide": rules.suicide,
            "tax": _tax(rules),
            "whiteHandicapBonus": _BONUS[rules.handicap_bonus],
        }
    )


def _named(name: str) -> Rules:
    """Return a preset."""
    try:
        return get_rules(name)
    except GoError:
        known = ", ".join(RULES)
        raise GtpError(f"{shorten(name)} is not a rule set: use one of {known}") from None


def _changed(rules: Rules, changes: dict[str, object]) -> Rules:
    """Return rules with the fields of a JSON object changed; those that must hold are checked."""
    for field, value in changes.items():
        text = str(value).lower()
        if field == "ko" and text in ("simple", "positional", "situational"):
            rules = replace(rules, ko=cast("Ko", text))
        elif field == "scoring" and text in ("area", "territory"):
            rules = replace(rules, scoring=cast("Scoring", text))
        elif field == "suicide" and isinstance(value, bool):
            rules = replace(rules, suicide=value)
        elif field == "whiteHandicapBonus" and str(value) in _BONUS_NAMES:
            bonus = cast("HandicapBonus", _BONUS_NAMES[str(value)])
            rules = replace(rules, handicap_bonus=bonus)
        elif field != "tax" and not _is_given(field, value):
            raise _impossible(field, value)
    if str(changes.get("tax", _tax(rules))).upper() != _tax(rules):
        raise _impossible("tax", changes["tax"])
    return replace(rules, name=_name_of(rules))


def _name_of(rules: Rules) -> str:
    """Return the name of the preset that says the same, the name they have before any other."""
    bare = replace(rules, name="", komi=0.0)
    for name in (rules.name, *RULES):
        if name in RULES and replace(RULES[name], name="", komi=0.0) == bare:
            return name
    return "custom"


def _is_given(field: str, value: object) -> bool:
    """Tell whether a field asks for what holds anyway, or for nothing that can be seen here."""
    return (field == "hasButton" and value is False) or (
        field == "friendlyPassOk" and isinstance(value, bool)
    )


def _tax(rules: Rules) -> str:
    """Return which groups pay for their eyes, as KataGo names it."""
    return "NONE" if rules.scoring == "area" else "SEKI"


def _impossible(field: str, value: object) -> GtpError:
    """Return the error about a rule that cannot be had."""
    return syntax_error(f"the rule {shorten(field)} cannot be {shorten(str(value))}")
