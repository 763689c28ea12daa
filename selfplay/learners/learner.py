"""A network on its way: with outputs for the moves after the next, which are dropped at export.

A learner of a policy network answers with logits. One of a policy-value network answers with all
that its heads say, and may have a trunk that stays as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from cnncore.layers.blocks import PositionBias
from cnncore.layers.initialisation import he_normal_
from goengine.networks.files import Network
from goengine.networks.policy_network import PolicyNet
from goengine.networks.policy_value import PolicyValueNet
from goengine.networks.widening import widen
from selfplay.recipes import Recipe


class Learner(nn.Module):
    """A network with extra outputs that predict the moves after the next one.

    The extra outputs share all hidden layers, teach them more per position, and are dropped at
    export.
    """

    def __init__(self, policy: Network, *, future_moves: int = 0) -> None:
        super().__init__()
        self.policy = policy
        size = policy.config.size
        self.heads = nn.ModuleList(
            nn.Conv2d(policy.config.filters, 1, 1, bias=False) for _ in range(future_moves)
        )
        self.biases = nn.ModuleList(PositionBias(size) for _ in range(future_moves))
        for head in self.heads:
            assert isinstance(head, nn.Conv2d)
            he_normal_(head, gain=1.0)

    def forward(self, planes: Tensor) -> Tensor:
        """Return float32 logits (B, 1 + future_moves, N*N) of planes (B, 48, N, N)."""
        return self.moves(self.policy.features(planes))

    def moves(self, hidden: Tensor) -> Tensor:
        """Return float32 logits (B, 1 + future_moves, N*N) of the last hidden maps."""
        outputs = [self.policy.bias(self.policy.head(hidden).float())]
        for head, bias in zip(self.heads, self.biases, strict=True):
            outputs.append(bias(head(hidden).float()))
        return torch.stack(outputs, dim=1)

    def widened(self, filters: int, rng: np.random.Generator, *, noise: float) -> Learner:
        """Return a learner of `filters` filters that computes the same function."""
        twin = copy.deepcopy(self)
        heads = [head for head in twin.heads if isinstance(head, nn.Conv2d)]
        twin.policy = wider(self.policy, filters, rng, noise=noise, heads=heads)
        return twin


class Said(NamedTuple):
    """What a learner of a policy-value network says of B positions, for the player to move."""

    logits: Tensor
    """float32 (B, 1 + future_moves, N*N)."""
    margin: Tensor
    """float32 (B,): points on the board before komi."""
    spread: Tensor
    """float32 (B,): points; the win chance is sigmoid((margin - komi) / spread)."""
    ownership_logits: Tensor
    """float32 (B, N*N): sigmoid gives the chance that a point will be the mover's."""


class JudgingLearner(Learner):
    """A learner of a policy-value network; with `frozen`, its trunk and its moves stay as they are.

    A frozen trunk normalises by its running statistics and gets no gradient.
    """

    policy: PolicyValueNet

    def __init__(
        self, policy: PolicyValueNet, *, future_moves: int = 0, frozen: bool = False
    ) -> None:
        super().__init__(policy, future_moves=future_moves)
        self.frozen = frozen
        if frozen:
            for part in (policy.body, policy.head, policy.bias, self.heads, self.biases):
                part.requires_grad_(False)
            self.train(self.training)

    def train(self, mode: bool = True) -> JudgingLearner:
        """Set the mode of all but a frozen trunk, which stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.policy.body.eval()
        return self

    def forward(self, planes: Tensor) -> Said:  # type: ignore[override]
        """Return what all heads say of planes (B, 48, N, N)."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            hidden = self.policy.features(planes)
            logits = self.moves(hidden)
        if planes.shape[-1] != self.policy.config.size:  # a zero gradient, not a missing one
            unused = [self.policy.bias.bias, *(bias.bias for bias in self.position_biases())]
            logits = logits + 0.0 * torch.stack([bias.sum() for bias in unused]).sum()
        _, margin, spread, ownership = self.policy.judged(hidden)
        return Said(logits, margin, spread, ownership.flatten(1))

    def position_biases(self) -> list[PositionBias]:
        """Return the biases of the extra outputs."""
        return [bias for bias in self.biases if isinstance(bias, PositionBias)]


def wider(
    net: Network,
    filters: int,
    rng: np.random.Generator,
    *,
    noise: float = 0.0,
    heads: Sequence[nn.Conv2d] = (),
) -> Network:
    """Return a network of either kind with more filters, see `widen`."""
    if isinstance(net, PolicyNet):
        return widen(net, filters, rng, noise=noise, heads=heads)
    return widen(net, filters, rng, noise=noise, heads=heads)


def make_learner(net: Network, recipe: Recipe) -> Learner:
    """Return the learner of a network as a recipe wants it."""
    if isinstance(net, PolicyValueNet):
        frozen = recipe.freeze == "trunk"
        return JudgingLearner(net, future_moves=recipe.further_moves, frozen=frozen)
    return Learner(net, future_moves=recipe.further_moves)
