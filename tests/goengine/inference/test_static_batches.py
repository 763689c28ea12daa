"""Batches in memory that stays: padded, recorded once a size, from two threads, and without graphs.

All but the calls into CUDA itself runs on a processor here; the tests marked gpu need the device.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor

from goengine.board import Board
from goengine.inference.backends.backend import Planes, RawOutputs
from goengine.inference.backends.static_batches import (
    SLOTS,
    Compute,
    Eager,
    StaticBatches,
    padded,
)
from goengine.inference.backends.torch_backend import TorchBackend
from goengine.inference.evaluator import IN_FLIGHT, PIECE, Evaluator
from goengine.networks.files import load_network

CPU = torch.device("cpu")


def compute(planes: Tensor) -> Sequence[Tensor]:
    """Sum each board, and keep its first plane."""
    return [planes.float().sum(dim=(1, 2, 3)), planes[:, 0].float()]


class Recorder:
    """A device that records: replaying computes what is in the buffers by then."""

    pins = False

    def __init__(self) -> None:
        self.recorded: list[tuple[int, ...]] = []
        self.replayed = 0
        self.waited = 0

    def record(self, work: Compute, planes: Tensor) -> tuple[Callable[[], None], list[Tensor]]:
        self.recorded.append(tuple(planes.shape))
        outputs = [torch.full_like(output, -1) for output in work(planes)]

        def replay() -> None:
            self.replayed += 1
            for kept, output in zip(outputs, work(planes), strict=True):
                kept.copy_(output)

        return replay, outputs

    def mark(self) -> Callable[[], None]:
        def wait() -> None:
            self.waited += 1

        return wait


class Refusing(Recorder):
    """A device that cannot record."""

    def record(self, work: Compute, planes: Tensor) -> tuple[Callable[[], None], list[Tensor]]:
        raise RuntimeError("operation not permitted when stream is capturing")


def boards(count: int, size: int = 5, seed: int = 1) -> Planes:
    return np.random.default_rng(seed).integers(0, 2, (count, 48, size, size)).astype(np.uint8)


def assert_right(batches: StaticBatches, planes: Planes) -> None:
    sums, first = batches.run(planes)
    assert sums.dtype == first.dtype == np.float32
    np.testing.assert_array_equal(sums, planes.sum(axis=(1, 2, 3)))
    np.testing.assert_array_equal(first, planes[:, 0])


def test_every_batch_is_right_and_each_padded_size_is_recorded_once() -> None:
    device = Recorder()
    batches = StaticBatches(compute, CPU, largest=12, accelerator=device)
    for _ in range(2):
        for count in range(1, 13):
            assert_right(batches, boards(count, seed=count))
    assert [shape[0] for shape in device.recorded] == [1, 2, 4, 8, 12]
    assert device.replayed == device.waited == 24
    assert_right(batches, boards(3, size=7))
    assert device.recorded[-1] == (4, 48, 7, 7) and batches.records


def test_what_was_given_stays_when_the_buffers_are_used_again() -> None:
    batches = StaticBatches(compute, CPU, largest=4, accelerator=Recorder())
    kept = [batches.run(boards(4, seed=seed)) for seed in range(2 * SLOTS + 1)]
    for seed, (sums, _) in enumerate(kept):
        np.testing.assert_array_equal(sums, boards(4, seed=seed).sum(axis=(1, 2, 3)))


@pytest.mark.parametrize("threads", [IN_FLIGHT, 8])
def test_several_threads_may_ask(threads: int) -> None:
    batches = StaticBatches(compute, CPU, largest=16, accelerator=Recorder())
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(assert_right, batches, boards(1 + seed % 16, seed=seed))
            for seed in range(200)
        ]
        for job in jobs:
            job.result()


def test_a_device_that_cannot_record_computes_all_the_same_and_says_nothing(caplog) -> None:
    batches = StaticBatches(compute, CPU, largest=8, accelerator=Refusing())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count in (1, 3, 8, 3):
            assert_right(batches, boards(count))
    assert not batches.records
    assert not [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]


def test_a_network_that_fails_fails_with_its_own_error() -> None:
    def broken(planes: Tensor) -> Sequence[Tensor]:
        raise RuntimeError("out of memory")

    for device in (Eager(), Refusing()):
        with pytest.raises(RuntimeError, match="out of memory"):
            StaticBatches(broken, CPU, largest=8, accelerator=device).run(boards(2))


def test_padding_doubles() -> None:
    assert [padded(count, 48) for count in (1, 3, 16, 17, 33, 48)] == [1, 4, 16, 32, 48, 48]


class Piecewise:
    """The backend of an accelerator, on the processor: the same pieces, buffers and threads."""

    def __init__(self, inner: TorchBackend) -> None:
        self.name, self.device, self.precision = "torch", "stub", "float32"
        self.planes, self.forgetful, self.threads = inner.planes, inner.forgetful, 1
        self.chunk = 1024
        self.asked: list[int] = []
        self._batches = StaticBatches(inner.compute, CPU, largest=1024, accelerator=Recorder())

    def run(self, planes: Planes) -> RawOutputs:
        self.asked.append(len(planes))
        return RawOutputs(*self._batches.run(planes))


@pytest.mark.parametrize("symmetry", ["none", "random", "all"])
def test_pieces_that_overlap_say_what_one_batch_says(symmetry: str) -> None:
    inner = TorchBackend(load_network("dual-96"), device="cpu", precision="float32", threads=1)
    piecewise = Piecewise(inner)
    rng = np.random.default_rng(4)
    games = [Board(5) for _ in range(PIECE + 3 if symmetry != "all" else 35)]
    for board in games:
        for _ in range(int(rng.integers(0, 9))):
            board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
    one, other = (
        Evaluator(backend).evaluate(games, symmetry=symmetry, rng=np.random.default_rng(2))
        for backend in (inner, piecewise)
    )
    whole = 3 if symmetry != "all" else 24
    assert sorted(piecewise.asked, reverse=True)[-1] == whole and max(piecewise.asked) == PIECE
    for name in ("priors", "value", "lead", "ownership", "spread"):
        np.testing.assert_allclose(vars(other)[name], vars(one)[name], atol=2e-4, rtol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", ["dual-96", "policy-192"])
def test_gpu_graphs_compute_what_the_processor_computes(name: str) -> None:
    network = load_network(name)
    cpu = TorchBackend(network, device="cpu", precision="float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cuda = TorchBackend(network, device="cuda", precision="float32")
        for count in (1, 3, 8, 20, 3):
            planes = boards(count, size=19, seed=count)
            mine, theirs = vars(cuda.run(planes)), vars(cpu.run(planes))
            for key, value in theirs.items():
                np.testing.assert_allclose(mine[key], value, rtol=2e-2, atol=2e-2, err_msg=key)
    assert cuda._batches is not None and cuda._batches.records


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_pieces_overlap_and_say_what_single_positions_say() -> None:
    evaluator = Evaluator(TorchBackend(load_network("dual-96"), device="cuda"))
    games = [Board(19) for _ in range(2 * PIECE + 5)]
    for number, board in enumerate(games):
        board.play(number % 361)
    together = evaluator.evaluate(games)
    for i in (0, PIECE - 1, PIECE, 2 * PIECE + 4):
        alone = evaluator.evaluate([games[i]])
        np.testing.assert_allclose(together.priors[i], alone.priors[0], atol=2e-2)
        assert together.lead is not None and alone.lead is not None
        assert abs(together.lead[i] - alone.lead[0]) < 2.0
