"""One training run in its folder: started from a recipe, resumed, grown, measured.

What it learns, and from what, is the business of its lessons (selfplay/learners).
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnncore.layers.blocks import channels_last
from cnncore.system import atomic
from cnncore.system.devices import TrainingPrecision, autocast
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.compiled import Compiled
from cnncore.training.loop import Course, fit
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from cnncore.training.schedule import Plan, Stretch
from cnncore.training.training_state import TrainingState
from goengine.networks.files import Network
from goengine.networks.network_config import PolicyConfig, PolicyValueConfig, kind_of
from goengine.networks.policy_value import PolicyValueNet
from selfplay.archive.reader import Archive
from selfplay.learners.judging_lessons import JudgingLessons
from selfplay.learners.keeping_lessons import KeepingLessons
from selfplay.learners.learner import Learner, make_learner
from selfplay.learners.lessons import Classroom, Lessons
from selfplay.learners.optimisers import make_optimizers
from selfplay.learners.policy_lessons import PolicyLessons
from selfplay.recipes import Recipe, from_table
from selfplay.training.trained_network import network_of, read_facts, run_config

log = logging.getLogger(__name__)

FIXED = (
    "network",
    "filters",
    "layers",
    "norm",
    "judges",
    "pools",
    "neck",
    "hidden",
    "freeze",
    "optimizer",
    "future_moves",
    "seed",
    "batch",
)
"""Keys of a recipe that cannot change once a run has begun."""


_TRIED = 4
"""Batches of which the one of the largest boards proves a compiled network."""

PARTIAL = "partial"
"""Key of the line of metrics that a stopped run writes for the steps since its last full line."""


class Run:
    """A run in a folder: a new one, or the one that is there.

    A new one begins with the network `start_from`, or with a fresh one. With `other_data` the run
    goes on although the archive is not the one that it began with. Networks that judge may learn
    from `more_archives` as well.

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
        start_from: Network | None = None,
        workers: int = 1,
        processes: Processes = ALONE,
        other_data: bool = False,
        more_archives: Sequence[Archive] = (),
    ) -> None:
        if recipe.batch % processes.count:
            raise RecipeError(
                f"recipe: batch = {recipe.batch} cannot be shared evenly by {processes.count} "
                "processes; give a multiple"
            )
        self.folder, self.recipe = folder, recipe
        self.archives = [archive, *more_archives]
        self.device, self.processes = device, processes
        self.precision = recipe.precision_on(device)
        room = Classroom(recipe, device, self.precision, workers, processes)
        self.lessons = make_lessons(room, self.archives, start_from)
        self.files = RunFolder(folder, processes)
        self.files.prepare()
        if self.files.begun:
            self._check(other_data)
        net = network_of(run_config(folder)) if self.files.begun else start_from or self._fresh()
        if recipe.forget > 0 and recipe.freeze == "none":
            net.config = replace(net.config, forgetful=True)
        self.state = self._state(net)
        self.files.resume(self.state)
        if processes.leads:
            self._forget_partial()

    @property
    def archive(self) -> str:
        """What the run learns from: the digest of its archive, or of its archives."""
        return "+".join(archive.digest for archive in self.archives)

    def _check(self, other_data: bool) -> None:
        """Refuse to go on with another recipe or archive than the run began with."""
        facts = read_facts(self.folder)
        before = from_table(facts["recipe"]).table()
        self.files.check_recipe(before, self.recipe.table(), fixed=FIXED)
        self.files.check_data(facts["archive"], self.archive, kind="archive", other_data=other_data)

    def _fresh(self) -> Network:
        torch.manual_seed(self.recipe.seed)
        return network_of(network_config(self.recipe))

    @property
    def learner(self) -> Learner:
        """What learns: the network with its outputs for further moves."""
        learner = self.state.model
        assert isinstance(learner, Learner)
        return learner

    def _state(self, net: Network) -> TrainingState:
        learner = channels_last(make_learner(net, self.recipe), self.device)
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
        config = self.learner.policy.config
        facts = {
            "kind": kind_of(config),
            "config": vars(config),
            "recipe": self.recipe.table(),
            "archive": self.archive,
            "torch": torch.__version__,
            "precision": self.precision,
        }
        self.files.save(self.state, facts)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Measure a model on the held-out positions."""
        return self.lessons.validate(model)

    def _compute(self) -> nn.Module:
        """Return what the loss calls: the model as it is, compiled, spread over processes."""
        twin = self.processes.synchronised(self.state.model)
        compute = self._proven(twin) if self.recipe.compile else twin
        if self.processes == ALONE:
            return compute
        with autocast(self.device, self.precision):
            return self.processes.spread(compute, self.lessons.planes(self.lessons.batch(0)))

    def _proven(self, twin: nn.Module) -> nn.Module:
        """Return a module compiled, or itself where that computes wrongly; the metrics say it."""
        log.info("torch.compile translates the network, which takes about a minute")
        compute = Compiled(twin)
        some = [self.lessons.batch(number) for number in range(_TRIED)]
        largest = max(some, key=lambda batch: self.lessons.planes(batch).shape[-1])
        verdict = compute.prove(self.lessons.loss(), largest, self.precision)
        (refused,) = self.processes.any(not verdict.compiled)
        if self.processes.leads:
            self.files.metrics.write(
                {
                    "event": "compile",
                    "step": self.state.step,
                    "compiled": not refused,
                    "reason": verdict.reason,
                }
            )
        return twin if refused else compute

    def fit(
        self,
        *,
        until: int | None = None,
        minutes: float = math.inf,
        stretch: float | None = None,
        progress: bool = False,
    ) -> str:
        """Train to the end of the recipe, for `minutes`, or until Ctrl-C; return which it was.

        `stretch` minutes of training, those of earlier calls among them, take the whole plan,
        whatever the machine's speed. `until` ends it earlier, after so many positions of the plan.
        However it ends, the metrics reach the last step and the curve shows them.

        Raises:
            RecipeError: a plan that was stretched over a time gets none.
        """
        deadline = minutes
        first, began = self.state.samples, self.state.seconds
        planned = self.recipe.positions
        end = planned if until is None else min(until, planned)
        self._stretch(stretch)
        while True:
            place = self.state.place(planned)
            filters = self.recipe.filters_at(place)
            if filters > self.learner.policy.config.filters:
                self._grow(filters)
            before = self.state.seconds
            with closing(_Streams(self.lessons)) as streams:
                course = Course(
                    streams,
                    self.lessons.loss(),
                    training_plan(self.recipe, self.precision),
                    report=self.files.metrics.write,
                    checkpoint=self.checkpoint,
                    validate=self.validate if self.lessons.measurable else None,
                    compute=self._compute(),
                    processes=self.processes,
                    progress=progress,
                )
                until_growth = min(end, self.recipe.next_growth(place))
                outcome = fit(self.state, course, until=until_growth, minutes=deadline)
            deadline -= (self.state.seconds - before) / 60.0
            if outcome != "finished" or self.state.place(planned) >= end:
                break
        if self.processes.leads:
            seconds = self.state.seconds - began
            self._report_rest((self.state.samples - first) / max(seconds, 1e-9))
            self.files.draw()
        return outcome

    def _stretch(self, minutes: float | None) -> None:
        """Lay the rest of the plan in the rest of so many minutes of training."""
        state = self.state
        if minutes is None:
            if state.stretch is not None:
                raise RecipeError(
                    f"the plan of the run in {self.folder} is stretched over "
                    f"{state.stretch.seconds / 60:.4g} minutes, of which {state.seconds / 60:.3g} "
                    "are used; give --minutes again"
                )
        elif state.stretch is None or state.stretch.seconds != 60.0 * minutes:
            share = state.place(self.recipe.positions) / self.recipe.positions
            state.share = min(1.0, share)
            state.stretch = Stretch(60.0 * minutes, since=state.seconds, share=state.share)

    def _report_rest(self, speed: float) -> None:
        """Write a line of metrics for the steps since the last one, if there are any."""
        state = self.state
        if not state.sums:
            return
        place = state.place(self.recipe.positions)
        means = {k: v / state.sums["samples"] for k, v in state.sums.items() if k != "samples"}
        self.files.metrics.write(
            {
                "event": "train",
                "step": state.step,
                "samples": state.samples,
                **means,
                "rate": training_plan(self.recipe, self.precision).rate(place),
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


def make_lessons(
    room: Classroom, archives: Sequence[Archive], start: Network | None = None
) -> Lessons[Any]:
    """Return what the network of a recipe learns from; `start` is what the run began with.

    Raises:
        RecipeError: a policy network gets several archives.
        NetworkError, ArchiveError, DataError: see the two kinds.
    """
    if room.recipe.judges:
        return JudgingLessons(room, archives)
    if len(archives) > 1:
        raise RecipeError(
            f"a policy network learns from one archive, not from {len(archives)}; ingest all games "
            "into one"
        )
    if isinstance(start, PolicyValueNet):
        return KeepingLessons(room, archives[0], start)
    return PolicyLessons(room, archives[0])


def network_config(recipe: Recipe) -> PolicyConfig:
    """Return the shape of the network that a recipe begins with."""
    if not recipe.judges:
        return PolicyConfig(recipe.filters, recipe.layers, norm=recipe.norm, kind=recipe.network)
    return PolicyValueConfig(
        recipe.filters,
        recipe.layers,
        norm=recipe.norm,
        kind=recipe.network,
        pools=recipe.pools,
        neck=recipe.neck,
        hidden=recipe.hidden,
    )


def training_plan(recipe: Recipe, precision: TrainingPrecision) -> Plan:
    """Return what the training loop needs to know of a recipe."""
    return recipe.plan(
        samples=recipe.positions,
        warmup=recipe.warmup,
        validate_samples=recipe.validate_every,
        precision=precision,
    )


class _Streams:
    """The batches of some lessons from any step on; `close` ends the worker threads."""

    def __init__(self, lessons: Lessons[Any]) -> None:
        self._lessons = lessons
        self._open: list[Generator[Any, None, None]] = []

    def __call__(self, step: int) -> Iterator[Any]:
        stream = self._lessons.stream(step)
        self._open.append(stream)
        return stream

    def close(self) -> None:
        for stream in self._open:
            stream.close()
