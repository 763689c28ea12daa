"""SGF text to the nodes of main lines: games in a file, what is mended, what is left out.

The grammar (brackets, escapes, properties) is sgfmill's. This module finds the games in a text,
and mends before the grammar sees it what people and programs get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sgfmill import sgf_grammar

from goengine.games.sgf_values import Node

Token = tuple[str, bytes]

_ROOT = re.compile(rb"\(\s*;(?=[^()]{0,300}?\b(?:GM|FF|SZ|CA|PB|PW)\s*\[)")
_NEXT = re.compile(rb"\(\s*;")
_BLANK = b" \t\r\n\f\v\0\x1a"
_MOVE = re.compile(rb";\s*[BW]\s*\[")
# A text whose first game lacks the semicolon of its root, the bracket before it, or both.
_HEADLESS = re.compile(
    rb"\s*+(\(?)\s*+(;?)\s*+"
    rb"(?=(?:GM|FF|SZ|CA|AP|KM|RU|HA|PB|PW|EV|GN|DT|RE|AB|AW|B|W)\s*\[)",
    re.IGNORECASE,
)
_LOWER_CASE = re.compile(rb"[a-z][A-Za-z]{0,40}\s*\[")
# A value, or the rest of the text where none is closed; the name of a property.
_PIECE = re.compile(
    rb"\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\\?(?:\]|\Z)|([A-Za-z]{1,64}+)(?=\s*+\[)", re.DOTALL
)
# A value that nothing closes before the move behind it, which it would swallow.
_UNCLOSED = re.compile(rb"\[[^\[\]\\]*?(?=;\s*[BW]\s*\[[a-t]{0,2}\]\s*(?:[;()]|[A-Z]{1,2}\s*\[))")
# Brackets and semicolons as Chinese and Japanese keyboards give them.
_WIDE = {"（": "(", "）": ")", "；": ";", "［": "[", "］": "]"}
# Names of properties that are written out, as FF[1] to FF[3] did.
_LONG_NAMES = {
    b"BLACK": b"B",
    b"WHITE": b"W",
    b"SIZE": b"SZ",
    b"BOARDSIZE": b"SZ",
    b"GAME": b"GM",
    b"KOMI": b"KM",
    b"HANDICAP": b"HA",
    b"RESULT": b"RE",
    b"RULES": b"RU",
    b"DATE": b"DT",
    b"EVENT": b"EV",
    b"PLAYERBLACK": b"PB",
    b"PLAYERWHITE": b"PW",
    b"BLACKRANK": b"BR",
    b"WHITERANK": b"WR",
    b"ADDBLACK": b"AB",
    b"ADDWHITE": b"AW",
    b"ADDEMPTY": b"AE",
    b"COMMENT": b"C",
}


@dataclass(frozen=True)
class GameText:
    """The main line of one game as nodes."""

    nodes: list[Node]
    sound: bool
    """Whether the text of the game is whole."""

    notes: tuple[str, ...] = ()
    """What was mended or left out, a sentence each."""


def mended(text: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return text with the usual names of properties and a whole head, and what was mended."""
    notes: tuple[str, ...] = ()
    if "（;".encode() in text or "；".encode() in text:
        text, notes = _with_plain_marks(text)
    if has_unclosed_value(text):
        text, count = _UNCLOSED.subn(rb"\g<0>]", text)
        notes += (f"values closed before the move behind them: {count} are not closed in the file",)
    head = _HEADLESS.match(text)
    if head is not None and not (head.group(1) and head.group(2)):
        body = text[head.end() :]
        if not head.group(1) and not body.rstrip(_BLANK).endswith(b")"):
            body += b")"
        text = b"(;" + body
        notes += ("head of the game mended: it does not begin with '(;'",)
    if _LOWER_CASE.search(text) is not None:
        text = _PIECE.sub(_usual_name, text)
    return text, notes


def has_unclosed_value(text: bytes) -> bool:
    """Tell whether a value would swallow the move behind it, as nothing closes it before."""
    return text.count(b"[") > text.count(b"]") and _UNCLOSED.search(text) is not None


def _with_plain_marks(text: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return text that does not have a game as it stands with ASCII for wide brackets."""
    if _NEXT.search(text) is not None and _MOVE.search(text) is not None:
        return text, ()
    for wide, plain in _WIDE.items():
        text = text.replace(wide.encode(), plain.encode())
    return text, ("wide brackets and semicolons were read as ASCII",)


def _usual_name(match: re.Match[bytes]) -> bytes:
    """Return a value as it stands, and the name of a property in capitals."""
    name: bytes | None = match.group(1)
    if name is None or name.isupper():
        return match.group()
    upper = name.upper()
    known = _LONG_NAMES.get(upper)
    if known is not None:
        return known
    capitals = bytes(letter for letter in name if letter < 97)
    return upper if len(name) <= 2 or not capitals else capitals


def games(text: bytes) -> Iterator[GameText]:
    """Yield the main line of every game in mended text."""
    position = 0
    while True:
        tokens, end = sgf_grammar.tokenise(text, position)
        if not tokens:
            return
        closed = tokens[-1] == ("D", b")") and _balanced(tokens)
        nodes, sound = main_line(tokens, closed=closed)
        if closed:
            following = _NEXT.search(text, end)
            left = text[end : following.start() if following else len(text)].strip(_BLANK)
            notes: tuple[str, ...] = ()
            if b"[" in left:
                # Properties behind a bracket that closes too early; words alone lose nothing.
                sound = sound and _MOVE.search(left) is None
                shown = left[:20].decode("utf-8", "replace")
                notes = (f"text after the game left out: it begins with {shown!r}",)
            yield GameText(nodes, sound, notes)
            position = end
            continue
        yield GameText(nodes, sound)
        # Inside a value that never ends there is no other game; elsewhere look for the next root.
        if text[end : end + 200].lstrip()[:1] == b"[":
            return
        root = _ROOT.search(text, end)
        if root is None:
            return
        position = root.start()


def count_properties(text: bytes) -> int:
    """Return the number of properties in the first game of a text."""
    tokens, _ = sgf_grammar.tokenise(text)
    return sum(kind == "I" for kind, _ in tokens)


def _balanced(tokens: list[Token]) -> bool:
    """Tell whether the last token closes the first."""
    return tokens.count(("D", b"(")) == tokens.count(("D", b")"))


def main_line(tokens: list[Token], *, closed: bool) -> tuple[list[Node], bool]:
    """Return the nodes from root to first leaf (the first `)`) and whether all is sound."""
    nodes: list[Node] = []
    values: list[bytes] | None = None
    node: Node | None = None
    for kind, token in tokens:
        if kind == "V":
            if values is None:
                return nodes, False
            values.append(token)
        elif kind == "I":
            if node is None:
                return nodes, False
            values = node.setdefault(token, [])
        elif token == b";":
            node = {}
            nodes.append(node)
            values = None
        elif token == b")":
            return nodes, closed
        else:
            node = values = None
    return nodes, False
