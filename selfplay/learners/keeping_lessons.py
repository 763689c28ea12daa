"""Lessons that teach a policy-value network moves, and keep its judgement as it was.

A few games of one's own cannot teach who wins. But the trunk that learns their moves is the one
that the heads read, so these would drift. Therefore the network is also held to what it said of
margin, spread and ownership in the same positions when the run began (Li & Hoiem 2016, "Learning
without forgetting", section 3).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.layers.blocks import channels_last
from goengine.networks.network_config import MARGIN_SCALE
from goengine.networks.policy_value import PolicyValueNet
from selfplay.archive.reader import Archive
from selfplay.batches.packing import StagedBatch, unpack
from selfplay.learners.judging_loss import BEND
from selfplay.learners.learner import Said
from selfplay.learners.lessons import Classroom
from selfplay.learners.policy_lessons import PolicyLessons
from selfplay.learners.policy_loss import forget, move_terms


class KeepingLessons(PolicyLessons):
    """The moves of an archive for a network that judges; `before` is what it was at the begin."""

    def __init__(self, room: Classroom, archive: Archive, before: PolicyValueNet) -> None:
        super().__init__(room, archive)
        self.before = channels_last(copy.deepcopy(before), room.device).eval().requires_grad_(False)

    def loss(self) -> Callable[[Any, Any], Any]:
        """Return the cross-entropy of the moves, and the distance from the judgement before."""
        room = self.room
        recipe, processes = room.recipe, room.processes

        def loss(model: nn.Module, batch: StagedBatch) -> tuple[Tensor, dict[str, Tensor]]:
            there = batch.to(room.device)
            planes, moves = unpack(there)
            forget(planes, recipe, processes)
            said = model(planes)
            known = there.known.clamp_min(1) / processes.count
            terms = move_terms(said.logits, moves, known, recipe)
            kept = self._distance(said, planes)
            total = terms[0] + recipe.future_weight * sum(terms[1:], torch.zeros_like(terms[0]))
            correct = (said.logits[:, 0].argmax(1) == moves[:, 0]).sum()
            measures = {"policy_loss": terms[0] * len(batch), "top1": correct}
            return total + recipe.keep * kept, measures | {"kept_loss": kept * len(batch)}

        return loss

    def _distance(self, said: Said, planes: Tensor) -> Tensor:
        """Return how far margin, spread and ownership are from those of the network before."""
        with torch.no_grad():
            before = self.before(planes)
        owners = functional.binary_cross_entropy_with_logits(
            said.ownership_logits, before.ownership_logits.flatten(1).sigmoid()
        )
        margins, spreads = (
            functional.smooth_l1_loss(now / MARGIN_SCALE, then / MARGIN_SCALE, beta=BEND)
            for now, then in ((said.margin, before.margin), (said.spread, before.spread))
        )
        return owners + margins + spreads

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return loss, top-1 and top-5 on the held-out positions."""
        return super().validate(_Moves(model))


class _Moves(nn.Module):
    """Of what a learner says, the logits alone."""

    def __init__(self, learner: nn.Module) -> None:
        super().__init__()
        self.learner = learner

    def forward(self, planes: Tensor) -> Tensor:
        logits: Tensor = self.learner(planes).logits
        return logits
