"""What is compiled before the first move: everything, so that no clock runs while it happens."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from goengine.players import warmup
from tests.helpers.gtp_client import run_engine

GAME = """
genmove b
play w pass
genmove b
kgs-genmove_cleanup w
final_score
final_status_list dead
goengine-ownership
goengine-legal b
lz-genmove_analyze b 50
kata-analyze w 50 avoid w A1 3 movesOwnership true ownership true
kata-genmove_analyze w 50 avoid w A1 1
gomill-explain_last_move
undo
set_position b A1 w B2
genmove b
clear_board
kgs-rules new_zealand
place_free_handicap 2
genmove w
boardsize 13
kgs-rules japanese
fixed_handicap 4
play b pass
genmove w
"""

COMPILED = """
import sys

def compiled():
    return {
        (module, name, str(signature))
        for module in sorted(sys.modules) if module.startswith("goengine")
        for name, value in vars(sys.modules[module]).items()
        for signature in getattr(value, "overloads", ())
    }
"""

ENGINE = f"""
import argparse
from goengine.commands import gtp
from goengine.gtp.engine import Engine

parser = argparse.ArgumentParser()
gtp.configure(parser)
args = parser.parse_args(
    ["--size", "5", "--seed", "1", "--visits", "6", "--network", sys.argv[1]]
)
engine = Engine(lambda: gtp.make_player(args), gtp.make_settings(args))
engine.session.load()
ready = compiled()
for line in {GAME!r}.split(chr(10)):
    answer = engine.answer(line)
    assert not answer.startswith("?"), (line, answer)
    late = compiled() - ready
    assert not late, (line, late)
"""

TERMINAL = """
import numpy as np
from goengine.commands.play import start_game
from goengine.players.making import make_player
from goengine.players.settings import SearchSettings
from goengine.terminal.conversation import Session
from goengine.types import BLACK

player = make_player(sys.argv[1], search=SearchSettings(visits=6))
session = Session(
    start_game(5, "tromp-taylor", None, 0), player, human=BLACK, rng=np.random.default_rng(1)
)
ready = compiled()
for line in ["C3", "hint", "undo", "pass", "score", "B2", "pass", "undo", "pass", "pass"]:
    session.answer(line)
    late = compiled() - ready
    assert not late, (line, late)
assert session.board.turn >= 6, session.board.turn
"""


@pytest.mark.parametrize(
    ("program", "judges"),
    [(ENGINE, False), (ENGINE, True), (TERMINAL, False)],
    ids=["gtp", "gtp, reading", "terminal"],
)
def test_nothing_is_compiled_once_the_player_is_loaded(
    tmp_path: Path, program: str, judges: bool
) -> None:
    torch.manual_seed(0)  # the moves that are played follow from the weights
    network = tmp_path / "tiny.safetensors"
    bare = PolicyNet(PolicyConfig(filters=4, layers=3))
    judge = PolicyValueNet(PolicyValueConfig(filters=4, layers=3, neck=2, hidden=2))
    save_network(judge if judges else bare, network, metadata={})
    done = run_engine([sys.executable, "-c", COMPILED + program, str(network)], "")
    assert done.returncode == 0, done.stderr.decode()


def compilation(cache_path: str | None) -> Any:
    """Return what numba tells of a compilation of a kernel with this cache."""
    return SimpleNamespace(
        data={"dispatcher": SimpleNamespace(stats=SimpleNamespace(cache_path=cache_path))}
    )


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that are started to compile, none of which really is: each ends at once."""
    programs: list[str] = []

    def start(words: list[str], **options: Any) -> Any:
        assert options["env"][warmup.APART] == "1"
        programs.append(words[-1])
        return SimpleNamespace(stdout=[], wait=lambda: 1, returncode=1)

    monkeypatch.setattr(warmup.subprocess, "Popen", start)
    return programs


def test_the_first_compilation_is_told_and_shared_and_the_others_are_not(
    started: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    helper = warmup._Helper()
    with helper.at("board"):
        helper.on_start(compilation("somewhere"))
        helper.on_start(compilation("somewhere"))
    assert [text.split("; ")[1] for text in started] == ["compile_apart(['playouts', 'search'])"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "compiling the board code" in caplog.text and "15 seconds" in caplog.text


def test_what_this_process_has_begun_itself_is_not_compiled_twice(started: list[str]) -> None:
    helper = warmup._Helper()
    with helper.at("board"), helper.at("playouts"):
        helper.on_start(compilation("somewhere"))
    assert [text.split("; ")[1] for text in started] == ["compile_apart(['search'])"]


def test_what_another_process_has_not_compiled_is_compiled_here(started: list[str]) -> None:
    helper = warmup._Helper()
    with helper.at("board"):
        helper.on_start(compilation("somewhere"))
    begun = time.monotonic()
    with helper.at("playouts"), helper.at("search"):
        assert time.monotonic() - begun < 10
    assert started


def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "PATIENCE", 0.1)
    killed = threading.Event()

    def stdout() -> Iterator[bytes]:
        yield b"what a start file of Python prints\n"
        yield b"playouts\n"
        killed.wait()

    process = SimpleNamespace(
        stdout=stdout(), kill=killed.set, wait=lambda: killed.wait() * -9, returncode=-9
    )
    monkeypatch.setattr(warmup.subprocess, "Popen", lambda words, **options: process)
    helper = warmup._Helper()
    with helper.at("board"):
        helper.on_start(compilation("somewhere"))
    with helper.at("playouts"):
        assert not killed.is_set()
    with helper.at("search"):
        assert killed.is_set()


def test_nothing_is_shared_without_a_cache_or_by_those_who_compile(
    started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warmup._Helper().on_start(compilation(None))
    monkeypatch.setenv(warmup.APART, "1")
    warmup._Helper().on_start(compilation("somewhere"))
    assert started == []


FIRST_START = """
from numba.core import event
from goengine.players import warmup

with event.install_recorder("numba:compile") as recorder:
    for part in warmup.PARTS.values():
        part()
names = {each.data["dispatcher"].py_func.__name__ for _, each in recorder.buffer}
kernels = ("play_point", "write_planes", "run_playouts", "select_leaves")
print(*(kernel in names for kernel in kernels))
"""


@pytest.mark.slow
def test_the_first_start_compiles_half_of_it_itself_and_the_next_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    first = run_engine([sys.executable, "-c", FIRST_START], "")
    assert first.stdout.split() == [b"True", b"True", b"False", b"False"], first.stderr.decode()
    assert first.stderr.count(b"compiling the board code") == 1
    second = run_engine([sys.executable, "-c", FIRST_START], "")
    assert second.stdout.split() == [b"False"] * 4
    assert second.stderr == b""
