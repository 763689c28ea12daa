"""A process that reads: first answers, moves, an analysis that is stopped, pondering in earnest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from goengine.networks.files import save_network
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet
from tests.helpers.gtp_client import ROOT


class Process:
    """An engine in a process of its own."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "goengine", "gtp", "--backend", "onnx", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def response(self) -> str:
        lines = []
        while (line := self.line()) not in ("\n", ""):
            lines.append(line)
        return "".join(lines)

    def ask(self, line: str) -> str:
        self.send(line)
        return self.response()

    def processor_seconds(self) -> float:
        return float(self.ask("cputime").split()[1])

    def uses(self, library: str) -> bool:
        return library in Path(f"/proc/{self._process.pid}/maps").read_text(encoding="utf-8")

    def quit(self) -> str:
        _, errors = self._process.communicate("quit\n", timeout=120)
        assert self._process.returncode == 0, errors
        return errors

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network that judges positions at once."""
    path = tmp_path / "judge.safetensors"
    config = PolicyValueConfig(filters=4, layers=3, neck=2, hidden=2)
    save_network(PolicyValueNet(config), path, metadata={})
    return path


@pytest.fixture
def engine(network: Path) -> Iterator[Process]:
    """A process that ponders and thinks for a fifth of a second a move on 9x9."""
    process = Process(
        *("--network", str(network), "--size", "9", "--seconds", "0.2", "--ponder"),
        *("--threads", "1", "--memory", "20"),
    )
    yield process
    process.kill()


def test_it_ponders_and_every_line_is_answered_at_once(engine: Process) -> None:
    assert engine.ask("name") == "= goengine\n"
    assert re.match(r"= [A-J][1-9]\n", engine.ask("genmove b"))
    began, patience = engine.processor_seconds(), time.monotonic() + 60
    while engine.processor_seconds() - began < 0.3:
        assert time.monotonic() < patience, "it does not ponder"
        time.sleep(0.2)
    for number in range(20):
        assert engine.ask(f"{number} protocol_version") == f"={number} 2\n"
    assert engine.ask("undo") == "= \n"
    began = engine.processor_seconds()
    time.sleep(0.5)
    assert engine.processor_seconds() - began < 0.1, "it ponders though its move was taken back"
    assert engine.quit() == ""


def test_an_analysis_grows_until_it_is_stopped(engine: Process) -> None:
    engine.send("kata-analyze b 10 rootInfo true")
    assert engine.line() == "=\n"
    visits = [int(engine.line().partition("rootInfo visits ")[2].split()[0]) for _ in range(4)]
    assert visits == sorted(visits) and visits[-1] > visits[0]
    engine.send("7 stop")
    while (line := engine.line()) != "\n":
        assert line.startswith("info move ")
    assert engine.response() == "=7 \n"
    assert engine.quit() == ""


def test_commands_that_come_together_are_answered_in_order(engine: Process) -> None:
    engine.send(
        "\n".join(f"{n} genmove {'bw'[n % 2]}\n{n + 100} known_command x" for n in range(4))
    )
    for number in range(4):
        assert engine.response().startswith(f"={number} ")
        assert engine.response() == f"={number + 100} false\n"
    assert engine.quit() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_onnx_path_never_loads_torch(engine: Process) -> None:
    assert engine.ask("genmove b").startswith("= ")
    assert engine.ask("kata-raw-nn 0").startswith("= symmetry 0\n")
    assert engine.uses("onnxruntime") and not engine.uses("libtorch")
    engine.quit()
