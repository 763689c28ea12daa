"""The building blocks that every network of this tree is composed of.

A block is a small `nn.Module` with one job. Blocks that train with batch normalisation can fold it
into their convolution, so that the network that is shipped holds plain convolutions with biases
and nothing else.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.initialisation import he_normal_
from cnncore.system.devices import widest_float

M = TypeVar("M", bound=nn.Module)


class ConvNormAct(nn.Module):
    """Convolve with "same" zero padding, normalise if asked, then apply ReLU if asked.

    With `norm` the convolution has no bias (the normalisation's shift takes its place); `folded()`
    returns the same function as one convolution with a bias (Ioffe & Szegedy 2015, section 3.1,
    inference transform). Input (B, in_channels, H, W), output (B, out_channels, H, W). The kernel
    size must be odd.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 3,
        norm: bool = False,
        act: bool = True,
    ) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel size {kernel} is even; 'same' padding needs an odd one")
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, bias=not norm)
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        self.act = act
        he_normal_(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        """Return act(norm(conv(x)))."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return functional.relu(x, inplace=True) if self.act else x

    def folded(self) -> ConvNormAct:
        """Return a block without normalisation that computes what this one does in eval mode."""
        block = ConvNormAct(
            self.conv.in_channels,
            self.conv.out_channels,
            kernel=self.conv.kernel_size[0],
            act=self.act,
        )
        weight, bias = fold_batch_norm(self.conv, self.norm)
        with torch.no_grad():
            block.conv.weight.copy_(weight)
            if block.conv.bias is not None:
                block.conv.bias.copy_(bias)
        return block


def fold_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d | None) -> tuple[Tensor, Tensor]:
    """Return the (weight, bias) of one convolution equal to `conv` and then `norm` in eval mode.

    Computed in float64, where the device has it, and returned in the convolution's own dtype.

    Raises:
        ValueError: `norm` keeps no running statistics.
    """
    wide = widest_float(conv.weight.device)
    weight = conv.weight.detach().to(wide)
    bias = torch.zeros(conv.out_channels, dtype=wide, device=weight.device)
    if conv.bias is not None:
        bias = conv.bias.detach().to(wide)
    if norm is not None:
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a batch normalisation without running statistics cannot be folded")
        scale = norm.weight.detach().to(wide) / torch.sqrt(norm.running_var.to(wide) + norm.eps)
        weight = weight * scale[:, None, None, None]
        bias = norm.bias.detach().to(wide) + (bias - norm.running_mean.to(wide)) * scale
    return weight.to(conv.weight.dtype), bias.to(conv.weight.dtype)


class PositionBias(nn.Module):
    """Add one learned number to every point of a map: "a different bias for each position".

    The last step of AlphaGo's policy network (Silver et al. 2016, Methods, "Neural network
    architecture"). Input (B, 1, H, W), output (B, H * W). On maps of another size than `size`
    nothing is added, so that a network trained on one board size still runs on others.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.bias = nn.Parameter(torch.zeros(size * size))

    def forward(self, x: Tensor) -> Tensor:
        """Flatten the map and add the bias of each point."""
        matches = x.shape[-2] == self.size and x.shape[-1] == self.size
        flat = x.flatten(1)
        return flat + self.bias if matches else flat


def channels_last(module: M, device: torch.device | str | None = None) -> M:
    """Move a module to a device and its kernels to the layout in which convolutions are fastest."""
    if device is not None:
        module.to(torch.device(device))
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module
