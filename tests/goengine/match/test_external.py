"""One engine process behind GTP, good and bad."""

from __future__ import annotations

import sys

import pytest

from goengine.match.external import (
    CommandError,
    EngineError,
    EngineTimeoutError,
    GtpEngine,
    GtpProcess,
    split_command,
)
from goengine.types import BLACK, WHITE


def test_a_conversation(fake):
    with GtpProcess(fake("good")) as process:
        assert process.ask("name") == "Fake"
        assert process.ask("list_commands").splitlines()[1] == "boardsize"
        with pytest.raises(CommandError, match="no such rules"):
            process.ask("kgs-rules chinese")
        assert process.ask("version") == "1.good"
        assert process.alive
    assert not process.alive


def test_ids_and_blank_lines_before_an_answer_are_taken():
    code = "import sys; sys.stdin.readline(); print('\\n=12 yes\\nmore\\n', flush=True)"
    with GtpProcess(f'"{sys.executable}" -c "{code}"') as process:
        assert process.ask("12 name") == "yes\nmore"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (r"C:\gnugo\gnugo.exe --mode gtp", [r"C:\gnugo\gnugo.exe", "--mode", "gtp"]),
        (r'"C:\Program Files\go.exe" -a "b c"', [r"C:\Program Files\go.exe", "-a", "b c"]),
    ],
)
def test_a_backslash_is_a_letter_on_windows(command, words):
    assert split_command(command, windows=True) == words
    assert split_command(r"'a b' c\ d", windows=False) == ["a b", "c d"]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("no-such-program-here", "cannot start 'no-such-program-here'"),
        ("'unfinished", "cannot read the engine command"),
        ("  ", "the engine command is empty"),
    ],
)
def test_programs_that_do_not_start(command, text):
    with pytest.raises(EngineError, match=text):
        GtpProcess(command)


def test_a_hanging_engine_times_out_and_is_killed(fake):
    engine = GtpEngine(fake("hangs"), timeout=20)
    engine.new_game(5, 7.5, rules="chinese", time=(0, 0, 0))
    assert engine.genmove(BLACK) == 25
    with pytest.raises(EngineTimeoutError, match="no answer to 'genmove W'"):
        engine.genmove(WHITE, timeout=0.2)
    engine.close()
    assert not engine.alive


def test_last_words_of_a_dead_engine_are_reported(fake):
    engine = GtpEngine(fake("dies"))
    engine.genmove(BLACK)
    with pytest.raises(EngineError, match="status 3: out of cheese"):
        engine.genmove(BLACK)
    with pytest.raises(EngineError, match="the engine ended"):
        engine.genmove(BLACK)
    engine.close()
