"""What single programs rely on: GoGui's cut at the first blank, qGo's `undo 0`, a bad start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.gtp_client import ROOT, run_engine
from tests.helpers.stub_players import make_engine, result


def as_gogui_reads(response: str) -> str:
    """Return the result that GoGui 1.6 finds in a response: what follows the first blank."""
    return response[response.index(" ") + 1 :].strip()


@pytest.mark.parametrize("number", ["", "5 "])
@pytest.mark.parametrize("command", ["goengine-policy", "goengine-ownership"])
def test_gogui_finds_every_number_of_a_board(command: str, number: str) -> None:
    engine = make_engine()
    result(engine, "boardsize 5")
    rows = as_gogui_reads(engine.answer(f"{number}{command}")).split("\n")
    assert [len(row.split()) for row in rows] == [5] * 5
    assert all(-1 <= float(word) <= 1 for row in rows for word in row.split())


def test_gogui_finds_the_first_word_of_a_drawing() -> None:
    engine = make_engine()
    result(engine, "boardsize 5")
    drawn = as_gogui_reads(engine.answer("goengine-policy_gfx"))
    assert drawn.startswith("INFLUENCE ")
    assert as_gogui_reads(engine.answer("7 showboard")).startswith("A B C D E")


def test_qgo_takes_one_move_back_with_undo_0() -> None:
    engine = make_engine()
    for line in ("boardsize 5", "play b C3", "play w D4", "play b B2"):
        result(engine, line)
    result(engine, "undo 0")
    assert [move for _, move in engine.session.game.moves] == [12, 8]
    result(engine, "undo 2")
    assert engine.session.game.moves == []
    assert engine.answer("undo 0") == "? cannot undo\n\n"


def test_a_network_that_is_not_there_is_named_at_once_and_the_board_goes_on() -> None:
    command = [sys.executable, "-m", "goengine", "gtp", "--network", "nosuch"]
    done = run_engine(command, "name\nquit\n")
    assert done.stdout == b"= goengine\n\n= \n\n"
    said = done.stderr.decode().splitlines()[0]
    assert said.startswith("goengine gtp: no network 'nosuch'") and "goengine networks" in said


@pytest.mark.parametrize(("wish", "policy"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_leave_the_cores_to_others(wish: str | None, policy: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if wish:
        environment["OMP_WAIT_POLICY"] = wish
    code = (
        "import sys, os\n"
        "import goengine.commands\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['OMP_WAIT_POLICY'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == policy


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not have pseudoterminals")
def test_a_person_at_a_terminal_is_told_of_play() -> None:
    keyboard, terminal = os.openpty()
    try:
        os.write(keyboard, b"quit\n")
        done = subprocess.run(
            [sys.executable, "-m", "goengine", "gtp"],
            stdin=terminal, capture_output=True, cwd=ROOT, timeout=300, check=True,
        )  # fmt: skip
    finally:
        os.close(keyboard)
        os.close(terminal)
    (line,) = done.stderr.decode().splitlines()
    assert "waits for GTP" in line and line.endswith("use goengine play")
