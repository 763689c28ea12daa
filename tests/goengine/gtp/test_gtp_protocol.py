"""GTP framing: what a line means and how a response looks."""

from __future__ import annotations

import math

import pytest

from goengine.gtp import protocol
from goengine.gtp.protocol import Arguments, GtpError, clean_line, clean_result, parse_line


def words(*texts: str) -> Arguments:
    return Arguments(texts, " ".join(texts))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("name", ("", "name", "")),
        ("  name  ", ("", "name", "")),
        ("12 name", ("12", "name", "")),
        ("007 name", ("007", "name", "")),
        ("12\tplay\tb\tQ16", ("12", "play", "b Q16")),
        ("play b Q16\r", ("", "play", "b Q16")),
        ("pl\x00ay\x07 b\x7f Q16", ("", "play", "b Q16")),
        ("play b Q16 # a comment", ("", "play", "b Q16")),
        ("1 # only an id", ("1", "", "")),
        ("1name", ("", "1name", "")),
        ("-1 name", ("", "-1", "name")),
        ("٣ name", ("", "٣", "name")),
        ("loadsgf a  b.sgf", ("", "loadsgf", "a  b.sgf")),
    ],
)
def test_lines(line: str, expected: tuple[str, str, str]) -> None:
    command = parse_line(line)
    assert command is not None
    assert (command.id, command.name, command.text) == expected


@pytest.mark.parametrize("line", ["", " ", "\t", "\r", "# name", "  \t# 1 name", "\x01\x02"])
def test_lines_without_a_command(line: str) -> None:
    assert parse_line(line) is None


def test_clean_line_keeps_other_scripts() -> None:
    assert clean_line("\ufeffname") == "name"
    assert clean_line("kgs-chat game 棋 こんにちは\x85") == "kgs-chat game 棋 こんにちは"


def test_responses() -> None:
    assert protocol.format_success("", "") == "= \n\n"
    assert protocol.format_success("7", "Q16") == "=7 Q16\n\n"
    assert protocol.format_failure("7", "illegal move") == "?7 illegal move\n\n"
    assert protocol.format_success("7", "\na\n\n\nb\n") == "=7 \na\nb\n\n"
    assert protocol.format_success("", "\n") == "= \n\n"


def test_results_never_hold_what_ends_a_response() -> None:
    assert clean_result("a\r\n\r\n \t\nb\x00c\n\n") == "a\nbc"


@pytest.mark.parametrize("word", ["", "x", "1.5", "1e3", "1_0", "٣", "0x10", "9" * 5000, "--1"])
def test_what_is_no_whole_number(word: str) -> None:
    with pytest.raises(GtpError, match="syntax error: the size must be a whole number"):
        words(word).integer(0, "the size")


@pytest.mark.parametrize("word", ["", "x", "nan", "inf", "-inf", "1e999", "1_0.5", "7,5", "."])
def test_what_is_no_number(word: str) -> None:
    with pytest.raises(GtpError, match="syntax error: the komi must be a number"):
        words(word).number(0, "the komi")


def test_numbers() -> None:
    assert words("-3", "+007").integer(1, "n") == 7
    assert words("-3").integer(0, "n") == -3
    assert words("6.5").number(0, "n") == 6.5
    assert math.isclose(words("-.5e1").number(0, "n"), -5.0)


def test_missing_words_are_named() -> None:
    with pytest.raises(GtpError, match="syntax error: the colour is missing"):
        words().colour(0)
    with pytest.raises(GtpError, match="syntax error: 'x' is not a colour"):
        words("x").colour(0)
    with pytest.raises(GtpError, match="syntax error: 'I5' is not a vertex of the 9x9 board"):
        words("I5").vertex(0, 9)
    with pytest.raises(GtpError, match="'resign' is not a vertex"):
        words("resign").vertex(0, 9)


def test_a_flood_is_not_echoed() -> None:
    with pytest.raises(GtpError) as caught:
        words("z" * 100_000).vertex(0, 9)
    assert len(str(caught.value)) < 200
