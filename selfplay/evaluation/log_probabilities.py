"""The one place of `selfplay.evaluation` where a network runs: planes in, log-probabilities out."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnncore.system.devices import autocast
from goengine.encoding.eight_views import eight_views, turn_back
from goengine.inference.priors import mean_of_views
from goengine.networks.policy_network import PolicyNet

Symmetry = Literal["none", "all"]
"""One view of the board, or the mean of all eight."""


def log_probabilities(
    network: PolicyNet,
    planes: npt.NDArray[np.uint8],
    *,
    symmetry: Symmetry = "none",
    precision: str = "float32",
) -> Tensor:
    """Return log-probabilities over all points, float32 or wider (B, N*N) on the CPU.

    `planes` are uint8 (B, 48, N, N). "all" averages the eight views as the engine does.
    """
    device = next(network.parameters()).device
    with torch.inference_mode(), autocast(device, precision):
        if symmetry == "none":
            plain: Tensor = network(torch.from_numpy(planes).to(device)).log_softmax(1)
            return plain.cpu()
        forgetful = network.config.forgetful
        views = eight_views(planes, forgetful=forgetful)
        answers = [network(torch.from_numpy(view).to(device)).softmax(1).cpu() for view in views]
    turned = turn_back(torch.stack(answers).float().numpy())
    return torch.from_numpy(mean_of_views(turned, forgetful=forgetful)).clamp_min(1e-30).log()
