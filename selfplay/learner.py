"""What a policy network learns from a position, and with which optimiser.

Silver et al. 2016, Methods, "Policy network: classification": the cross-entropy of the move that
the player chose. Beyond the paper, extra outputs may predict the moves after it; they are dropped
at export.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, Optimizer

from cnncore.blocks import PositionBias
from cnncore.init import he_normal_
from cnncore.optim import Muon, split_parameters
from cnncore.training import autocast
from goengine.networks import PolicyNet
from goengine.widening import widen
from selfplay.positions import NO_MOVE, PositionBatch, Positions
from selfplay.recipes import Recipe


class Learner(nn.Module):
    """A policy network with extra outputs that predict the moves after the next one.

    The extra outputs share all hidden layers, teach them more per position, and are dropped at
    export.
    """

    def __init__(self, policy: PolicyNet, *, future_moves: int = 0) -> None:
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
        hidden = self.policy.features(planes)
        outputs = [self.policy.bias(self.policy.head(hidden).float())]
        for head, bias in zip(self.heads, self.biases, strict=True):
            outputs.append(bias(head(hidden).float()))
        return torch.stack(outputs, dim=1)

    def widened(self, filters: int, rng: np.random.Generator, *, noise: float) -> Learner:
        """Return a learner of `filters` filters that computes the same function."""
        twin = copy.deepcopy(self)
        heads = [head for head in twin.heads if isinstance(head, nn.Conv2d)]
        twin.policy = widen(self.policy, filters, rng, noise=noise, heads=heads)
        return twin


def policy_loss(recipe: Recipe, device: torch.device) -> Callable[[Any, Any], Any]:
    """Return the loss for `fit`: cross-entropy of the move played and of those after it."""

    def loss(model: nn.Module, batch: PositionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        planes = torch.from_numpy(batch.planes).to(device, non_blocking=True)
        moves = torch.from_numpy(batch.moves).to(device, non_blocking=True)
        logits = model(planes)
        terms = []
        for i in range(moves.shape[1]):
            total = functional.cross_entropy(
                logits[:, i],
                moves[:, i],
                ignore_index=NO_MOVE,
                label_smoothing=recipe.label_smoothing,
                reduction="sum",
            )
            terms.append(total / (moves[:, i] != NO_MOVE).sum().clamp_min(1))
        value = terms[0] + recipe.future_weight * sum(terms[1:], torch.zeros((), device=device))
        correct = (logits[:, 0].argmax(1) == moves[:, 0]).sum()
        return value, {"policy_loss": terms[0] * len(batch), "top1": correct}

    return loss


def make_optimizers(model: Learner, recipe: Recipe) -> list[Optimizer]:
    """Return the optimisers of a recipe: kernels in the first one, everything else in the last."""
    kernels, rest = split_parameters(model, output_layers=[model.policy.head, model.heads])
    if recipe.optimizer == "muon":
        muon = Muon(
            kernels, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        return [muon, Adam(rest, lr=recipe.lr_rest, betas=(0.9, 0.99))]
    groups = [
        {"params": kernels, "lr": recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": recipe.lr_rest, "weight_decay": 0.0},
    ]
    nesterov = recipe.momentum > 0
    return [SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov)]


def measure(
    model: nn.Module, positions: Positions, count: int, *, device: torch.device, precision: str
) -> dict[str, float]:
    """Return loss, top-1 and top-5 of a learner on `count` fixed random positions."""
    sums = torch.zeros(3, dtype=torch.float64, device=device)
    games, plies = positions.draw(count, np.random.default_rng(20160128))
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, count, 256):
            batch = positions.batch(games[start : start + 256], plies[start : start + 256])
            logits = model(torch.from_numpy(batch.planes).to(device))[:, 0]
            moves = torch.from_numpy(batch.moves[:, 0]).to(device)
            hits = logits.topk(5).indices == moves[:, None]
            sums[0] += functional.cross_entropy(logits, moves, reduction="sum")
            sums[1] += hits[:, 0].sum()
            sums[2] += hits.sum()
    loss, top1, top5 = (sums / count).tolist()
    return {"loss": loss, "top1": top1, "top5": top5}
