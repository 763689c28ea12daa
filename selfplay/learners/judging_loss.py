"""What a policy-value network learns from a position, all heads at once.

The move played and those after it, as a policy network does; the winner by the cross-entropy of
sigmoid((margin - komi) / spread); the margin by a smooth L1 distance (Huber 1964) in units of 20
points; the owner of each point by cross-entropy. What a position does not tell is left out: each
mean is over the positions that tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.system.devices import autocast, widest_float
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.loop import COUNT
from goengine.networks.network_config import MARGIN_SCALE
from selfplay.batches.labelled import StagedLesson
from selfplay.batches.packing import unpack
from selfplay.batches.positions import NO_MOVE
from selfplay.learners.learner import Said
from selfplay.learners.policy_loss import forget, move_terms
from selfplay.recipes import Recipe

BEND = 0.5
"""Units of the margin's error at which its loss turns from a square into a line."""
SUMS = 12
"""How many sums `measure_judgement` returns."""


def judging_loss(
    recipe: Recipe, device: torch.device, *, processes: Processes = ALONE
) -> Callable[[Any, Any], Any]:
    """Return the loss for `fit`: next move, moves after it, value, lead and ownership.

    Processes that share a batch divide by what the whole batch tells, see `policy_loss`.
    """

    def loss(model: nn.Module, batch: StagedLesson) -> tuple[Tensor, dict[str, Tensor]]:
        there = batch.to(device)
        planes, moves = unpack(there.positions)
        forget(planes, recipe, processes)
        said = model(planes)
        known = there.positions.known.clamp_min(1) / processes.count
        moves_known = moves[:, : said.logits.shape[1]]
        terms = move_terms(said.logits, moves_known, known, recipe)
        value, lead, ownership = judging_terms(said, there, processes)
        played = (moves[:, 0] != NO_MOVE).sum()
        total = (
            recipe.value_weight * value
            + recipe.lead_weight * lead
            + recipe.ownership_weight * ownership
        )
        if recipe.freeze == "none":
            further = sum(terms[1:], torch.zeros((), device=device))
            total = total + terms[0] + recipe.future_weight * further
        count = len(batch)
        return total, {
            "policy_loss": terms[0] * known[0],
            "policy_loss" + COUNT: played,
            "top1": (said.logits[:, 0].argmax(1) == moves[:, 0]).sum(),
            "top1" + COUNT: played,
            "value_loss": value * count,
            "lead_loss": lead * count,
            "ownership_loss": ownership * count,
        }

    return loss


def judging_terms(
    said: Said, lesson: StagedLesson, processes: Processes = ALONE
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the losses of value, lead and ownership, each a mean over who teaches it."""
    taught, counted, owned = (lesson.totals.clamp_min(1) / processes.count).unbind()
    values = functional.binary_cross_entropy_with_logits(
        value_logits(said, lesson.komi), lesson.won, reduction="none"
    )
    leads = functional.smooth_l1_loss(
        said.margin / MARGIN_SCALE, lesson.margin / MARGIN_SCALE, beta=BEND, reduction="none"
    )
    owners = functional.binary_cross_entropy_with_logits(
        said.ownership_logits, (lesson.owners() + 1) / 2, reduction="none"
    ).mean(1)
    return (
        (values * lesson.taught).sum() / taught,
        (leads * lesson.counted).sum() / counted,
        (owners * lesson.owned).sum() / owned,
    )


def value_logits(said: Said, komi: Tensor) -> Tensor:
    """Return the logits (B,) of the mover's win chance who gives `komi` points."""
    return (said.margin - komi) / said.spread


def measure_judgement(
    model: nn.Module, batches: Iterable[StagedLesson], *, device: torch.device, precision: str
) -> Tensor:
    """Return (SUMS,) sums over batches, in the widest float that the device has.

    Loss, top-1, top-5 and positions with a move; squared value error, its square, winners guessed
    right and positions that teach a value; absolute error of the lead and positions with one; mean
    absolute error of the ownership and positions with one.
    """
    sums = torch.zeros(SUMS, dtype=widest_float(device), device=device)
    with torch.inference_mode(), autocast(device, precision):
        for batch in batches:
            there = batch.to(device)
            planes, moves = unpack(there.positions)
            said = model(planes)
            logits, played = said.logits[:, 0], moves[:, 0]
            hits = logits.topk(5).indices == played[:, None]
            error = (value_logits(said, there.komi).sigmoid() - there.won).square()
            right = ((said.margin > there.komi) == (there.won > 0.5)) & (there.won != 0.5)
            leads = (said.margin - there.margin).abs()
            owners = (torch.tanh(said.ownership_logits / 2) - there.owners()).abs().mean(1)
            parts = [
                functional.cross_entropy(logits, played, ignore_index=NO_MOVE, reduction="sum"),
                hits[:, 0].sum(),
                hits.sum(),
                (played != NO_MOVE).sum(),
                (error * there.taught).sum(),
                (error.square() * there.taught).sum(),
                (right * there.taught).sum(),
                there.taught.sum(),
                (leads * there.counted).sum(),
                there.counted.sum(),
                (owners * there.owned).sum(),
                there.owned.sum(),
            ]
            sums += torch.stack([part.to(sums) for part in parts])
    return sums
