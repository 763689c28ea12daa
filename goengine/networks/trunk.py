"""What all networks share: a trunk on the feature planes and a head of one logit a point.

A plain trunk is AlphaGo's (Silver et al. 2016, Methods, "Neural network architecture"): one 5x5
convolution and eleven 3x3 convolutions of k filters, each with ReLU. A residual one has the same
first layer and a tower of residual blocks behind it (He et al. 2015; for Go: Silver et al. 2017,
Methods). The head is AlphaGo's last layer: one 1x1 convolution to a single map with a different
bias for each position.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnncore.layers.blocks import ConvNormAct, PositionBias
from cnncore.layers.global_pooling import GlobalPoolingBlock
from cnncore.layers.initialisation import he_normal_
from cnncore.layers.residual import BasicBlock
from goengine.networks.network_config import PolicyConfig, PolicyValueConfig, check


class Trunk(nn.Module):
    """Map feature planes to hidden maps and to one logit a point."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        check(config)
        self.config = config
        k, norm = config.filters, config.norm
        pools = config.pools if isinstance(config, PolicyValueConfig) else ()
        self.body = nn.Sequential(ConvNormAct(config.planes, k, kernel=5, norm=norm))
        for number in range(config.blocks):
            if config.kind == "plain":
                self.body.append(ConvNormAct(k, k, norm=norm))
            else:
                self.body.append(_residual_block(k, norm, pools=number in pools))
        self.head = nn.Conv2d(k, 1, 1, bias=False)
        self.bias = PositionBias(config.size)
        he_normal_(self.head, gain=1.0)

    def blocks(self) -> list[ConvNormAct | BasicBlock]:
        """Return the hidden blocks in order; the first is a ConvNormAct."""
        return [block for block in self.body if isinstance(block, ConvNormAct | BasicBlock)]

    def features(self, planes: Tensor) -> Tensor:
        """Return the last hidden maps (B, filters, N, N) of uint8 or float (B, planes, N, N)."""
        x = planes.to(self.head.weight.dtype)
        hidden: Tensor = self.body(x.contiguous(memory_format=torch.channels_last))
        return hidden

    def policy(self, hidden: Tensor) -> Tensor:
        """Return float32 logits (B, N*N) of the last hidden maps."""
        logits: Tensor = self.bias(self.head(hidden).float())
        return logits

    def logits(self, planes: Tensor) -> Tensor:
        """Return float32 logits (B, N*N); other sizes than the config's get no position bias."""
        return self.policy(self.features(planes))

    @torch.no_grad()
    def fold_into(self, plain: Trunk) -> None:
        """Give a network without normalisation the trunk and the policy of this one."""
        plain.body = nn.Sequential(*(block.folded() for block in self.blocks()))
        plain.head.load_state_dict(self.head.state_dict())
        plain.bias.load_state_dict(self.bias.state_dict())


def _residual_block(filters: int, norm: bool, *, pools: bool) -> BasicBlock:
    """Return a block that begins as the identity, which steadies a deep tower's first steps.

    Goyal et al. 2017, "Accurate, large minibatch SGD", section 5.1: the last scale starts at zero.
    """
    block = (GlobalPoolingBlock if pools else BasicBlock)(filters, filters, norm=norm)
    he_normal_(block.conv1)
    he_normal_(block.conv2)
    if isinstance(block.bn2, nn.BatchNorm2d):
        nn.init.zeros_(block.bn2.weight)
    return block
