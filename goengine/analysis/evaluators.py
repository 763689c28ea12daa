"""Evaluators that can analyse: networks that judge positions, the best one by default."""

from __future__ import annotations

from pathlib import Path

from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import (
    NetworkFile,
    open_network,
    shipped_networks,
)
from goengine.networks.network_config import NetworkError, PolicyValueConfig

BEST_FIRST = ("dual-96", "policy-192")
"""Shipped networks that judge, by their model cards in nets/."""


def judging_network() -> str:
    """Return the name of the best shipped network that says who is ahead.

    Raises:
        NetworkError: none is shipped.
    """
    names = [name for name in shipped_networks() if _judges(open_network(name))]
    if not names:
        raise NetworkError(
            "this installation ships no network that judges positions; name a policy-value network"
        )
    ranked = [name for name in BEST_FIRST if name in names]
    return (ranked or names)[0]


def make_analysis_evaluator(
    network: str | Path | None = None,
    *,
    backend: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
) -> tuple[str, Evaluator]:
    """Return the name of a network, shipped or a file (None: the best here), and its evaluator.

    Raises:
        GoError: there is no such network, backend, device or precision, or the network only names
            moves.
    """
    chosen = judging_network() if network is None else network
    if not _judges(open_network(chosen)):
        raise NetworkError(
            f"the network {chosen} names moves and does not judge positions, which an analysis "
            f"needs: use a policy-value network such as {judging_network()}"
        )
    evaluator = make_evaluator(
        chosen, backend=backend, device=device, precision=precision, threads=threads
    )
    return Path(chosen).name.removesuffix(".safetensors"), evaluator


def _judges(file: NetworkFile) -> bool:
    """Tell whether a network says who is ahead."""
    return isinstance(file.config, PolicyValueConfig)
