"""A real client: npm's @sabaki/gtp drives the engine through games, branches and analysis.

``npm install`` in tests/node (or a NODE_PATH that holds the package) makes this test run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goengine.board import Board
from goengine.coords import gtp_to_move, move_to_gtp
from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from goengine.types import colour_letter

NODE_FOLDER = Path(__file__).parents[2] / "node"

pytestmark = pytest.mark.node


@pytest.fixture
def node() -> str:
    """Node's path where the client package is installed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on the PATH")
    probe = [program, "-e", "require('@sabaki/gtp')"]
    if subprocess.run(probe, cwd=NODE_FOLDER, capture_output=True, check=False).returncode:
        pytest.skip("no @sabaki/gtp: run npm install in tests/node")
    return program


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network file that plays some moves quickly."""
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    return path


@pytest.fixture
def judging_network(tmp_path: Path) -> Path:
    """A network file that reads some positions quickly."""
    path = tmp_path / "judge.safetensors"
    config = PolicyValueConfig(filters=4, layers=3, neck=2, hidden=2)
    save_network(PolicyValueNet(config), path, metadata={})
    return path


def drive(node: str, network: Path, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Let the client take these steps and return its report."""
    options = ["--network", str(network), "--seed", "1", "--threads", "1", "--visits", "20"]
    plan = network.parent / "plan.json"
    arguments = ["-m", "goengine", "gtp", *options]
    plan.write_text(json.dumps({"path": sys.executable, "args": arguments, "steps": steps}))
    done = subprocess.run(
        [node, str(NODE_FOLDER / "drive.js"), str(plan)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(NODE_FOLDER.parents[1])},
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def shown(board: Board) -> str:
    """Return the diagram of a board as the client keeps it."""
    return "\n".join(line.rstrip() for line in str(board).split("\n")).strip()


class Tree:
    """A game tree that grows at random, and its positions as Sabaki would sync them."""

    def __init__(self, size: int, komi: float, rng: np.random.Generator, handicap: int) -> None:
        self.size, self.komi, self.rng = size, komi, rng
        board = Board(size, komi=komi)
        history: list[dict[str, Any]] = []
        if handicap:
            points = sorted(int(p) for p in rng.choice(size * size, handicap, replace=False))
            board.place_handicap(points)
            vertices = sorted(move_to_gtp(point, size) for point in points)
            history = [{"name": "set_free_handicap", "args": vertices}]
        self.nodes = [(board, history)]

    def grow(self, count: int) -> list[tuple[Board, list[dict[str, Any]]]]:
        """Play moves, now and then from an earlier node, and return the nodes on the way."""
        visited = []
        here = self.nodes[-1]
        for _ in range(count):
            if self.rng.random() < 0.3:
                here = self.nodes[int(self.rng.integers(len(self.nodes)))]
            board, history = here[0].copy(), list(here[1])
            move = int(self.rng.choice(np.flatnonzero(board.legal())))
            letter = colour_letter(board.to_play)
            history.append({"name": "play", "args": [letter, move_to_gtp(move, self.size)]})
            board.play(move)
            here = (board, history)
            self.nodes.append(here)
            visited.append(here)
        return visited


def test_branches_handicap_and_sizes_sync_without_one_error(
    node: str, network: Path, rng: np.random.Generator
) -> None:
    steps, boards = [], []
    for size, komi, handicap in ((9, 6.5, 0), (19, 0, 4), (13, 7.5, 0), (9, -3.5, 2), (5, 0.5, 0)):
        for board, history in Tree(size, komi, rng, handicap).grow(40):
            sync = {"komi": komi, "boardsize": [size, size], "history": history}
            steps.append({"sync": sync, "show": True})
            boards.append(board)
    report = drive(node, network, steps)
    assert report["syncErrors"] == [] and report["errors"] == []
    assert report["start"][:3] == ["goengine", report["start"][1], "2"]
    assert {"undo", "set_free_handicap", "clear_board", "boardsize"} <= set(report["sent"])
    for board, diagram in zip(boards, report["results"], strict=True):
        assert diagram.startswith(shown(board)), (diagram, shown(board))


@pytest.mark.parametrize("kind", ["network", "judging_network"])
def test_genmove_and_analysis_as_sabaki_uses_them(
    node: str, kind: str, request: pytest.FixtureRequest
) -> None:
    network: Path = request.getfixturevalue(kind)
    empty = {"komi": 6.5, "boardsize": [9, 9], "history": []}
    interrupt = {"name": "protocol_version"}
    steps: list[dict[str, Any]] = [{"sync": empty}]
    for turn in range(20):
        colour = "BW"[turn % 2]
        form = ("genmove_analyze", "kata-genmove_analyze", "lz-genmove_analyze")[turn % 3]
        analysis = ("analyze", "kata-analyze", "lz-analyze")[turn % 3]
        steps.append(
            {"analyze": {"name": analysis, "args": [colour, "20"]}, "lines": 2}
            | {"interrupt": interrupt}
        )
        args = [colour] if turn % 4 == 3 else [colour, "50"]
        steps.append({"send": {"name": "genmove" if turn % 4 == 3 else form, "args": args}})
    steps.append({"show": True})
    report = drive(node, network, steps)
    assert report["errors"] == [] and report["syncErrors"] == []
    board = Board(9, komi=6.5)
    history = report["state"]["history"]
    assert len(history) == 20
    for entry in history:
        board.play(gtp_to_move(entry["args"][1], 9))
    assert report["results"][-1].startswith(shown(board))
    for step, answer in zip(steps, report["results"], strict=True):
        if "analyze" in step:
            assert answer["answer"] == "2"
            judged = kind == "judging_network"
            check_analysis(step["analyze"]["name"], answer["content"], judged=judged)


def check_analysis(name: str, content: str, *, judged: bool) -> None:
    """Check reports as Sabaki parses them: pv last and not empty, numbers of the dialect."""
    assert judged == ("scoreLead" in content)
    for line in content.split("\n"):
        for segment in line.split("info ")[1:]:
            words = segment.split()
            pv = words[words.index("pv") + 1 :]
            assert pv and all(word[0].isalpha() and word[1:].isdigit() for word in pv), segment
            winrate = words[words.index("winrate") + 1]
            assert ("." in winrate) == name.startswith("kata"), segment
