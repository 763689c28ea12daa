"""What a run learns from and is measured on: the same for all kinds of networks."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from cnncore.data.samples import DataError
from cnncore.system.devices import TrainingPrecision
from cnncore.system.parallel import ALONE, Processes
from selfplay.archive.splits import USUALLY_HELD_OUT
from selfplay.batches.streaming import BatchStreams
from selfplay.recipes import Recipe

log = logging.getLogger(__name__)


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
    """Processes that make batches; 1 is a thread instead."""
    processes: Processes = ALONE
    """Each learns from its own part of every batch."""


D = TypeVar("D", bound=BatchStreams[Any])


class Lessons(ABC, Generic[D]):
    """The batches of a run, their loss, and what measures the averaged network."""

    def __init__(self, room: Classroom, train: D, held_out: D | None) -> None:
        self.room = room
        self.train = train
        self.held_out = held_out

    @property
    def measurable(self) -> bool:
        """Whether there are held-out positions to measure on."""
        return self.held_out is not None

    def stream(self, first: int) -> Generator[Any, None, None]:
        """Return this process's batches from number `first` on; closing it ends its threads."""
        room = self.room
        return self.train.stream(
            room.recipe.batch,
            seed=room.recipe.seed,
            prepare=self._stage,
            first=first,
            part=room.processes.rank,
            parts=room.processes.count,
            workers=room.workers,
        )

    def batch(self, number: int) -> Any:
        """Return this process's part of batch `number`, made here and now."""
        recipe, processes = self.room.recipe, self.room.processes
        batch = self.train.random_batch(
            recipe.batch,
            seed=recipe.seed,
            number=number,
            part=processes.rank,
            parts=processes.count,
        )
        return self._stage(batch)

    @abstractmethod
    def planes(self, batch: Any) -> Tensor:
        """Return the planes of a batch on the network's device."""

    @abstractmethod
    def loss(self) -> Callable[[Any, Any], Any]:
        """Return the loss of a batch, as `fit` wants it."""

    @abstractmethod
    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return what a line of metrics says of a model."""

    @abstractmethod
    def _stage(self, batch: Any) -> Any:
        """Return a drawn batch as tensors."""


def held_out_or_none(draw: Callable[[], D]) -> D | None:
    """Return the positions to validate on; None, with a warning, if there are none."""
    try:
        return draw()
    except DataError as error:
        log.warning(
            "no game is held out, so this run cannot tell how well it does on other games. A "
            "digest of its moves holds out a game in fifty: among %d games there is nearly always "
            "one. (%s)",
            USUALLY_HELD_OUT,
            error,
        )
        return None
