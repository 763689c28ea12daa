"""The shapes of networks, as values that files hold and that can be read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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

    @property
    def blocks(self) -> int:
        """The hidden blocks behind the first convolution: convolutions, or pairs of them."""
        return self.layers - 2 if self.kind == "plain" else self.layers // 2 - 1


ALPHAGO = PolicyConfig()
"""The shape of the policy network of Silver et al. 2016."""


MARGIN_SCALE = 20.0
"""Points that one unit of the margin's own output stands for."""
LEAST_SPREAD = 1.0
"""Points below which no spread falls, so that the win chance never jumps."""


@dataclass(frozen=True)
class PolicyValueConfig(PolicyConfig):
    """The shape of a policy-value network: a policy network and heads that judge the position."""

    pools: tuple[int, ...] = ()
    """Residual blocks with global pooling, the first block being 0; none in a plain network."""
    neck: int = 32
    """Maps between the trunk and the heads that judge."""
    hidden: int = 64
    """Units between the pooled neck and margin and spread."""


def check(config: PolicyConfig) -> None:
    """Refuse a shape that a network cannot have.

    Raises:
        NetworkError: as it says.
    """
    if config.kind not in ("plain", "residual"):
        raise NetworkError(f"a policy network cannot be {config.kind!r}: use 'plain' or 'residual'")
    if config.layers < 2 or config.filters < 1:
        raise NetworkError(
            f"a policy network needs at least 2 layers and 1 filter, not {config.layers} and "
            f"{config.filters}"
        )
    if config.planes < 1 or config.size < 1:
        raise NetworkError(
            f"a policy network needs at least 1 plane and 1 line of the board, not {config.planes} "
            f"and {config.size}"
        )
    if config.kind == "residual" and config.layers % 2:
        raise NetworkError(
            f"a residual network has 2 layers and 2 more a block, so {config.layers} is not "
            f"possible; give {config.layers - 1} or {config.layers + 1}"
        )
    if isinstance(config, PolicyValueConfig):
        _check_heads(config)


def _check_heads(config: PolicyValueConfig) -> None:
    """Refuse pools and heads that a policy-value network cannot have."""
    last = config.blocks - 1 if config.kind == "residual" else -1
    wrong = [block for block in config.pools if not 0 <= block <= last]
    if wrong:
        there = f"blocks 0 to {last}" if last >= 0 else "no residual blocks"
        raise NetworkError(f"block {wrong[0]} cannot pool: this network has {there}")
    if config.neck < 1 or config.hidden < 1:
        raise NetworkError(
            f"a neck of {config.neck} maps and {config.hidden} hidden units is not possible: "
            "give at least 1 of each"
        )


CONFIGS: Mapping[str, type[PolicyConfig]] = {
    "policy-network": PolicyConfig,
    "policy-value-network": PolicyValueConfig,
}
"""The kinds of networks, by the word that stands in their files."""


_NUMBERS = frozenset({"filters", "layers", "planes", "size", "neck", "hidden"})
"""Fields that are whole numbers."""


def kind_of(config: PolicyConfig) -> str:
    """Return the word that stands in the file of a network of this shape."""
    return next(kind for kind, shape in CONFIGS.items() if shape is type(config))


def config_from(kind: str, table: Mapping[str, Any]) -> PolicyConfig:
    """Return the shape that a file of a kind tells of.

    Raises:
        NetworkError: the shape is not possible.
        TypeError: it names a field that there is not, or a value is of another type.
    """
    fields = dict(table)
    for name in _NUMBERS & fields.keys():
        if type(fields[name]) is not int:
            raise TypeError(f"{name} = {fields[name]!r} is not a whole number")
    if "pools" in fields:
        fields["pools"] = tuple(fields["pools"])
        if not all(type(block) is int for block in fields["pools"]):
            raise TypeError(f"pools = {list(fields['pools'])} are not numbers of blocks")
    config = CONFIGS[kind](**fields)
    check(config)
    return config
