"""What is compiled before the first move: everything, so that no clock runs while it happens."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
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
args = parser.parse_args(["--size", "5", "--seed", "1", "--network", sys.argv[1]])
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
from goengine.commands.play import Session, start_game
from goengine.players.making import make_policy_player
from goengine.types import BLACK

player = make_policy_player(sys.argv[1])
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


@pytest.mark.parametrize("program", [ENGINE, TERMINAL], ids=["gtp", "terminal"])
def test_nothing_is_compiled_once_the_player_is_loaded(tmp_path: Path, program: str) -> None:
    network = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), network, metadata={})
    done = run_engine([sys.executable, "-c", COMPILED + program, str(network)], "")
    assert done.returncode == 0, done.stderr.decode()
