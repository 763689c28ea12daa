"""Batch normalisation for a network whose own was folded away, with the function unchanged.

A file holds a network without normalisation (networks/files.py). High learning rates need it: so
each convolution gets one again that undoes itself. Its running statistics are those of some
positions, its scale and shift bring back what it takes away. The inverse of Ioffe & Szegedy 2015,
section 3.1.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from cnncore.layers.blocks import ConvNormAct, channels_last
from cnncore.layers.residual import BasicBlock
from goengine.networks.policy_value import PolicyValueNet

Pair = tuple[nn.Conv2d, nn.Module | None]
"""A convolution and the normalisation behind it."""


@torch.no_grad()
def unfolded(net: PolicyValueNet, planes: Tensor) -> PolicyValueNet:
    """Return a network with normalisation that computes what `net`, which has none, computes.

    `planes` (B, planes, N, N): positions whose statistics the normalisation takes, some hundreds.
    """
    twin = PolicyValueNet(replace(net.config, norm=True))
    folded = net.state_dict()
    twin.load_state_dict({k: v for k, v in folded.items() if k in twin.state_dict()}, strict=False)
    twin = channels_last(twin, net.head.weight.device).eval()
    handles = []
    for (before, _), (conv, norm) in zip(_pairs(net), _pairs(twin), strict=True):
        assert isinstance(norm, nn.BatchNorm2d) and before.bias is not None
        conv.weight.copy_(before.weight)
        norm.bias.copy_(before.bias)
        norm.weight.fill_((1.0 + norm.eps) ** 0.5)
        handles.append(norm.register_forward_pre_hook(_settle))
    twin(planes)
    for handle in handles:
        handle.remove()
    return twin.train(net.training)


def _settle(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Give a normalisation the statistics of what comes in, and leave what goes out as it was."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.add_(mean)


def _pairs(net: PolicyValueNet) -> list[Pair]:
    """Return every convolution that is normalised where a network has normalisation, in order."""
    pairs: list[Pair] = []
    for block in (*net.blocks(), net.neck):
        if isinstance(block, BasicBlock):
            pairs += [(block.conv1, block.bn1), (block.conv2, block.bn2)]
        else:
            assert isinstance(block, ConvNormAct)
            pairs.append((block.conv, block.norm))
    return pairs
