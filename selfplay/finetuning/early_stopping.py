"""Fine-tuning a network on one's own games, with early stopping on held-out ones.

The run is an ordinary one (policy_run.py) that is stopped every fraction of an epoch to measure the
averaged weights on games held out for that. The best weights so far are always on disk as a network
file. The run ends when several measurements in a row bring no better ones. Everything that is
needed to resume it is in the run's checkpoint and metrics.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import NETWORK, START, Network, load_network, save_network
from selfplay.archive.reader import Archive
from selfplay.batches.fixed_samples import BATCH, distinct_sample
from selfplay.batches.positions import Positions
from selfplay.evaluation.held_out_answers import Contestant, answered
from selfplay.learners.learner import Learner
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run

log = logging.getLogger(__name__)

EPOCHS = 6.0
ROUNDS = 4
"""Measurements an epoch."""
PATIENCE = 6
"""Measurements in a row without a better loss that end the run."""
LIMIT = 4096
"""Most held-out positions that one measurement asks about; of those learnt from, half as many."""
LEAST = 512
"""Held-out positions that it asks about however short the time is."""
MEASURED = 0.1
"""Share of the time that one measurement may take."""


def tuning_recipe(
    recipe: Recipe, net: Network, archive: Archive, *, epochs: float | None
) -> Recipe:
    """Return a recipe in the shape of a network, as long as `epochs` passes over the games.

    With None it is as long as it says. Only a forgetful network goes on forgetting.
    """
    games, _ = Positions(archive, "train", weights=recipe.sources).listed()
    length = recipe.positions if epochs is None else round(epochs * len(games))
    config = net.config
    return replace(
        recipe,
        network=config.kind,
        filters=config.filters,
        layers=config.layers,
        norm=False,
        forget=recipe.forget if config.forgetful else 0.0,
        grow=(),
        positions=max(recipe.batch, length),
    )


def check_folder(folder: Path) -> None:
    """Refuse a folder with a run that is not a fine-tuning.

    Raises:
        RecipeError: the folder holds one.
    """
    if RunFolder(folder).begun and not (folder / START).is_file():
        raise RecipeError(
            f"the folder {folder} holds the run of a recipe: give another --out to fine-tune, or "
            "name the recipe to go on with it"
        )


def keep_start(folder: Path, net: Network) -> Network:
    """Return the folded network that the run in `folder` begins with; written at its begin.

    Raises:
        RecipeError: the run began with another one.
    """
    net = net.folded()
    file = folder / START
    if not RunFolder(folder).begun:
        folder.mkdir(parents=True, exist_ok=True)
        save_network(net, file, metadata={})
        return net
    before = load_network(file).state_dict()
    now = net.state_dict()
    if before.keys() != now.keys() or not all(torch.equal(before[k], now[k]) for k in now):
        raise RecipeError(
            f"the run in {folder} began with another network; give that one, or another --out"
        )
    return net


class Tuning:
    """A run that is measured on held-out games and keeps the best weights it had."""

    def __init__(
        self,
        run: Run,
        archive: Archive,
        *,
        card: dict[str, Any],
        seconds: float = math.inf,
        progress: bool = False,
    ) -> None:
        """Go on with a run; `archive` has held-out games, `card` goes into the network file.

        A new run that has `seconds` measures on as many positions as it can afford.
        """
        self.run, self.card, self.progress = run, card, progress
        self._limit = self._affordable(archive, seconds)
        self._held_out = distinct_sample(archive, "validation", self._limit)
        self._learnt = distinct_sample(archive, "train", self._limit // 2)
        train = Positions(archive, "train", weights=run.recipe.sources)
        self._round = max(run.recipe.batch, math.ceil(len(train.listed()[0]) / ROUNDS))

    @property
    def history(self) -> list[dict[str, Any]]:
        """The measurements so far, the one of the start first."""
        return [line for line in self.run.files.metrics.read() if line["event"] == "validation"]

    @property
    def pace(self) -> float:
        """Seconds that a network takes to answer a position, by the last measurement."""
        return self._measuring_seconds() / (len(self._held_out) + len(self._learnt))

    def _affordable(self, archive: Archive, seconds: float) -> int:
        """Return how many held-out positions a measurement asks about; a run does not change it."""
        if self.history:
            return int(self.history[0].get("held_out_limit", LIMIT))
        if math.isinf(seconds):
            return LIMIT
        probe = distinct_sample(archive, "validation", BATCH)
        answered(self._contestant(), probe)  # the first answers also load what they need
        began = time.monotonic()
        answered(self._contestant(), probe)
        pace = (time.monotonic() - began) / len(probe)
        return round(min(LIMIT, max(LEAST, MEASURED * seconds / (1.5 * pace))))

    def _contestant(self) -> Contestant:
        """Return the averaged network as it is now."""
        average = self.run.state.average
        assert isinstance(average, Learner)
        return Contestant("now", average.policy.eval(), precision=self.run.precision)

    def _measuring_seconds(self) -> float:
        """Return how long the last measurement took; 0 if an older release made it."""
        history = self.history
        return float(history[-1].get("measuring_seconds", 0.0)) if history else 0.0

    def measure_start(self) -> None:
        """Measure the network that the run begins with, unless that was done before."""
        if not self.history:
            self._measure()

    def fit(self, *, deadline: float = math.inf) -> str:
        """Train until nothing better comes; "stopped", "finished", "time" or "interrupted".

        `deadline` is a time of `time.monotonic`. A measurement that would not be over by then is
        left to the next call.
        """
        self.measure_start()
        while True:
            state, history = self.run.state, self.history
            if history[-1]["samples"] < state.samples >= self._due(history):
                if deadline - time.monotonic() < self._measuring_seconds():
                    return "time"
                self._measure()
                history = self.history
            best = best_of(history)
            if len(history) - 1 - history.index(best) >= PATIENCE:
                return "stopped"
            if history[-1]["samples"] >= self.run.recipe.positions:
                return "finished"
            outcome = self.run.fit(
                until=self._due(history),
                minutes=(deadline - time.monotonic()) / 60.0,
                progress=self.progress,
            )
            if outcome != "finished":
                return outcome

    def _due(self, history: list[dict[str, Any]]) -> int:
        """Return after how many positions to measure next; an interruption does not move it."""
        following: int = (history[-1]["samples"] // self._round + 1) * self._round
        return min(following, self.run.recipe.positions)

    def _measure(self) -> None:
        """Write a line of metrics, after saving the network if it is the best so far."""
        state = self.run.state
        contestant = self._contestant()
        label = "measuring" if self.progress else None
        began = time.monotonic()
        held_out = answered(contestant, self._held_out, label=label)
        learnt = answered(contestant, self._learnt, label=label)
        line: dict[str, Any] = {
            "event": "validation",
            "step": state.step,
            "samples": state.samples,
            "loss": float(held_out.losses.mean()),
            "top1": float((held_out.better == 0).mean()),
            "learnt_loss": float(learnt.losses.mean()),
            "learnt_top1": float((learnt.better == 0).mean()),
            "held_out_limit": self._limit,
            "measuring_seconds": round(time.monotonic() - began, 3),
            "time": round(time.time(), 1),
        }
        history = self.history
        if not history or line["loss"] < best_of(history)["loss"]:
            card = {**self.card, "positions_seen": state.samples}
            save_network(contestant.net, self.run.folder / NETWORK, metadata=card)
        self.run.files.metrics.write(line)
        self.run.files.draw()
        log.info(
            "after %s positions: loss %.4f on held-out games, %.4f on those learnt from",
            f"{state.samples:,}",
            line["loss"],
            line["learnt_loss"],
        )


def best_of(history: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the measurement with the lowest held-out loss, the first of equal ones."""
    return min(history, key=lambda line: line["loss"])
