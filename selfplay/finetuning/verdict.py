"""What fine-tuning changed, in plain sentences that follow from the figures of comparison.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from selfplay.evaluation.intervals import plus_minus, sign
from selfplay.finetuning.comparison import LEARNT, OTHERS, OWN, Change
from selfplay.finetuning.early_stopping import best_of

ROUGH = 20
"""Held-out games below which the figures are called rough."""

TELLING = 4
"""Held-out games below which nothing is claimed: the interval of so few is itself an accident."""

TOLERANCE = 0.001
"""Differences of a loss up to this, in nats, are not worth a sentence."""


def verdict(changes: dict[str, Change], history: Sequence[dict[str, Any]]) -> list[str]:
    """Return sentences: whether it learnt, overfitted or forgot, and what to do about it.

    `history` holds the measurements of the run, the one of the start first. Held-out losses that
    differ by no more than the interval of the change, or TOLERANCE if that is more, count as equal.
    """
    own, learnt = changes[OWN], changes[LEARNT]
    best, last, start = best_of(list(history)), history[-1], history[0]
    tolerance = max(TOLERANCE, own.change.loss_error or 0.0)
    said = []
    if own.games < ROUGH:
        said.append(f"These figures are rough: they rest on {own.games} games.")
    said.append(_headline(own, history, tolerance))
    fell = best["learnt_loss"] - last["learnt_loss"]
    if last["loss"] - best["loss"] > tolerance and fell > TOLERANCE:
        said.append(
            f"It began to overfit: after {best['samples']:,} positions the loss went on falling on "
            f"the games learnt from ({best['learnt_loss']:.4f} to {last['learnt_loss']:.4f}), on "
            f"held-out ones it rose ({best['loss']:.4f} to {last['loss']:.4f}). The weights from "
            "before that are the ones kept."
        )
    elif best is last and start["loss"] - best["loss"] > tolerance:
        said.append(
            "The held-out loss was still falling at the end: more may be had with more --epochs "
            "and another --out."
        )
    gap = own.change.loss - learnt.change.loss
    remembered = sign(gap, own.change.loss_error) > 0 > learnt.change.loss
    if best is not start and remembered and own.games >= TELLING:
        held = max(0.0, own.change.loss / learnt.change.loss)
        said.append(
            f"Part of what it learnt is memory: {100 * held:.0f} % of the gain on the games learnt "
            "from holds on games it has not seen."
        )
    if OTHERS in changes:
        said.append(_on_others(changes[OTHERS]))
    return said


def _headline(own: Change, history: Sequence[dict[str, Any]], tolerance: float) -> str:
    """Return whether it learnt; losses that differ by up to `tolerance` count as equal."""
    best, start = best_of(list(history)), history[0]
    error = plus_minus(own.change.loss_error, 4)
    if len(history) == 1:
        return (
            "The time was over before the first measurement of what it learnt, so the network is "
            "the one that it began with. Give more --minutes: the same command goes on."
        )
    if best is start:
        return (
            "It learnt nothing that holds on games it has not seen: the held-out loss was "
            f"{start['loss']:.4f} at the start and never lower. The network is the one that it "
            "began with. Give more games, or a lower rate: --set lr=0.00003 --set lr_rest=0.00001."
        )
    if own.games < TELLING:
        return (
            f"Whether it learnt cannot be told from so few: on the {own.games} held-out games the "
            f"loss changed by {own.change.loss:+.4f} {error}. Give more games."
        )
    if own.change.loss_error is None or abs(own.change.loss) <= tolerance:
        return (
            f"No change that {own.games} held-out games can show: the loss changed by "
            f"{own.change.loss:+.4f} {error}. Give more games."
        )
    if own.change.loss < 0:
        return (
            f"It learnt: on {own.games} games that it never saw the loss fell by "
            f"{-own.change.loss:.4f} {error}, and it guesses the move in "
            f"{100 * own.after.top1.value:.1f} % of positions, before in "
            f"{100 * own.before.top1.value:.1f} % (change {100 * own.change.top1:+.1f} "
            f"{plus_minus(own.change.top1_error, 1, scale=100)} %)."
        )
    return (
        f"It became worse on games it has not seen: the loss rose by {own.change.loss:.4f} "
        f"{error}. Keep the network that it began with, or give more games."
    )


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
