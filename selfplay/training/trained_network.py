"""Load the network of a training run, and its model card.

Of a fine-tuning run that is the best network that it has measured, of any other the average of its
weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnncore.training.run_folder import RunFolder
from cnncore.training.training_state import KIND
from cnncore.weights.checkpoint import load_checkpoint
from goengine.networks.files import (
    NETWORK,
    START,
    Network,
    load_network,
    read_network,
    shipped_networks,
)
from goengine.networks.network_config import PolicyConfig, PolicyValueConfig, config_from
from goengine.networks.policy_network import PolicyNet
from goengine.networks.policy_value import PolicyValueNet

POLICY = "policy-network"
"""What a run trains whose checkpoint does not say: those of older releases trained nothing else."""
_OF_THE_FILE = ("config", "feature_version")
"""Facts that every network file has of its own."""


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what the checkpoint of a run says about it: config, recipe, archive, state.

    Raises:
        CheckpointError: the folder has no checkpoint, a damaged one, or one of another kind.
    """
    return RunFolder(folder).facts(("config", "recipe", "archive"))


def run_config(folder: Path) -> PolicyConfig:
    """Return the shape of the network of a run that has begun.

    Raises:
        CheckpointError: as for `read_facts`.
        NetworkError: the shape is not possible.
    """
    facts = read_facts(folder)
    return config_from(facts.get("kind", POLICY), facts["config"])


def network_of(config: PolicyConfig) -> Network:
    """Return a network of a shape, with weights that have learnt nothing."""
    if isinstance(config, PolicyValueConfig):
        return PolicyValueNet(config)
    return PolicyNet(config)


def averaged_network(folder: Path) -> Network:
    """Return the averaged network of a run's checkpoint, with its batch normalisation."""
    net = network_of(run_config(folder))
    checkpoint = load_checkpoint(RunFolder(folder).file, kind=KIND)
    prefix = "average.policy."
    tensors = checkpoint.tensors
    net.load_state_dict(
        {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    )
    return net.eval()


def trained_network(folder: Path) -> tuple[Network, dict[str, Any]]:
    """Return the network of a run that has begun, and what a file of it tells of its training.

    Raises:
        CheckpointError: the folder holds no run, or a damaged one.
        NetworkError: the best network of a fine-tuning run is damaged.
    """
    facts = read_facts(folder)
    if (folder / START).is_file() and (folder / NETWORK).is_file():
        net, card = read_network(folder / NETWORK)
        return net, {key: value for key, value in card.items() if key not in _OF_THE_FILE}
    return averaged_network(folder), {
        "recipe": facts["recipe"],
        "archive": facts["archive"],
        "positions_seen": facts["state"]["samples"],
        "training_seconds": round(facts["state"]["seconds"]),
        "torch": facts["torch"],
    }


def named_network(name: str) -> Network:
    """Return the network of a run's folder, of a file, or a shipped one, which comes first.

    Raises:
        NetworkError: nothing is called so, or the file is damaged.
        CheckpointError: the run is damaged.
    """
    folder = Path(name)
    a_run = name not in shipped_networks() and RunFolder(folder).begun
    return trained_network(folder)[0] if a_run else load_network(name)
