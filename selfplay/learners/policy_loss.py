"""What a policy network learns from a position.

Silver et al. 2016, Methods, "Policy network: classification": the cross-entropy of the move that
the player chose. Beyond the paper, extra outputs may predict the moves after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.system.devices import autocast, widest_float
from cnncore.system.parallel import ALONE, Processes
from goengine.encoding.features import forget_last_moves
from goengine.networks.policy_network import PolicyNet
from selfplay.batches.packing import StagedBatch, unpack
from selfplay.batches.positions import NO_MOVE
from selfplay.recipes import Recipe


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
        forget(planes, recipe, processes)
        logits = model(planes)
        terms = move_terms(logits, moves, known, recipe)
        target = terms[0]
        if answers is not None:
            each = functional.cross_entropy(logits[:, 0], answers, reduction="none")
            lesson = (each * (moves[:, 0] != NO_MOVE)).sum() / known[0]
            target = torch.lerp(target, lesson, recipe.teacher_weight)
        value = target + recipe.future_weight * sum(terms[1:], torch.zeros((), device=device))
        correct = (logits[:, 0].argmax(1) == moves[:, 0]).sum()
        return value, {"policy_loss": terms[0] * len(batch), "top1": correct}

    return loss


def forget(planes: Tensor, recipe: Recipe, processes: Processes) -> None:
    """Take the last moves from the share of a batch that a recipe says, in place."""
    bare = int(recipe.forget * len(planes) * processes.count)
    forget_last_moves(planes[: len(range(processes.rank, bare, processes.count))])


def move_terms(logits: Tensor, moves: Tensor, known: Tensor, recipe: Recipe) -> list[Tensor]:
    """Return the cross-entropies of the next move and of those after it.

    `logits` (B, M, N*N), `moves` (B, M), `known` (M,): by how many each sum is divided.
    """
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
    return terms


def _answers(teacher: PolicyNet, planes: Tensor) -> Tensor:
    """Return a teacher's probabilities (B, N*N)."""
    with torch.no_grad():
        answers: Tensor = teacher(planes).softmax(1)
    return answers


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
