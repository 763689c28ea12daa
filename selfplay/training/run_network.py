"""The network that the folder of a training run stands for, with its card.

Of a fine-tuning run that is the best that it has measured, of any other the average of its weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from goengine.networks.files import read_network
from goengine.networks.policy_network import PolicyNet
from selfplay.training.runs import averaged_network, read_facts

NETWORK = "network.safetensors"
"""The best network so far of a fine-tuning run."""
START = "start.safetensors"
"""The network that a fine-tuning run began with; no other run has this file."""

_OF_THE_FILE = ("config", "feature_version")
"""Facts that every network file has of its own."""


def trained_network(folder: Path) -> tuple[PolicyNet, dict[str, Any]]:
    """Return the network of a run that has begun, and what a file of it tells of its training.

    Raises:
        CheckpointError, NetworkError: no run, or a damaged one.
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
