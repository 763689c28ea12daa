"""Before and after: what fine-tuning changed, in figures and in plain sentences.

Both networks answer the same positions, so that differences are paired; all intervals are 95 % and
taken over games (selfplay.evaluation.intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from goengine.networks.policy_network import PolicyNet
from selfplay.archive.reader import Archive
from selfplay.evaluation.answers import Contestant, Sample, answered
from selfplay.evaluation.intervals import bracketed, plus_minus, sign
from selfplay.evaluation.measures import Difference, Measure, difference, measure
from selfplay.finetuning.tuning import best_of, sample

OWN, LEARNT, OTHERS = "own games, held out", "own games, learnt from", "games of others"
ROUGH = 20
"""Held-out games below which the figures are called rough."""


@dataclass(frozen=True)
class Change:
    """What two networks reach on the same positions of some games, and the difference."""

    games: int
    positions: int
    before: Measure
    after: Measure
    change: Difference


def compare(
    before: PolicyNet, after: PolicyNet, archive: Archive, *, others: Archive | None, limit: int
) -> dict[str, Change]:
    """Measure two networks on own held-out games, games learnt from and games of others."""
    parts = {
        OWN: sample(archive, "test", limit),
        LEARNT: sample(archive, "train", limit),
    }
    if others is not None:
        parts[OTHERS] = sample(others, "test", limit)
    return {name: _change(before, after, part) for name, part in parts.items()}


def _change(before: PolicyNet, after: PolicyNet, part: Sample) -> Change:
    one, two = (answered(Contestant("", net), part) for net in (before, after))
    return Change(
        games=len(np.unique(part.games)),
        positions=len(part.games),
        before=measure(one),
        after=measure(two),
        change=difference(one, two),
    )


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


def verdict(changes: dict[str, Change], history: Sequence[dict[str, Any]]) -> list[str]:
    """Return sentences: whether it learnt, overfitted or forgot, and what to do about it.

    `history` holds the measurements of the run, the one of the start first.
    """
    own, learnt = changes[OWN], changes[LEARNT]
    best, last, start = best_of(list(history)), history[-1], history[0]
    error = plus_minus(own.change.loss_error, 4)
    rose = sign(own.change.loss, own.change.loss_error)
    said = []
    if best is start and len(history) > 1:
        said.append(
            "It learnt nothing that holds on games it has not seen: the held-out loss was "
            f"{start['loss']:.4f} at the start and never lower. The network is the one that it "
            "began with. Give more games, or a lower rate: --set lr=0.00003 --set lr_rest=0.00001."
        )
    elif rose < 0:
        said.append(
            f"It learnt: on {own.games} games that it never saw the loss fell by "
            f"{-own.change.loss:.4f} {error}, and it guesses the move in "
            f"{100 * own.after.top1.value:.1f} % of positions, before in "
            f"{100 * own.before.top1.value:.1f} % (change {100 * own.change.top1:+.1f} "
            f"{plus_minus(own.change.top1_error, 1, scale=100)} %)."
        )
    elif rose > 0:
        said.append(
            f"It became worse on games it has not seen: the loss rose by {own.change.loss:.4f} "
            f"{error}. Keep the network that it began with, or give more games."
        )
    else:
        said.append(
            f"No change that {own.games} held-out games can show: the loss changed by "
            f"{own.change.loss:+.4f} {error}. Give more games."
        )
    if last["loss"] > best["loss"] and last["learnt_loss"] < best["learnt_loss"]:
        said.append(
            f"It began to overfit: after {best['samples']:,} positions the loss went on falling on "
            f"the games learnt from ({best['learnt_loss']:.4f} to {last['learnt_loss']:.4f}), on "
            f"held-out ones no longer ({best['loss']:.4f} to {last['loss']:.4f}). The weights from "
            "before that are the ones kept."
        )
    elif best is last and len(history) > 1:
        said.append(
            "The held-out loss was still falling at the end: more may be had with more --epochs "
            "and another --out."
        )
    gap = own.change.loss - learnt.change.loss
    remembered = sign(gap, own.change.loss_error) > 0 > learnt.change.loss
    if best is not start and remembered:
        held = max(0.0, own.change.loss / learnt.change.loss)
        said.append(
            f"Part of what it learnt is memory: {100 * held:.0f} % of the gain on the games learnt "
            "from holds on games it has not seen."
        )
    if OTHERS in changes:
        said.append(_on_others(changes[OTHERS]))
    if own.games < ROUGH:
        said.append(f"These figures are rough: they rest on {own.games} games.")
    return said


def _on_others(it: Change) -> str:
    gain = it.change
    figures = (
        f"top-1 {100 * gain.top1:+.1f} {plus_minus(gain.top1_error, 1, scale=100)} %, "
        f"loss {gain.loss:+.4f} {plus_minus(gain.loss_error, 4)}"
    )
    top1, loss = sign(gain.top1, gain.top1_error), sign(gain.loss, gain.loss_error)
    if top1 < 0 or loss > 0:
        return f"On games of others it has become worse ({figures}): the price of the style."
    if top1 > 0 or loss < 0:
        return f"On games of others it has become better, too ({figures})."
    return f"On games of others it is as good as before, as far as they can tell ({figures})."


def as_json(changes: dict[str, Change], history: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return everything that the text says as plain JSON values."""
    return {
        "changes": {name: asdict(change) for name, change in changes.items()},
        "history": list(history),
        "verdict": verdict(changes, history),
    }
