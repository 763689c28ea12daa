"""The folder of a training run: state, metrics, curve, and what it takes to go on with it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from cnncore.data.samples import DataError
from cnncore.system.folder_lock import locked
from cnncore.system.parallel import ALONE, Processes
from cnncore.training.curves import MetricsLog, plot_curves
from cnncore.training.recipe_files import RecipeError
from cnncore.training.training_state import KIND, TrainingState
from cnncore.weights.checkpoint import CheckpointError, read_metadata, recover_checkpoint

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"


@functools.cache
def _say_once(text: str) -> None:
    log.warning("%s", text)


class FolderInUseError(OSError):
    """A folder in which another program trains at the moment."""


class RunFolder:
    """One run's files: `checkpoint.safetensors`, `metrics.jsonl` and `curve.png` in `folder`.

    Of several `processes` the one that leads makes, mends and shortens them.
    """

    def __init__(self, folder: Path, processes: Processes = ALONE) -> None:
        self.folder, self.processes = folder, processes
        self.file = folder / CHECKPOINT
        self.metrics = MetricsLog(folder / "metrics.jsonl")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and keep other programs that ask from training there in this block.

        All of several processes must ask; the one that leads holds it for them.

        Raises:
            FolderInUseError: another program trains there.
        """
        with locked(self.folder) if self.processes.leads else nullcontext(True) as mine:
            (refused,) = self.processes.any(not mine)
            if refused:
                raise FolderInUseError(
                    f"another program trains in {self.folder}: wait for its end, stop it, or give "
                    "another folder"
                )
            yield

    def prepare(self) -> None:
        """Make the folder; put the previous checkpoint in the place of a damaged one, and say so.

        All of several processes must ask; those that do not lead wait.
        """
        if self.processes.leads:
            self.folder.mkdir(parents=True, exist_ok=True)
            said = recover_checkpoint(self.file)
            if said:
                log.warning("%s", said)
        self.processes.any(False)

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return self.file.is_file()

    def resume(self, state: TrainingState) -> None:
        """Put the saved state into `state`, if a run has begun; drop the metrics behind it."""
        if self.begun:
            state.load(self.file)
        if self.processes.leads:
            self.metrics.forget_after(state.step if self.begun else -1)

    def save(self, state: TrainingState, facts: Mapping[str, Any]) -> None:
        """Save the state with the facts of the run, and draw the curve anew."""
        state.save(self.file, metadata=facts)
        self.draw()

    def draw(self) -> None:
        """Draw the curves of the metrics so far, where matplotlib is there."""
        try:
            plot_curves(self.metrics.read(), self.folder / "curve.png", title=self.folder.name)
        except ImportError as error:
            _say_once(f"no curve is drawn here ({error}); metrics.jsonl has all of it")

    def facts(self, keys: Collection[str]) -> dict[str, Any]:
        """Return what the checkpoint says of the run, at least `keys` and "state".

        Raises:
            CheckpointError: it is missing or damaged, or something else wrote it.
        """
        kind, facts = read_metadata(self.file)
        if kind != KIND or not {*keys, "state"} <= facts.keys():
            raise CheckpointError(
                f"{self.file} is not the checkpoint of a run of this kind; give another folder"
            )
        return facts

    def check_recipe(
        self, before: Mapping[str, Any], now: Mapping[str, Any], *, fixed: Collection[str]
    ) -> None:
        """Refuse another value of a `fixed` key than the run began with; the log tells of others.

        Raises:
            RecipeError: a fixed key has another value.
        """
        for key, value in now.items():
            if before.get(key) == value:
                continue
            if key in fixed:
                raise RecipeError(
                    f"the run in {self.folder} has {key} = {before.get(key)}, not {value}; "
                    "give another --out folder or the old value"
                )
            log.warning("resuming with %s = %s (was %s)", key, value, before.get(key))

    def check_data(self, before: str, now: str, *, kind: str, other_data: bool) -> None:
        """Refuse data of another digest than the run began with, unless `other_data`.

        Raises:
            DataError: the digest is another one.
        """
        if before != now and not other_data:
            raise DataError(
                f"the run in {self.folder} began with another {kind} (digest {before}, now {now}); "
                "give that one, or --other-data to go on with this one"
            )
