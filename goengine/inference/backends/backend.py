"""What an evaluator asks of whatever computes a network: planes in, raw outputs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goengine.inference.evaluation import EvaluatorError

Planes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class BackendError(EvaluatorError):
    """A device, a precision or a library that cannot be had here."""


@dataclass(frozen=True)
class RawOutputs:
    """What a network says of B positions, all for the player to move; None where it has no head."""

    logits: Floats
    """(B, N*N), one a point."""
    margin: Floats | None = None
    """(B,) points on the board before komi."""
    spread: Floats | None = None
    """(B,) points, positive: the win chance is sigmoid((margin - komi) / spread)."""
    ownership: Floats | None = None
    """(B, N, N) from -1, the opponent's, to 1, one's own."""


class Backend(Protocol):
    """A network on a device. It knows nothing of symmetries, masks, komi or players."""

    name: str
    """What computes: torch, onnx ..."""
    device: str
    """Where: cpu, cuda:0, mps ..."""
    precision: str
    """In what: float32, bfloat16, float16, int8."""
    planes: int
    """Input planes of the network."""
    forgetful: bool
    """Whether the network has learnt positions without their last moves too."""
    threads: int
    """Processor threads that it may use, and that encoding may use while it waits."""
    chunk: int
    """The largest batch that it is asked for at once."""

    def run(self, planes: Planes) -> RawOutputs:
        """Return the raw outputs of uint8 planes (B, P, N, N), B at most `chunk`.

        Where `device` is not cpu, two threads may ask at the same time.
        """
        ...
