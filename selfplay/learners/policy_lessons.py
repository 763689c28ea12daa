"""Lessons of a policy network: positions of one archive and the moves played in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnncore.data.samples import DataError
from cnncore.layers.blocks import channels_last
from cnncore.system.parallel import Processes
from goengine.networks.files import load_network, policy_network
from goengine.networks.policy_network import PolicyNet
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import BATCH, fixed_sample
from selfplay.batches.packing import StagedBatch, stage, unpack
from selfplay.batches.positions import PackedBatch, Positions
from selfplay.batches.weighting import Weighting
from selfplay.learners.lessons import Classroom, Lessons, held_out_or_none
from selfplay.learners.policy_loss import measure, policy_loss
from selfplay.recipes import Recipe


class PolicyLessons(Lessons[Positions]):
    """The moves of an archive, by a recipe's sources, years and ranks, perhaps with a teacher.

    Raises:
        NetworkError: the recipe's teacher is unknown.
        DataError: the archive has no positions to learn from.
    """

    def __init__(self, room: Classroom, archive: Archive) -> None:
        recipe = room.recipe
        self.teacher = _teacher(recipe, room.device)
        train = Positions(
            archive,
            "train",
            weights=recipe.sources,
            weighting=Weighting(recipe.recency, recipe.ranks),
            future=recipe.future_moves,
        )
        held_out = held_out_or_none(
            lambda: Positions(archive, "validation", weights=recipe.sources)
        )
        super().__init__(room, train, held_out)
        self._measured_on: list[StagedBatch] = []

    def planes(self, batch: StagedBatch) -> Tensor:
        """Return the planes of a batch on the network's device."""
        planes, _ = unpack(batch.to(self.room.device))
        return planes

    def _stage(self, batch: PackedBatch) -> StagedBatch:
        return stage(batch, pinned=self.room.device.type == "cuda")

    def loss(self) -> Callable[[Any, Any], Any]:
        """Return the cross-entropy of the moves."""
        room = self.room
        return policy_loss(room.recipe, room.device, processes=room.processes, teacher=self.teacher)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return loss, top-1 and top-5 on the held-out positions."""
        if self.held_out is None:
            raise DataError("this run has no held-out positions to measure on")
        room = self.room
        if not self._measured_on:
            count = room.recipe.validate_positions
            self._measured_on = _fixed_batches(self.held_out, count, room.processes)
        sums = measure(model, self._measured_on, device=room.device, precision=room.precision)
        room.processes.add(sums)
        loss, top1, top5, count = sums.tolist()
        return {"loss": loss / count, "top1": top1 / count, "top5": top5 / count}


def _teacher(recipe: Recipe, device: torch.device) -> PolicyNet | None:
    """Return the network that a recipe learns from, if it names one."""
    if not recipe.teacher:
        return None
    teacher = policy_network(load_network(recipe.teacher), recipe.teacher)
    return channels_last(teacher, device).requires_grad_(False)


def _fixed_batches(positions: Positions, count: int, processes: Processes) -> list[StagedBatch]:
    """Return this process's part of `count` positions, the same for all runs on an archive."""
    sample = fixed_sample(positions, count)
    rank, parts = processes.rank, processes.count
    chunks = [slice(start, start + BATCH) for start in range(0, len(sample), BATCH)]
    batches = [
        positions.packed(sample.games[c], sample.plies[c], part=rank, parts=parts) for c in chunks
    ]
    return [stage(batch) for batch in batches if len(batch)]
