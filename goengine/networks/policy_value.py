"""The policy-value network: which move, who is ahead and by how much, and whose each point will be.

Komi by construction. The network does not know the komi. It predicts the margin on the board, in
points before komi, and how far the outcome may lie from it; with the komi of the player to move,
lead = margin - komi and win chance = sigmoid(lead / spread). So no position can be worth more to
the player who gives more komi. A network that is told the komi learns from people that a small one
means a weaker opponent, and gets that wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.blocks import ConvNormAct, channels_last
from cnncore.layers.global_pooling import mean_and_maximum
from goengine.networks.network_config import LEAST_SPREAD, MARGIN_SCALE, PolicyValueConfig
from goengine.networks.trunk import Trunk

__all__ = ["PolicyValue", "PolicyValueConfig", "PolicyValueNet"]


class PolicyValue(NamedTuple):
    """What a policy-value network says of B positions, all for the player to move, in float32."""

    logits: Tensor
    """(B, N*N), one a point."""
    margin: Tensor
    """(B,) points on the board before komi."""
    spread: Tensor
    """(B,) points, at least LEAST_SPREAD: the win chance is sigmoid((margin - komi) / spread)."""
    ownership_logits: Tensor
    """(B, N, N): sigmoid gives the chance that a point will be one's own."""

    @property
    def ownership(self) -> Tensor:
        """Return (B, N, N) from -1, the opponent's, to 1, one's own."""
        return torch.tanh(self.ownership_logits / 2)


class PolicyValueNet(Trunk):
    """Map feature planes to one logit a point, margin, spread and ownership.

    Behind the trunk (trunk.py) stands a neck, a 1x1 convolution with normalisation and ReLU, which
    all heads that judge read: ownership through a 1x1 convolution, margin and spread through the
    mean and the maximum of the neck's maps and one hidden layer. The margin is the sum of the
    ownership and a correction.
    """

    config: PolicyValueConfig

    def __init__(self, config: PolicyValueConfig) -> None:
        super().__init__(config)
        self.neck = ConvNormAct(config.filters, config.neck, kernel=1, norm=config.norm)
        self.owner = nn.Conv2d(config.neck, 1, 1)
        self.hidden = nn.Linear(2 * config.neck, config.hidden)
        self.outcome = nn.Linear(config.hidden, 2)
        nn.init.zeros_(self.outcome.weight)
        with torch.no_grad():
            self.outcome.bias.copy_(torch.tensor([0.0, 12.0]))

    def forward(self, planes: Tensor) -> PolicyValue:
        """Return what the network says of uint8 or float planes (B, planes, N, N)."""
        return self.judged(self.features(planes))

    def judged(self, hidden: Tensor) -> PolicyValue:
        """Return what all heads say of the last hidden maps (B, filters, N, N)."""
        neck = self.neck(hidden)
        ownership = self.owner(neck).float().squeeze(1)
        pooled = mean_and_maximum(neck).to(self.hidden.weight.dtype)
        outcome = self.outcome(functional.relu(self.hidden(pooled))).float()
        margin = torch.tanh(ownership / 2).sum(dim=(1, 2)) + MARGIN_SCALE * outcome[:, 0]
        spread = functional.softplus(outcome[:, 1]) + LEAST_SPREAD
        return PolicyValue(self.policy(hidden), margin, spread, ownership)

    def folded(self) -> PolicyValueNet:
        """Return a network without normalisation that computes what this one does in eval mode."""
        net = PolicyValueNet(replace(self.config, norm=False))
        self.fold_into(net)
        net.neck = self.neck.folded()
        for name in ("owner", "hidden", "outcome"):
            net.get_submodule(name).load_state_dict(self.get_submodule(name).state_dict())
        return channels_last(net, self.head.weight.device).eval()
