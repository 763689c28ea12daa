"""Networks as files: written, read back, and those that ship with the engine by name.

Importing this module does not import torch, nor does `open_network`: what it returns is all that a
backend needs that computes networks in another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cnncore.weights.checkpoint_arrays import CheckpointError, load_arrays
from goengine.encoding.features import FEATURE_VERSION
from goengine.networks.network_config import (
    CONFIGS,
    NetworkError,
    PolicyConfig,
    PolicyValueConfig,
    config_from,
    kind_of,
)
from goengine.types import MAX_SIZE, MIN_SIZE

if TYPE_CHECKING:
    import torch

    from goengine.networks.policy_network import PolicyNet
    from goengine.networks.policy_value import PolicyValueNet

Network: TypeAlias = "PolicyNet | PolicyValueNet"
"""What a file can hold."""
NETWORK = "network.safetensors"
"""The network in a folder that fine-tuning wrote: the best one so far."""
START = "start.safetensors"
"""The network that a fine-tuning run began with; no other run has this file."""
_CHECKPOINT = "checkpoint.safetensors"
"""The state of a training run."""
POSITION_BIAS = "bias.bias"
"""The weight that belongs to one board size, a number a point."""
_BEST_FIRST = ("dual-96", "policy-residual-64", "policy-64", "policy-192")
"""Shipped networks by how they play without search, as their matches showed (the model cards in
nets/), quicker ones first among equals."""
_JUDGES = (("dual-96", range(MIN_SIZE, MAX_SIZE + 1)),)
"""Shipped networks that judge positions and the sizes on which they may play, for each size the one
first that searches best there."""


@dataclass(frozen=True)
class NetworkFile:
    """What a network's file holds."""

    name: str
    """The path, for messages."""
    config: PolicyConfig
    """The shape; a `PolicyValueConfig` for a policy-value network."""
    weights: dict[str, npt.NDArray[np.float32]]
    """The weights under the names that the torch network has for them."""
    facts: dict[str, Any]
    """What the writer said of it: config, feature version, training."""
    digest: str
    """A hexadecimal number that no file of other contents has."""


def save_network(
    net: Network,
    path: Path | str,
    *,
    metadata: dict[str, Any],
    dtype: torch.dtype | None = None,
) -> None:
    """Write a network, folded, with its config and `metadata`.

    `dtype` is torch.float32, which None stands for, or torch.float16.
    """
    import torch

    from cnncore.weights.checkpoint import save_checkpoint

    plain = net.folded() if net.config.norm else net
    kept = torch.float32 if dtype is None else dtype
    tensors = {name: value.to(kept) for name, value in plain.state_dict().items()}
    facts = {**metadata, "config": asdict(plain.config), "feature_version": FEATURE_VERSION}
    save_checkpoint(path, tensors, kind=kind_of(plain.config), metadata=facts)


def shipped_networks() -> list[str]:
    """Return the names of the networks that ship with the engine, sorted."""
    folder = resources.files("goengine") / "nets"
    if not folder.is_dir():
        return []
    names = [entry.name for entry in folder.iterdir()]
    return sorted(n.removesuffix(".safetensors") for n in names if n.endswith(".safetensors"))


def default_network(*, candidates: Sequence[str] | None = None) -> str:
    """Return the name of the shipped network that plays best without search.

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


def default_judge(size: int, *, candidates: Sequence[str] | None = None) -> str | None:
    """Return the name of the shipped network that searches best on boards of `size` lines.

    None where no network that judges positions is shipped.
    """
    names = shipped_networks() if candidates is None else list(candidates)
    return next((name for name, sizes in _JUDGES if name in names and size in sizes), None)


def name_of(name_or_path: str | Path) -> str:
    """Return what a network is called: its shipped name, or that of its file without the suffix.

    A file that is only called `network`, as fine-tuning writes it, goes by the name of its folder.
    """
    path = Path(name_or_path).absolute()
    stem = path.name.removesuffix(".safetensors")
    return path.resolve().parent.name or stem if stem == "network" else stem


def judges(name_or_path: str | Path) -> bool:
    """Tell whether a network judges positions besides naming moves, so that it can search.

    Raises:
        NetworkError: as for `open_network`.
    """
    return isinstance(open_network(name_or_path).config, PolicyValueConfig)


def open_network(name_or_path: str | Path) -> NetworkFile:
    """Return what the file of a network holds, by its shipped name or path, without torch.

    The folder of a fine-tuning run stands for its best network.

    Raises:
        NetworkError: unknown name, missing or damaged file, other kind or version, no config, or
            weights that are infinite or NaN.
    """
    path = _locate(name_or_path)
    try:
        file = load_arrays(path)
    except CheckpointError as error:
        raise NetworkError(str(error)) from error
    if file.kind not in CONFIGS:
        raise NetworkError(
            f"{path} holds a {file.kind}, not a {' or a '.join(CONFIGS)}; give another file"
        )
    facts = file.metadata
    if facts.get("feature_version") != FEATURE_VERSION:
        raise NetworkError(
            f"{path} was trained on feature version {facts.get('feature_version')}, this program "
            f"encodes version {FEATURE_VERSION}; use a network of this release"
        )
    try:
        config = config_from(file.kind, facts["config"])
    except (KeyError, TypeError, NetworkError) as error:
        raise NetworkError(f"{path} has no usable config ({error}); export it again") from error
    weights = {name: array.astype(np.float32) for name, array in file.arrays.items()}
    wrong = [name for name, array in weights.items() if not np.isfinite(array).all()]
    if wrong:
        raise NetworkError(
            f"{path} has infinite weights or weights that are not numbers ({wrong[0]}); export it "
            "again, without --float16 if it had that"
        )
    return NetworkFile(str(path), config, weights, facts, file.digest)


def load_network(name_or_path: str | Path) -> Network:
    """Return a network by its shipped name or file: float32, in eval mode, on the CPU.

    It is a `PolicyNet` or a `PolicyValueNet`, whichever the file holds.

    Raises:
        NetworkError: as for `open_network`, or weights that do not fit the shape.
    """
    net, _ = read_network(name_or_path)
    return net


def read_network(name_or_path: str | Path) -> tuple[Network, dict[str, Any]]:
    """Return a network and its file's metadata (config, feature version, training).

    Raises:
        NetworkError: as for `load_network`.
    """
    file = open_network(name_or_path)
    return network_of(file), file.facts


def network_of(file: NetworkFile) -> Network:
    """Return the network that a file holds, in torch: float32, in eval mode, on the CPU.

    Raises:
        NetworkError: the weights do not fit the shape.
    """
    import torch

    from cnncore.layers.blocks import channels_last
    from goengine.networks.policy_network import PolicyNet
    from goengine.networks.policy_value import PolicyValueNet

    config = file.config
    net: Network
    net = PolicyValueNet(config) if isinstance(config, PolicyValueConfig) else PolicyNet(config)
    try:
        net.load_state_dict({name: torch.from_numpy(w) for name, w in file.weights.items()})
    except RuntimeError as error:  # a line about all, then one for each weight
        lines = str(error).splitlines()
        first = (lines[1:] or lines)[0].strip().rstrip(".")
        raise NetworkError(
            f"the weights in {file.name} do not fit its config: {first}; export it again"
        ) from error
    return channels_last(net).eval()


def policy_network(net: Network, name: str | Path) -> PolicyNet:
    """Return a network that must be a policy network; `name` is for the message.

    Raises:
        NetworkError: it is a policy-value network.
    """
    from goengine.networks.policy_network import PolicyNet

    if not isinstance(net, PolicyNet):
        raise NetworkError(
            f"{name} is a policy-value network and only a policy network can be the teacher; give "
            "one, policy-residual-64 for instance"
        )
    return net


def _locate(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".safetensors" or path.is_file():
        return path
    if path.is_dir() and str(name_or_path) not in shipped_networks():
        return _in_folder(path)
    shipped = resources.files("goengine") / "nets" / f"{name_or_path}.safetensors"
    if not shipped.is_file():
        known = ", ".join(shipped_networks()) or "none"
        raise NetworkError(
            f"no network named {str(name_or_path)!r}; shipped networks: {known}; or give the path "
            "of a .safetensors file"
        )
    return Path(str(shipped))


def _in_folder(folder: Path) -> Path:
    """Return the file of the network that a folder stands for, as `selfplay` understands it.

    Raises:
        NetworkError: it stands for none; the network of a run that is not fine-tuning, the average
            of its weights, is not in a file of its own.
    """
    found = folder / NETWORK
    if (folder / _CHECKPOINT).is_file() and not (folder / START).is_file():
        if found.is_file():
            raise NetworkError(f"{folder} is a training run, which may have gone on: give {found}")
        raise NetworkError(
            f"{folder} is a training run: 'selfplay export {folder} --out NAME.safetensors' writes "
            "its network to a file, which you can give"
        )
    if not found.is_file():
        raise NetworkError(
            f"the folder {folder} does not hold a {NETWORK}: give a .safetensors file, or the "
            "folder of a fine-tuning run"
        )
    return found
