"""Which backend computes where, and what this machine is asked for that."""

from __future__ import annotations

import doctest
import os
import sys
from pathlib import Path

import pytest
import torch

import goengine
from goengine.board import Board
from goengine.inference import choosing, processor
from goengine.inference.backends.backend import BackendError
from goengine.inference.backends.onnx_backend import OnnxBackend
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.choosing import best_backend, make_evaluator


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Return a function that makes this machine another one."""

    def become(*, accelerator: bool = False, bfloat16: bool = False, onnx: bool = True) -> None:
        monkeypatch.setattr(choosing, "has_accelerator", lambda: accelerator)
        monkeypatch.setattr(choosing, "has_bfloat16", lambda: bfloat16)
        monkeypatch.setattr(choosing, "is_installed", lambda package: onnx)

    return become


def test_a_plain_processor_runs_onnx(machine) -> None:
    machine()
    assert best_backend() == best_backend("cpu") == best_backend("auto", "auto") == "onnx"
    assert best_backend("cpu", "bfloat16") == best_backend("cuda:0") == "torch"


def test_a_processor_that_multiplies_bfloat16_runs_torch(machine) -> None:
    machine(bfloat16=True)
    assert best_backend() == best_backend("cpu") == "torch"
    assert best_backend(None, "float32") == "onnx"


def test_an_accelerator_runs_torch_unless_the_processor_is_asked_for(machine) -> None:
    machine(accelerator=True)
    assert best_backend() == best_backend(None, "float32") == "torch"
    assert best_backend("cpu") == "onnx"


def test_without_onnx_runtime_torch_does_it(machine) -> None:
    machine(onnx=False)
    assert best_backend() == "torch"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return a function that makes an installed package fail when it is imported."""
    processor.import_failure.cache_clear()
    choosing._onnx_runtime_starts.cache_clear()

    def become(package: str) -> None:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('DLL load failed')")
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(tmp_path)

    yield become
    processor.import_failure.cache_clear()
    choosing._onnx_runtime_starts.cache_clear()


def test_onnx_runtime_that_does_not_start_is_as_good_as_none(
    broken, machine, net_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    machine()
    broken("onnxruntime")
    assert make_evaluator(net_file, threads=1).backend.name == "torch"
    (said,) = caplog.messages
    assert "it is installed but does not start: DLL load failed" in said
    with pytest.raises(BackendError, match=r"DLL load failed\): install the package onnxruntime"):
        make_evaluator(net_file, backend="onnx")


def test_torch_that_does_not_start_is_said_in_a_sentence(
    net_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "import_failure", lambda package: "it does not start: no DLL")
    with pytest.raises(BackendError, match=r"no DLL\): install the package torch anew, or use the"):
        make_evaluator(net_file, backend="torch")


def test_what_is_asked_for_is_what_computes(net_file: Path) -> None:
    threads = torch.get_num_threads()
    try:
        for name, kind in (("onnx", OnnxBackend), ("torch", TorchBackend)):
            evaluator = make_evaluator(net_file, backend=name, precision="float32", threads=1)
            assert isinstance(evaluator.backend, kind)
            assert (evaluator.backend.name, evaluator.backend.threads) == (name, 1)
            assert evaluator.evaluate([Board(9)]).priors.shape == (1, 82)
    finally:
        torch.set_num_threads(threads)
    with pytest.raises(BackendError, match="'abacus' is not a backend: use onnx or torch"):
        make_evaluator(net_file, backend="abacus")


def test_one_core_is_left_to_others(net_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 1), (4, 3)):
        monkeypatch.setattr(processor, "physical_cores", lambda cores=cores: cores)
        assert make_evaluator(net_file, backend="onnx").backend.threads == threads


INFO = """processor\t: 0
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu avx2 {extra}

processor\t: 1
physical id\t: 0
core id\t\t: 0

processor\t: 2
physical id\t: 0
core id\t\t: 1
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux tells")
@pytest.mark.parametrize(("extra", "expected"), [("avx512_bf16", True), ("avx512f", False)])
def test_what_linux_tells_of_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, expected: bool
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(INFO.format(extra=extra))
    monkeypatch.setattr(processor, "_CPU_INFO", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    processor.physical_cores.cache_clear()
    processor.has_bfloat16.cache_clear()
    try:
        assert processor.physical_cores() == 2
        assert processor.has_bfloat16() is expected
    finally:
        processor.physical_cores.cache_clear()
        processor.has_bfloat16.cache_clear()


def test_torch_sees_the_same_machine() -> None:
    assert processor.has_accelerator() or not torch.cuda.is_available()
    assert 1 <= processor.physical_cores() <= (os.cpu_count() or 1)


def test_the_example_of_the_public_name_is_right() -> None:
    assert goengine.make_evaluator is make_evaluator
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(make_evaluator, "make_evaluator"):
        runner.run(example)
    failed, attempted = runner.summarize(verbose=False)
    assert (failed, attempted) == (0, 6)


def test_too_many_threads_are_refused_at_once() -> None:
    with pytest.raises(BackendError, match="1000000 threads are too many: use 1 to 1024"):
        make_evaluator("policy-64", threads=10**6)
