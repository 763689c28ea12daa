"""How fast a recipe trains, what share of the device that is, and what the loader could do.

Rates in positions/s. Loader: games replayed, planes encoded as bits, in one thread and in all
workers, with nothing else to do. Unpack: bits from (pinned) memory to turned planes on the device.
Bare: steps on one batch that is ready on the device. Training: the real thing, loader and all.
Loader, bare and training take turns in rounds, so that other load on the machine hits all alike.
`--step-alone` measures the bare network only; benchmarks/loader.py measures the loader only.
MFU is the share of the device's measured matrix product rate, see selfplay.training.utilisation.

    python -m benchmarks.training --data ARCHIVE --recipe policy-192 --workers 12
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnncore.layers.blocks import channels_last
from cnncore.system.devices import default_device, training_precision
from cnncore.training.compiled import Compiled
from cnncore.training.loop import Course, fit
from cnncore.training.training_state import TrainingState
from selfplay.archive.reader import Archive
from selfplay.learners.learner import make_learner
from selfplay.learners.lessons import Classroom
from selfplay.learners.optimisers import make_optimizers
from selfplay.recipes import Recipe, load_recipe
from selfplay.training.policy_run import make_lessons, network_config, training_plan
from selfplay.training.trained_network import network_of
from selfplay.training.utilisation import matrix_rate, multiply_adds, training_flops


class Bench:
    """One recipe on one device: four things to time, each over a number of steps."""

    def __init__(self, recipe: Recipe, archive: Archive, device: torch.device, workers: int):
        self.recipe, self.device, self.workers = recipe, device, workers
        precision = recipe.precision_on(device)
        self.lessons = make_lessons(Classroom(recipe, device, precision, workers), [archive])
        learner = make_learner(network_of(network_config(recipe)), recipe)
        learner = channels_last(learner, device)
        self.state = TrainingState.start(learner, make_optimizers(learner, recipe))
        self.plan = training_plan(recipe, training_precision(device))
        self.loss = self.lessons.loss()
        self.staged = self.lessons.batch(0)
        self.ready = self.staged.to(device)
        self.compute, self.compiled = learner, ""
        if recipe.compile:
            self.compute = Compiled(learner)
            verdict = self.compute.prove(self.loss, self.ready, self.plan.precision)
            self.compiled = ", compiled" if verdict.compiled else ", not compiled"

    def stream(self) -> Generator[Any, None, None]:
        """Return an endless stream made by all workers."""
        return self.lessons.stream(0)

    def load(self, steps: int) -> None:
        """Make batches in this thread and drop them."""
        for number in range(steps):
            self.lessons.batch(number)

    def unpack(self, steps: int) -> None:
        """Make planes of one batch on the device, over and over."""
        for _ in range(steps):
            planes = self.lessons.planes(self.staged)
        int(planes[0, 0, 0, 0])  # waits for the device

    def train(self, batches: Callable[[int], Iterator[Any]], steps: int) -> None:
        """Take steps on batches."""
        course = Course(
            batches,
            self.loss,
            self.plan,
            report=lambda line: None,
            checkpoint=lambda: None,
            compute=self.compute,
        )
        fit(self.state, course, until=self.state.samples + steps * self.recipe.batch)

    def repeat_ready(self, step: int) -> Iterator[Any]:
        """Yield the batch that is on the device already."""
        while True:
            yield self.ready


def ceiling(bench: Bench, steps: int) -> float:
    """Return positions/s of all workers while the network rests."""
    with closing(bench.stream()) as stream:
        for _ in range(2 * bench.workers + 4):  # what was made ahead of time
            next(stream)
        began = time.perf_counter()
        for _ in range(steps * bench.workers):
            next(stream)
        spent = time.perf_counter() - began
    return steps * bench.workers * bench.recipe.batch / spent


def rates(bench: Bench, rounds: int, steps: int, *, alone: bool = False) -> dict[str, float]:
    """Return positions/s of loader, unpack, bare and training, medians over rounds.

    Of bare only, where that is to be `alone`.
    """
    stream = bench.stream()
    kinds: dict[str, Callable[[], None]] = {
        "loader": lambda: bench.load(steps),
        "unpack": lambda: bench.unpack(steps),
        "bare": lambda: bench.train(bench.repeat_ready, steps),
        "training": lambda: bench.train(lambda step: stream, steps),
    }
    if alone:
        kinds = {"bare": kinds["bare"]}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, work in kinds.items():
            began = time.perf_counter()
            work()
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
    stream.close()
    count = steps * bench.recipe.batch
    return {name: count / float(np.median(values)) for name, values in seconds.items()}


def table(bench: Bench, measured: dict[str, float], peak: float) -> str:
    """Return the results as text, with the arithmetic of MFU."""
    model, recipe = bench.state.model, bench.recipe
    flops = training_flops(model)
    lines = [
        f"{label:18} {measured[name]:10,.0f} positions/s"
        for name, label in (
            ("loader", "loader, 1 thread"),
            ("ceiling", f"loader, {bench.workers:2} workers"),
            ("unpack", "unpack on device"),
        )
        if name in measured
    ]
    for name, label in (("bare", "bare network"), ("training", "training")):
        if name not in measured:
            continue
        rate = measured[name]
        lines.append(
            f"{label:18} {rate:10,.0f} positions/s, {rate * flops / 1e12:8.3f} TFLOP/s, "
            f"MFU {rate * flops / peak:6.1%}"
        )
    if "training" in measured:
        share = measured["training"] / measured["bare"]
        lines.append(f"{'training / bare':18} {share:10.1%}")
    return (
        f"{recipe.network} {recipe.filters} filters, batch {recipe.batch}, {bench.device}, "
        f"{torch.get_num_threads()} threads, {bench.plan.precision}{bench.compiled}\n"
        + "\n".join(lines)
        + f"\narithmetic: 361 points x {multiply_adds(model) // 361:,} weights = "
        f"{multiply_adds(model):,} multiply-adds forward, x 2 operations x 3 (forward, two "
        f"gradients) = {flops / 1e9:.3f} GFLOP a position; the device's matrix product makes "
        f"{peak / 1e12:.3f} TFLOP/s in {bench.plan.precision}\n"
    )


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, required=True, help="archive made by 'selfplay ingest'"
    )
    parser.add_argument(
        "--recipe",
        default="policy-64",
        help="name of a shipped recipe, or a .toml file; default: policy-64",
    )
    parser.add_argument("--filters", type=int, help="of the network; default: the recipe's")
    parser.add_argument("--batch", type=int, help="positions a step; default: the recipe's")
    parser.add_argument("--compile", action="store_true", help="let torch.compile translate it")
    parser.add_argument(
        "--steps", type=int, default=10, help="steps of each kind a round; default: 10"
    )
    parser.add_argument("--rounds", type=int, default=6, help="measured rounds; default: 6")
    parser.add_argument(
        "--threads", type=int, help="CPU threads of the network; default: all cores"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of the loader; 1, the default: a thread"
    )
    parser.add_argument("--step-alone", action="store_true", help="measure the bare network only")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: cuda if there is one")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    settings = [f"{k}={getattr(args, k)}" for k in ("filters", "batch") if getattr(args, k)]
    settings += ["sources={}", "grow=[]", "positions=1_000_000_000"]
    recipe = load_recipe(args.recipe, [*settings, f"compile={str(args.compile).lower()}"])
    device = default_device(args.device)
    bench = Bench(recipe, Archive.open(args.data), device, args.workers)
    peak = matrix_rate(device, bench.plan.precision)
    measured = rates(bench, args.rounds, args.steps, alone=args.step_alone)
    if not args.step_alone:
        measured["ceiling"] = ceiling(bench, args.steps)
    sys.stdout.write(table(bench, measured, peak))
    return 0


if __name__ == "__main__":
    sys.exit(main())
