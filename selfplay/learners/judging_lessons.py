"""Lessons of a policy-value network: moves, winners, margins and owners, from several archives.

A held-out value error that stays behind that of training games shows that the network learns games
by heart (Silver et al. 2016, Methods, "Value network: regression": 0.37 against 0.19). So the
averaged network is also measured on fixed positions of the games that it learns from.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from cnncore.data.samples import DataError
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import BATCH
from selfplay.batches.labelled import LabelledBatch, LabelledMix, StagedLesson, stage_lesson
from selfplay.batches.labels import Labels
from selfplay.batches.packing import unpack
from selfplay.labelling.owners_file import owners_path, read_ownership
from selfplay.learners.archive_shares import archive_shares, positions_of
from selfplay.learners.judging_loss import judging_loss, measure_judgement
from selfplay.learners.lessons import Classroom, Lessons, held_out_or_none

log = logging.getLogger(__name__)

GAP = 0.01
"""Squared error by which held-out games may surely be judged worse than those learnt from."""
ENOUGH = 3
"""Measurements of a call before which nothing is said about that."""


class JudgingLessons(Lessons[LabelledMix]):
    """All that the games of some archives teach, by a recipe's sources and sizes.

    Raises:
        ArchiveError: the labels beside an archive are another archive's, or damaged.
        DataError: the archives have no positions to learn from.
    """

    def __init__(self, room: Classroom, archives: Sequence[Archive]) -> None:
        labels = [archive_labels(archive) for archive in archives]
        shares = archive_shares(room.recipe, labels)

        def mix(split: str) -> LabelledMix:
            return LabelledMix(positions_of(room.recipe, labels, shares, split), labels)

        super().__init__(room, mix("train"), held_out_or_none(lambda: mix("validation")))
        self._measured_on: list[list[StagedLesson]] = []
        self._alike = [1.0, 1.0]
        self._measurements = 0
        self._warned_at = 0.0

    def planes(self, batch: StagedLesson) -> Tensor:
        """Return the planes of a batch on the network's device."""
        planes, _ = unpack(batch.positions.to(self.room.device))
        return planes

    def _stage(self, batch: LabelledBatch) -> StagedLesson:
        return stage_lesson(batch, pinned=self.room.device.type == "cuda")

    def loss(self) -> Callable[[Any, Any], Any]:
        """Return the loss of all heads at once."""
        room = self.room
        return judging_loss(room.recipe, room.device, processes=room.processes)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return what held-out positions show, and the value error on those learnt from."""
        if self.held_out is None:
            raise DataError("this run has no held-out positions to measure on")
        if not self._measured_on:
            mixes = [self.held_out, self.train]
            self._measured_on = [self._fixed(mix) for mix in mixes]
            count = self.room.recipe.validate_positions
            self._alike = [mix.positions_a_game(count) for mix in mixes]
        self._measurements += 1
        held_out, learnt = (self._sums(model, batches) for batches in self._measured_on)
        line = _line(held_out)
        if held_out[7] and learnt[7]:
            known = learnt[4] / learnt[7]
            line |= {"learnt_value_error": known, "value_gap": line["value_error"] - known}
            errors = map(error_over_games, (held_out, learnt), self._alike)
            if self._measurements >= ENOUGH:
                self._guard(line, math.hypot(*errors))
        return line

    def _fixed(self, mix: LabelledMix) -> list[StagedLesson]:
        room = self.room
        batches = mix.fixed(
            room.recipe.validate_positions,
            batch=BATCH,
            part=room.processes.rank,
            parts=room.processes.count,
        )
        return [stage_lesson(batch) for batch in batches]

    def _sums(self, model: nn.Module, batches: Sequence[StagedLesson]) -> list[float]:
        room = self.room
        sums = measure_judgement(model, batches, device=room.device, precision=room.precision)
        room.processes.add(sums)
        sums_of_all: list[float] = sums.tolist()
        return sums_of_all

    def _guard(self, line: dict[str, float], error: float) -> None:
        """Warn where the gap is larger than chance explains, and again when it has grown."""
        gap = line["value_gap"]
        if gap - 2 * error > GAP and gap > self._warned_at + GAP:
            self._warned_at = gap
            log.warning(
                "the network begins to learn games by heart: its value error is %.3f on held-out "
                "games and %.3f on those that it learns from; give it more games, or stop earlier",
                line["value_error"],
                line["learnt_value_error"],
            )


def archive_labels(archive: Archive) -> Labels:
    """Return what an archive's games teach; without a file of owners, no ownership.

    Raises:
        ArchiveError: the file is another archive's, or damaged.
    """
    if owners_path(archive.path).is_file():
        return Labels(archive, read_ownership(owners_path(archive.path), archive))
    log.warning(
        "%s has no ownership beside it, so none is learnt from it: `selfplay label %s` finds it",
        archive.path,
        archive.path,
    )
    return Labels(archive)


def _line(sums: Sequence[float]) -> dict[str, float]:
    """Return means of the sums of `measure_judgement`, as far as there are positions for them."""
    loss, top1, top5, count, value, _, right, taught, lead, counted, owner, owned = sums
    line: dict[str, float] = {}
    if count:
        line |= {"loss": loss / count, "top1": top1 / count, "top5": top5 / count}
    if taught:
        line |= {"value_error": value / taught, "winner_right": right / taught}
    if counted:
        line["lead_error"] = lead / counted
    if owned:
        line["ownership_error"] = owner / owned
    return line


def error_over_games(sums: Sequence[float], alike: float) -> float:
    """Return the standard error of the mean value error, for `alike` positions of each game.

    They share one winner, so all positions of a game count as one.
    """
    mean = sums[4] / sums[7]
    return math.sqrt(max(0.0, sums[5] / sums[7] - mean**2) * alike / sums[7])
