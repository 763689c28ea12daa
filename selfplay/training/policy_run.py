"""One training run in its folder: started from a recipe, resumed, grown, measured."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnncore.data.samples import DataError
from cnncore.layers.blocks import channels_last
from cnncore.system import atomic
from cnncore.system.devices import TrainingPrecision, autocast
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.compiled import Compiled
from cnncore.training.loop import Course, fit
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from cnncore.training.schedule import Plan
from cnncore.training.training_state import TrainingState
from goengine.networks.files import load_network, policy_network
from goengine.networks.policy_network import PolicyConfig, PolicyNet
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import BATCH, fixed_sample
from selfplay.batches.packing import StagedBatch, stage, unpack
from selfplay.batches.positions import PackedBatch, Positions
from selfplay.batches.weighting import Weighting
from selfplay.recipes import Recipe, from_table
from selfplay.training.learner import Learner, make_optimizers, measure, policy_loss
from selfplay.training.trained_network import read_facts

log = logging.getLogger(__name__)

FIXED = ("network", "filters", "layers", "norm", "optimizer", "future_moves", "seed", "batch")
"""Keys of a recipe that cannot change once a run has begun."""


PARTIAL = "partial"
"""Key of the line of metrics that a stopped run writes for the steps since its last full line."""


class Run:
    """A run in a folder: a new one, or the one that is there.

    A new one begins with the network `start_from`, or with a fresh one. With `other_data` the run
    goes on although the archive is not the one that it began with.

    Raises:
        RecipeError: a key that is fixed has changed, or the processes cannot share a batch.
        NetworkError: the recipe's teacher is unknown.
        DataError: another archive, or one without positions to learn from.
        CheckpointError: the folder holds another run, or a damaged one.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        archive: Archive,
        *,
        device: torch.device,
        start_from: PolicyNet | None = None,
        workers: int = 1,
        processes: Processes = ALONE,
        other_data: bool = False,
    ) -> None:
        if recipe.batch % processes.count:
            raise RecipeError(
                f"recipe: batch = {recipe.batch} cannot be shared evenly by {processes.count} "
                "processes; give a multiple"
            )
        self.folder, self.recipe, self.archive = folder, recipe, archive
        self.device, self.workers, self.processes = device, workers, processes
        self._teacher = _teacher(recipe, device)
        self.files = RunFolder(folder, processes)
        self.files.prepare()
        if self.files.begun:
            self._check(other_data)
        weights = recipe.sources
        self.train = Positions(
            archive,
            "train",
            weights=weights,
            weighting=Weighting(recipe.recency, recipe.ranks),
            future=recipe.future_moves,
        )
        self.held_out = _held_out(archive, weights)
        self._measured_on: list[StagedBatch] = []
        self.precision = recipe.precision_on(device)
        if self.files.begun:
            net = PolicyNet(PolicyConfig(**read_facts(folder)["config"]))
        else:
            net = start_from or self._fresh()
        net.config = replace(net.config, forgetful=net.config.forgetful or recipe.forget > 0)
        self.state = self._state(net)
        self.files.resume(self.state)
        if processes.leads:
            self._forget_partial()

    def _check(self, other_data: bool) -> None:
        """Refuse to go on with another recipe or archive than the run began with."""
        facts = read_facts(self.folder)
        before = from_table(facts["recipe"]).table()
        self.files.check_recipe(before, self.recipe.table(), fixed=FIXED)
        self.files.check_data(
            facts["archive"], self.archive.digest, kind="archive", other_data=other_data
        )

    def _fresh(self) -> PolicyNet:
        torch.manual_seed(self.recipe.seed)
        return PolicyNet(network_config(self.recipe))

    def _state(self, policy: PolicyNet) -> TrainingState:
        learner = Learner(policy, future_moves=self.recipe.future_moves)
        learner = channels_last(learner, self.device)
        optimizers = make_optimizers(learner, self.recipe)
        return TrainingState.start(learner, optimizers, seed=self.recipe.seed)

    def _grow(self, filters: int) -> None:
        """Widen the network and its average alike and go on with new optimisers."""
        old = self.state
        grown: list[Learner] = []
        for learner in (old.model, old.average):
            assert isinstance(learner, Learner)
            torch.manual_seed(self.recipe.seed)
            rng = np.random.default_rng([self.recipe.seed, filters])
            grown.append(learner.widened(filters, rng, noise=self.recipe.grow_noise))
        model = channels_last(grown[0], self.device).train()
        average = channels_last(grown[1], self.device)
        self.state = replace(
            old,
            model=model,
            optimizers=make_optimizers(model, self.recipe),
            average=average.eval().requires_grad_(False),
        )
        log.info("the network now has %d filters", filters)

    def checkpoint(self) -> None:
        """Save the state, and draw the curve anew."""
        policy = self.state.model.policy
        assert isinstance(policy, PolicyNet)
        facts = {
            "config": vars(policy.config),
            "recipe": self.recipe.table(),
            "archive": self.archive.digest,
            "torch": torch.__version__,
            "precision": self.precision,
        }
        self.files.save(self.state, facts)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure a model on the held-out positions."""
        if self.held_out is None:
            raise DataError("this run has no held-out positions to measure on")
        if not self._measured_on:
            count = self.recipe.validate_positions
            self._measured_on = _fixed_batches(self.held_out, count, self.processes)
        sums = measure(model, self._measured_on, device=self.device, precision=self.precision)
        self.processes.add(sums)
        loss, top1, top5, count = sums.tolist()
        return {"loss": loss / count, "top1": top1 / count, "top5": top5 / count}

    def _stream(self) -> _Stream:
        return _Stream(self.train, self.recipe, self.device, self.workers, self.processes)

    def _compute(self) -> nn.Module:
        """Return what the loss calls: the model as it is, compiled, spread over processes."""
        twin = self.processes.synchronised(self.state.model)
        compute = Compiled(twin) if self.recipe.compile else twin
        if self.processes == ALONE:
            return compute
        share = self.recipe.batch // self.processes.count
        example = self.train.random_batch(share, seed=0, number=0)
        planes, _ = unpack(stage(example).to(self.device))
        with autocast(self.device, self.precision):
            return self.processes.spread(compute, planes)

    def _loss(self) -> Callable[[Any, Any], Any]:
        return policy_loss(
            self.recipe, self.device, processes=self.processes, teacher=self._teacher
        )

    def fit(
        self, *, until: int | None = None, minutes: float = math.inf, progress: bool = False
    ) -> str:
        """Train to the end of the recipe, for `minutes`, or until Ctrl-C; return which it was.

        `until` ends it earlier, after so many positions. However it ends, the metrics reach the
        last step and the curve shows them.
        """
        deadline = minutes
        first, began = self.state.samples, self.state.seconds
        end = self.recipe.positions if until is None else min(until, self.recipe.positions)
        while True:
            filters = self.recipe.filters_at(self.state.samples)
            learner = self.state.model
            assert isinstance(learner, Learner)
            if filters > learner.policy.config.filters:
                self._grow(filters)
            before = self.state.seconds
            with closing(self._stream()) as stream:
                course = Course(
                    stream,
                    self._loss(),
                    training_plan(self.recipe, self.precision),
                    report=self.files.metrics.write,
                    checkpoint=self.checkpoint,
                    validate=self.validate if self.held_out else None,
                    compute=self._compute(),
                    processes=self.processes,
                    progress=progress,
                )
                until_growth = min(end, self.recipe.next_growth(self.state.samples))
                outcome = fit(self.state, course, until=until_growth, minutes=deadline)
            deadline -= (self.state.seconds - before) / 60.0
            if outcome != "finished" or self.state.samples >= end:
                break
        if self.processes.leads:
            seconds = self.state.seconds - began
            self._report_rest((self.state.samples - first) / max(seconds, 1e-9))
            self.files.draw()
        return outcome

    def _report_rest(self, speed: float) -> None:
        """Write a line of metrics for the steps since the last one, if there are any."""
        state = self.state
        if not state.sums:
            return
        means = {k: v / state.sums["samples"] for k, v in state.sums.items() if k != "samples"}
        self.files.metrics.write(
            {
                "event": "train",
                "step": state.step,
                "samples": state.samples,
                **means,
                "rate": training_plan(self.recipe, self.precision).rate(state.samples),
                "samples_per_second": round(speed, 2),
                "time": round(time.time(), 1),
                PARTIAL: True,
            }
        )

    def _forget_partial(self) -> None:
        """Drop the line of a stopped run; its steps will be in the next full line."""
        metrics = self.files.metrics
        lines = metrics.read()
        kept = [line for line in lines if not line.get(PARTIAL)]
        if len(kept) < len(lines):
            atomic.write_text(metrics.path, "".join(json.dumps(line) + "\n" for line in kept))


def network_config(recipe: Recipe) -> PolicyConfig:
    """Return the shape of the network that a recipe begins with."""
    return PolicyConfig(recipe.filters, recipe.layers, norm=recipe.norm, kind=recipe.network)


def training_plan(recipe: Recipe, precision: TrainingPrecision) -> Plan:
    """Return what the training loop needs to know of a recipe."""
    return recipe.plan(
        samples=recipe.positions,
        warmup=recipe.warmup,
        validate_samples=recipe.validate_every,
        precision=precision,
    )


def _teacher(recipe: Recipe, device: torch.device) -> PolicyNet | None:
    """Return the network that a recipe learns from, if it names one."""
    if not recipe.teacher:
        return None
    teacher = policy_network(load_network(recipe.teacher), recipe.teacher)
    return channels_last(teacher, device).requires_grad_(False)


def _held_out(archive: Archive, weights: Mapping[str, float]) -> Positions | None:
    """Return the positions to validate on; None, with a warning, if the archive has none."""
    try:
        return Positions(archive, "validation", weights=weights)
    except DataError as error:
        log.warning("no validation during this run: %s", error)
        return None


def _fixed_batches(positions: Positions, count: int, processes: Processes) -> list[StagedBatch]:
    """Return this process's part of `count` positions, the same for all runs on an archive."""
    sample = fixed_sample(positions, count)
    rank, parts = processes.rank, processes.count
    chunks = [slice(start, start + BATCH) for start in range(0, len(sample), BATCH)]
    batches = [
        positions.packed(sample.games[c], sample.plies[c], part=rank, parts=parts) for c in chunks
    ]
    return [stage(batch) for batch in batches if len(batch)]


class _Stream:
    """One process's batches of a recipe from any step on; `close` ends the worker threads."""

    def __init__(
        self,
        positions: Positions,
        recipe: Recipe,
        device: torch.device,
        workers: int,
        processes: Processes,
    ) -> None:
        self._positions, self._recipe, self._workers = positions, recipe, workers
        self._pinned, self._processes = device.type == "cuda", processes
        self._open: list[Any] = []

    def __call__(self, step: int) -> Iterator[StagedBatch]:
        stream = self._positions.stream(
            self._recipe.batch,
            seed=self._recipe.seed,
            prepare=self._stage,
            first=step,
            part=self._processes.rank,
            parts=self._processes.count,
            workers=self._workers,
        )
        self._open.append(stream)
        return stream

    def _stage(self, batch: PackedBatch) -> StagedBatch:
        return stage(batch, pinned=self._pinned)

    def close(self) -> None:
        for stream in self._open:
            stream.close()
