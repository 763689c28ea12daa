"""The policy networks, composed of cnncore blocks.

"plain" is AlphaGo's (Silver et al. 2016, Methods, "Neural network architecture"): one 5x5
convolution and eleven 3x3 convolutions of k filters, each with ReLU, then one 1x1 convolution to a
single map with a different bias for each position. "residual" has the same first and last layer and
a tower of residual blocks between them (He et al. 2015; for Go: Silver et al. 2017, Methods). The
softmax is left to the caller (inference/priors.py): networks return logits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from cnncore.layers.blocks import ConvNormAct, PositionBias, channels_last
from cnncore.layers.initialisation import he_normal_
from cnncore.layers.residual import BasicBlock
from goengine.types import GoError


class NetworkError(GoError):
    """A network that does not exist, cannot be read or does not fit this program."""


@dataclass(frozen=True)
class PolicyConfig:
    """The shape of a policy network."""

    filters: int = 192
    """Maps of each hidden layer (AlphaGo: 192)."""
    layers: int = 13
    """Convolutions one behind the other, the last 1x1 included; a residual block counts two."""
    planes: int = 48
    """Input planes."""
    size: int = 19
    """Lines of the board that the position bias belongs to."""
    norm: bool = False
    """Batch normalisation behind each hidden convolution, for training only."""
    kind: Literal["plain", "residual"] = "plain"
    """The body; files from before this field are plain."""
    forgetful: bool = False
    """It has learnt positions without their last moves too, and half of eight views are such."""


class PolicyNet(nn.Module):
    """Map feature planes to one logit a point."""

    def __init__(self, config: PolicyConfig = PolicyConfig()) -> None:
        super().__init__()
        _check(config)
        self.config = config
        k, norm = config.filters, config.norm
        self.body = nn.Sequential(ConvNormAct(config.planes, k, kernel=5, norm=norm))
        if config.kind == "plain":
            self.body.extend(ConvNormAct(k, k, norm=norm) for _ in range(config.layers - 2))
        else:
            self.body.extend(_residual_block(k, norm) for _ in range(config.layers // 2 - 1))
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

    def forward(self, planes: Tensor) -> Tensor:
        """Return float32 logits (B, N*N); other sizes than the config's get no position bias."""
        logits: Tensor = self.bias(self.head(self.features(planes)).float())
        return logits

    def folded(self) -> PolicyNet:
        """Return a network without normalisation that computes what this one does in eval mode."""
        net = PolicyNet(replace(self.config, norm=False))
        net.body = nn.Sequential(*(block.folded() for block in self.blocks()))
        net.head.load_state_dict(self.head.state_dict())
        net.bias.load_state_dict(self.bias.state_dict())
        return channels_last(net, self.head.weight.device).eval()


def _check(config: PolicyConfig) -> None:
    """Refuse a shape that a policy network cannot have."""
    if config.kind not in ("plain", "residual"):
        raise NetworkError(f"a policy network cannot be {config.kind!r}: use 'plain' or 'residual'")
    if config.layers < 2 or config.filters < 1:
        raise NetworkError(
            f"a policy network needs at least 2 layers and 1 filter, not {config.layers} and "
            f"{config.filters}"
        )
    if config.kind == "residual" and config.layers % 2:
        raise NetworkError(
            f"a residual network has 2 layers and 2 more a block, so {config.layers} is not "
            f"possible; give {config.layers - 1} or {config.layers + 1}"
        )


def _residual_block(filters: int, norm: bool) -> BasicBlock:
    """Return a block that begins as the identity, which steadies a deep tower's first steps.

    Goyal et al. 2017, "Accurate, large minibatch SGD", section 5.1: the last scale starts at zero.
    """
    block = BasicBlock(filters, filters, norm=norm)
    he_normal_(block.conv1)
    he_normal_(block.conv2)
    if isinstance(block.bn2, nn.BatchNorm2d):
        nn.init.zeros_(block.bn2.weight)
    return block
