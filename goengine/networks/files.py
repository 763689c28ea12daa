"""Networks as files: written, read back, and those that ship with the engine by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from cnncore.layers.blocks import channels_last
from cnncore.weights.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from goengine.encoding.features import FEATURE_VERSION
from goengine.networks.policy_network import NetworkError, PolicyConfig, PolicyNet

KIND = "policy-network"

_BEST_FIRST = ("policy-residual-64", "policy-64", "policy-192")
"""Shipped networks by what their matches showed (the model cards in nets/), quicker ones first
among equals."""


def save_network(
    net: PolicyNet,
    path: Path | str,
    *,
    metadata: dict[str, Any],
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a network, folded, in `dtype` (float32 or float16), with its config and `metadata`."""
    plain = net.folded() if net.config.norm else net
    tensors = {name: value.to(dtype) for name, value in plain.state_dict().items()}
    facts = {**metadata, "config": asdict(plain.config), "feature_version": FEATURE_VERSION}
    save_checkpoint(path, tensors, kind=KIND, metadata=facts)


def shipped_networks() -> list[str]:
    """Return the names of the networks that ship with the engine, sorted."""
    folder = resources.files("goengine") / "nets"
    if not folder.is_dir():
        return []
    names = [entry.name for entry in folder.iterdir()]
    return sorted(n.removesuffix(".safetensors") for n in names if n.endswith(".safetensors"))


def default_network(*, candidates: Sequence[str] | None = None) -> str:
    """Return the name of the shipped network that plays best.

    Raises:
        NetworkError: no network is shipped.
    """
    names = shipped_networks() if candidates is None else list(candidates)
    if not names:
        raise NetworkError(
            "this installation ships no network; name a file, e.g. one from 'selfplay export'"
        )
    ranked = [name for name in _BEST_FIRST if name in names]
    return (ranked or sorted(names))[0]


def load_network(name_or_path: str | Path) -> PolicyNet:
    """Return a network by its shipped name or file: float32, in eval mode, on the CPU.

    Raises: NetworkError: unknown name, missing or damaged file, other version, or weights that do
    not fit.
    """
    net, _ = read_network(name_or_path)
    return net


def read_network(name_or_path: str | Path) -> tuple[PolicyNet, dict[str, Any]]:
    """Return a network and its file's metadata (config, feature version, training)."""
    path = _locate(name_or_path)
    try:
        checkpoint = load_checkpoint(path, kind=KIND)
    except CheckpointError as error:
        raise NetworkError(str(error)) from error
    facts = checkpoint.metadata
    if facts.get("feature_version") != FEATURE_VERSION:
        raise NetworkError(
            f"{path} was trained on feature version {facts.get('feature_version')}, this program "
            f"encodes version {FEATURE_VERSION}; use a network of this release"
        )
    try:
        net = PolicyNet(PolicyConfig(**facts["config"]))
        net.load_state_dict({name: value.float() for name, value in checkpoint.tensors.items()})
    except (KeyError, TypeError) as error:
        raise NetworkError(f"{path} has no usable config ({error}); export it again") from error
    except RuntimeError as error:
        raise NetworkError(f"the weights in {path} do not fit its config: {error}") from error
    return channels_last(net).eval(), facts


def _locate(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".safetensors" or path.is_file():
        return path
    shipped = resources.files("goengine") / "nets" / f"{name_or_path}.safetensors"
    if not shipped.is_file():
        known = ", ".join(shipped_networks()) or "none"
        raise NetworkError(
            f"no network named {str(name_or_path)!r}; shipped networks: {known}; or give the path "
            "of a .safetensors file"
        )
    return Path(str(shipped))
