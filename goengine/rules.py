"""Rule sets as values: how a game is scored and what the rules forbid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from goengine.types import GoError

Scoring = Literal["area", "territory"]
Ko = Literal["simple", "positional", "situational"]
HandicapBonus = Literal["none", "stones", "stones-1"]


@dataclass(frozen=True)
class Rules:
    """What two players agree on before the first move."""

    name: str
    """The name that GTP, SGF and the command line use."""
    scoring: Scoring
    """Area counts stones and territory; territory counts empty points and prisoners."""
    ko: Ko
    """Simple forbids retaking at once; superko forbids repeating a whole-board position
    (positional) or a position with the same player to move (situational)."""
    suicide: bool
    """Whether a move of several stones may remove the mover's own chain."""
    komi: float
    """Points that White gets in an even game unless the players say otherwise."""
    handicap_bonus: HandicapBonus
    """Points that White gets for handicap stones under area scoring."""

    @property
    def counts_as_it_stands(self) -> bool:
        """Whether all stones on the board count as alive, so that dead ones must be captured."""
        return self.name == "tromp-taylor"


RULES: dict[str, Rules] = {
    rules.name: rules
    for rules in (
        Rules("chinese", "area", "positional", False, 7.5, "stones"),
        Rules("japanese", "territory", "simple", False, 6.5, "none"),
        Rules("korean", "territory", "simple", False, 6.5, "none"),
        Rules("aga", "area", "situational", False, 7.5, "stones-1"),
        Rules("new-zealand", "area", "situational", True, 7.0, "none"),
        Rules("tromp-taylor", "area", "positional", True, 7.5, "none"),
        Rules("replay", "area", "simple", True, 7.5, "stones"),
    )
}
"""The presets; `replay` is lenient on purpose, so that any human record can be replayed."""

_ALIASES = {
    "cn": "chinese",
    "jp": "japanese",
    "kr": "korean",
    "nz": "new-zealand",
    "newzealand": "new-zealand",
    "tt": "tromp-taylor",
    "tromptaylor": "tromp-taylor",
    "goe": "new-zealand",
    "ing": "new-zealand",
    "bga": "aga",
    "chinese-kgs": "chinese",
    "chinese-ogs": "chinese",
}


def get_rules(rules: str | Rules) -> Rules:
    """Return the rule set of that name (any case, `_` or blank for `-`), or the value itself.

    Raises:
        GoError: no preset has that name.
    """
    if isinstance(rules, Rules):
        return rules
    key = rules.strip().lower().replace("_", "-").replace(" ", "-")
    key = _ALIASES.get(key, key)
    try:
        return RULES[key]
    except KeyError:
        raise GoError(f"{rules!r} is not a rule set: use one of {', '.join(RULES)}") from None


def format_points(points: float) -> str:
    """Return a komi or a margin in plain digits, at most six of them behind the point."""
    digits = f"{points:.6f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits
