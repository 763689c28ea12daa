"""What the values in the root of an SGF game mean: size, komi, result, texts.

A node is a map of property names to raw values, as sgfmill's grammar gives them, in UTF-8.
"""

from __future__ import annotations

import math
import re

from sgfmill import sgf_grammar

from goengine.types import MAX_SIZE, MIN_SIZE, GoError

Node = dict[bytes, list[bytes]]

# Komi in hundredths, as Fox writes it; Chinese rules count 3.75 stones for 7.5 points.
_FOX_KOMI = {375.0: 7.5, 650.0: 6.5, 750.0: 7.5}
_MAX_KOMI = 200.0


class SgfError(GoError):
    """Data from which no game of Go can be read."""


def check_game(root: Node) -> None:
    """Make sure that the game is Go.

    Raises:
        SgfError: GM names another game.
    """
    game = text_value(root, b"GM")
    if game not in (None, "1"):
        raise SgfError(f"GM[{game[:20] if game else ''}] is not Go: only GM[1] can be read")


def board_size(root: Node) -> int:
    """Return the number of lines, 19 where SZ is absent.

    Raises:
        SgfError: the board is not square, or of a size that is not supported.
    """
    text = text_value(root, b"SZ")
    if text is None:
        return MAX_SIZE
    width, _, height = text.partition(":")
    digits = width.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 3:
        size = int(digits)
        if MIN_SIZE <= size <= MAX_SIZE and height.strip() in ("", digits):
            return size
    raise SgfError(
        f"board size SZ[{text[:20]}] is not supported: "
        f"use square boards of {MIN_SIZE} to {MAX_SIZE}"
    )


def text_value(root: Node, name: bytes) -> str | None:
    """Return the first value of a property as text without blanks at the ends, None if empty."""
    values = root.get(name)
    if not values:
        return None
    text: str = sgf_grammar.simpletext_value(values[0]).decode("utf-8", "replace").strip()
    return text or None


def count_value(root: Node, name: bytes) -> int:
    """Return a small count, 0 where the value is absent or is none."""
    text = text_value(root, name)
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 3:
        return 0
    return min(int(text), MAX_SIZE * MAX_SIZE)


def komi_value(root: Node) -> float | None:
    """Return KM in points, None where it is absent or absurd."""
    text = text_value(root, b"KM")
    if text is None:
        return None
    try:
        komi = float(text.replace(",", "."))
    except ValueError:
        return None
    komi = _FOX_KOMI.get(komi, komi)
    return komi if math.isfinite(komi) and abs(komi) <= _MAX_KOMI else None


_RESULT = re.compile(r"([BW])\+\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_REASONS = {"RESIGN": "R", "RESIGNATION": "R", "TIME": "T", "FORFEIT": "F"}


def result_value(root: Node) -> str | None:
    """Return RE in short form (``B+R``, ``W+3.5``, ``0``, ``Void``); other text as it stands."""
    text = text_value(root, b"RE")
    if text is None:
        return None
    if text.upper() in ("0", "DRAW", "JIGO"):
        return "0"
    if text.upper() == "VOID":
        return "Void"
    match = _RESULT.match(text)
    if match is None:
        return text
    winner = match.group(1).upper()
    detail = match.group(2).strip().upper()
    detail = _REASONS.get(detail, detail)
    if detail in ("", "R", "T", "F"):
        return f"{winner}+{detail}"
    margin = re.match(r"(\d{1,3}(?:[.,]\d{1,2})?)(?![\d.,])", detail)
    if margin is None:
        return text
    points = float(margin.group(1).replace(",", "."))
    return f"{winner}+{points:g}"
