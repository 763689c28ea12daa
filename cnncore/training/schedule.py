"""The plan of a training run: how long it is, how its rate moves, how often it reports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cnncore.system.devices import TrainingPrecision


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What a recipe decides of a plan: keys that every recipe has."""

    schedule: Literal["trapezoid", "cosine"] = "trapezoid"
    """How the learning rates move behind the warm-up: "trapezoid" stays at 1 and falls linearly to
    0 over the last part of the run, "cosine" falls along half a cosine."""
    decay: float = 0.4
    """The share of the run over which a trapezoid falls."""
    average: float = 0.999
    """Decay per step of the average of the weights, which is measured and kept; 0 keeps the last
    weights."""
    clip: float = 0.0
    """The largest norm of the gradient; 0 does not clip."""
    report_steps: int = 50
    """Steps between two lines of metrics."""
    checkpoint_seconds: float = 180.0
    """Seconds between two checkpoints."""

    def plan(
        self, *, samples: int, warmup: int, validate_samples: int, precision: TrainingPrecision
    ) -> Plan:
        """Return the plan of a run of so many samples; `warmup` and the rest as in `Plan`."""
        return Plan(
            samples=samples,
            warmup=warmup,
            validate_samples=validate_samples,
            precision=precision,
            schedule=self.schedule,
            decay=self.decay,
            average=self.average,
            clip=self.clip,
            report_steps=self.report_steps,
            checkpoint_seconds=self.checkpoint_seconds,
        )


@dataclass(frozen=True)
class Stretch:
    """A plan stretched over a time of training: the clock says how far it is, not the samples.

    >>> stretch = Stretch(seconds=540.0, since=240.0, share=0.4)
    >>> [round(stretch.share_at(seconds), 2) for seconds in (240.0, 390.0, 540.0, 600.0)]
    [0.4, 0.7, 1.0, 1.0]
    """

    seconds: float
    """Seconds of training after which the plan is over, those of earlier calls among them."""
    since: float = 0.0
    """Seconds of training that were behind the run when this stretch began."""
    share: float = 0.0
    """Share of the plan that was behind it then."""

    def share_at(self, seconds: float) -> float:
        """Return the share of the plan that is behind a run after so many seconds of training."""
        if seconds >= self.seconds:
            return 1.0
        passed = (seconds - self.since) / (self.seconds - self.since)
        return self.share + (1.0 - self.share) * max(0.0, passed)


@dataclass(frozen=True, kw_only=True)
class Plan(Schedule):
    """A schedule stretched over a number of samples.

    >>> plan = Plan(samples=1000, warmup=100, decay=0.5)
    >>> [plan.rate(samples) for samples in (0, 50, 100, 500, 750, 1000)]
    [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]
    """

    samples: int
    """The length of the run."""
    warmup: int = 0
    """Samples over which the rates rise from 0."""
    validate_samples: int = 0
    """Samples between two validations; 0 does not validate."""
    precision: TrainingPrecision = "float32"
    """What the model computes in."""

    def rate(self, samples: int) -> float:
        """Return the multiplier of the learning rates after `samples` samples."""
        rise = min(1.0, samples / self.warmup) if self.warmup else 1.0
        progress = min(1.0, samples / self.samples)
        if self.schedule == "cosine":
            return rise * 0.5 * (1.0 + math.cos(math.pi * progress))
        return rise * min(1.0, (1.0 - progress) / self.decay) if self.decay else rise
