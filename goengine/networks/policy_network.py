"""The policy network: AlphaGo's, or the same with a residual tower for a body (trunk.py).

The softmax is left to the caller (inference/priors.py): networks return logits.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from cnncore.layers.blocks import channels_last
from goengine.networks.network_config import ALPHAGO, NetworkError, PolicyConfig
from goengine.networks.trunk import Trunk

__all__ = ["NetworkError", "PolicyConfig", "PolicyNet"]


class PolicyNet(Trunk):
    """Map feature planes to one logit a point."""

    def __init__(self, config: PolicyConfig = ALPHAGO) -> None:
        super().__init__(config)

    def forward(self, planes: Tensor) -> Tensor:
        """Return float32 logits (B, N*N); other sizes than the config's get no position bias."""
        return self.logits(planes)

    def folded(self) -> PolicyNet:
        """Return a network without normalisation that computes what this one does in eval mode."""
        net = PolicyNet(replace(self.config, norm=False))
        self.fold_into(net)
        return channels_last(net, self.head.weight.device).eval()
