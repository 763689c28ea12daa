"""What the process of one network does in a lease: train to the last second, then measure.

What follows training, saving, packing and measuring, is tried at the start and timed; the network
trains until the time that is left just suffices for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from cnncore.layers.blocks import channels_last
from cnncore.system.command_line import FAILED, MISUSED
from cnncore.system.devices import default_device, training_precision
from cnncore.training.run_folder import RunFolder
from cnncore.training.schedule import Stretch
from goengine.networks.files import Network
from goengine.networks.network_config import PolicyValueConfig
from selfplay.archive.reader import Archive
from selfplay.batches.labels import Labels
from selfplay.commands.travel.lease_plan import NetworkLease
from selfplay.evaluation.source_reports import SourceReport, evaluate_source, source_name
from selfplay.learners.judging_lessons import archive_labels
from selfplay.recipes import load_recipe
from selfplay.training.failures import sentence
from selfplay.training.policy_run import Run
from selfplay.training.run_claim import claimed
from selfplay.training.starting_network import open_run
from selfplay.training.trained_network import averaged_network, read_facts
from selfplay.training.travel.home_parts import pack_runs
from selfplay.training.utilisation import matrix_rate, median_rate, training_flops

log = logging.getLogger(__name__)

SPARE = 1.0
"""Seconds kept for what cannot be foreseen."""
_OVER = 0.98
"""Share of a plan from which on it counts as over."""
_LATE = 1 / 60
"""Minutes by which the limit lies behind the end of a plan, so that the plan ends."""
_TRIALS = (64, 256, 1024)
"""Held-out positions of the trials; the first one only warms up."""

Report = dict[str, Any]


@dataclass(frozen=True)
class Afterwards:
    """How many seconds take what follows training, measured at the start."""

    saving: float
    """Writing the checkpoint."""
    drawing: float
    """Drawing the curve."""
    packing: float
    """Writing all runs into the files that travel."""
    loading: float
    """Reading the averaged network."""
    a_source: float
    """Measuring on a source, whatever the number of positions."""
    a_position: float
    """Measuring on one held-out position."""

    def total(self, sources: int, limit: int, validation: int) -> float:
        """Return the seconds to keep for `limit` positions of each of some sources.

        Packing and measuring go on at the same time. A validation of so many positions may be
        under way when training should end. The curve is drawn twice.
        """
        measuring = self.loading + sources * (self.a_source + limit * self.a_position)
        late = validation * self.a_position
        return 1.1 * (self.saving + 2 * self.drawing + late + max(self.packing, measuring)) + SPARE


def failure_of(error: Exception) -> tuple[str | None, int]:
    """Return what to say of an error, if it is the user's, and the exit status."""
    return sentence(error), MISUSED if isinstance(error, ValueError) else FAILED


def train_network(
    lease: NetworkLease,
    *,
    ready: Callable[[], object],
    alone: AbstractContextManager[Any],
    trained: Callable[[Report], None],
    measured: Callable[[Report], None],
) -> None:
    """Train a network until its time is up and measure it; say each as soon as it is done.

    `ready` waits for compiled kernels; in `alone` no other network's process measures the device.
    """
    began = time.time()
    device = default_device(lease.device)
    if lease.threads is not None:
        torch.set_num_threads(lease.threads)
    recipe = load_recipe(lease.recipe, [*_defaults(device), *lease.settings])
    archives = [Archive.open(path) for path in lease.archives]
    ready()
    with claimed(lease.folder):
        training = open_run(
            lease.folder,
            recipe,
            archives[0],
            device=device,
            start=lease.start,
            filters=lease.widen,
            workers=lease.workers,
            other_data=True,
            more_archives=archives[1:],
        )
        with alone:
            peak = matrix_rate(device, training.precision, seconds=0.5)
        measure = _Measuring(lease, archives[0], device)
        afterwards = _try(training, lease, measure) if lease.reserve is None else None
        first, starting = training.state.step, time.time() - began
        left = lease.deadline - time.time() - _kept(lease, training, measure, afterwards)
        if left <= 0:
            log.warning("the start took %.0f seconds and left no time to train", starting)
        outcome = _fit(training, max(0.0, left) / 60.0, lease.plan_minutes)
        training_seconds = time.time() - began - starting
        facts = read_facts(lease.folder)
        report = {
            "outcome": outcome,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "filters": facts["config"]["filters"],
            "positions_seen": facts["state"]["samples"],
            "positions_planned": facts["recipe"]["positions"],
            "training_seconds": round(facts["state"]["seconds"]),
            **_speed(training, peak, since=first),
            "seconds": {
                "starting": round(starting, 1),
                "training": round(training_seconds, 1),
                "afterwards_foreseen": None if afterwards is None else asdict(afterwards),
            },
        }
        trained(report)
    measured(measure(afterwards))


def _defaults(device: torch.device) -> list[str]:
    """Return settings that a lease begins with: on a GPU compiling is worth its minute."""
    return ["compile=true"] if device.type == "cuda" else []


def _fit(training: Run, minutes: float, plan_minutes: float | None) -> str:
    """Train for some minutes; a plan that follows the clock ends with them, unless told longer.

    A plan that is over begins again, from what has been learnt.
    """
    state, planned = training.state, training.recipe.positions
    if not training.recipe.clock:
        return training.fit(minutes=minutes)
    used = state.seconds / 60.0
    longer = plan_minutes is not None and plan_minutes > used + minutes
    whole = plan_minutes if longer and plan_minutes is not None else used + minutes
    if state.place(planned) >= _OVER * planned:
        log.info("the plan of %s is over, so it begins again", training.folder)
        state.stretch = Stretch(60.0 * whole, since=state.seconds, share=0.0)
        state.share = 0.0
    return training.fit(minutes=minutes if longer else minutes + _LATE, stretch=whole)


def _kept(
    lease: NetworkLease, training: Run, measure: _Measuring, afterwards: Afterwards | None
) -> float:
    """Return how many seconds before the deadline training ends."""
    if afterwards is None:
        return 60.0 * (lease.reserve or 0.0)
    recipe = training.recipe
    validation = recipe.validate_positions if recipe.validate_every else 0
    return afterwards.total(len(measure.sources), lease.limit, validation)


def _try(training: Run, lease: NetworkLease, measure: _Measuring) -> Afterwards:
    """Do once what follows training, and time it."""
    saving = _timed(training.checkpoint)
    drawing = min(_timed(partial(_draw, training)) for _ in range(2))
    with TemporaryDirectory(dir=lease.folder, prefix="trial-") as folder:
        packing = lease.runs * _timed(lambda: pack_runs({"run": lease.folder}, Path(folder)))
    loading = _timed(measure.load)
    if not measure.sources:
        return Afterwards(saving, drawing, packing, loading, 0.0, 0.0)
    measure.one(measure.sources[0], _TRIALS[0])
    (few, fewer), (many, more) = (measure.timed(n) for n in _TRIALS[1:])
    if more > fewer:
        a_position = max(0.0, many - few) / (more - fewer)
        a_source = max(0.0, few - a_position * fewer)
    else:
        a_position, a_source = few / fewer, 0.0
    return Afterwards(saving, drawing, packing, loading, a_source, a_position)


def _draw(training: Run) -> None:
    """Draw a curve as it will be, elsewhere."""
    with TemporaryDirectory(dir=training.folder, prefix="trial-") as folder:
        twin = RunFolder(Path(folder))
        point = {"samples": 1, "loss": 1.0, "top1": 0.5}
        for step, event in enumerate(("train", "train", "validation")):
            twin.metrics.write({"event": event, "step": step, **point})
        twin.draw()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class _Measuring:
    """Measures the averaged network of a run on the held-out games of every source."""

    def __init__(self, lease: NetworkLease, archive: Archive, device: torch.device) -> None:
        self._lease, self._archive, self._device = lease, archive, device
        self._net: Network | None = None
        self._labels: Labels | None = None
        self.sources = _held_out(archive)

    def load(self) -> None:
        """Read the averaged network of the last checkpoint, and labels if it judges."""
        net = averaged_network(self._lease.folder)
        if isinstance(net.config, PolicyValueConfig) and self._labels is None:
            self._labels = archive_labels(self._archive)
        self._net = channels_last(net.folded(), self._device)

    def one(self, source: tuple[str, int], limit: int) -> SourceReport:
        """Measure on up to `limit` positions of a source on boards of a size."""
        assert self._net is not None
        return evaluate_source(
            self._net,
            self._archive,
            source[0],
            split="validation",
            limit=limit,
            size=source[1],
            precision=training_precision(self._device),
            labels=self._labels,
        )

    def timed(self, limit: int) -> tuple[float, int]:
        """Return the seconds that measuring on the first source takes, and its positions."""
        began = time.perf_counter()
        report = self.one(self.sources[0], limit)
        return time.perf_counter() - began, report.top1.count

    def __call__(self, afterwards: Afterwards | None) -> Report:
        """Return the results by source; what time does not suffice for is smaller, or named."""
        self.load()
        results, left_out = [], []
        a_position = 0.0 if afterwards is None else afterwards.a_position
        for number, source in enumerate(self.sources):
            limit = self._lease.limit
            if afterwards is not None:
                seconds = self._lease.deadline - time.time() - SPARE / 2
                seconds = seconds / (len(self.sources) - number) - afterwards.a_source
                limit = min(limit, int(seconds / max(a_position, 1e-9)))
            if limit < 1:
                left_out.append(source_name(*source))
                continue
            began = time.perf_counter()
            results.append(asdict(self.one(source, limit)))
            a_position = max(a_position, (time.perf_counter() - began) / limit)
        return {"validation": results, "not_measured_for_lack_of_time": left_out}


def _held_out(archive: Archive) -> list[tuple[str, int]]:
    """Return the sources and board sizes with validation games to measure on, most games first."""
    games = archive.games[archive.split("validation")]
    games = games[games["length"] > 0]
    found, counts = np.unique(games[["source", "size"]], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    named = [(archive.sources[int(found["source"][n])], int(found["size"][n])) for n in order]
    return [(name, size) for name, size in named if name]


def _speed(training: Run, peak: float, *, since: int) -> Report:
    """Return the median rate since a step as positions/s and as MFU, and how it was reached."""
    lines = training.files.metrics.read()
    rate = median_rate(lines, since=since)
    flops = training_flops(training.state.model)
    proofs = [line for line in lines if line["event"] == "compile"]
    compiled = training.recipe.compile and bool(proofs) and proofs[-1]["compiled"]
    return {
        "precision": training.precision,
        "compiled": compiled,
        "not_compiled_because": proofs[-1]["reason"] if proofs and not compiled else "",
        "positions_per_second": round(rate, 1),
        "flops_per_position": flops,
        "matrix_flops_per_second": round(peak),
        "mfu": round(rate * flops / peak, 4),
    }
