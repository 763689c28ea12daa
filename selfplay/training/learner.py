"""What a policy network learns from a position, and with which optimiser.

Silver et al. 2016, Methods, "Policy network: classification": the cross-entropy of the move that
the player chose. Beyond the paper, extra outputs may predict the moves after it; they are dropped
at export.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, Adam, Optimizer

from cnncore.layers.blocks import PositionBias
from cnncore.layers.initialisation import he_normal_
from cnncore.system.devices import autocast, widest_float
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.muon import Muon, split_parameters
from goengine.encoding.features import forget_last_moves
from goengine.networks.policy_network import PolicyNet
from goengine.networks.widening import widen
from selfplay.batches.packing import StagedBatch, unpack
from selfplay.batches.positions import NO_MOVE
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


def policy_loss(
    recipe: Recipe,
    device: torch.device,
    *,
    processes: Processes = ALONE,
    teacher: PolicyNet | None = None,
) -> Callable[[Any, Any], Any]:
    """Return the loss for `fit`: cross-entropy of the move played and of those after it.

    With a `teacher` the next move's target is partly what that network answers (Hinton, Vinyals &
    Dean 2015, "Distilling the knowledge in a neural network", section 2, at temperature 1). The
    first positions of a batch lose their last moves, if the recipe wants that. Of `processes` that
    share a batch in turns, each divides by its share of what the whole batch knows, so that the
    average of their losses and gradients is that of the whole batch.
    """

    def loss(model: nn.Module, batch: StagedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        there = batch.to(device)
        planes, moves = unpack(there)
        known = there.known.clamp_min(1) / processes.count
        answers = None if teacher is None else _answers(teacher, planes)
        bare = int(recipe.forget * len(planes) * processes.count)
        forget_last_moves(planes[: len(range(processes.rank, bare, processes.count))])
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
            terms.append(total / known[i])
        target = terms[0]
        if answers is not None:
            each = functional.cross_entropy(logits[:, 0], answers, reduction="none")
            lesson = (each * (moves[:, 0] != NO_MOVE)).sum() / known[0]
            target = torch.lerp(target, lesson, recipe.teacher_weight)
        value = target + recipe.future_weight * sum(terms[1:], torch.zeros((), device=device))
        correct = (logits[:, 0].argmax(1) == moves[:, 0]).sum()
        return value, {"policy_loss": terms[0] * len(batch), "top1": correct}

    return loss


def _answers(teacher: PolicyNet, planes: Tensor) -> Tensor:
    """Return a teacher's probabilities (B, N*N)."""
    with torch.no_grad():
        answers: Tensor = teacher(planes).softmax(1)
    return answers


def make_optimizers(model: Learner, recipe: Recipe) -> list[Optimizer]:
    """Return the optimisers of a recipe: kernels in the first one, everything else in the last."""
    kernels, rest = split_parameters(model, output_layers=[model.policy.head, model.heads])
    fused = True if rest[0].is_cuda else None
    if recipe.optimizer == "muon":
        muon = Muon(
            kernels, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        return [muon, Adam(rest, lr=recipe.lr_rest, betas=(0.9, 0.99), fused=fused)]
    groups = [
        {"params": kernels, "lr": recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": recipe.lr_rest, "weight_decay": 0.0},
    ]
    nesterov = recipe.momentum > 0
    return [SGD(groups, lr=recipe.lr, momentum=recipe.momentum, nesterov=nesterov, fused=fused)]


def measure(
    model: nn.Module, batches: Iterable[StagedBatch], *, device: torch.device, precision: str
) -> Tensor:
    """Return (4,) sums over batches: loss, top-1 and top-5 of a learner, positions.

    In the widest float that the device has.
    """
    sums = torch.zeros(4, dtype=widest_float(device), device=device)
    with torch.inference_mode(), autocast(device, precision):
        for batch in batches:
            planes, moves = unpack(batch.to(device))
            logits, played = model(planes)[:, 0], moves[:, 0]
            hits = logits.topk(5).indices == played[:, None]
            sums[0] += functional.cross_entropy(logits, played, reduction="sum")
            sums[1] += hits[:, 0].sum()
            sums[2] += hits.sum()
            sums[3] += len(batch)
    return sums
