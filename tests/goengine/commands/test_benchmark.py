"""The benchmark command measures something of everything it names."""

from __future__ import annotations

import argparse
import re

import pytest
import torch

from goengine.commands import benchmark
from goengine.networks.files import save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from goengine.types import GoError


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    benchmark.configure(parser)
    return parser.parse_args(words)


def test_a_network_is_measured(tmp_path, capsys):
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    words = ["--network", str(path), "--size", "7", "--batch", "2", "--seconds", "0.01"]
    threads = torch.get_num_threads()
    try:
        assert benchmark.run(arguments(*words, "--threads", "1", "--device", "cpu")) == 0
    finally:
        torch.set_num_threads(threads)
    out = capsys.readouterr().out
    assert "7x7, batches of 2 middle-game positions" in out
    assert re.search(r"encoder, 1 threads: [\d,]+ positions/s", out)
    assert re.search(r"playouts from a middle game, one thread: [\d,]+/s", out)
    assert re.search(r"tiny\.safetensors on cpu in \w+: [\d,]+ positions/s; [\d.]+ ms", out)
    assert re.search(r"matrix product on cpu in float32, 1 threads: \d+ GFLOP/s", out)


def test_every_backend_is_measured_in_the_batches_of_a_search(tmp_path, capsys):
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=4, layers=3)), path, metadata={})
    words = ["--network", str(path), "--size", "5", "--batch", "1", "--seconds", "0.01"]
    threads = torch.get_num_threads()
    try:
        assert benchmark.run(arguments(*words, "--precision", "float32", "--device", "cpu")) == 0
        both = capsys.readouterr().out
        assert benchmark.run(arguments(*words, "--backend", "onnx")) == 0
        one = capsys.readouterr().out
    finally:
        torch.set_num_threads(threads)
    measured = r"{}, \d+ threads: .*tiny\.safetensors on cpu in float32: .*\n"
    batches = r"  batches of 1, 4, 8, 16: (?:[\d,]+, ){3}[\d,]+ evaluations/s, \d+ GFLOP/s or \d+ %"
    for name, out in (("onnx", both), ("torch", both), ("onnx", one)):
        assert re.search(measured.format(name) + batches, out), name
    assert "torch, " not in one.split("\n", 1)[1]


def test_without_a_network_random_weights_are_measured(monkeypatch):
    monkeypatch.setattr(benchmark, "shipped_networks", list)
    names = [name for name, _ in benchmark.networks(None)]
    assert names == ["random weights, 64 filters", "random weights, 192 filters"]


def test_middle_games_are_the_same_every_time():
    one, two = (benchmark.middle_games(2, 9, seed=3) for _ in range(2))
    assert one == two and one[0] != one[1] and one[0].turn == 27


@pytest.mark.parametrize(
    "words", [["--batch", "0"], ["--seconds", "inf"], ["--threads", "-3"], ["--size", "20"]]
)
def test_measurements_that_cannot_be(words, capsys):
    with pytest.raises(SystemExit):
        arguments(*words)
    assert f"argument {words[0]}: {words[1]!r} is not possible" in capsys.readouterr().err


def test_nothing_is_measured_before_the_device_is_known(capsys):
    with pytest.raises(GoError, match="banana"):
        benchmark.run(arguments("--device", "banana"))
    assert capsys.readouterr().out == ""
