"""The one training loop of this tree: any model, any stream of batches, any loss.

The loop knows nothing about what is learnt. It gets batches by number, so that a run is a pure
function of its seed: batch `b` of a resumed run is the batch `b` of the uninterrupted one, and so
are all losses.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cnncore.system.devices import autocast, widest_float
from cnncore.system.interruption import interruptible
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.schedule import Plan
from cnncore.training.training_state import TrainingError, TrainingState


class Batch(Protocol):
    """What a stream yields; only its length (in samples) matters to the loop."""

    def __len__(self) -> int:
        """Return the number of samples."""


Loss = Callable[[nn.Module, Any], tuple[Tensor, dict[str, Tensor]]]
Outcome = Literal["finished", "interrupted", "time"]

COUNT = "_count"
"""Ends the name of a sum that says over how many samples another one is, if not over all."""


@dataclass(frozen=True)
class Course:
    """What a model learns from, by which plan, and who is told how it goes."""

    batches: Callable[[int], Iterator[Batch]]
    """Yields the batches from step `step` on."""
    loss: Loss
    """Returns the mean loss of a batch, to descend, and a dict of sums over the batch (0-d
    tensors), which are reported as means per sample: of all, or of as many as a sum of the same
    name with `COUNT` behind it says."""
    plan: Plan
    report: Callable[[dict[str, Any]], None]
    """Receives a flat dict for each line of metrics."""
    checkpoint: Callable[[], None]
    """Saves the state; never called with weights that are not finite."""
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    """Measures the averaged model."""
    compute: nn.Module | None = None
    """What the loss calls in place of the model: the same parameters, compiled or spread over
    devices."""
    processes: Processes = ALONE
    """Each gets its own equal part of every batch, one reports and saves; all stop together."""
    progress: bool = False
    """Whether a bar on stderr shows how far it is."""


def fit(
    state: TrainingState, course: Course, *, until: int | None = None, minutes: float = math.inf
) -> Outcome:
    """Train until `until` samples (the whole plan by default), `minutes` have passed, or Ctrl-C.

    Where `state.stretch` stretches the plan over a time, rates, validations and the end follow the
    share of the time that is used (the greatest of all processes' shares) and not the samples. A
    checkpoint is written at every stop. Between reports nothing waits for the device.

    Raises:
        TrainingError: the loss is no longer finite.
    """
    end = course.plan.samples if until is None else min(until, course.plan.samples)
    silent = not course.progress or not course.processes.leads
    with interruptible() as interrupted, closing(_Bar(state, end, silent=silent)) as bar:
        return _Fitting(state, course, end, bar).run(interrupted, minutes)


class _Fitting:
    """One call of `fit`: the stream, the sums, and when was what."""

    def __init__(self, state: TrainingState, course: Course, end: int, bar: _Bar) -> None:
        self.state, self.course, self.end, self.bar = state, course, end, bar
        self.plan, self.processes = course.plan, course.processes
        self.compute = state.model if course.compute is None else course.compute
        self.began = self.reported = self.saved = time.monotonic()
        self.samples_reported = state.samples
        self.place = self._place()
        self.stream = course.batches(state.step)
        self.sums = _Sums(state.sums, next(state.model.parameters()).device)
        state.model.train()
        self.compute.train()

    def run(self, interrupted: Callable[[], bool], minutes: float) -> Outcome:
        """Take steps until the end, the time limit or an interruption."""
        limit = self.began + 60.0 * minutes
        while self.place < self.end:
            before = self.place
            self._step()
            now = time.monotonic()
            if self.state.step % self.plan.report_steps == 0 or self.place >= self.end:
                now = self._report()
            self._validate(before)
            due = now - self.saved > self.plan.checkpoint_seconds
            stop, late, due = self.processes.any(interrupted(), now > limit, due)
            if stop or late or due:
                self._save()
                if stop:
                    return "interrupted"
                if late and self.place < self.end:
                    return "time"
        self._save()
        return "finished"

    def _place(self) -> int:
        """Return how many samples of the plan are behind the run, by the clock if it decides."""
        state = self.state
        if state.stretch is not None:
            state.share = self.processes.most(state.stretch.share_at(self._seconds()))
        return state.place(self.plan.samples)

    def _seconds(self) -> float:
        """Return how long the run has trained, in all calls together."""
        return self.state.seconds + time.monotonic() - self.began

    def _step(self) -> None:
        """Learn from the next batch."""
        state, course = self.state, self.course
        batch = next(self.stream)
        count = len(batch) * self.processes.count
        rank = self.processes.rank
        rate = self.plan.rate(self.place)
        measures = _step(state, self.compute, batch, course.loss, self.plan, rate, rank)
        self.sums.add(measures, count, self.processes)
        state.step += 1
        state.samples += count
        self.place = self._place()
        self.bar.stepped(self._seconds(), self.plan.rate(self.place))

    def _report(self) -> float:
        """Write a line of metrics, begin new sums, and return the time."""
        self._settle()
        now = time.monotonic()
        if self.processes.leads:
            speed = (self.state.samples - self.samples_reported) / (now - self.reported)
            self.course.report(_line(self.state, self.plan.rate(self.place), speed))
        self.reported, self.samples_reported = now, self.state.samples
        self.sums.clear()
        self.state.sums = {}
        return now

    def _validate(self, before: int) -> None:
        """Measure the averaged model where that is due; the time for it is not training."""
        validate, every = self.course.validate, self.plan.validate_samples
        if validate is None or not _crossed(before, self.place, every, self.end):
            return
        with self.bar.doing("validating"):
            line = _validation(self.state, validate)
        if self.processes.leads:
            self.course.report(line)
        self.reported, self.samples_reported = time.monotonic(), self.state.samples

    def _settle(self) -> None:
        """Bring the sums to the host and refuse to go on from a loss that is not finite."""
        self.state.sums = self.sums.read()
        if not all(math.isfinite(value) for value in self.state.sums.values()):
            raise TrainingError(
                f"the loss is no longer finite before step {self.state.step}; a checkpoint "
                "written before it is good: resume with a lower learning rate or gradient clipping"
            )

    def _save(self) -> None:
        """Have the state saved, with the time that it took."""
        self._settle()
        now = time.monotonic()
        self.state.seconds += now - self.began
        self.began = now
        if self.processes.leads:
            with self.bar.doing("writing the checkpoint"):
                self.course.checkpoint()
        self.saved = time.monotonic()


class _Bar:
    """What stderr shows of one call: the samples of the plan, or its time where the clock decides.

    Beside the time it says how many samples were learnt, and how many a second in this call, time
    for measuring and writing left out.
    """

    def __init__(self, state: TrainingState, end: int, *, silent: bool) -> None:
        self._state, self._stretch = state, state.stretch
        self._first, self._began = state.samples, time.monotonic()
        self._apart = 0.0
        self._doing = "starting"
        length: dict[str, Any] = {"total": end, "initial": state.samples, "unit": "sample"}
        if self._stretch is not None:
            length = {"total": self._stretch.seconds, "initial": self._behind(state.seconds)}
            length["bar_format"] = "{desc}{percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s{postfix}"
        self._bar = tqdm(desc=f"{self._doing}: ", disable=silent, file=sys.stderr, **length)

    def _behind(self, seconds: float) -> float:
        """Return how far the bar is after so many seconds of training."""
        if self._stretch is None:
            return self._state.samples
        return min(seconds, self._stretch.seconds)

    def stepped(self, seconds: float, rate: float) -> None:
        """Show what is learnt after `seconds` of training, and the learning rate's multiplier."""
        learnt = f"learning rate x {rate:.2f}"
        if self._stretch is not None:
            busy = time.monotonic() - self._began - self._apart
            speed = (self._state.samples - self._first) / max(busy, 1e-9)
            learnt = f"{self._state.samples:,} samples learnt, {speed:,.0f}/s, {learnt}"
        self._bar.set_postfix_str(learnt, refresh=False)
        if self._doing != "training":
            self._doing = "training"
            self._bar.set_description(self._doing)
        self._bar.update(self._behind(seconds) - self._bar.n)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Say what is done in the place of training, at once and as long as it lasts."""
        began, before = time.monotonic(), self._doing
        self._bar.set_description(what)
        try:
            yield
        finally:
            self._apart += time.monotonic() - began
            self._bar.set_description(before)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


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


def _step(
    state: TrainingState,
    compute: nn.Module,
    batch: Batch,
    loss: Loss,
    plan: Plan,
    rate: float,
    rank: int,
) -> dict[str, Tensor]:
    """Take one step of the optimisers and return the sums over this process's part."""
    torch.manual_seed((state.seed * 1_000_003 + state.step + (rank << 40)) % 2**63)
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


def _line(state: TrainingState, rate: float, speed: float) -> dict[str, Any]:
    sums = state.sums
    means = {
        name: value / max(1.0, sums.get(name + COUNT, sums["samples"]))
        for name, value in sums.items()
        if name != "samples" and not name.endswith(COUNT)
    }
    return {
        "event": "train",
        "step": state.step,
        "samples": state.samples,
        **means,
        "rate": rate,
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
