"""JSON lines read without trust: values of a field, or one sentence about what it must be.

Whatever a line holds, reading it ends in a value or in a `QueryError`. The sentences follow those
of KataGo's analysis engine where clients look at them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from goengine.coords import CoordError, gtp_to_move, rowcol_to_move
from goengine.types import BLACK, RESIGN, WHITE, GoError

LONGEST_LINE = 32_000_000
"""Bytes of a line that is read; a longer one is answered with an error."""
SHOWN = 200
"""Characters of a wrong line or value that an error repeats."""
_PAIRS = 'Must be an array of pairs of the form: ["b" or "w", GTP board vertex]'
_POINTS = "Must be an array of GTP board vertices"

Query = Mapping[str, Any]
"""A JSON object."""


class QueryError(GoError):
    """A query that cannot be carried out; `field` and `name` are None where there are none."""

    def __init__(self, text: str, *, field: str | None = None, name: str | None = None) -> None:
        super().__init__(text)
        self.field = field
        self.name = name


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object that a line holds.

    Raises:
        QueryError: it is too long, not UTF-8, not JSON, or JSON of another kind.
    """
    if len(line) > LONGEST_LINE:
        raise QueryError(f"The line is longer than {LONGEST_LINE} bytes")
    try:
        text = line.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError, MemoryError) as error:
        said = "too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise QueryError(
            f"Could not parse input line as json request ({shorten(said)}): {_shown(line)}"
        ) from None
    if not isinstance(value, dict):
        raise QueryError(
            f"Request line was valid json but was not an object, ignoring: {_shown(line)}"
        )
    return value


def shorten(value: object) -> str:
    """Return a value's text, cut where it is long."""
    text = str(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def wrong(field: str, text: str) -> NoReturn:
    """Refuse a field.

    Raises:
        QueryError: always.
    """
    raise QueryError(text, field=field)


def whole(query: Query, field: str, least: int, most: int, text: str) -> int:
    """Return the whole number of a field.

    Raises:
        QueryError: it is missing, of another kind, or out of range; `text` says what it must be.
    """
    value = query.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        wrong(field, text)
    return value


def number(query: Query, field: str, least: float, most: float, text: str) -> float:
    """Return the number of a field.

    Raises:
        QueryError: it is missing, of another kind, or out of range.
    """
    value = query.get(field)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        wrong(field, text)
    return float(value)


def flag(query: Query, field: str) -> bool:
    """Return the truth value of a field, False where it is missing.

    Raises:
        QueryError: it is of another kind.
    """
    value = query.get(field, False)
    if not isinstance(value, bool):
        wrong(field, "Must be a boolean")
    return value


def wholes(query: Query, field: str, text: str) -> list[int]:
    """Return the list of whole numbers of a field.

    Raises:
        QueryError: it is anything else.
    """
    value = query.get(field)
    if not isinstance(value, list) or not all(map(_is_whole, value)):
        wrong(field, text)
    return value


def player(query: Query, field: str) -> int:
    """Return the colour that a field names.

    Raises:
        QueryError: it names none.
    """
    colour = colour_of(query.get(field))
    if colour is None:
        wrong(field, 'Must be "b" or "w"')
    return colour


def colour_of(value: object) -> int | None:
    """Return the colour that a word names, None where it names none."""
    if not isinstance(value, str):
        return None
    return {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}.get(value.lower())


def pairs(query: Query, field: str, size: int, *, passes: bool) -> list[tuple[int, int]]:
    """Return the (colour, move) pairs of a field; with `passes`, passes are among the moves.

    Raises:
        QueryError: the field is missing or something else, a player or a point is unknown.
    """
    value = query.get(field)
    if not isinstance(value, list):
        wrong(field, _PAIRS)
    found = []
    for pair in value:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(x, str) for x in pair)
        ):
            wrong(field, _PAIRS)
        colour = colour_of(pair[0])
        if colour is None:
            wrong(field, f"Could not parse player: {shorten(pair[0])}")
        found.append((colour, _point(pair[1], size, field, passes=passes)))
    return found


def points(query: Query, field: str, size: int, *, within: str) -> list[int]:
    """Return the moves of a field of an entry of the field `within`.

    Raises:
        QueryError: it is not a list of points.
    """
    value = query.get(field)
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        wrong(within, f"{field}: {_POINTS}")
    return [_point(text, size, within, passes=True) for text in value]


def entries(query: Query, field: str, names: Sequence[str]) -> list[Query]:
    """Return the objects of a field, each of which has all the names.

    Raises:
        QueryError: it is not a list of such objects.
    """
    value = query.get(field)
    found: list[Query] = []
    for entry in value if isinstance(value, list) else [None]:
        if not isinstance(entry, dict) or not all(name in entry for name in names):
            quoted = ", ".join(f"'{name}'" for name in names)
            wrong(field, f"Must be a list of dicts with subfields {quoted}")
        found.append(entry)
    return found


def _point(text: str, size: int, field: str, *, passes: bool) -> int:
    """Return the move that a vertex names: `C4`, `pass`, or `(2,15)`, counted from the top-left."""
    move = None
    if text.startswith("("):
        move = _numbered(text, size)
    else:
        try:
            move = gtp_to_move(text, size)
        except CoordError:
            move = None
    if move is None or move == RESIGN or (move == size * size and not passes):
        wrong(field, f"Could not parse board location: {shorten(text)}")
    return move


def _numbered(text: str, size: int) -> int | None:
    """Return the move of a text such as `(0,13)`, None where it is not on the board."""
    x, comma, y = text.strip("()").partition(",")
    x, y = x.strip(), y.strip()
    if not (comma and x.isascii() and x.isdigit() and y.isascii() and y.isdigit()):
        return None
    if len(x) > 2 or len(y) > 2 or int(x) >= size or int(y) >= size:
        return None
    return rowcol_to_move(int(y), int(x), size)


def _is_whole(value: object) -> bool:
    """Tell whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse(word: str) -> NoReturn:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{word} is not a JSON value")


def _finite(text: str) -> float:
    """Return the number in a text."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {shorten(text)} is too large")
    return value


def _shown(line: bytes) -> str:
    """Return the beginning of a line as text."""
    return shorten(line[: 4 * SHOWN].decode("utf-8", "replace"))
