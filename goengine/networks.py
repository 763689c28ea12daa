"""The policy network of AlphaGo, composed of cnncore blocks, and the shipped networks.

Silver et al. 2016, Methods, "Neural network architecture": one 5x5 convolution and eleven 3x3
convolutions of k filters, each with ReLU, then one 1x1 convolution to a single map with a
different bias for each position. The softmax is left to who asks (evaluators.py): networks return
logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cnncore.blocks import ConvNormAct, PositionBias, channels_last
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

    filters: maps of each hidden layer (AlphaGo: 192). layers: all convolutions, the last 1x1
    included. planes: input planes. size: the board that the position bias belongs to. norm: batch
    normalisation behind each hidden convolution, for training only.
    """

    filters: int = 192
    layers: int = 13
    planes: int = 48
    size: int = 19
    norm: bool = False


class PolicyNet(nn.Module):
    """Map feature planes to one logit a point."""

    def __init__(self, config: PolicyConfig = PolicyConfig()) -> None:
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
        net.body = nn.Sequential(*(_conv_block(layer).folded() for layer in self.body))
        net.head.load_state_dict(self.head.state_dict())
        net.bias.load_state_dict(self.bias.state_dict())
        return channels_last(net, self.head.weight.device).eval()


def _conv_block(module: nn.Module) -> ConvNormAct:
    assert isinstance(module, ConvNormAct)
    return module


def widen(
    net: PolicyNet,
    filters: int,
    rng: np.random.Generator,
    *,
    noise: float = 0.0,
    heads: Sequence[nn.Conv2d] = (),
) -> PolicyNet:
    """Return a network of `filters` filters that computes the same function (Net2WiderNet).

    Chen, Goodfellow & Shlens 2016, "Net2Net", section 2.2: each new filter copies a random old
    one, and whoever reads it divides its weights among the copies, here in unequal random shares,
    so that the copies learn apart. `noise` adds that fraction of each kernel's standard deviation
    to the copies, at the price of exactness. Further 1x1 layers on the last hidden maps (`heads`)
    are widened in place.

    Raises:
        NetworkError: fewer filters than before.
    """
    old = net.config.filters
    if filters < old:
        raise NetworkError(f"cannot widen {old} filters to {filters}: give at least {old}")
    wide = PolicyNet(replace(net.config, filters=filters))
    incoming = np.arange(net.config.planes)
    share = np.ones(net.config.planes)
    for source, target in zip(net.body, wide.body, strict=True):
        outgoing = np.concatenate([np.arange(old), _spread(old, filters - old, rng)])
        _widen_block(_conv_block(source), _conv_block(target), outgoing, incoming, share)
        if noise:
            weight = _conv_block(target).conv.weight
            jitter = torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
            with torch.no_grad():
                weight[old:] += noise * weight.std() * jitter[old:].to(weight.dtype)
        incoming, share = outgoing, _shares(outgoing, rng)
    wide.head.weight = _widen_head(net.head, incoming, share)
    for head in heads:
        head.weight = _widen_head(head, incoming, share)
        head.in_channels = filters
    wide.bias.load_state_dict(net.bias.state_dict())
    wide.train(net.training)
    return channels_last(wide, net.head.weight.device)


Index = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@torch.no_grad()
def _widen_block(
    source: ConvNormAct, target: ConvNormAct, outgoing: Index, incoming: Index, share: Shares
) -> None:
    """Fill a wider block: copies of old filters outside, shared weights inside."""
    weight = source.conv.weight.double().cpu()[outgoing][:, incoming]
    target.conv.weight.copy_(weight * torch.from_numpy(share)[None, :, None, None])
    if source.conv.bias is not None and target.conv.bias is not None:
        target.conv.bias.copy_(source.conv.bias[outgoing])
    if source.norm is not None and target.norm is not None:
        wide = target.norm.state_dict()
        for name, value in source.norm.state_dict().items():
            wide[name].copy_(value[outgoing] if value.ndim else value)


def _widen_head(head: nn.Conv2d, incoming: Index, share: Shares) -> nn.Parameter:
    weight = head.weight.detach().double().cpu()[:, incoming]
    weight = weight * torch.from_numpy(share)[None, :, None, None]
    return nn.Parameter(weight.to(head.weight))


def _spread(old: int, extra: int, rng: np.random.Generator) -> Index:
    """Return which old filter each of `extra` new ones copies: all equally often."""
    rounds = [rng.permutation(old) for _ in range(-(-extra // old))]
    return np.concatenate([*rounds, np.empty(0, dtype=np.int64)])[:extra].astype(np.int64)


def _shares(copies: Index, rng: np.random.Generator) -> Shares:
    """Return each copy's share of its original: positive, unequal, summing to 1."""
    raw = rng.uniform(0.5, 1.5, len(copies))
    return np.asarray(raw / np.bincount(copies, weights=raw)[copies])


def save_network(
    net: PolicyNet,
    path: Path | str,
    *,
    metadata: dict[str, Any],
    dtype: torch.dtype = torch.float32,
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
        raise NetworkError(
            "this installation ships no network; name a file, e.g. one from 'selfplay export'"
        )
    by_width = sorted(names, key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
    return by_width[-1] if torch.cuda.is_available() else by_width[0]


def load_network(name_or_path: str | Path) -> PolicyNet:
    """Return a network by its shipped name or file: float32, in eval mode, on the CPU.

    Raises: NetworkError: unknown name, missing or damaged file, other version, or weights that do
    not fit.
    """
    net, _ = read_network(name_or_path)
    return net


def read_network(name_or_path: str | Path) -> tuple[PolicyNet, dict[str, Any]]:
    """Return a network and its file's metadata (config, feature version, training)."""
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
    try:
        net = PolicyNet(PolicyConfig(**facts["config"]))
        net.load_state_dict({name: value.float() for name, value in checkpoint.tensors.items()})
    except (KeyError, TypeError) as error:
        raise NetworkError(f"{path} has no usable config ({error}); export it again") from error
    except RuntimeError as error:
        raise NetworkError(f"the weights in {path} do not fit its config: {error}") from error
    return channels_last(net).eval(), facts


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
