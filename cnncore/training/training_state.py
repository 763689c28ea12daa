"""What a training run needs to go on, in one file: weights, average, optimisers, counters."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from cnncore.training.schedule import Stretch
from cnncore.weights.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

KIND = "training-state"
"""What a file of a training state says that it holds."""


class TrainingError(RuntimeError):
    """Training cannot go on; the last checkpoint is untouched."""


@dataclass
class TrainingState:
    """Everything that a run needs to go on."""

    model: nn.Module
    """The model as it learns."""
    optimizers: Sequence[Optimizer]
    average: nn.Module
    """The exponential moving average of the model, which is evaluated and exported."""
    seed: int = 0
    step: int = 0
    """How many batches are behind it."""
    samples: int = 0
    """How many samples are behind it."""
    seconds: float = 0.0
    """How long it has trained."""
    share: float = 0.0
    """Which share of its plan is behind it, if that is stretched over a time; otherwise 0."""
    stretch: Stretch | None = None
    """How its plan is stretched over a time, if it is."""
    sums: dict[str, float] = field(default_factory=dict)
    """The measures since the last report."""

    @classmethod
    def start(
        cls, model: nn.Module, optimizers: Sequence[Optimizer], *, seed: int = 0
    ) -> TrainingState:
        """Return the state of a run that has seen nothing yet."""
        average = copy.deepcopy(model).eval().requires_grad_(False)
        return cls(model, optimizers, average, seed)

    def place(self, planned: int) -> int:
        """Return how many samples of a plan of so many are behind the run."""
        return self.samples if self.stretch is None else int(self.share * planned)

    def save(self, path: Path | str, *, metadata: Mapping[str, Any]) -> None:
        """Write the state atomically and keep the one before; `metadata` must be JSON.

        Raises:
            OSError: the disk refuses; what stood there stands.
            TrainingError: a weight is not finite; nothing is written.
        """
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        for name, value in tensors.items():
            if not value.isfinite().all():
                raise TrainingError(
                    f"{name} is no longer finite at step {self.step}; the last checkpoint is "
                    "good: resume with a lower learning rate or gradient clipping"
                )
        tensors |= {f"average.{k}": v for k, v in self.average.state_dict().items()}
        for number, optimizer in enumerate(self.optimizers):
            for parameter, entries in optimizer.state_dict()["state"].items():
                for key, value in entries.items():
                    if isinstance(value, Tensor):
                        tensors[f"optimizer.{number}.{parameter}.{key}"] = value
        counters = {
            "seed": self.seed,
            "step": self.step,
            "samples": self.samples,
            "seconds": self.seconds,
            "share": self.share,
            "stretch": None if self.stretch is None else asdict(self.stretch),
            "sums": self.sums,
        }
        facts = {**metadata, "state": counters}
        save_checkpoint(path, tensors, kind=KIND, metadata=facts, keep_previous=True)

    def load(self, path: Path | str) -> None:
        """Take over what `save` wrote into models and optimisers of the same shapes.

        Raises:
            CheckpointError: the file is damaged, or belongs to another model.
        """
        checkpoint = load_checkpoint(path, kind=KIND)
        tensors = checkpoint.tensors
        try:
            self.model.load_state_dict(_under(tensors, "model."))
            self.average.load_state_dict(_under(tensors, "average."))
        except RuntimeError as error:
            raise CheckpointError(f"{path} belongs to another model: {error}") from error
        for number, optimizer in enumerate(self.optimizers):
            loaded = optimizer.state_dict()
            loaded["state"] = {}
            for name, value in _under(tensors, f"optimizer.{number}.").items():
                parameter, key = name.split(".", 1)
                loaded["state"].setdefault(int(parameter), {})[key] = value
            optimizer.load_state_dict(loaded)
            _lay_out(optimizer)
        counters = checkpoint.metadata["state"]
        self.seed, self.step = counters["seed"], counters["step"]
        self.samples, self.seconds = counters["samples"], counters["seconds"]
        self.share, stretch = counters.get("share", 0.0), counters.get("stretch")
        self.stretch = None if stretch is None else Stretch(**stretch)
        self.sums = dict(counters["sums"])


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _lay_out(optimizer: Optimizer) -> None:
    """Give the state of each parameter the parameter's memory layout, which files do not keep."""
    for parameter, entries in optimizer.state.items():
        for key, value in entries.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                entries[key] = torch.empty_like(parameter).copy_(value)
