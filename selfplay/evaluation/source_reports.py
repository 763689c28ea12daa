"""All that is measured of one network on one source of held-out games.

Top-1 and top-5 are shares of positions whose move is the network's first, or among its first five,
of all 361 points, without a legality mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goengine.networks.files import Network
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import source_sample
from selfplay.batches.labels import Labels
from selfplay.batches.positions import SIZE
from selfplay.evaluation.calibration import Bin, expected_calibration_error, reliability
from selfplay.evaluation.held_out_answers import Answers, Contestant, Symmetry, answered
from selfplay.evaluation.intervals import Share
from selfplay.evaluation.judgements import (
    JudgementMeasure,
    measure_judgements,
    value_calibration,
)
from selfplay.evaluation.measures import Measure, by_move, measure, measure_groups


@dataclass(frozen=True)
class JudgementReport:
    """How well one network judged the positions of one source."""

    whole: JudgementMeasure
    """All positions."""
    calibration: list[Bin]
    """The reliability table of the win chance."""
    by_move: dict[str, JudgementMeasure]
    """Moves "1-30", "31-60", and so on."""


@dataclass(frozen=True)
class SourceReport:
    """What was measured of one network on one source."""

    source: str
    """Name of the source."""
    top1: Share
    """Share of positions whose move is the network's first of all 361 points."""
    top5: Share
    """Share of positions whose move is among the network's first five."""
    loss: float
    """Mean of minus the logarithm of the move's probability, in nats."""
    loss_error: float | None
    """Half of the loss's 95 % interval; None where all positions are of one game."""
    by_move: dict[str, Share]
    """Top-1 of moves "1-30", "31-60", and so on."""
    seconds_per_position: float
    """Median over batches."""
    ece: float
    """Expected calibration error, see calibration.py."""
    calibration: list[Bin]
    """The reliability table."""
    groups: dict[str, dict[str, Measure]]
    """For "move", "phase" and "rank", a Measure of each of their groups."""
    judgement: JudgementReport | None = None
    """How the network judged; None if it does not judge or was not asked."""


def source_report(source: str, answers: Answers, archive: Archive) -> SourceReport:
    """Return the numbers of one network's answers on one source."""
    all_of_it = measure(answers)
    table = reliability(answers.chances[:, 0], answers.better == 0, answers.games)
    groups = {name: measure_groups(answers, archive, name) for name in ("move", "phase", "rank")}
    return SourceReport(
        source=source,
        top1=all_of_it.top1,
        top5=all_of_it.top5,
        loss=all_of_it.loss,
        loss_error=all_of_it.loss_error,
        by_move={name: part.top1 for name, part in groups["move"].items()},
        seconds_per_position=float(np.median(answers.seconds)),
        ece=expected_calibration_error(table),
        calibration=table,
        groups=groups,
        judgement=judgement_report(answers, archive),
    )


def judgement_report(answers: Answers, archive: Archive) -> JudgementReport | None:
    """Return how well a network judged, if it was asked for that."""
    judged, games = answers.judged, answers.games
    if judged is None:
        return None
    return JudgementReport(
        whole=measure_judgements(judged, games),
        calibration=value_calibration(judged, games),
        by_move={
            name: measure_judgements(judged, games, mask)
            for name, mask in by_move(answers, archive).items()
        },
    )


def source_name(source: str, size: int) -> str:
    """Return what reports call a source on boards of `size` lines; smaller ones are named."""
    return source if size == SIZE else f"{source} {size}x{size}"


def evaluate_source(
    net: Network,
    archive: Archive,
    source: str,
    *,
    split: str = "test",
    limit: int = 20_000,
    size: int = SIZE,
    symmetry: Symmetry = "none",
    precision: str = "float32",
    progress: bool = False,
    labels: Labels | None = None,
) -> SourceReport:
    """Measure a network on up to `limit` fixed random positions of one source.

    They are on boards of `size` lines. With the archive's `labels` a network that judges is
    measured on that as well.
    """
    contestant = Contestant("", net, symmetry, precision)
    sample = source_sample(archive, source, split=split, limit=limit, size=size)
    label = f"measuring on {source}" if progress else None
    answers = answered(contestant, sample, label=label, labels=labels)
    return source_report(source_name(source, size), answers, archive)
