"""Any bytes of an SGF file to UTF-8: by CA where it holds, else by the look of the bytes."""

from __future__ import annotations

import codecs
import re

_CHARSET = re.compile(rb"CA\s*\[\s*([A-Za-z0-9_-]{1,20})\s*\]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# What files call an encoding, and the superset that their bytes are really in.
_ENCODINGS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_SAFE_ENCODING = re.compile(
    r"(ascii|utf-8|iso8859-\d+|cp\d+|gb18030|big5(hkscs)?|euc_jp|koi8-[ru]|johab|hz)\Z"
)


def to_utf8(data: bytes | str) -> bytes:
    """Return SGF data as UTF-8 bytes: by CA where it holds, else by the look of the bytes."""
    if isinstance(data, str):
        return data.encode("utf-8", "replace")
    if data.isascii():
        return data
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    declared = _declared_encoding(data)
    for candidate in (declared, "utf-8", _guessed_encoding(data)):
        if candidate is None:
            continue
        try:
            text = data.decode(candidate)
        except UnicodeError:
            continue
        return data if candidate == "utf-8" else text.encode("utf-8", "replace")
    return data.decode("utf-8", "replace").encode("utf-8")


def _declared_encoding(data: bytes) -> str | None:
    """Return the Python name of the encoding in CA, None if absent or unknown."""
    match = _CHARSET.search(data)
    if match is None:
        return None
    try:
        name = codecs.lookup(match.group(1).decode("ascii")).name
    except LookupError:
        return None
    name = _ENCODINGS.get(name, name)
    return name if _SAFE_ENCODING.match(name) else None


def _guessed_encoding(data: bytes) -> str:
    """Tell Chinese from Latin-1: GB bytes come in pairs, accented letters mostly alone."""
    runs = _HIGH_RUN.findall(data)
    even = sum(len(run) % 2 == 0 for run in runs)
    return "gb18030" if 2 * even > len(runs) else "latin-1"
