"""Evaluators by the name of a network, on the backend and device that suit this machine."""

from __future__ import annotations

from pathlib import Path

from goengine.inference.backends.backend import BackendError
from goengine.inference.evaluator import Evaluator

BACKENDS = ("torch",)
"""The backends that there are, the preferred one first."""


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

    `backend`, `device` (cuda, mps, cpu) and `precision` choose themselves where they are None.

    Raises:
        GoError: there is no such network, backend, device, precision or symmetry.
    """
    if backend is not None and backend not in BACKENDS:
        raise BackendError(f"{backend!r} is not a backend: use {', '.join(BACKENDS)}")
    from goengine.inference.backends.torch_backend import TorchBackend
    from goengine.networks.files import load_network

    runner = TorchBackend(
        load_network(network), device=device, precision=precision, threads=threads
    )
    return Evaluator(runner, symmetry=symmetry)
