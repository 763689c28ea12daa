"""The line that says what is waited for: the seconds on a terminal, and nothing left of it."""

from __future__ import annotations

import io
import re
import threading
import time

import pytest

from goengine.terminal import waiting_line as module
from goengine.terminal.waiting_line import waiting_line


class Terminal(io.StringIO):
    """What was written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_seconds_go_by_and_are_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0)
    screen, threads = Terminal(), threading.active_count()
    end = time.monotonic() + 20
    with waiting_line("white thinks ...", screen):
        while "1 s" not in screen.getvalue() and time.monotonic() < end:
            time.sleep(0.02)
    shown, _, cleared = screen.getvalue().rpartition(" s\r")
    assert shown.startswith("white thinks ...\rwhite thinks ... 0 s\rwhite thinks ... 1")
    assert re.fullmatch(r" {21,}\r", cleared) and "\n" not in screen.getvalue()
    assert threading.active_count() == threads


def test_a_short_wait_shows_no_seconds() -> None:
    screen = Terminal()
    with waiting_line("white thinks ...", screen):
        pass
    assert re.fullmatch(r"white thinks \.\.\.\r {16,}\r", screen.getvalue())


def test_an_error_takes_the_line_away_too() -> None:
    screen, threads = Terminal(), threading.active_count()
    with pytest.raises(KeyboardInterrupt), waiting_line("white thinks ...", screen):
        raise KeyboardInterrupt
    assert screen.getvalue().endswith(" \r") and threading.active_count() == threads


def test_elsewhere_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0)
    pipe = io.StringIO()
    with waiting_line("white thinks ...", pipe):
        time.sleep(0.05)
    assert pipe.getvalue() == "white thinks ...\n"
