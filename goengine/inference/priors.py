"""Logits to probabilities: the one place where a softmax is taken, and what eight views say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Priors = npt.NDArray[np.float32]

MIXED_TEMPERATURE = 0.85
"""Views with and without last moves disagree, and their mean says too little: this sharpens it.

Held-out moves of professionals, Tygem and KGS are guessed best at 0.9 to 0.85 (docs/lab.md).
"""


def softmax(
    logits: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_], *, temperature: float = 1.0
) -> Priors:
    """Return float32 probabilities (B, M) over the masked entries of logits (B, M).

    A row without an allowed entry is all zeros. Temperature 0 puts everything on the first best.
    """
    allowed = np.where(mask, logits.astype(np.float64), -np.inf)
    best = allowed.max(axis=1, keepdims=True, initial=-np.inf)
    shifted = allowed - np.where(np.isfinite(best), best, 0.0)
    if temperature == 0:
        weights = np.zeros_like(shifted)
        weights[np.arange(len(weights)), shifted.argmax(axis=1)] = 1.0
        weights *= mask
    else:
        weights = np.exp(shifted / temperature)
    total = weights.sum(axis=1, keepdims=True)
    return (weights / np.where(total > 0, total, 1.0)).astype(np.float32)


def sharpen(priors: Priors, temperature: float) -> Priors:
    """Return priors (B, M) as the softmax would have been at another temperature."""
    mask = priors > 0
    logits = np.log(np.where(mask, priors, 1.0))
    return softmax(logits, mask, temperature=temperature)


def mean_of_views(answers: Priors, *, forgetful: bool) -> Priors:
    """Return what eight views say together: probabilities (8, B, M), turned back -> (B, M).

    The mean; sharpened by MIXED_TEMPERATURE where half of the views were `forgetful`.
    """
    mean: Priors = answers.mean(axis=0)
    return sharpen(mean, MIXED_TEMPERATURE) if forgetful else mean
