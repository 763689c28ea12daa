"""The policy network of AlphaGo, composed of cnncore blocks, and the networks that ship with the engine.

Silver et al. 2016, Methods, "Neural network architecture": one 5x5 convolution and eleven 3x3 convolutions of k
filters, each with ReLU, then one 1x1 convolution to a single map with a different bias for each position. The
softmax is left to who asks (evaluators.py): networks return logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnncore.blocks import ConvNormAct, PositionBias
from cnncore.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from cnncore.init import he_normal_
from goengine.features import FEATURE_VERSION
from goengine.types import GoError

KIND = "policy-network"


class NetworkError(GoError):
    """A network that does not exist, cannot be read or does not fit this program."""


@dataclass(frozen=True)
class PolicyConfig:
    """The shape of a policy network.

    filters: maps of each hidden layer (AlphaGo: 192). layers: all convolutions, the last 1x1 included.
    planes: input planes. size: the board that the position bias belongs to. norm: batch normalisation behind each
    hidden convolution, for training only.
    """

    filters: int = 192
    layers: int = 13
    planes: int = 48
    size: int = 19
    norm: bool = False


class PolicyNet(nn.Module):
    """Map feature planes to one logit a point."""

    def __init__(self, config: PolicyConfig = PolicyConfig()) -> None:  # noqa: B008 (frozen)
        super().__init__()
        if config.layers < 2 or config.filters < 1:
            raise NetworkError(
                f"a policy network needs at least 2 layers and 1 filter, not {config.layers} and "
                f"{config.filters}"
            )
        self.config = config
        k, norm = config.filters, config.norm
        body = [ConvNormAct(config.planes, k, kernel=5, norm=norm)]
        body += [ConvNormAct(k, k, kernel=3, norm=norm) for _ in range(config.layers - 2)]
        self.body = nn.Sequential(*body)
        self.head = nn.Conv2d(k, 1, 1, bias=False)
        self.bias = PositionBias(config.size)
        he_normal_(self.head, gain=1.0)

    def features(self, planes: Tensor) -> Tensor:
        """Return the last hidden maps (B, filters, N, N) of planes (B, planes, N, N), uint8 or float."""
        x = planes.to(self.head.weight.dtype)
        return self.body(x.contiguous(memory_format=torch.channels_last))

    def forward(self, planes: Tensor) -> Tensor:
        """Return float32 logits (B, N*N); boards of another size than the config's get no position bias."""
        return self.bias(self.head(self.features(planes)).float())

    def folded(self) -> PolicyNet:
        """Return a network without batch normalisation that computes this one's evaluation-mode function."""
        net = PolicyNet(replace(self.config, norm=False)).to(self.head.weight.device)
        net.body = nn.Sequential(*(_conv_block(layer).folded() for layer in self.body))
        net.head.load_state_dict(self.head.state_dict())
        net.bias.load_state_dict(self.bias.state_dict())
        return net.to(self.head.weight.device, memory_format=torch.channels_last).eval()


def _conv_block(module: nn.Module) -> ConvNormAct:
    assert isinstance(module, ConvNormAct)
    return module


def widen(net: PolicyNet, filters: int, rng: np.random.Generator, *, noise: float = 0.0) -> PolicyNet:
    """Return a network of `filters` filters that computes the same function (Net2WiderNet).

    Chen, Goodfellow & Shlens 2016, "Net2Net", section 2.2: each new filter copies a random old one, and whoever
    reads it divides its weights among the copies, here in unequal random shares, so that the copies learn apart.
    `noise` adds that fraction of each kernel's standard deviation, at the price of exactness.

    Raises:
        NetworkError: fewer filters than before.
    """
    old = net.config.filters
    if filters < old:
        raise NetworkError(f"cannot widen {old} filters to {filters}: give at least {old}")
    wide = PolicyNet(replace(net.config, filters=filters))
    incoming = np.arange(net.config.planes)
    share = np.ones(net.config.planes)
    with torch.no_grad():
        for source, target in zip(net.body, wide.body, strict=True):
            source, target = _conv_block(source), _conv_block(target)
            outgoing = np.concatenate([np.arange(old), _spread(old, filters - old, rng)])
            weight = source.conv.weight.double().cpu()[outgoing][:, incoming]
            weight = weight * torch.from_numpy(share)[None, :, None, None]
            if noise:
                jitter = torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
                jitter[:old] = 0.0
                weight = weight + jitter * (noise * weight.std())
            target.conv.weight.copy_(weight)
            if source.conv.bias is not None and target.conv.bias is not None:
                target.conv.bias.copy_(source.conv.bias[outgoing])
            if source.norm is not None and target.norm is not None:
                for name, value in source.norm.state_dict().items():
                    target.norm.state_dict()[name].copy_(value[outgoing] if value.ndim else value)
            incoming, share = outgoing, _shares(outgoing, rng)
        head = net.head.weight.double().cpu()[:, incoming]
        wide.head.weight.copy_(head * torch.from_numpy(share)[None, :, None, None])
        wide.bias.load_state_dict(net.bias.state_dict())
    device = net.head.weight.device
    wide.train(net.training)
    return wide.to(device, memory_format=torch.channels_last)


def _spread(old: int, extra: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return which old filter each of `extra` new ones copies: all equally often, in random order."""
    rounds = [rng.permutation(old) for _ in range(-(-extra // old))]
    return np.concatenate([*rounds, np.empty(0, dtype=np.int64)])[:extra].astype(np.int64)


def _shares(
    copies: np.ndarray[Any, np.dtype[np.int64]], rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each copy's share of its original: positive, unequal, summing to 1 over the copies."""
    raw = rng.uniform(0.5, 1.5, len(copies))
    return raw / np.bincount(copies, weights=raw)[copies]


def save_network(
    net: PolicyNet, path: Path | str, *, metadata: dict[str, Any], dtype: torch.dtype = torch.float32
) -> None:
    """Write a network, folded, in `dtype` (float32 or float16), with its config and `metadata`."""
    plain = net.folded() if net.config.norm else net
    tensors = {name: value.to(dtype) for name, value in plain.state_dict().items()}
    facts = {**metadata, "config": asdict(plain.config), "feature_version": FEATURE_VERSION}
    save_checkpoint(path, tensors, kind=KIND, metadata=facts)


def shipped_networks() -> list[str]:
    """Return the names of the networks that ship with the engine, sorted."""
    folder = resources.files("goengine") / "nets"
    if not folder.is_dir():
        return []
    names = [entry.name for entry in folder.iterdir()]
    return sorted(n.removesuffix(".safetensors") for n in names if n.endswith(".safetensors"))


def default_network(*, candidates: Sequence[str] | None = None) -> str:
    """Return the name of the shipped network that suits this machine best.

    With a CUDA device that is the largest one, elsewhere the smallest, which answers at once.

    Raises:
        NetworkError: no network is shipped.
    """
    names = shipped_networks() if candidates is None else list(candidates)
    if not names:
        raise NetworkError("this installation ships no network; name a file, e.g. one from 'selfplay export'")
    by_width = sorted(names, key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
    return by_width[-1] if torch.cuda.is_available() else by_width[0]


def load_network(name_or_path: str | Path) -> PolicyNet:
    """Return a shipped network by name, or one from a file, as float32 in evaluation mode on the CPU.

    Raises:
        NetworkError: unknown name, missing or damaged file, other version, or weights that do not fit.
    """
    net, _ = read_network(name_or_path)
    return net


def read_network(name_or_path: str | Path) -> tuple[PolicyNet, dict[str, Any]]:
    """Return a network and the metadata of its file (config, feature version, what it was trained on)."""
    path = _locate(name_or_path)
    try:
        checkpoint = load_checkpoint(path, kind=KIND)
    except CheckpointError as error:
        raise NetworkError(str(error)) from error
    facts = checkpoint.metadata
    if facts.get("feature_version") != FEATURE_VERSION:
        raise NetworkError(
            f"{path} was trained on feature version {facts.get('feature_version')}, this program "
            f"encodes version {FEATURE_VERSION}; use a network of this release"
        )
    net = PolicyNet(PolicyConfig(**facts["config"]))
    try:
        net.load_state_dict({name: value.float() for name, value in checkpoint.tensors.items()})
    except RuntimeError as error:
        raise NetworkError(f"the weights in {path} do not fit its config: {error}") from error
    return net.to(memory_format=torch.channels_last).eval(), facts


def _locate(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".safetensors" or path.is_file():
        return path
    shipped = resources.files("goengine") / "nets" / f"{name_or_path}.safetensors"
    if not shipped.is_file():
        known = ", ".join(shipped_networks()) or "none"
        raise NetworkError(
            f"no network named {str(name_or_path)!r}; shipped networks: {known}; or give the path "
            "of a .safetensors file"
        )
    return Path(str(shipped))
