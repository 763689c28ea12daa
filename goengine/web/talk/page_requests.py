"""Requests of the page, read without trust: fields to values, or a sentence about what is wrong."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from goengine.analysis.requests.asked_rules import MOST_KOMI
from goengine.analysis.requests.json_fields import Query, flag, number, whole, wrong
from goengine.clock import TimeSettings
from goengine.coords import CoordError, gtp_to_move
from goengine.rules import RULES, Rules
from goengine.types import BLACK, MAX_SIZE, MIN_SIZE, RESIGN, WHITE
from goengine.web.table.player_spec import PlayerSpec, read_player
from goengine.web.table.table_clock import read_clock

LONGEST_SGF = 4_000_000
"""Bytes of an SGF file."""
LONGEST_TEXT = 100_000
"""Characters of a comment."""
MOST_ANALYSED = 1_000_000
"""Visits of an analysis."""


@dataclass(frozen=True)
class NewGame:
    """A game that is asked for."""

    size: int
    rules: Rules
    komi: float
    handicap: int
    players: Mapping[int, PlayerSpec]
    clock: TimeSettings | None


def read_new_game(query: Query, networks: list[str], ranks: list[str]) -> NewGame:
    """Return the game that a request asks for.

    Raises:
        QueryError: it asks for none that there is.
    """
    size = whole(
        query, "size", MIN_SIZE, MAX_SIZE, f"Must be a whole number from {MIN_SIZE} to {MAX_SIZE}"
    )
    name = query.get("rules", "chinese")
    if not isinstance(name, str) or name not in RULES or name == "replay":
        wrong("rules", f"Must be one of {', '.join(rules for rules in RULES if rules != 'replay')}")
    rules = RULES[name]
    handicap = 0
    if query.get("handicap"):
        handicap = whole(query, "handicap", 2, 9, "Must be 0, or a whole number from 2 to 9")
    komi = 0.5 if handicap else rules.komi
    if query.get("komi") is not None:
        text = f"Must be a number from {-MOST_KOMI:g} to {MOST_KOMI:g}, in halves"
        komi = number(query, "komi", -MOST_KOMI, MOST_KOMI, text)
        if komi * 2 != int(komi * 2):
            wrong("komi", text)
    players = read_players(query, networks, ranks)
    return NewGame(size, rules, komi, handicap, players, read_clock(query, "clock"))


def read_players(query: Query, networks: list[str], ranks: list[str]) -> dict[int, PlayerSpec]:
    """Return the two players that a request names.

    Raises:
        QueryError: one of them is none.
    """
    return {
        colour: read_player(query, field, networks=networks, ranks=ranks)
        for colour, field in ((BLACK, "black"), (WHITE, "white"))
    }


def read_vertex(query: Query, field: str, size: int, *, passes: bool) -> int:
    """Return the move that a field names.

    Raises:
        QueryError: it names none of this board.
    """
    value = query.get(field)
    try:
        move = gtp_to_move(value, size) if isinstance(value, str) else RESIGN
    except CoordError as error:
        wrong(field, str(error))
    if move == RESIGN or (move == size * size and not passes):
        wrong(field, "Must be a point of the board, such as D4" + (", or pass" if passes else ""))
    return move


def read_sgf_bytes(query: Query) -> tuple[bytes | str, str]:
    """Return what SGF a request brings, as bytes or as text, and the name of its file.

    Raises:
        QueryError: it brings none, or too much.
    """
    name = query.get("name", "")
    if not isinstance(name, str):
        wrong("name", "Must be text")
    text, coded = query.get("text"), query.get("base64")
    data: bytes | str
    if isinstance(text, str):
        data = text
    elif isinstance(coded, str):
        try:
            data = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            wrong("base64", "Must be base64")
    else:
        wrong("text", 'Must be SGF text, or its bytes in "base64"')
    if len(data) > LONGEST_SGF:
        wrong("text", f"The file is too long: it may have {LONGEST_SGF} bytes")
    return data, name[:200]


def read_text(query: Query, field: str) -> str | None:
    """Return the text of a field, None where it is missing.

    Raises:
        QueryError: it is something else, or too long.
    """
    value = query.get(field)
    if value is not None and not isinstance(value, str):
        wrong(field, "Must be text")
    if value is not None and len(value) > LONGEST_TEXT:
        wrong(field, f"Must have no more than {LONGEST_TEXT} characters")
    return value


def read_marks(query: Query, size: int) -> dict[int, str] | None:
    """Return the marks of a request by their points, None where it has none.

    Raises:
        QueryError: they are something else.
    """
    value = query.get("marks")
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        wrong("marks", 'Must be an object such as {"D4": "circle"}')
    found = {}
    for vertex, word in value.items():
        move = read_vertex({"marks": vertex}, "marks", size, passes=False)
        if word.strip():
            found[move] = word
    return found


def read_visits(query: Query, default: int) -> int:
    """Return the visits that a request asks for.

    Raises:
        QueryError: they are impossible.
    """
    if query.get("visits") is None:
        return default
    text = f"Must be a whole number from 1 to {MOST_ANALYSED}"
    return whole(query, "visits", 1, MOST_ANALYSED, text)


def read_flag(query: Query, field: str, default: bool) -> bool:
    """Return the truth value of a field.

    Raises:
        QueryError: it is of another kind.
    """
    return default if query.get(field) is None else flag(query, field)
