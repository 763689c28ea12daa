r"""Any bytes of an SGF file to UTF-8 text, decided by evidence, with a sentence on every guess.

The order: a byte order mark; strictly valid UTF-8, whatever CA says; the encoding that CA names,
unless that is Latin-1, which all bytes fit, and the text looks much more like another language;
else the encoding under which the file is whole and its text looks most like a language
(`text_cost`). Several games in one file may each have their own encoding.

In GB18030, Big5 and Shift-JIS the second byte of a character may be `\` or `]`. So text is decoded
before its brackets are read. Two kinds of files need more: those of programs that cut a name in
the middle of a character, and those of programs that escape bytes rather than characters. Both
readings are made too, and the one wins that keeps the most of the game.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from goengine.games.sgf_languages import text_cost

Soundness = tuple[int, ...]
"""How much of a game a reading keeps; the greater one is better."""

Judge = Callable[[bytes], Soundness]
Decoded = tuple[bytes, tuple[str, ...]]

_CHARSET = re.compile(rb"(?<![A-Za-z])CA\s*+\[\s*+([^\]\\\s]{1,40}+)\s*+\]", re.IGNORECASE)
_GAME = re.compile(rb"(?:\A|\))\s*\(\s*;(?=[^()]{0,300}?\b(?:GM|FF|SZ|CA|PB|PW)\s*\[)")
# A value, or the rest of the text where none is closed.
_VALUE = re.compile(rb"\[([^\\\]]*+(?:\\.[^\\\]]*+)*+\\?)(\]|\Z)", re.DOTALL)
# A value that goes beyond ASCII, where brackets are not in doubt.
_BEYOND_ASCII = re.compile(rb"\[[^\[\]\x80-\xff]*+[\x80-\xff][^\]]*+\]?")
_ESCAPED = re.compile(rb"\\([\\\]:])")
# A first byte, then a bracket that looks like the end of a value because of what follows it.
_CUT_CHARACTER = re.compile(rb"[\x80-\xff](?=\]\s*(?:[A-Z]{1,2}\[|\[|;|\(|\)|\Z))")
# A backslash or a bracket that may well be the second byte of a character.
_DOUBTFUL = re.compile(rb"[\x80-\xff](?:\\|\](?!\s*(?:[A-Za-z]+\s*\[|\[|;|\(|\)|\Z)))")

_GUESSES = ("gb18030", "big5", "cp932", "cp949", "cp1252", "cp1251", "koi8-r", "euc_jp", "utf-8")
# The codecs of an encoding, the usual one first.
_CODECS = {"big5": ("cp950", "big5hkscs"), "cp1252": ("cp1252", "latin-1")}
_LABELS = {
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR (CP949)",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "euc_jp": "EUC-JP",
    "utf-8": "UTF-8",
}
# What files call an encoding, and the superset that their bytes are really in.
_ENCODINGS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "cp950": "big5",
    "big5hkscs": "big5",
    "iso8859-1": "cp1252",
}
# Any bytes are text in these, so that CA proves little: programs write it by default.
_FIT_ANYTHING = ("cp1252", "iso8859-15", "mac-roman")
_ASCII = bytes(range(32, 127))
_SAFE_ENCODING = re.compile(
    r"(ascii|utf-8|iso8859-\d+|cp\d+|gb18030|big5|euc_jp|koi8-[ru]|mac-\w+|tis-620|johab|hz|iso2022_\w+)\Z"
)
_LOST = 8.0
"""What a lost character costs."""

_NAMED = 25.0
"""How much CA speaks for an encoding in which some characters are lost."""

# Seven-bit encodings by what marks them.
_SEVEN_BIT = (
    ("iso2022_kr", re.compile(rb"\x1b\$\)C")),
    ("iso2022_jp_2", re.compile(rb"\x1b\$")),
    ("hz", re.compile(rb"~\{(?:[!-w][!-~])++~\}")),
)


@dataclass(frozen=True)
class _Reading:
    """The text of a file under one encoding."""

    encoding: str
    text: str
    lost: int
    """Characters that could not be read."""

    absorbed: bool
    """Whether brackets or backslashes are second bytes of characters."""

    def looks(self, declared: str | None) -> tuple[bool, float]:
        """Return a key that is greater the more the text looks like a language, and CA agrees."""
        named = self.encoding == declared
        cost = text_cost(self.text, self.encoding) + _LOST * self.lost - _NAMED * named
        return named and not self.lost and self.encoding not in _FIT_ANYTHING, -cost

    @property
    def data(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode("utf-8", "replace")


def decoded_parts(data: bytes | str, judge: Judge) -> Iterator[Decoded]:
    """Yield the UTF-8 text of SGF data, in one piece or game by game, and what was guessed.

    `judge` tells how much of a game some UTF-8 text keeps; it is asked only where readings differ.
    """
    if isinstance(data, str):
        yield data.removeprefix("\ufeff").encode("utf-8", "replace"), ()
    elif data.isascii() and b"\x1b" not in data and b"~{" not in data and b"\0" not in data:
        yield data, ()
    else:
        yield from _beyond_ascii(data, judge)


def _beyond_ascii(data: bytes, judge: Judge) -> Iterator[Decoded]:
    """Yield the parts of data that is not plain ASCII."""
    declared = declared_encoding(data)
    whole = (
        _wide(data, declared) or _valid_utf8(data, declared) or _seven_bit(data, declared, judge)
    )
    if whole is not None:
        yield whole
        return
    starts = [match.start() for match in _GAME.finditer(data)][1:]
    starts = [start + (data[start : start + 1] == b")") for start in starts]
    for start, stop in zip([0, *starts], [*starts, len(data)], strict=True):
        part = data[start:stop]
        own = declared_encoding(part) if starts else declared
        yield _valid_utf8(part, own) or _best_reading(part, own, judge)


def declared_encoding(data: bytes) -> str | None:
    """Return the Python name of the encoding in CA, None if it is absent or unknown."""
    match = _CHARSET.search(data)
    if match is None:
        return None
    name = match.group(1).decode("ascii", "replace").lower().removeprefix("x-")
    name = {"sjis": "cp932", "windows-31j": "cp932"}.get(name, name)
    try:
        name = codecs.lookup(name.replace("windows-", "cp")).name
    except (LookupError, ValueError):
        return None
    name = _ENCODINGS.get(name, name)
    if name.startswith("cp") and _ASCII.decode(name, "replace") != _ASCII.decode():
        return None  # a code page of mainframes
    return name if _SAFE_ENCODING.match(name) else None


def _wide(data: bytes, declared: str | None) -> Decoded | None:
    """Return text of two or four bytes a character, known by its mark or by its zero bytes."""
    marks = {
        codecs.BOM_UTF32_LE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
    encoding = next((name for mark, name in marks.items() if data.startswith(mark)), None)
    notes: tuple[str, ...] = ()
    if encoding is None:
        head = data[:4000]
        zeros = (head[::2].count(0), head[1::2].count(0))
        if declared or max(zeros) <= len(head) // 5 or min(zeros) > max(zeros) // 10:
            return None
        encoding = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        notes = ("encoding guessed as UTF-16: every second byte is zero",)
    text = data.decode(encoding, "replace")
    return text.encode("utf-8", "replace"), (*notes, *_lost_note(text.count("\ufffd"), "UTF-16"))


def _valid_utf8(data: bytes, declared: str | None) -> Decoded | None:
    """Return data that is strictly valid UTF-8 as it stands."""
    if data.isascii() and (b"\x1b" in data or b"~{" in data):
        return None
    try:
        data.decode("utf-8")
    except UnicodeError:
        return None
    data = data.removeprefix(codecs.BOM_UTF8)
    if declared in (None, "utf-8", "ascii") or data.isascii():
        return data, ()
    named = _LABELS.get(declared, declared)
    return data, (f"encoding read as UTF-8: the bytes are valid UTF-8, CA says {named}",)


def _seven_bit(data: bytes, declared: str | None, judge: Judge) -> Decoded | None:
    """Return text that escape sequences shift out of ASCII; other ASCII as it stands."""
    if not data.isascii():
        return None
    shifted = declared if declared is not None and declared.startswith(("iso2022", "hz")) else None
    guesses = [name for name, mark in _SEVEN_BIT if mark.search(data)] if not shifted else []
    names = [shifted] if shifted else guesses
    for name in names:
        try:
            text = data.decode(name).encode("utf-8")
        except UnicodeError:
            continue
        if shifted:
            return text, ()
        if judge(text)[:2] >= judge(data)[:2]:
            return text, (f"encoding guessed as {name.upper()}: the text has its escape sequences",)
    return data, ()


def _best_reading(data: bytes, declared: str | None, judge: Judge) -> Decoded:
    """Return the reading of one game that keeps the most of it, by CA if that is among the best.

    Where no byte of a character can be taken for a bracket, all readings keep the same moves: then
    only the look of the values beyond ASCII decides, and nothing is judged.
    """
    doubtful = _DOUBTFUL.search(data) is not None
    plain = _strict(data, declared) if declared and not doubtful else None
    certain = declared not in _FIT_ANYTHING
    if declared and certain and plain is not None and _marks(plain) == _marks(data):
        return plain.encode("utf-8", "replace"), ()
    names = dict.fromkeys((*([declared] if declared else []), *_GUESSES))
    if doubtful:
        readings = [reading for name in names for reading in _readings(data, name)]
        sound: dict[bytes, Soundness] = {}
        untouched = [reading.data for reading in readings if not reading.absorbed]
        if untouched:  # all with the same brackets
            sound = dict.fromkeys(untouched, judge(untouched[0]))
        for reading in readings:
            if reading.data not in sound:
                sound[reading.data] = judge(reading.data)
        best = max(readings, key=lambda reading: (sound[reading.data], *reading.looks(declared)))
    else:
        sample = b"".join(_BEYOND_ASCII.findall(data))
        looks = [reading for name in names for reading in _readings(sample, name)]
        chosen = _best_looking(looks, declared).encoding
        best = _best_looking(list(_readings(data, chosen)), declared)
    return best.data, _guess_notes(data, best, declared)


def _best_looking(readings: list[_Reading], declared: str | None) -> _Reading:
    """Return the reading that looks best among those that leave all brackets alone."""
    plain = [reading for reading in readings if not reading.absorbed]
    return max(plain or readings, key=lambda reading: reading.looks(declared))


def _guess_notes(data: bytes, best: _Reading, declared: str | None) -> tuple[str, ...]:
    """Return what is to be said about a reading that neither a mark nor UTF-8 settled."""
    label = _LABELS.get(best.encoding, best.encoding)
    notes = _lost_note(best.lost, label)
    if best.encoding == declared:
        return notes
    charset = _CHARSET.search(data)
    reason = "the file has no CA"
    if charset is not None:
        named = charset.group(1).decode("ascii", "replace")
        reason = f"the bytes do not fit CA[{named}]"
    return f"encoding guessed as {label}: {reason}", *notes


def _marks(text: bytes | str) -> tuple[int, int]:
    """Return the numbers of closing brackets and of backslashes."""
    if isinstance(text, str):
        return text.count("]"), text.count("\\")
    return text.count(b"]"), text.count(b"\\")


def _readings(data: bytes, encoding: str) -> Iterator[_Reading]:
    """Yield what data may say in one encoding: as it stands, with cut characters, by values."""
    marks = _marks(data)
    plain = _strict(data, encoding)
    absorbed = plain is not None and _marks(plain) != marks
    if plain is not None:
        yield _Reading(encoding, plain, 0, absorbed)
        if not absorbed:
            return
    mended, cuts = _without_cut_characters(data, encoding)
    if cuts:
        text = _strict(mended, encoding)
        if text is not None:
            yield _Reading(encoding, text, cuts, _marks(text) != marks)
    text = _by_values(data, encoding)
    yield _Reading(encoding, text, text.count("\ufffd"), _marks(text) != marks)


def _strict(data: bytes, encoding: str) -> str | None:
    """Return the text under an encoding, None if some bytes do not fit it."""
    for codec in _CODECS.get(encoding, (encoding,)):
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    return None


def _without_cut_characters(data: bytes, encoding: str) -> tuple[bytes, int]:
    """Return data with `?` for characters that lack their second byte, and their number."""
    decoder = codecs.getincrementaldecoder(_CODECS.get(encoding, (encoding,))[0])("replace")
    parts: list[bytes] = []
    start = cuts = 0
    for match in _CUT_CHARACTER.finditer(data):
        part = data[start : match.end()]
        decoder.decode(part)
        if decoder.getstate()[0]:
            decoder.reset()
            part = part[:-1] + b"?"
            cuts += 1
        parts.append(part)
        start = match.end()
    return b"".join(parts) + data[start:], cuts


def _by_values(data: bytes, encoding: str) -> str:
    """Return the text where brackets and backslashes are bytes, whatever stands before them.

    A value that is valid UTF-8 is read so: programs have appended comments to files in another
    encoding.
    """

    def text(raw: bytes) -> bytes:
        try:
            return raw.decode("utf-8").encode("utf-8")
        except UnicodeError:
            found = _strict(raw, encoding)
            if found is None:
                codec = _CODECS.get(encoding, (encoding,))[0]
                found = raw.decode(codec, "replace")
            return found.encode("utf-8", "replace")

    def value(match: re.Match[bytes]) -> bytes:
        raw = match.group(1)
        if raw.isascii():
            return match.group()
        plain = text(_ESCAPED.sub(rb"\1", raw))
        return b"[" + plain.replace(b"\\", b"\\\\").replace(b"]", b"\\]") + match.group(2)

    return _VALUE.sub(value, data).decode("utf-8", "replace")


def _lost_note(lost: int, label: str) -> tuple[str, ...]:
    """Return a sentence about characters that could not be read, nothing if there are none."""
    if not lost:
        return ()
    return (f"characters lost: {lost} could not be read as {label}",)
