"""Wider policy networks that compute the same function as narrow ones (Net2WiderNet).

Chen, Goodfellow & Shlens 2016, "Net2Net", section 2.2: each new filter copies a random old one, and
whoever reads it divides its weights among the copies, here in unequal random shares, so that the
copies learn apart. All blocks of a residual tower add to one stream, so its copies are the same
filters in every block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from cnncore.layers.blocks import ConvNormAct, channels_last
from cnncore.layers.global_pooling import GlobalPoolingBlock
from cnncore.layers.residual import BasicBlock
from goengine.networks.network_config import NetworkError
from goengine.networks.policy_network import PolicyNet
from goengine.networks.policy_value import PolicyValueNet

Index = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Net = TypeVar("Net", PolicyNet, PolicyValueNet)


def widen(
    net: Net,
    filters: int,
    rng: np.random.Generator,
    *,
    noise: float = 0.0,
    heads: Sequence[nn.Conv2d] = (),
) -> Net:
    """Return a network of `filters` filters that computes the same function.

    A policy-value network keeps its neck and the heads behind that as they are. `noise` adds that
    fraction of each kernel's standard deviation to the copies, at the price of exactness. Further
    1x1 layers on the last hidden maps (`heads`) are widened in place.

    Raises:
        NetworkError: fewer filters than before.
    """
    old = net.config.filters
    if filters < old:
        raise NetworkError(f"cannot widen {old} filters to {filters}: give at least {old}")
    wide = type(net)(replace(net.config, filters=filters))
    incoming, share = np.arange(net.config.planes), np.ones(net.config.planes)
    for source, target in zip(net.blocks(), wide.blocks(), strict=True):
        if isinstance(source, ConvNormAct) and isinstance(target, ConvNormAct):
            outgoing = _copies(old, filters, rng)
            _widen_layer(source.conv, target.conv, outgoing, incoming, share)
            _widen_norm(source.norm, target.norm, outgoing)
            _jitter(target.conv, old, noise, rng)
            incoming, share = outgoing, _shares(outgoing, rng)
        elif isinstance(source, BasicBlock) and isinstance(target, BasicBlock):
            inner = _copies(old, filters, rng)
            _widen_layer(source.conv1, target.conv1, inner, incoming, share)
            _widen_layer(source.conv2, target.conv2, incoming, inner, _shares(inner, rng))
            _widen_norm(source.bn1, target.bn1, inner)
            _widen_norm(source.bn2, target.bn2, incoming)
            for conv in (target.conv1, target.conv2):
                _jitter(conv, old, noise, rng)
            if isinstance(source, GlobalPoolingBlock) and isinstance(target, GlobalPoolingBlock):
                _widen_pool(source.pool, target.pool, inner, _shares(inner, rng))
            share = _shares(incoming, rng)
    wide.head.weight = _widen_head(net.head, incoming, share)
    for head in heads:
        head.weight = _widen_head(head, incoming, share)
        head.in_channels = filters
    if isinstance(net, PolicyValueNet) and isinstance(wide, PolicyValueNet):
        wide.neck.load_state_dict(net.neck.state_dict() | {"conv.weight": wide.neck.conv.weight})
        wide.neck.conv.weight = _widen_head(net.neck.conv, incoming, share)
        for name in ("owner", "hidden", "outcome"):
            wide.get_submodule(name).load_state_dict(net.get_submodule(name).state_dict())
    wide.bias.load_state_dict(net.bias.state_dict())
    wide.train(net.training)
    return channels_last(wide, net.head.weight.device)


@torch.no_grad()
def _widen_layer(
    source: nn.Conv2d, target: nn.Conv2d, outgoing: Index, incoming: Index, share: Shares
) -> None:
    """Fill a wider convolution: copies of old filters outside, shared weights inside."""
    weight = source.weight.double().cpu()[outgoing][:, incoming]
    target.weight.copy_(weight * torch.from_numpy(share)[None, :, None, None])
    if source.bias is not None and target.bias is not None:
        target.bias.copy_(source.bias[outgoing])


@torch.no_grad()
def _widen_norm(source: nn.Module | None, target: nn.Module | None, outgoing: Index) -> None:
    """Fill the normalisation behind a wider convolution; if there is one."""
    if isinstance(source, nn.BatchNorm2d) and isinstance(target, nn.BatchNorm2d):
        wide = target.state_dict()
        for name, value in source.state_dict().items():
            wide[name].copy_(value[outgoing] if value.ndim else value)


@torch.no_grad()
def _widen_pool(source: nn.Linear, target: nn.Linear, maps: Index, share: Shares) -> None:
    """Fill the layer behind wider maps' means and maxima, which adds to the same maps."""
    pooled = np.concatenate([maps, maps + source.out_features])
    weight = source.weight.double().cpu()[maps][:, pooled]
    target.weight.copy_(weight * torch.from_numpy(np.concatenate([share, share])))
    target.bias.copy_(source.bias[maps])


@torch.no_grad()
def _jitter(conv: nn.Conv2d, old: int, noise: float, rng: np.random.Generator) -> None:
    """Add noise to the filters behind the first `old` ones."""
    if noise:
        weight = conv.weight
        jitter = torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
        weight[old:] += noise * weight.std() * jitter[old:].to(weight.dtype)


def _widen_head(head: nn.Conv2d, incoming: Index, share: Shares) -> nn.Parameter:
    weight = head.weight.detach().double().cpu()[:, incoming]
    weight = weight * torch.from_numpy(share)[None, :, None, None]
    return nn.Parameter(weight.to(head.weight))


def _copies(old: int, filters: int, rng: np.random.Generator) -> Index:
    """Return which old filter each of `filters` is: the old ones, then each equally often."""
    extra = filters - old
    rounds = [rng.permutation(old) for _ in range(-(-extra // old))]
    added = np.concatenate([*rounds, np.empty(0, dtype=np.int64)])[:extra]
    return np.concatenate([np.arange(old), added]).astype(np.int64)


def _shares(copies: Index, rng: np.random.Generator) -> Shares:
    """Return each copy's share of its original: positive, unequal, summing to 1."""
    raw = rng.uniform(0.5, 1.5, len(copies))
    return np.asarray(raw / np.bincount(copies, weights=raw)[copies])
