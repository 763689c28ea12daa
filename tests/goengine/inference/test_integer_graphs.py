"""Networks in 8-bit integers: close to float32, kept, tried once, and chosen where they pay."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from goengine.commands.benchmark import middle_games
from goengine.encoding.features import encode_batch
from goengine.inference import choosing, processor
from goengine.inference.backends.backend import BackendError
from goengine.inference.backends.graphs import graph_cache, integer_graphs, integer_trial
from goengine.inference.backends.graphs.graph_cache import cached_graph
from goengine.inference.backends.graphs.integer_graphs import integer_graph, integers_pay
from goengine.inference.backends.graphs.integer_trial import Trial, try_out
from goengine.inference.backends.graphs.quantised_graph import quantise, quantised_tensors
from goengine.inference.backends.onnx_backend import OnnxBackend
from goengine.inference.choosing import best_way, make_evaluator
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import NetworkFile, open_network, save_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet

SHIPPED = ["dual-96", "policy-residual-64"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep graphs in a folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(graph_cache, "graph_folder", lambda: folder)
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> NetworkFile:
    """A network with random weights that is quickly computed."""
    path = tmp_path / "tiny.safetensors"
    save_network(PolicyNet(PolicyConfig(filters=8, layers=4)), path, metadata={})
    return open_network(path)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("bits", [8, 7])
def test_integers_say_nearly_what_float_numbers_say(
    name: str, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integer_graphs, "adds_bytes_up_in_words", lambda: bits == 7)
    file = open_network(name)
    exact, rough = (
        Evaluator(OnnxBackend(file, precision=precision, threads=1))
        for precision in ("float32", "int8")
    )
    assert (exact.backend.precision, rough.backend.precision) == ("float32", "int8")
    same = 0
    for size in (9, 13, 19):
        records = np.concatenate([board.records for board in middle_games(16, size)])
        one, other = (evaluator.evaluate_records(records) for evaluator in (exact, rough))
        same += int((one.priors.argmax(1) == other.priors.argmax(1)).sum())
        assert np.abs(one.priors - other.priors).sum(1).mean() < 0.25
        if one.value is not None:
            assert other.value is not None and other.ownership is not None
            assert np.abs(one.value - other.value).mean() < 0.12
            assert np.abs(one.ownership - other.ownership).mean() < 0.08
    assert same >= 0.85 * 48


def test_only_the_trunk_becomes_integers() -> None:
    graph = cached_graph(open_network("dual-96"))
    ranges = {name: (-1.0, 9.0) for name in quantised_tensors(graph)}
    before, after = (onnx.load_from_string(data) for data in (graph, quantise(graph, ranges)))
    onnx.checker.check_model(after)
    weights = {w.name: w for w in after.graph.initializer}
    kept = [
        numpy_helper.to_array(weights[node.input[1]]).shape[-1]
        for node in after.graph.node
        if node.op_type == "Conv" and node.input[1] in weights
    ]
    convolutions = Counter(node.op_type for node in before.graph.node)["Conv"]
    assert kept == [1] * (convolutions - 17)  # the heads and pools; 17 are the trunk
    integer = [
        w for w in after.graph.initializer if w.data_type == onnx.TensorProto.INT8 and w.dims
    ]
    assert sum(len(w.dims) == 4 for w in integer) == 17
    assert len(quantise(graph, ranges)) < 0.3 * len(graph)


def test_seven_bits_leave_room() -> None:
    graph = cached_graph(open_network("policy-residual-64"))
    ranges = {name: (0.0, 9.0) for name in quantised_tensors(graph)}
    for bits, largest in ((8, 127), (7, 63)):
        model = onnx.load_from_string(quantise(graph, ranges, bits=bits))
        arrays = [numpy_helper.to_array(w) for w in model.graph.initializer]
        assert max(np.abs(a.astype(int)).max() for a in arrays if a.dtype == np.int8) == largest


def test_an_integer_graph_is_made_once_and_a_damaged_one_again(
    tiny: NetworkFile, own_cache: Path
) -> None:
    planes = encode_batch(middle_games(1, 9)[0].records)
    first = OnnxBackend(tiny, precision="int8", threads=1).run(planes).logits
    (kept,) = own_cache.glob("*int8*")
    made = kept.stat().st_ino
    assert integer_graph(tiny) == kept.read_bytes() and kept.stat().st_ino == made
    kept.write_bytes(b"damaged")
    again = OnnxBackend(tiny, precision="int8", threads=1).run(planes).logits
    np.testing.assert_array_equal(again, first)


def test_processors_that_overflow_have_a_graph_of_their_own(
    tiny: NetworkFile, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for overflows in (True, False):
        monkeypatch.setattr(integer_graphs, "adds_bytes_up_in_words", lambda o=overflows: o)
        integer_graph(tiny)
    assert len(list(own_cache.glob("*int8*"))) == 2


@pytest.mark.parametrize(
    ("trial", "pays"),
    [
        (Trial(speed=3.0, strayed=0.004), True),
        (Trial(speed=1.1, strayed=0.004), False),
        (Trial(speed=3.0, strayed=0.1), False),
        (Trial(speed=3.0, strayed=float("nan")), False),
    ],
)
def test_a_trial_decides_and_is_kept(
    tiny: NetworkFile, own_cache: Path, monkeypatch: pytest.MonkeyPatch, trial: Trial, pays: bool
) -> None:
    tried = []

    def count(*graphs: object) -> Trial:
        tried.append(graphs)
        return trial

    monkeypatch.setattr(integer_trial, "try_out", count)
    assert [integers_pay(tiny) for _ in range(3)] == [pays] * 3 and len(tried) == 1
    (kept,) = own_cache.glob("*.json")
    kept.write_bytes(b"{")
    assert integers_pay(tiny) == pays and len(tried) == 2
    kept.write_bytes(b'{"speed": "fast", "strayed": null}')
    assert integers_pay(tiny) == pays and len(tried) == 3
    monkeypatch.setattr(integer_graphs, "processor_name", lambda: "another")
    assert integers_pay(tiny) == pays and len(tried) == 4


@pytest.mark.parametrize("damaged", ["*int8*", "*[!8].onnx", "*.onnx"])
def test_damaged_graphs_are_written_again_for_the_trial(
    tiny: NetworkFile, own_cache: Path, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    integer_graph(tiny)
    graphs = sorted(own_cache.glob("*.onnx"))
    sound = [graph.read_bytes() for graph in graphs]
    for graph in own_cache.glob(damaged):
        graph.write_bytes(b"damaged")
    integers_pay(tiny)
    assert [graph.read_bytes() for graph in graphs] == sound
    assert len(list(own_cache.glob("*.json"))) == 1 and not caplog.records


def test_where_the_trial_fails_float_numbers_stay(
    tiny: NetworkFile, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*graphs: object) -> Trial:
        raise RuntimeError("QLinearConv is not implemented")

    monkeypatch.setattr(integer_trial, "try_out", fail)
    assert integers_pay(tiny) is False and not list(own_cache.glob("*.json"))


def test_the_trial_measures_both() -> None:
    file = open_network("policy-residual-64")
    graph = cached_graph(file)
    found = try_out(integer_graph(file), graph, 48)
    assert found.speed > 0 and 0 < found.strayed < integer_graphs.STRAYED
    assert try_out(graph, graph, 48).strayed == 0


@pytest.mark.parametrize("pays", [True, False])
def test_int8_is_chosen_where_it_pays_and_nothing_else_is_asked_for(
    tiny: NetworkFile, monkeypatch: pytest.MonkeyPatch, pays: bool
) -> None:
    monkeypatch.setattr(integer_graphs, "integers_pay", lambda file: pays)
    monkeypatch.setattr(choosing, "has_accelerator", lambda: False)
    monkeypatch.setattr(choosing, "has_bfloat16", lambda: False)
    free = ("onnx", "int8") if pays else ("onnx", None)
    assert best_way(tiny) == best_way(tiny, device="cpu") == best_way(tiny, backend="onnx") == free
    assert best_way(tiny, precision="float32") == ("onnx", "float32")
    assert best_way(tiny, precision="int8") == ("onnx", "int8")
    assert best_way(tiny, precision="bfloat16") == ("torch", "bfloat16")
    assert best_way(tiny, backend="torch") == ("torch", None)
    assert best_way(tiny, device="cuda") == ("torch", None)
    monkeypatch.setattr(choosing, "has_accelerator", lambda: True)
    assert best_way(tiny) == ("torch", None)
    monkeypatch.setattr(choosing, "has_bfloat16", lambda: True)
    assert best_way(tiny, device="cpu") == (("onnx", "int8") if pays else ("torch", None))


def test_int8_is_onnx_runtimes(tiny: NetworkFile) -> None:
    evaluator = make_evaluator(tiny.name, precision="int8", threads=1)
    assert (evaluator.backend.name, evaluator.backend.precision) == ("onnx", "int8")
    with pytest.raises(
        BackendError, match=r"'int8' is not a precision.* or the onnx backend, which has int8 too"
    ):
        make_evaluator(tiny.name, backend="torch", precision="int8")


def test_a_network_that_does_not_fit_is_refused_before_it_is_tried(tiny: NetworkFile) -> None:
    wrong = replace(tiny, config=replace(tiny.config, filters=9), digest="wrong")
    with pytest.raises(Exception, match="do not fit its config"):
        integers_pay(wrong)


def test_what_linux_tells_of_vnni(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(processor, "_CPU_INFO", file)
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    for flags, overflows in (("avx2", True), ("avx2 avx_vnni", False), ("avx512_vnni", False)):
        file.write_text(f"processor\t: 0\nmodel name\t: Some {flags}\nflags\t\t: {flags}\n")
        assert processor.adds_bytes_up_in_words() is overflows
        assert processor.processor_name() == f"x86_64 Some {flags} {flags}"
    monkeypatch.setattr(processor.platform, "machine", lambda: "arm64")
    assert not processor.adds_bytes_up_in_words()


def test_the_trials_are_plain_numbers(tiny: NetworkFile, own_cache: Path) -> None:
    integers_pay(tiny)
    (kept,) = own_cache.glob("*.json")
    assert set(json.loads(kept.read_text())) == {"speed", "strayed"}
