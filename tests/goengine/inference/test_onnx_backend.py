"""ONNX Runtime: what torch computes to the fourth digit, without torch, from a kept graph."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.layers.global_pooling import GlobalPoolingBlock
from goengine.commands.benchmark import middle_games
from goengine.encoding.features import encode_batch
from goengine.inference.backends.backend import BackendError, RawOutputs
from goengine.inference.backends.graphs import graph_cache
from goengine.inference.backends.onnx_backend import OnnxBackend
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.networks.files import NetworkFile, network_of, open_network, save_network
from goengine.networks.policy_network import NetworkError, PolicyConfig, PolicyNet
from goengine.networks.policy_value import PolicyValueConfig, PolicyValueNet

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[3]
SHAPES = {
    "policy": PolicyConfig(filters=8, layers=4),
    "policy tower": PolicyConfig(filters=8, layers=6, kind="residual"),
    "dual": PolicyValueConfig(filters=8, layers=4, neck=4, hidden=6),
    "dual tower": PolicyValueConfig(
        filters=8, layers=8, kind="residual", pools=(0, 2), neck=4, size=13
    ),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep graphs in a folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(graph_cache, "graph_folder", lambda: folder)
    return folder


def random_network(folder: Path, config: PolicyConfig) -> NetworkFile:
    """Return the file of a network with random weights everywhere."""
    torch.manual_seed(3)
    judges = isinstance(config, PolicyValueConfig)
    net = PolicyValueNet(config) if isinstance(config, PolicyValueConfig) else PolicyNet(config)
    nn.init.normal_(net.bias.bias)
    for module in net.modules():
        if isinstance(module, GlobalPoolingBlock):
            nn.init.normal_(module.pool.weight, 0.0, 0.3)
    if judges:
        nn.init.normal_(net.get_submodule("outcome").weight, 0.0, 0.3)
    file = folder / "random.safetensors"
    save_network(net, file, metadata={})
    return open_network(file)


def assert_same(one: RawOutputs, other: RawOutputs) -> None:
    """Compare every output of two backends: 1e-4 of its own size."""
    for name in ("logits", "margin", "spread", "ownership"):
        mine, theirs = vars(one)[name], vars(other)[name]
        assert (mine is None) == (theirs is None), name
        if mine is not None:
            assert mine.shape == theirs.shape and mine.dtype == theirs.dtype == np.float32
            assert np.abs(mine - theirs).max() < 1e-4 * max(1.0, np.abs(theirs).max()), name


@pytest.mark.parametrize("shape", SHAPES)
def test_random_networks_compute_what_torch_computes(tmp_path: Path, shape: str) -> None:
    file = random_network(tmp_path, SHAPES[shape])
    onnx, other = OnnxBackend(file, threads=1), TorchBackend(network_of(file), precision="float32")
    rng = np.random.default_rng(1)
    for size in (2, 9, 13, 19):
        for batch in (1, 3):
            planes = rng.integers(0, 2, (batch, 48, size, size)).astype(np.uint8)
            assert_same(onnx.run(planes), other.run(planes))


@pytest.mark.parametrize("name", ["dual-96", "policy-192", "policy-residual-64"])
def test_shipped_networks_compute_what_torch_computes(name: str) -> None:
    file = open_network(name)
    onnx, other = OnnxBackend(file, threads=1), TorchBackend(network_of(file), precision="float32")
    for size in (9, 13, 19):
        records = np.concatenate([board.records for board in middle_games(3, size)])
        planes = encode_batch(records)
        assert_same(onnx.run(planes), other.run(planes))


def test_the_graph_is_kept_used_and_replaced(tmp_path: Path, own_cache: Path) -> None:
    file = random_network(tmp_path, SHAPES["dual"])
    planes = np.random.default_rng(1).integers(0, 2, (2, 48, 9, 9)).astype(np.uint8)
    first = OnnxBackend(file, threads=1).run(planes)
    (kept,) = own_cache.iterdir()
    assert kept.name == f"{file.digest}-{graph_cache.WRITER_VERSION}.onnx"
    written = kept.stat().st_ino
    assert_same(OnnxBackend(file, threads=1).run(planes), first)
    assert kept.stat().st_ino == written
    kept.write_bytes(kept.read_bytes()[:1000])
    assert_same(OnnxBackend(file, threads=1).run(planes), first)
    assert kept.stat().st_size > 1000 and [kept] == list(own_cache.iterdir())


def test_other_weights_have_another_graph(tmp_path: Path, own_cache: Path) -> None:
    for shape in ("policy", "dual"):
        OnnxBackend(random_network(tmp_path, SHAPES[shape]), threads=1)
    assert len(list(own_cache.iterdir())) == 2


def test_old_graphs_go(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_cache, "KEPT", 2)
    for filters in (4, 5, 6):
        OnnxBackend(random_network(tmp_path, PolicyConfig(filters=filters, layers=3)), threads=1)
    assert len(list(own_cache.iterdir())) == 2


def test_where_nothing_can_be_kept_it_works_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(graph_cache, "graph_folder", lambda: tmp_path / "file" / "folder")
    backend = OnnxBackend(random_network(tmp_path, SHAPES["policy"]), threads=1)
    assert backend.run(np.zeros((1, 48, 5, 5), dtype=np.uint8)).logits.shape == (1, 25)


def test_a_graph_that_may_only_be_read_is_used(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_network(tmp_path, SHAPES["policy"])
    OnnxBackend(file, threads=1)
    (kept,) = own_cache.iterdir()
    written = kept.stat().st_ino

    def forbidden(*args: object, **settings: object) -> None:
        raise PermissionError("a read-only file system")

    monkeypatch.setattr(graph_cache.os, "utime", forbidden)
    OnnxBackend(file, threads=1)
    assert kept.stat().st_ino == written


def test_a_graph_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_network(tmp_path, SHAPES["policy"])
    synced: list[list[str]] = []
    monkeypatch.setattr(
        graph_cache.os,
        "fsync",
        lambda number: synced.append([path.name for path in own_cache.iterdir()]),
    )
    OnnxBackend(file, threads=1)
    (names,) = synced
    assert len(names) == 1 and names[0].endswith(".tmp")


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    file = random_network(tmp_path, SHAPES["dual tower"])
    with pytest.raises(NetworkError, match=r"body\.0\.conv\.weight has shape"):
        OnnxBackend(replace(file, config=replace(file.config, filters=9)))
    missing = {name: w for name, w in file.weights.items() if name != "owner.bias"}
    with pytest.raises(NetworkError, match=r"owner\.bias is missing"):
        OnnxBackend(replace(file, weights=missing, digest="1"))
    with pytest.raises(NetworkError, match="does not have tail"):
        OnnxBackend(
            replace(file, weights={**file.weights, "tail": np.zeros(1, np.float32)}, digest="2")
        )
    with pytest.raises(NetworkError, match=r"bias\.bias is missing"):
        OnnxBackend(replace(file, config=replace(file.config, size=9)))


def test_what_it_cannot_do_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = random_network(tmp_path, SHAPES["policy"])
    with pytest.raises(BackendError, match="runs on cpu, not cuda"):
        OnnxBackend(file, device="cuda")
    with pytest.raises(BackendError, match="in float32 or int8, not bfloat16"):
        OnnxBackend(file, precision="bfloat16")
    with pytest.raises(BackendError, match="0 threads make no sense"):
        OnnxBackend(file, threads=0)
    broken = {"onnx": "it is installed but does not start: no DLL"}
    monkeypatch.setattr(graph_cache, "import_failure", broken.get)
    with pytest.raises(BackendError, match="install the package onnx"):
        OnnxBackend(file)
    backend = "goengine.inference.backends.onnx_backend"
    monkeypatch.setattr(f"{backend}.import_failure", lambda package: "it is not installed")
    with pytest.raises(BackendError, match="install the package onnxruntime"):
        OnnxBackend(file)


def test_a_game_over_gtp_never_imports_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from goengine.__main__ import main; sys.argv[0] = 'goengine'; code = main(); "
        "print('torch' in sys.modules, 'onnxruntime' in sys.modules, file=sys.stderr); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "gtp", "--precision", "float32", "--size", "9"],
        input="genmove b\ngenmove w\nfinal_score\nquit\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.count("= ") >= 3 and "?" not in done.stdout
    assert done.stderr.split()[-2:] == ["False", "True"]
