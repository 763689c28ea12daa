"""GTP version 2 as text: lines to commands, results to responses, arguments to values.

Nothing here reads, writes or knows about Go positions, so that every rule of the framing can be
tested on plain strings. Source: Farneback 2002, GTP version 2 draft 2, sections 2 and 3.

=====================  ===========================================================
line                   `[id] name [argument ...]` and a newline
control characters     removed, except TAB, which becomes a blank
`#`                  starts a comment that runs to the end of the line
blank line             gets no response
success, failure       `=[id] result` and `?[id] message`, closed by a blank line
=====================  ===========================================================
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from goengine.coords import CoordError, gtp_to_move
from goengine.types import RESIGN, GoError, parse_colour

UNKNOWN_COMMAND = "unknown command"
ILLEGAL_MOVE = "illegal move"
UNACCEPTABLE_SIZE = "unacceptable size"
CANNOT_UNDO = "cannot undo"
BOARD_NOT_EMPTY = "board not empty"
CANNOT_LOAD_FILE = "cannot load file"
INTERNAL_ERROR = "internal error"

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ID = re.compile(r"[0-9]+")


class GtpError(GoError):
    """A command that fails; its text is sent after `?`."""


def syntax_error(message: str) -> GtpError:
    """Return the error of a command whose arguments cannot be read."""
    return GtpError(f"syntax error: {message}")


def clean_line(line: str) -> str:
    """Return a line without control characters, byte order mark and comment, TAB made a blank."""
    text = line.removeprefix("\ufeff").replace("\t", " ")
    if not text.isascii() or not text.isprintable():
        text = "".join(char for char in text if unicodedata.category(char) != "Cc")
    return text.partition("#")[0].strip(" ")


@dataclass(frozen=True)
class Command:
    """One command line: the id (`""` without one), the name and what follows it."""

    id: str
    name: str
    text: str
    """Everything after the name, blanks kept: file names may hold them."""

    @property
    def arguments(self) -> Arguments:
        """The words after the name."""
        return Arguments(tuple(self.text.split()), self.text)


def parse_line(line: str) -> Command | None:
    """Return the command on a line, or None for a blank or comment line.

    A line that holds an id alone is a command with an empty name, so that it gets an answer.
    """
    words = clean_line(line).split(None, 1)
    if not words:
        return None
    identifier = ""
    if _ID.fullmatch(words[0]):
        identifier = words[0]
        words = words[1].split(None, 1) if len(words) > 1 else []
    name = words[0] if words else ""
    return Command(identifier, name, words[1] if len(words) > 1 else "")


def clean_result(text: str) -> str:
    """Return a result fit for a response: no empty lines, no control characters."""
    lines = []
    for line in text.split("\n"):
        line = line.replace("\t", " ").rstrip()
        if not line.isprintable():
            line = "".join(char for char in line if unicodedata.category(char) != "Cc")
        if line:
            lines.append(line)
    return "\n".join(lines)


def format_success(identifier: str, result: str) -> str:
    """Return the full response of a command that succeeded.

    A leading newline of the result is kept: a diagram starts on its own line. A blank stands before
    it as GNU Go writes it, for GoGui takes what follows the first blank for the result.
    """
    body = clean_result(result)
    separator = " \n" if result.startswith("\n") and body else " "
    return f"={identifier}{separator}{body}\n\n"


def format_failure(identifier: str, message: str) -> str:
    """Return the full response of a command that failed."""
    return f"?{identifier} {clean_result(message)}\n\n"


def parse_integer(word: str, what: str) -> int:
    """Return the integer in a word; `what` names it in the error."""
    if not _INTEGER.fullmatch(word):
        raise syntax_error(f"{what} must be a whole number, not {shorten(word)}")
    return int(word)


def parse_number(word: str, what: str) -> float:
    """Return the finite number in a word; `what` names it in the error."""
    value = float(word) if _NUMBER.fullmatch(word) else math.nan
    if not math.isfinite(value):
        raise syntax_error(f"{what} must be a number, not {shorten(word)}")
    return value


def shorten(word: str, limit: int = 40) -> str:
    """Return a word in quotes, cut where a hostile line would flood the answer."""
    return repr(word if len(word) <= limit else word[:limit] + "...")


@dataclass(frozen=True)
class Arguments:
    """The words after a command's name, read by position.

    Every reader raises GtpError with `syntax error` where a word is absent or unreadable.
    """

    words: Sequence[str]
    text: str

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    def word(self, index: int, what: str) -> str:
        """Return the word at a position; `what` names it in the error."""
        if index >= len(self.words):
            raise syntax_error(f"{what} is missing")
        return self.words[index]

    def integer(self, index: int, what: str) -> int:
        """Return the whole number at a position."""
        return parse_integer(self.word(index, what), what)

    def number(self, index: int, what: str) -> float:
        """Return the finite number at a position."""
        return parse_number(self.word(index, what), what)

    def colour(self, index: int) -> int:
        """Return the colour at a position."""
        word = self.word(index, "the colour")
        try:
            return parse_colour(word)
        except GoError:
            raise syntax_error(f"{shorten(word)} is not a colour: use black or white") from None

    def vertex(self, index: int, size: int) -> int:
        """Return the move at a position, a pass included."""
        return parse_vertex(self.word(index, "the vertex"), size)


def parse_vertex(word: str, size: int) -> int:
    """Return the move that a vertex names; `resign` is not a vertex."""
    try:
        move = gtp_to_move(word, size)
    except CoordError:
        move = RESIGN
    if move == RESIGN:
        raise syntax_error(f"{shorten(word)} is not a vertex of the {size}x{size} board")
    return move


def parse_flag(word: str, what: str) -> bool:
    """Return the truth of `true` or `false`."""
    if word.lower() not in ("true", "false"):
        raise syntax_error(f"{what} must be true or false, not {shorten(word)}")
    return word.lower() == "true"


def parse_json_object(text: str, what: str) -> dict[str, object]:
    """Return the JSON object in a text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise syntax_error(f"{what} is not valid JSON") from None
    if not isinstance(value, dict):
        raise syntax_error(f"{what} is not a JSON object")
    return value
