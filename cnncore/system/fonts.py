"""Letters for pictures: which installed fonts can write a name that a person chose.

matplotlib draws a box and warns for each letter that its font does not have, and reads `$` as the
start of a formula. Names of files, players and classes have letters of every language, so whatever
a person named goes through `lettering` before it is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

LAST_CHOICE = ("unifont", "bitmap")
"""Words in the names of fonts that are taken only where no other font has the letters."""

NO_LETTERS = "last resort"
"""Fonts of this name have a box for every letter there is."""


@dataclass(frozen=True)
class Lettering:
    """A text that can be drawn, and the fonts that have its letters."""

    text: str
    """What to draw."""
    families: tuple[str, ...]
    """Font families; each letter is taken from the first one that has it."""

    def style(self) -> dict[str, Any]:
        """Return the arguments that a text in matplotlib needs beside the words."""
        return {"family": list(self.families), "parse_math": False}


@dataclass(frozen=True)
class Font:
    """A font that is installed."""

    family: str
    """Its name."""
    path: str
    """Its file."""


def installed_fonts() -> list[Font]:
    """Return the upright fonts of this machine, those to be avoided last.

    matplotlib keeps a list from its first start; fonts that came later are added to it.
    """
    from matplotlib.font_manager import findSystemFonts, fontManager

    for path in sorted(set(findSystemFonts()) - {entry.fname for entry in fontManager.ttflist}):
        with suppress(OSError, RuntimeError):
            fontManager.addfont(path)
    entries = [entry for entry in fontManager.ttflist if entry.style == "normal"]
    entries.sort(key=lambda entry: (_avoided(entry.name), abs(_weight(entry) - 400), entry.name))
    return [Font(entry.name, entry.fname) for entry in entries]


def lettering(
    text: str, otherwise: str, *, limit: int = 60, fonts: Iterable[Font] | None = None
) -> Lettering:
    """Return a text with fonts for all its letters, or the words `otherwise` if there are none.

    The usual font of matplotlib comes first. A text of more than `limit` letters is cut in the
    middle; the wide letters of Chinese, Japanese and Korean count twice. `fonts` are those to
    choose from, by default the installed ones.
    """
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties, findfont

    usual = tuple(rcParams["font.family"])
    shown = shortened(_one_line(text), limit)
    missing = {letter for letter in shown if letter != " "}
    missing -= _covered(findfont(FontProperties()), missing)
    chosen: list[str] = []
    for font in _most_useful(missing, fonts):
        chosen.append(font.family)
        missing -= _covered(font.path, missing)
    if missing:
        return Lettering(otherwise, usual)
    return Lettering(shown, (*usual, *chosen))


def shortened(text: str, limit: int) -> str:
    """Return a text of at most `limit` letters, its middle replaced by dots if it is longer.

    >>> shortened("a-very-long-name.sgf", 12)
    'a-very-….sgf'
    """
    if text_width(text) <= limit:
        return text
    tail = _fitting(reversed(text), (limit - 1) // 2 - 1)[::-1]
    return _fitting(text, limit - 1 - text_width(tail)) + "…" + tail


def text_width(text: str) -> int:
    """Return how many letters of Latin script a text is wide: those of East Asia count twice.

    >>> text_width("go"), text_width("바둑"), text_width("囲碁")
    (2, 4, 4)
    """
    return sum(_width(letter) for letter in text)


def _fitting(letters: Iterable[str], room: int) -> str:
    """Return the first letters, as many as find room."""
    taken = ""
    for letter in letters:
        room -= _width(letter)
        if room < 0:
            break
        taken += letter
    return taken


def _width(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _one_line(text: str) -> str:
    """Return a text with composed letters; what is not a letter, such as a line's end, is a blank.

    Some file systems keep a Hangul syllable as two or three letters.
    """
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if one.isprintable() or _undecoded(one) else " " for one in composed)


def _undecoded(letter: str) -> bool:
    """Tell half a surrogate pair: a byte of a file's name that is not text."""
    return unicodedata.category(letter) == "Cs"


def _most_useful(missing: set[str], fonts: Iterable[Font] | None) -> Iterator[Font]:
    """Yield fonts that together have the missing letters: one alone where there is such a one."""
    left = set(missing)
    if not left:
        return
    known: Sequence[Font] = list(installed_fonts() if fonts is None else fonts)
    while left:
        best: tuple[int, Font] | None = None
        for font in known:
            count = len(_covered(font.path, left))
            if count > (best[0] if best else 0) and _is_drawn_with(font):
                best = count, font
                if count == len(left):
                    break
        if best is None:
            return
        yield best[1]
        left -= _covered(best[1].path, left)


def _is_drawn_with(font: Font) -> bool:
    """Tell whether matplotlib takes this file, and not another one, for the family's name."""
    from matplotlib.font_manager import FontProperties, findfont

    try:
        found = findfont(FontProperties(family=[font.family]), fallback_to_default=False)
    except ValueError:
        return False
    return str(found) == font.path


def _covered(path: str, letters: Iterable[str]) -> set[str]:
    """Return those of some letters that a font's file has."""
    return {letter for letter in letters if _has(path, letter)}


@lru_cache(maxsize=1 << 16)
def _has(path: str, letter: str) -> bool:
    font = _opened(path)
    return font is not None and font.get_char_index(ord(letter)) != 0


@lru_cache(maxsize=1024)
def _opened(path: str) -> Any:
    """Return a font as FreeType reads it; None if it cannot draw at every size or is damaged."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return None
    return font if font.scalable and NO_LETTERS not in font.family_name.lower() else None


def _avoided(name: str) -> bool:
    return any(word in name.lower() for word in LAST_CHOICE)


def _weight(entry: Any) -> int:
    """Return a font's weight in numbers; matplotlib's list has words for some."""
    from matplotlib.font_manager import weight_dict

    return int(weight_dict.get(entry.weight, entry.weight))
