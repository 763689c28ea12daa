"""What the values in the root of an SGF game mean: size, komi, result, date, texts.

A node is a map of property names to raw values, as sgfmill's grammar gives them, in UTF-8. Where a
value had to be guessed or is not understood, a sentence that says so comes with it.
"""

from __future__ import annotations

import math
import re

from sgfmill import sgf_grammar

from goengine.games.sgf_numbers import (
    LONGEST,
    read_date,
    read_number,
    read_result,
    usual_digits,
)
from goengine.types import MAX_SIZE, MIN_SIZE, GoError

Node = dict[bytes, list[bytes]]
Notes = list[str]

_MAX_KOMI = 200.0
_LITERAL = re.compile(r"\.(25|75)00\Z")
_SIZE = re.compile(r"(\d{1,3})(?:\.0+)?\s*(?:[:xX×*]\s*(\d{1,3})\s*)?(?:路盘?|줄|路盤)?\Z")
# Words around a komi. What else stands there leaves the value unknown.
_BEFORE_KOMI = re.compile(r"[^0-9A-Za-z]*(?:komi[^0-9A-Za-z]*)?\Z", re.IGNORECASE)
_AFTER_KOMI = re.compile(
    r"[^0-9A-Za-z]*(?:(?:points?|pts?|p|moku|zi|punkten?|puntos|punten)\b[^0-9A-Za-z]*)?\Z", re.I
)
_NO_KOMI = re.compile(
    r"[不无無][贴貼][目子]?|コミ(?:なし|無し|ナシ)|덤\s*없음|no\s+komi", re.IGNORECASE
)
# Games without handicap stones, on even terms or with the first move for the weaker side.
_NO_STONES = re.compile(r"[互分定让讓]先|先番|호선|정선|even(?:\s+game)?", re.IGNORECASE)
_REVERSE = re.compile("倒|逆|역")
_CHINESE_RULES = re.compile("chinese|china|中国|中國|중국|cn", re.IGNORECASE)
_SHORT_RESULT = re.compile(r"[BW]\+(?:[RTF]?|(?:0|[1-9]\d{0,2})(?:\.5)?)\Z")
_SGF_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?\Z")
# What programs write beside a day: the time, its zone, the day of the week.
_BESIDE_DAY = re.compile(
    r"(?:(?<=\d)T|[\s_])\s*\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\s*"
    r"(?:(?:GMT|UTC)?[-+]\d\d:?\d\d|Z\b|(?:[A-Z]{2,4}T|GMT|UTC)\b)?"
    r"|[(（]?\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\b[)）]?"
    r"|(?:星期|周)[\d日天]|[(（][月火水木金土日][)）]|[월화수목금토일]요일|(?<=\d)T\Z",
    re.IGNORECASE,
)
_PARTS_OF_DATE = re.compile(r"\d+|元|(?<!\d)(?!of\b)[A-Za-z]{2,}")
# One day, or a month or a year: nothing is lost if it is written as SGF does.
_ONE_DAY = re.compile(
    r"(?:\d{4}|[^\W\d_]{1,2}\s*(?:元|\d{1,3}))(?:\s*[-/._年년]\s*|\s+)\d{1,2}"
    r"(?:(?:\s*[-/._月월]\s*|\s+)\d{1,2}\s*[日일]?|\s*[月월])?"
    r"|(?:\d{4}|[^\W\d_]{1,2}\s*(?:元|\d{1,3}))\s*[年년]"
    r"|\d{8}(?:\d{6})?|\d{1,2}([-/.])\d{1,2}\1\d{4}"
    r"|(?:\d{4}\s)?\s*(?:\d{1,2}(?:st|nd|rd|th)?(?:\s+of)?[\s.-]*)?[A-Za-z]{3,9}[\s.,-]*"
    r"(?:\d{1,2}(?:st|nd|rd|th)?[\s,.-]*)?(?:\d{4})?"
)


class SgfError(GoError):
    """Data from which no game of Go can be read."""


def check_game(root: Node) -> None:
    """Make sure that the game is Go.

    Raises:
        SgfError: GM names another game.
    """
    game = text_value(root, b"GM")
    if game not in (None, "1", "01") and (game or "").lower() != "go":
        raise SgfError(f"GM[{game[:20] if game else ''}] is not Go: only GM[1] can be read")


def board_size(root: Node, notes: Notes | None = None) -> int:
    """Return the number of lines, 19 where SZ is absent.

    Raises:
        SgfError: the board is not square, or of a size that is not supported.
    """
    text = text_value(root, b"SZ")
    values = root.get(b"SZ", [])
    if notes is not None and values and (text is None or len(set(values)) > 1):
        said = "SZ is empty" if text is None else f"SZ stands there {len(values)} times"
        notes.append(f"board size guessed as {text or MAX_SIZE}: {said}")
    if text is None:
        return MAX_SIZE
    match = _SIZE.match(usual_digits(text[:LONGEST]))
    if match is not None:
        size = int(match.group(1))
        if MIN_SIZE <= size <= MAX_SIZE and int(match.group(2) or size) == size:
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


def count_value(root: Node, name: bytes, notes: Notes | None = None) -> int:
    """Return a small count, 0 where the value is absent or is not a count."""
    text = text_value(root, name)
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return min(int(text), MAX_SIZE * MAX_SIZE)
    if _NO_STONES.fullmatch(text):
        return 0
    number = read_number(text[:LONGEST])
    if number is not None and number.value == int(number.value) and 0 <= number.value <= 999:
        return min(int(number.value), MAX_SIZE * MAX_SIZE)
    if notes is not None:
        notes.append(f"handicap unknown: {name.decode()}[{text[:20]}] is not a number of stones")
    return 0


def komi_value(root: Node, notes: Notes | None = None) -> float | None:
    """Return KM in points, None where it is absent or absurd.

    Fox writes hundredths, of points or of stones in Chinese counting; 3.75 stones are 7.5 points.
    """
    text = text_value(root, b"KM")
    if text is None:
        return None
    written, stones = _written_komi(text)
    komi = written if _LITERAL.search(text) else _points(written, stones, root)
    if not abs(komi) <= _MAX_KOMI:
        if notes is not None:
            notes.append(f"komi unknown: KM[{text[:20]}] is not a number of points")
        return None
    guessed = komi == 2 * written and komi != 0 and not stones
    if notes is not None and guessed and not _counts_in_stones(root):
        notes.append(f"komi guessed: KM[{text[:20]}] was read as {komi:g} points")
    return komi


def _written_komi(text: str) -> tuple[float, bool]:
    """Return the number in KM, NaN without one, and whether it counts stones."""
    try:
        return float(text.replace(",", ".")), False
    except ValueError:
        if _NO_KOMI.fullmatch(text):
            return 0.0, False
    number = read_number(text[:LONGEST])
    if (
        number is None
        or _BEFORE_KOMI.match(number.before) is None
        or _AFTER_KOMI.match(number.after) is None
    ):
        return math.nan, False
    value = -number.value if _REVERSE.search(number.before) else number.value
    return value, number.after.lstrip().startswith("子")


def komi_text(komi: float) -> str:
    """Return KM for a komi: quarters with four digits, which `komi_value` takes literally."""
    text = repr(float(komi)).removesuffix(".0")
    return f"{komi:.4f}" if text.endswith((".25", ".75")) else text


def _counts_in_stones(root: Node) -> bool:
    """Tell whether the file says that it follows Fox or Chinese counting."""
    rules, program = text_value(root, b"RU") or "", text_value(root, b"AP") or ""
    return "foxwq" in program.lower() or _CHINESE_RULES.search(rules) is not None


def _points(written: float, stones: bool, root: Node) -> float:
    """Return the points that a number in KM stands for.

    Above 200 it can only be hundredths. Quarters exist in Chinese counting alone; they are doubled
    unless RU names other rules.
    """
    if not math.isfinite(written):
        return written
    program = text_value(root, b"AP") or ""
    size = points = abs(written)
    if stones:
        points = 2 * size
    elif size % 25 == 0 and (200 < size <= 1000 or (20 <= size and "foxwq" in program.lower())):
        points = size / 100
        if 2.5 < points < 4:
            points *= 2
    elif size % 1 in (0.25, 0.75) and size < 20:
        if text_value(root, b"RU") is None or _counts_in_stones(root):
            points = 2 * size
    return math.copysign(points, written)


def result_value(root: Node) -> str | None:
    """Return RE in short form (`B+R`, `W+3.5`, `0`, `Void`); other text as it stands."""
    text = text_value(root, b"RE")
    if text is None:
        return None
    if _SHORT_RESULT.match(text):
        return text
    return (read_result(text) if len(text) <= LONGEST else None) or text


def date_value(root: Node) -> str | None:
    """Return DT as it stands, a single day, month or year of another form as yyyy-mm-dd."""
    text = text_value(root, b"DT")
    if text is None or len(text) > LONGEST or _SGF_DATE.match(text):
        return text
    bare = _BESIDE_DAY.sub(" ", usual_digits(text)).strip(" ,.;")
    if _ONE_DAY.fullmatch(bare) is None:
        return text
    year, month, day = read_date(bare)
    told = sum(map(bool, (year, month, day)))
    parts = len(_PARTS_OF_DATE.findall(bare))
    if not year or told < min(parts, 3):
        return text
    return "-".join([f"{year:04}", *(f"{part:02}" for part in (month, day) if part)])
