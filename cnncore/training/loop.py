"""The one training loop of this tree: any model, any stream of batches, any loss.

The loop knows nothing about what is learnt. It gets batches by number, so that a run is a pure
function of its seed: batch `b` of a resumed run is the batch `b` of the uninterrupted one, and so
are all losses. What a run needs to go on (weights, their average, optimiser state, counters) lives
in `TrainingState` and one checkpoint file.
"""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from cnncore.system.devices import TrainingPrecision, autocast, widest_float
from cnncore.system.interruption import interruptible
from cnncore.system.parallel import ALONE, Processes
from cnncore.weights.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

KIND = "training-state"


class TrainingError(RuntimeError):
    """Training cannot go on; the last checkpoint is untouched."""


@dataclass(frozen=True)
class Plan:
    """How long a run is, how its learning rate moves, how often it reports; in samples.

    `schedule` multiplies every learning rate: it rises from 0 over `warmup`, then "trapezoid"
    stays at 1 and falls linearly to 0 over the last `decay` fraction, "cosine" falls along half a
    cosine.
    """

    samples: int
    warmup: int = 0
    schedule: Literal["trapezoid", "cosine"] = "trapezoid"
    decay: float = 0.4
    average: float = 0.999
    clip: float = 0.0
    report_steps: int = 50
    validate_samples: int = 0
    checkpoint_seconds: float = 180.0
    precision: TrainingPrecision = "float32"

    def rate(self, samples: int) -> float:
        """Return the multiplier of the learning rates after `samples` samples."""
        rise = min(1.0, samples / self.warmup) if self.warmup else 1.0
        progress = min(1.0, samples / self.samples)
        if self.schedule == "cosine":
            return rise * 0.5 * (1.0 + math.cos(math.pi * progress))
        return rise * min(1.0, (1.0 - progress) / self.decay) if self.decay else rise


class Batch(Protocol):
    """What a stream yields; only its length (in samples) matters to the loop."""

    def __len__(self) -> int:
        """Return the number of samples."""


@dataclass
class TrainingState:
    """Everything that a run needs to go on; `step` batches and `samples` samples are behind it.

    `average` is the exponential moving average of the model, the one that is evaluated and
    exported. `sums` holds the measures since the last report.
    """

    model: nn.Module
    optimizers: Sequence[Optimizer]
    average: nn.Module
    seed: int = 0
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)

    @classmethod
    def start(
        cls, model: nn.Module, optimizers: Sequence[Optimizer], *, seed: int = 0
    ) -> TrainingState:
        """Return the state of a run that has seen nothing yet."""
        average = copy.deepcopy(model).eval().requires_grad_(False)
        return cls(model, optimizers, average, seed)

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
        self.sums = dict(counters["sums"])


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _lay_out(optimizer: Optimizer) -> None:
    """Give the state of each parameter the parameter's memory layout, which files do not keep."""
    for parameter, entries in optimizer.state.items():
        for key, value in entries.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                entries[key] = torch.empty_like(parameter).copy_(value)


class _Sums:
    """Sums over samples since the last report; on the device until somebody reads them."""

    def __init__(self, start: Mapping[str, float], device: torch.device) -> None:
        self.samples = int(start.get("samples", 0))
        self._names = [name for name in start if name != "samples"]
        totals = [start[name] for name in self._names]
        self._wide = widest_float(device)
        self._totals = torch.tensor(totals, dtype=self._wide, device=device)

    def add(self, measures: Mapping[str, Tensor], samples: int, processes: Processes) -> None:
        """Add the 0-d sums over one batch, this process's part of `samples` samples."""
        values = torch.stack([measure.detach().to(self._wide) for measure in measures.values()])
        values = processes.add(values)
        self._totals = self._totals + values if self.samples else values
        self._names = list(measures)
        self.samples += samples

    def read(self) -> dict[str, float]:
        """Return the sums, "samples" among them; waits for the device."""
        if not self.samples:
            return {}
        totals = self._totals.tolist()
        return dict(zip(self._names, totals, strict=True)) | {"samples": float(self.samples)}

    def clear(self) -> None:
        """Begin anew."""
        self.samples = 0


Loss = Callable[[nn.Module, Any], tuple[Tensor, dict[str, Tensor]]]
Outcome = Literal["finished", "interrupted", "time"]


def fit(
    state: TrainingState,
    batches: Callable[[int], Iterator[Batch]],
    loss: Loss,
    plan: Plan,
    *,
    until: int | None = None,
    minutes: float = math.inf,
    report: Callable[[dict[str, Any]], None],
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
    checkpoint: Callable[[], None],
    progress: bool = False,
    compute: nn.Module | None = None,
    processes: Processes = ALONE,
) -> Outcome:
    """Train until `until` samples (the whole plan by default), `minutes` have passed, or Ctrl-C.

    `batches(step)` yields batch `step`, `step + 1`, ...; `loss(model, batch)` returns the mean
    loss to descend and a dict of sums over the batch (0-d tensors) that are reported as means per
    sample. `report` receives one flat dict per line of metrics, `validate` measures the averaged
    model, `checkpoint` saves the state. A checkpoint is written at every stop, and never with
    weights that are not finite. `compute` is what the loss calls in place of the model: the same
    parameters, compiled or spread over devices. Of several `processes` each gets its own equal part
    of every batch and one reports and saves; all stop together. Between reports nothing waits for
    the device.

    Raises:
        TrainingError: the loss is no longer finite.
    """
    until = plan.samples if until is None else min(until, plan.samples)
    started = time.monotonic()
    last_report, last_checkpoint = started, started
    last_samples = state.samples
    stream = batches(state.step)
    sums = _Sums(state.sums, next(state.model.parameters()).device)
    compute = state.model if compute is None else compute
    state.model.train()
    compute.train()

    def settle() -> None:
        """Bring the sums to the host and refuse to go on from a loss that is not finite."""
        state.sums = sums.read()
        if not all(math.isfinite(value) for value in state.sums.values()):
            raise TrainingError(
                f"the loss is no longer finite before step {state.step}; a checkpoint "
                "written before it is good: resume with a lower learning rate or gradient clipping"
            )

    def save() -> None:
        nonlocal started
        now = time.monotonic()
        state.seconds += now - started
        started = now
        if processes.leads:
            checkpoint()

    silent = not progress or not processes.leads
    bar = tqdm(total=until, initial=state.samples, unit="sample", disable=silent, file=sys.stderr)
    with interruptible() as interrupted, bar:
        limit = started + 60.0 * minutes
        while state.samples < until:
            batch = next(stream)
            count = len(batch) * processes.count
            measures = _step(state, compute, batch, loss, plan, processes.rank)
            sums.add(measures, count, processes)
            before = state.samples
            state.step += 1
            state.samples += count
            bar.update(count)
            now = time.monotonic()
            if state.step % plan.report_steps == 0 or state.samples >= until:
                settle()
                now = time.monotonic()
                if processes.leads:
                    speed = (state.samples - last_samples) / (now - last_report)
                    report(_line(state, plan, speed))
                last_report, last_samples = now, state.samples
                sums.clear()
                state.sums = {}
                bar.set_postfix_str(f"rate {plan.rate(state.samples):.3f}")
            if validate and _crossed(before, state.samples, plan.validate_samples, until):
                line = _validation(state, validate)
                if processes.leads:
                    report(line)
                last_report, last_samples = time.monotonic(), state.samples
            due = now - last_checkpoint > plan.checkpoint_seconds
            stop, late, due = processes.any(interrupted(), now > limit, due)
            if stop or late or due:
                settle()
                save()
                last_checkpoint = time.monotonic()
                if stop:
                    return "interrupted"
                if late and state.samples < until:
                    return "time"
        settle()
        save()
    return "finished"


def _step(
    state: TrainingState, compute: nn.Module, batch: Batch, loss: Loss, plan: Plan, rank: int
) -> dict[str, Tensor]:
    """Take one step of the optimisers and return the sums over this process's part."""
    torch.manual_seed((state.seed * 1_000_003 + state.step + (rank << 40)) % 2**63)
    rate = plan.rate(state.samples)
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
            group["lr"] = group["initial_lr"] * rate
    device = next(state.model.parameters()).device
    with autocast(device, plan.precision):
        value, measures = loss(compute, batch)
    torch.autograd.backward(value)
    if plan.clip:
        nn.utils.clip_grad_norm_(state.model.parameters(), plan.clip)
    for optimizer in state.optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    _average(state, plan.average)
    return {**measures, "loss": value.detach().to(widest_float(device)) * len(batch)}


def _average(state: TrainingState, decay: float) -> None:
    """Move the average towards the model; early on it forgets faster, to lose the start."""
    weight = 1.0 - min(decay, (1.0 + state.step) / (10.0 + state.step))
    with torch.no_grad():
        mine, theirs = state.average.state_dict(), state.model.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], weight)
        counts = [name for name, value in mine.items() if not value.is_floating_point()]
        if counts:
            torch._foreach_copy_([mine[n] for n in counts], [theirs[n] for n in counts])


def _crossed(before: int, after: int, every: int, until: int) -> bool:
    return bool(every) and (before // every != after // every or after >= until)


def _line(state: TrainingState, plan: Plan, speed: float) -> dict[str, Any]:
    count = state.sums["samples"]
    means = {name: value / count for name, value in state.sums.items() if name != "samples"}
    return {
        "event": "train",
        "step": state.step,
        "samples": state.samples,
        **means,
        "rate": plan.rate(state.samples),
        "samples_per_second": round(speed, 2),
        "time": round(time.time(), 1),
    }


def _validation(
    state: TrainingState, validate: Callable[[nn.Module], dict[str, float]]
) -> dict[str, Any]:
    measured = validate(state.average)
    return {
        "event": "validation",
        "step": state.step,
        "samples": state.samples,
        **measured,
        "time": round(time.time(), 1),
    }
