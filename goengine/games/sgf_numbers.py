"""Numbers, dates and results as people write them, in the languages of Go.

>>> read_number("贴3又3/4子")
Number(value=3.75, before='贴', after='子')
>>> read_date("2018年5月2日")
(2018, 5, 2)
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 100
"""Characters of a number, a date or a result; longer texts are something else."""

_WIDE_DIGITS = str.maketrans(
    "０１２３４５６７８９．，／＋－：〇○零兩−", "0123456789.,/+-:000两-", "\u200b\ufeff"
)
_GLYPHS = {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3"}
_GLYPH = re.compile("|".join(_GLYPHS))
_CHINESE = {char: value for value, char in enumerate("一二三四五六七八九", 1)} | {"两": 2}
_CHINESE_NUMBER = re.compile("[一二三四五六七八九两十百]+")
_KOREAN = {
    "한": "1",
    "두": "2",
    "세": "3",
    "네": "4",
    "다섯": "5",
    "여섯": "6",
    "일곱": "7",
    "여덟": "8",
    "아홉": "9",
    "열": "10",
}
_KOREAN_NUMBER = re.compile(f"({'|'.join(_KOREAN)})\\s*(?=[집점])")
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)\s*(?:"
    r"(?P<whole>\d{1,4})\s*(?:\s|-|又|と|and\b|&|[目子집]\s*又?)\s*"
    r"(?:(?P<top>\d{1,2})\s*/\s*(?P<bottom>\d{1,2})|(?P<under>\d)\s*分[之の]\s*(?P<over>\d))"
    r"|(?P<num>\d{1,4})\s*/\s*(?P<den>\d{1,2})"
    r"|(?P<d>\d{1,2})\s*分[之の]\s*(?P<n>\d{1,2})"
    r"|(?P<plain>\d{1,5}(?:[.,]\d{1,4})?|[.,]\d{1,4})(?P<half>\s*[目子집호]?\s*[半반])?"
    r"|(?P<alone>[半반]))"
)


class Number(NamedTuple):
    """A number in a text, and the text around it."""

    value: float
    before: str
    after: str


def usual_digits(text: str) -> str:
    """Return text with ASCII digits for wide and Chinese ones, fractions for their glyphs."""
    if text.isascii():
        return text
    text = text.translate(_WIDE_DIGITS)
    text = _GLYPH.sub(lambda match: _GLYPHS[match.group()], text)
    text = _KOREAN_NUMBER.sub(lambda match: _KOREAN[match.group(1)], text)
    return _CHINESE_NUMBER.sub(_from_chinese, text)


def _from_chinese(match: re.Match[str]) -> str:
    """Return digits for a Chinese number below a thousand."""
    total = digit = 0
    for char in match.group():
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = 10 * digit + _CHINESE[char]
    return str(total + digit)


def read_number(text: str) -> Number | None:
    """Return the first number in a text: decimals, fractions, halves; None without any."""
    text = usual_digits(text)
    match = _NUMBER.search(text)
    if match is None:
        return None
    found = match.groupdict()
    value = 0.0
    if found["whole"] is not None:
        top, bottom = found["top"] or found["over"], found["bottom"] or found["under"]
        value = int(found["whole"]) + _ratio(top, bottom)
    elif found["num"] is not None:
        value = _ratio(found["num"], found["den"])
    elif found["d"] is not None:
        value = _ratio(found["n"], found["d"])
    elif found["alone"] is not None:
        value = 0.5
    else:
        value = float(found["plain"].replace(",", ".")) + (0.5 if found["half"] else 0.0)
    before, after = text[: match.start()], text[match.end() :]
    unit = re.search("[目子집]", found["half"] or "") if found["half"] else None
    sign = -1.0 if found["sign"] == "-" else 1.0
    return Number(sign * value, before, (unit.group() if unit else "") + after)


def _ratio(top: str, bottom: str) -> float:
    """Return a fraction; nothing over zero."""
    return int(top) / int(bottom) if int(bottom) else 0.0


_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
_ERAS |= {"R": 2018, "H": 1988, "S": 1925, "民国": 1911, "民國": 1911}
_ERA = re.compile(
    r"(?<![A-Za-z])(令和|平成|昭和|大正|明治|民[国國]|[RHS](?=\s*\d))\s*(元|\d{1,3})\s*([年.])"
)
_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<year>[12]\d{3})(?!\d)(?:(?:\s*[-/._年년]\s*|\s)(?P<month>\d{1,2})(?!\d)"
    r"(?:(?:\s*[-/._月월]\s*|\s)(?P<day>\d{1,2})(?!\d))?)?"
)
_COMPACT = re.compile(
    r"(?<!\d)(?P<year>[12]\d{3})(?P<month>\d\d)(?P<day>\d\d)(?:[0-2]\d[0-5]\d[0-5]\d)?(?!\d)"
)
_YEAR_LAST = re.compile(r"(?<![\d/.-])(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*([12]\d{3})(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = "|".join(_MONTHS)
_NAMED = re.compile(
    rf"(?:(?<!\d)(?P<before>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?[\s.-]*)?\b(?P<name>{_NAMES})[a-z]*[\s.,-]*"
    rf"(?:(?P<after>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)[\s,.-]*)?(?P<year>[12]\d{{3}})?(?!\d)",
    re.IGNORECASE,
)


def read_date(text: str) -> tuple[int, int, int]:
    """Return the first date in a text as year, month and day, zeros for what it does not tell.

    Where day and month could be each other (02/05/2018), only the year is known; between full
    stops the day comes first.
    """
    text = usual_digits(text)
    era = _ERA.search(text)
    if era is not None:
        year = _ERAS[era.group(1)] + (1 if era.group(2) == "元" else int(era.group(2)))
        text = f"{text[: era.start()]}{year}{era.group(3)}{text[era.end() :]}"
    last = _YEAR_LAST.search(text)
    if last is not None:
        one, two, year = int(last.group(1)), int(last.group(3)), int(last.group(4))
        if one == two or two > 12 >= one:
            return _checked(year, one, two)
        if last.group(2) == ".":
            return _checked(year, two, one)
        return _checked(year, two, one) if one > 12 >= two else (year, 0, 0)
    match = _COMPACT.search(text) or _YEAR_FIRST.search(text)
    named = _NAMED.search(text)
    if named is not None and (named["year"] or match is None or match["month"] is None):
        found = named["year"] or (match and match["year"])
        if found:
            month = _MONTHS.index(named["name"].lower()) + 1
            return _checked(int(found), month, int(named["before"] or named["after"] or 0))
    if match is None:
        return 0, 0, 0
    return _checked(*(int(match.group(part) or 0) for part in ("year", "month", "day")))


def parse_date(text: str | None) -> int:
    """Return the first date of a DT value as yyyymmdd, with zeros for what is missing."""
    if not text:
        return 0
    year, month, day = read_date(text[:LONGEST])
    return year * 10000 + month * 100 + day


def _checked(year: int, month: int, day: int) -> tuple[int, int, int]:
    """Return a date without the parts that no calendar has."""
    if not 1 <= month <= 12:
        return year, 0, 0
    return year, month, day if 1 <= day <= 31 else 0


_BLACK, _WHITE = "黑黒흑", "白백"
_WON, _LOST = "胜|勝|赢|贏|승|이김", "负|負|패|敗|败|认输|認輸|投了|投子|기권(?!승)"
_OTHERS = f"[^{_BLACK}{_WHITE}]"
_EAST = re.compile(
    rf"(?P<colour>[{_BLACK}{_WHITE}])(?P<between>{_OTHERS}*?)"
    rf"(?:(?P<won>{_WON})|(?P<lost>{_LOST})|\+)(?P<after>.*)"
)
_BY_RESIGNATION, _OUT_OF_TIME = "中盘|中盤|中押し?|불계", "超时|超時|逾时|逾時|時間切れ|시간패"
# What is said without a word for winning or losing: of the winner the first, of the loser the rest.
_CURT = re.compile(
    rf"(?P<colour>[{_BLACK}{_WHITE}])[方番棋]?\s*"
    rf"(?:(?P<won>{_BY_RESIGNATION})|{_OUT_OF_TIME}|违规|違規|犯规|反則|반칙)\Z"
)
_COLOURS = (
    r"(?P<colour>black|schwarz|noirs?|negras?|negro|zwart|b"
    r"|white|wei(?:ß|ss)|blancs?|blancas?|blanco|wit|w)"
)
_WEST = re.compile(
    rf"{_COLOURS}\s*(?:\+|\s(?:(?:wins?|won|gewinnt|gagnent?|ganan?|wint)\b\s*)?"
    r"(?:(?:by|on|with|durch|mit|par|de|por|met|door)\b)?)\s*(?P<how>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_WEST_LOST = re.compile(
    rf"{_COLOURS}\s+(?P<verb>resign(?:s|ed)|g(?:a|i)ves? up|timed? out|forfeit(?:s|ed)|loses?|lost"
    r"|verliert|gibt auf|abandonne|perd|pierde|verliest)\b\s*(?:by\b|on\b)?\s*(?P<how>.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_AROUND = re.compile(r"(?:result|ergebnis|r[ée]sultat|结果|結果|결과)\s*[:=]\s*", re.IGNORECASE)
_DRAW = re.compile(r"和棋|和局|平局|持碁|持棋|ジゴ|비김|무승부|^[빅和]\Z", re.IGNORECASE)
_VOID = re.compile(r"无胜负|無勝負|無効|无效|無效|무효|no result", re.IGNORECASE)
_RESIGNED = (
    r"中盘|中盤|中押|不计|不計|불계|认输|認輸|投了|投子|resign|\bres\b|^r\b"
    r"|\bg(?:a|i)ves? up\b|\baufgabe\b|\bgibt auf\b|\babandon|\bopgave\b"
)
_LATE = r"超时|超時|时间|時間|逾时|逾時|시간|\btime|^t\b|\bzeit|\btemps\b|\btiempo\b|\btijd\b"
_FORFEITED = r"弃权|棄權|棄権|反則|反则|犯规|犯規|违规|違規|기권|반칙|不戦|不战|부전|forfeit|^f\b"
_REASONS = (
    ("R", re.compile(_RESIGNED, re.IGNORECASE)),
    ("T", re.compile(_LATE, re.IGNORECASE)),
    ("F", re.compile(_FORFEITED, re.IGNORECASE)),
)
_MOST_POINTS = 999
_ALL_STONES = 100.0
"""So many stones cannot be a margin: they are all that the winner has on the board."""


def read_result(text: str) -> str | None:
    """Return a result in short form (`B+R`, `W+3.5`, `0`, `Void`), None if it is not understood.

    Stones of Chinese counting (子) are two points each.
    """
    text = _AROUND.sub("", text.strip("[]() ."), count=1)
    if text.upper() in ("0", "DRAW", "JIGO") or _DRAW.search(text):
        return "0"
    if text.upper() == "VOID" or _VOID.search(text):
        return "Void"
    for pattern, read in ((_WEST_LOST, _western_loss), (_WEST, _western_win), (_EAST, _eastern)):
        match = pattern.match(text) if pattern is not _EAST else pattern.search(text)
        if match is not None:
            return read(match)
    curt = _CURT.match(text)
    if curt is None:
        return None
    return _won_by((curt["colour"] in _BLACK) == (curt["won"] is not None), _how(text))


def _western_loss(match: re.Match[str]) -> str | None:
    """Return the result in a Western sentence about who lost."""
    how = _how(match["verb"]) or _how(match["how"].strip())
    return _won_by(not _is_black(match["colour"]), how)


def _western_win(match: re.Match[str]) -> str | None:
    """Return the result in a Western sentence about who won, None if it says nothing of that."""
    how = _how(match["how"].strip())
    told = how or match.start("how") > match.end("colour") + 1 or "+" in match.group()
    return _won_by(_is_black(match["colour"]), how) if told else None


def _eastern(match: re.Match[str]) -> str | None:
    """Return the result in an Eastern sentence."""
    how = _how(f"{match['between']}{match['lost'] or ''} {match['after']}".strip())
    return _won_by((match["colour"] in _BLACK) == (match["lost"] is None), how)


def _is_black(colour: str) -> bool:
    """Tell whether a Western word for a colour means Black."""
    return not colour.lower().startswith(("w", "blan"))


def _won_by(black: bool, how: str | None) -> str | None:
    """Return a result in short form, None if how the game was won is not understood."""
    return None if how is None else f"{'B' if black else 'W'}+{how}"


def _how(detail: str) -> str | None:
    """Return how a game was won: `R`, `T`, `F`, points, or nothing where it is not told."""
    if not detail:
        return ""
    for letter, pattern in _REASONS:
        if pattern.search(detail):
            return letter
    number = read_number(detail)
    if number is None:
        return "" if not detail.isascii() else None
    foreign = number.before.isascii() and number.before.strip().isalpha()
    if number.value > _MOST_POINTS or foreign:
        return None
    if not number.after.lstrip().startswith("子"):
        return f"{number.value:g}"
    return "" if number.value >= _ALL_STONES else f"{2 * number.value:g}"
