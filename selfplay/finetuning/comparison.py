"""Before and after: what fine-tuning changed, in figures.

Both networks answer the same positions, so that differences are paired. All intervals are 95 % and
taken over games (selfplay.evaluation.intervals).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from goengine.networks.files import Network
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import Sample, distinct_sample
from selfplay.evaluation.held_out_answers import Contestant, answered
from selfplay.evaluation.intervals import bracketed, plus_minus
from selfplay.evaluation.measures import Difference, Measure, difference, measure

OWN, LEARNT, OTHERS = "own games, held out", "own games, learnt from", "games of others"


@dataclass(frozen=True)
class Change:
    """What two networks reach on the same positions of some games, and the difference."""

    games: int
    """How many games the positions are of."""
    positions: int
    """How many positions were asked about."""
    before: Measure
    """What the network reaches that the run began with."""
    after: Measure
    """What the fine-tuned network reaches."""
    change: Difference
    """What the fine-tuned network has more, position by position."""


def judged_samples(archive: Archive, others: Archive | None, limit: int) -> dict[str, Sample]:
    """Return up to `limit` positions each of own held-out games, games learnt from and others'."""
    samples = {
        OWN: distinct_sample(archive, "test", limit),
        LEARNT: distinct_sample(archive, "train", limit),
    }
    if others is not None:
        samples[OTHERS] = distinct_sample(others, "test", limit)
    return samples


def compare(
    before: Network,
    after: Network,
    samples: Mapping[str, Sample],
    *,
    precision: str = "float32",
    progress: bool = False,
) -> dict[str, Change]:
    """Measure two networks on the same positions of each kind of games."""
    changes = {}
    for name, part in samples.items():
        one, two = (
            answered(
                Contestant(when, net, precision=precision),
                part,
                label=f"{name}, {when}" if progress else None,
            )
            for when, net in (("before", before), ("after", after))
        )
        changes[name] = Change(
            games=len(np.unique(part.games)),
            positions=len(part.games),
            before=measure(one),
            after=measure(two),
            change=difference(one, two),
        )
    return changes


def table(changes: dict[str, Change]) -> str:
    """Return the figures as text."""
    lines = []
    for name, it in changes.items():
        lines.append(f"{name}: {it.positions:,} positions of {it.games:,} games")
        lines.append(f"  {'':6} {'before':>24} {'after':>24} {'change':>18}")
        for label, one, two, gain, error in (
            ("top-1", it.before.top1, it.after.top1, it.change.top1, it.change.top1_error),
            ("top-5", it.before.top5, it.after.top5, it.change.top5, it.change.top5_error),
        ):
            shares = [bracketed(share, 1) for share in (one, two)]
            change = f"{100 * gain:+.2f} {plus_minus(error, 2, scale=100)} %"
            lines.append(f"  {label:6} {shares[0]:>24} {shares[1]:>24} {change:>18}")
        losses = [f"{m.loss:.4f} {plus_minus(m.loss_error, 4)}" for m in (it.before, it.after)]
        change = f"{it.change.loss:+.4f} {plus_minus(it.change.loss_error, 4)}"
        lines.append(f"  {'loss':6} {losses[0]:>24} {losses[1]:>24} {change:>18}")
    return "\n".join(lines) + "\n"
