"""What a network thinks of positions, in the terms of the game."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.inference.priors import Priors
from goengine.types import GoError

Floats = npt.NDArray[np.float32]

LOGISTIC = float(np.pi / np.sqrt(3.0))
"""Standard deviation of a logistic distribution of scale 1."""


class EvaluatorError(GoError):
    """Positions, a device, a precision or a symmetry that cannot be had here."""


@dataclass(frozen=True)
class Evaluation:
    """What a network says of B positions of one size, all for the player to move."""

    priors: Priors
    """(B, N*N + 1): probabilities; the pass has 1 where no point is sensible, else 0."""
    value: Floats | None = None
    """(B,) from -1, lost, to 1, won; None where the network has no value."""
    lead: Floats | None = None
    """(B,) points ahead, komi and handicap bonus counted; None likewise."""
    ownership: Floats | None = None
    """(B, N, N) from -1, the opponent's, to 1, one's own; None likewise."""
    spread: Floats | None = None
    """(B,) points: the scale of the logistic distribution of the lead; None likewise."""

    def __len__(self) -> int:
        """Return the number of positions."""
        return len(self.priors)
