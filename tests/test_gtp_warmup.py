"""What is compiled before the first move: everything, so that no clock runs while it happens."""

from __future__ import annotations

import sys
from pathlib import Path

from gtp_client import run_engine

from goengine.networks import PolicyConfig, PolicyNet, save_network

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

PROGRAM = f"""
import argparse, sys
from goengine.gtp import cli
from goengine.gtp.engine import Engine

def compiled():
    return {{
        (module, name, str(signature))
        for module in sorted(sys.modules) if module.startswith("goengine")
        for name, value in vars(sys.modules[module]).items()
        for signature in getattr(value, "overloads", ())
    }}

parser = argparse.ArgumentParser()
cli.configure(parser)
args = parser.parse_args(["--size", "5", "--seed", "1", "--network", sys.argv[1]])
engine = Engine(lambda: cli.make_player(args), cli.make_settings(args))
engine.session.load()
ready = compiled()
for line in {GAME!r}.split(chr(10)):
    answer = engine.answer(line)
    assert not answer.startswith("?"), (line, answer)
    late = compiled() - ready
    assert not late, (line, late)
"""


def test_no_command_compiles_anything_once_the_engine_is_loaded(tmp_path: Path) -> None:
    network = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), network, metadata={})
    done = run_engine([sys.executable, "-c", PROGRAM, str(network)], "")
    assert done.returncode == 0, done.stderr.decode()
