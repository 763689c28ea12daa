"""Evaluators by the name of a network, on the backend and device that suit this machine."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from goengine.inference.backends.backend import Backend, BackendError
from goengine.inference.evaluator import Evaluator
from goengine.inference.processor import (
    has_accelerator,
    has_bfloat16,
    import_failure,
    is_installed,
    spare_one,
)
from goengine.options import MAX_THREADS

if TYPE_CHECKING:
    from goengine.networks.files import NetworkFile

log = logging.getLogger(__name__)

BACKENDS = ("onnx", "torch")
"""The backends that there are."""


def make_evaluator(
    network: str | Path,
    *,
    backend: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    symmetry: str = "none",
    threads: int | None = None,
) -> Evaluator:
    """Return an evaluator for a network, a shipped name or a file.

    `backend` (onnx, torch), `device` (cuda, mps, cpu) and `precision` (float32, bfloat16, float16,
    int8) choose themselves where they are None. Example:

        >>> from goengine import Board, make_evaluator
        >>> evaluator = make_evaluator("dual-96", backend="onnx", threads=1)
        >>> board = Board(19)
        >>> e = evaluator.evaluate([board])
        >>> e.priors.shape, e.value.shape, e.lead.shape, e.ownership.shape
        ((1, 362), (1,), (1,), (1, 19, 19))
        >>> bool(abs(e.value[0]) < 0.2)  # the empty board is an even game
        True

    Raises:
        GoError: there is no such network, backend, device, precision or symmetry.
    """
    from goengine.networks.files import open_network

    runner = make_backend(
        open_network(network),
        backend=backend,
        device=device,
        precision=precision,
        threads=threads,
    )
    return Evaluator(runner, symmetry=symmetry)


def make_backend(
    network: NetworkFile,
    *,
    backend: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> Backend:
    """Return what computes the network of a file; what is None chooses itself.

    `threads` are all physical cores but one where they are not given: a program that needs a core
    beside them slows a network on all cores down many times (docs/lab.md).

    Raises:
        GoError: there is no such backend, device or precision, or the weights do not fit the shape.
    """
    if backend is not None and backend not in BACKENDS:
        raise BackendError(f"{backend!r} is not a backend: use {' or '.join(BACKENDS)}")
    threads = spare_one() if threads is None else threads
    if threads > MAX_THREADS:
        raise BackendError(f"{threads} threads are too many: use 1 to {MAX_THREADS}")
    chosen, within = best_way(network, backend=backend, device=device, precision=precision)
    if chosen == "onnx":
        from goengine.inference.backends.onnx_backend import OnnxBackend

        return OnnxBackend(network, device=device, precision=within, threads=threads)
    failure = import_failure("torch")
    if failure is not None:
        raise BackendError(
            f"the torch backend needs PyTorch ({failure}): install the package torch anew, or use "
            "the onnx backend"
        )
    from goengine.inference.backends.torch_backend import TorchBackend
    from goengine.networks.files import network_of

    return TorchBackend(network_of(network), device=device, precision=within, threads=threads)


def best_way(
    network: NetworkFile,
    *,
    backend: str | None = None,
    device: str | None = None,
    precision: str | None = None,
) -> tuple[str, str | None]:
    """Return the backend and precision that compute a network fastest here, what is given kept.

    On a processor that is ONNX Runtime in int8 where this network's own trial says so, 3.2 to 3.9
    times float32 where it has instructions for it (docs/lab.md). The trial takes a second or two at
    the network's first use; its outcome is kept.

    Raises:
        GoError: the weights do not fit the shape.
    """
    free = precision in (None, "auto")
    if precision == "int8" and backend is None:
        return "onnx", precision
    if backend == "torch" or device not in (None, "auto", "cpu"):
        return backend or "torch", precision
    if backend is None and best_backend(device, "float32" if free else precision) != "onnx":
        return "torch", precision
    if free:
        from goengine.inference.backends.graphs.integer_graphs import integers_pay

        if integers_pay(network):
            return "onnx", "int8"
    return backend or best_backend(device, precision), precision


def best_backend(device: str | None = None, precision: str | None = None) -> str:
    """Return the backend that computes a device and a precision fastest here, None for any.

    That is without int8, of which each network decides for itself. ONNX Runtime computes in float32
    on the processor; everything else is PyTorch's: accelerators, and processors that multiply
    bfloat16, where it is 1.2 to 1.9 times as fast (docs/lab.md).
    """
    if device not in (None, "auto", "cpu") or precision not in (None, "auto", "float32"):
        return "torch"
    if device != "cpu" and has_accelerator():
        return "torch"
    if precision != "float32" and has_bfloat16():
        return "torch"
    return "onnx" if is_installed("onnx") and _onnx_runtime_starts() else "torch"


@functools.cache
def _onnx_runtime_starts() -> bool:
    """Tell whether ONNX Runtime can be used; the log says why not where it is there and broken."""
    failure = import_failure("onnxruntime")
    if failure is not None and is_installed("onnxruntime"):
        log.warning("ONNX Runtime is not used (%s), so PyTorch computes, more slowly", failure)
    return failure is None
