"""Letters for pictures: a font that has them is found, and nothing is drawn as boxes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.figure import Figure

from cnncore.system.fonts import Font, lettering, shortened, text_width

NAMES = (
    "이창호",
    "李世乭",
    "囲碁クラブ",
    "قلعة 🀄 바둑",
    "cost $5 and $x_{",
    "a\udcff\udc80.sgf",
    "x\ny",
)


def make_font(path: Path, family: str, letters: str) -> Font:
    """Write a font that has a square for each letter, and add it to matplotlib's list."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(letter):04X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, letters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)
    font_manager.fontManager.addfont(str(path))
    return Font(family, str(path))


@pytest.fixture
def fonts(tmp_path: Path) -> Iterator[list[Font]]:
    """Two fonts in matplotlib's list: one for a Korean name, one for a Chinese and a Japanese."""
    before = list(font_manager.fontManager.ttflist)
    yield [
        make_font(tmp_path / "korean.ttf", "Test Hangul", "이창호바둑"),
        make_font(tmp_path / "chinese.ttf", "Test Han", "李世乭囲碁クラブ"),
    ]
    font_manager.fontManager.ttflist[:] = before


def draw(text: str, otherwise: str, fonts: list[Font]) -> str:
    """Draw a title and return what it says; a warning of matplotlib is an error."""
    title = lettering(text, otherwise, fonts=fonts)
    figure = Figure(figsize=(3, 1))
    figure.suptitle(title.text, **title.style())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    return title.text


@pytest.mark.parametrize("name", NAMES)
def test_no_name_brings_a_glyph_warning(name: str, fonts: list[Font]) -> None:
    assert draw(name, "a name", fonts)
    assert draw(name, "a name", []) in (name, "a name", "x y")


def test_a_font_with_the_letters_is_found(fonts: list[Font]) -> None:
    usual = lettering("game.sgf", "", fonts=fonts).families
    assert lettering("game.sgf", "", fonts=fonts).text == "game.sgf"
    assert lettering("이창호.sgf", "", fonts=fonts).families == (*usual, "Test Hangul")
    assert lettering("囲碁クラブ", "", fonts=fonts).families == (*usual, "Test Han")
    both = lettering("이창호 - 李世乭", "", fonts=fonts)
    assert (both.text, len(both.families)) == ("이창호 - 李世乭", len(usual) + 2)


def test_the_bundled_font_does_not_have_hangul() -> None:
    bundled = Font("DejaVu Sans", font_manager.findfont("DejaVu Sans"))
    assert lettering("이창호", "game 7", fonts=[bundled]).text == "game 7"
    assert (
        lettering("Grünfeld, Œuvre №5, Жук", "", fonts=[bundled]).text == "Grünfeld, Œuvre №5, Жук"
    )


def test_a_font_that_is_full_of_boxes_is_not_one(tmp_path: Path, fonts: list[Font]) -> None:
    boxes = make_font(tmp_path / "boxes.ttf", "Last Resort", "조훈현")
    damaged = Font("Damaged", str(tmp_path / "damaged.ttf"))
    Path(damaged.path).write_bytes(b"no font")
    gone = Font("Gone", str(tmp_path / "gone.ttf"))
    found = lettering("조훈현", "a player", fonts=[boxes, damaged, gone, *fonts])
    assert found.text == "a player"


def test_a_family_whose_name_leads_to_another_file_is_not_taken(
    tmp_path: Path, fonts: list[Font]
) -> None:
    unlisted = Font("Test Hangul", str(tmp_path / "chinese.ttf"))
    assert lettering("李世乭", "a player", fonts=[unlisted]).text == "a player"


def test_letters_in_parts_are_put_together(fonts: list[Font]) -> None:
    import unicodedata

    parts = unicodedata.normalize("NFD", "이창호")
    assert len(parts) > 3 and lettering(parts, "", fonts=fonts).text == "이창호"


def test_long_names_keep_both_ends() -> None:
    assert shortened("short.sgf", 9) == "short.sgf"
    for text in ("a" * 50 + ".sgf", "호" * 50 + ".sgf"):
        for limit in (8, 9, 30):
            short = shortened(text, limit)
            assert limit - 2 <= text_width(short) <= limit
            assert short.count("…") == 1 and short[0] == text[0] and short[-1] == "f"
    assert lettering("a" * 100, "").text == shortened("a" * 100, 60)
