"""What a run learns from and is measured on: the same for all kinds of networks."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from cnncore.system.devices import TrainingPrecision
from cnncore.system.parallel import ALONE, Processes
from selfplay.recipes import Recipe


@dataclass(frozen=True)
class Classroom:
    """Where a run learns: by which recipe, on which device, with whose help."""

    recipe: Recipe
    """The recipe."""
    device: torch.device
    """Where the network computes."""
    precision: TrainingPrecision
    """What it computes in."""
    workers: int = 1
    """Threads that make batches."""
    processes: Processes = ALONE
    """Each learns from its own part of every batch."""


class Lessons(Protocol):
    """The batches of a run, their loss, and what measures the averaged network."""

    @property
    def measurable(self) -> bool:
        """Whether there are held-out positions to measure on."""

    def stream(self, first: int) -> Generator[Any, None, None]:
        """Return this process's batches from number `first` on; closing it ends its threads."""

    def batch(self, number: int) -> Any:
        """Return this process's part of batch `number`, made here and now."""

    def planes(self, batch: Any) -> Tensor:
        """Return the planes of a batch on the network's device."""

    def loss(self) -> Callable[[Any, Any], Any]:
        """Return the loss of a batch, as `fit` wants it."""

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return what a line of metrics says of a model."""
