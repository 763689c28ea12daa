"""A residual block that hears the whole map: what global pooling adds to a tower of convolutions.

A tower of 3x3 convolutions sees as far as it is deep; the mean and the maximum of a map tell every
point what there is anywhere (Wu 2019, "Accelerating self-play learning in Go", section 3.3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnncore.layers.residual import BasicBlock, Shortcut, StrideIn


def mean_and_maximum(x: Tensor) -> Tensor:
    """Return the mean and then the maximum of every map: (B, C, H, W) to (B, 2 C).

    The maximum's gradient goes to one point by its place. `amax` would compare the map with its
    maximum again, and a translated map in another precision may then have no point that equals it.
    """
    return torch.cat([x.mean(dim=(2, 3)), x.flatten(2).max(dim=2).values], dim=1)


class GlobalPoolingBlock(BasicBlock):
    """A basic block whose inner maps each have a number added that all inner maps decide together.

    Behind the first convolution, its normalisation and ReLU, the mean and the maximum of every map
    go through one linear layer; what it says of a map is added to all points of that map. A new
    block adds nothing and computes what a `BasicBlock` computes. Shapes as in `BasicBlock`.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Shortcut = "B",
        stride_in: StrideIn = "3x3",
        norm: bool = True,
    ) -> None:
        super().__init__(
            in_channels, width, stride=stride, shortcut=shortcut, stride_in=stride_in, norm=norm
        )
        self.pool = nn.Linear(2 * width, width)
        nn.init.zeros_(self.pool.weight)
        nn.init.zeros_(self.pool.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x))."""
        inner = self.relu(self.bn1(self.conv1(x)))
        pooled = mean_and_maximum(inner).to(self.pool.weight.dtype)
        inner = inner + self.pool(pooled).to(inner.dtype)[:, :, None, None]
        identity = x if self.downsample is None else self.downsample(x)
        activated: Tensor = self.relu(self.bn2(self.conv2(inner)) + identity)
        return activated

    def folded(self) -> GlobalPoolingBlock:
        """Return a block without normalisation that computes what this one does in eval mode."""
        block = super().folded()
        assert isinstance(block, GlobalPoolingBlock)
        block.pool.load_state_dict(self.pool.state_dict())
        return block
