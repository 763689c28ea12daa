"""The model of a run that has not ended: the average in its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnncore.training.run_folder import CHECKPOINT
from cnncore.training.training_state import KIND as STATE
from cnncore.weights.checkpoint import Checkpoint, CheckpointError, load_checkpoint, read_metadata
from cnncore.weights.model_files import KIND

MADE = "made"
"""The fact of a run's checkpoint that says how to make its model."""
_AVERAGE = "average."


def stopped_checkpoint(folder: Path, last: Path) -> Path | None:
    """Return the checkpoint of a run if it is ahead of the model that the run ended with.

    None if there is none, or `last` is as new.

    Raises:
        CheckpointError: one of the two is damaged.
    """
    file = folder / CHECKPOINT
    if not file.is_file() or read_metadata(file)[0] != STATE:
        return None
    if last.is_file():
        ended = read_metadata(last)[1].get("facts", {}).get("samples", 0)
        if read_metadata(file)[1].get("state", {}).get("samples", 0) <= ended:
            return None
    return file


def stopped_model(file: Path) -> Checkpoint:
    """Return the average in a run's checkpoint as `save_model` would have written it.

    Raises:
        CheckpointError: the file is damaged, or an older release wrote it.
    """
    checkpoint = load_checkpoint(file, kind=STATE)
    facts: dict[str, Any] = dict(checkpoint.metadata)
    made, state = facts.pop(MADE, None), facts.pop("state", {})
    if made is None:
        raise CheckpointError(
            f"{file} does not tell how its model was made, as an older release wrote it; go on "
            "with the run by its command for a moment, and stop it again"
        )
    tensors = {
        name.removeprefix(_AVERAGE): tensor
        for name, tensor in checkpoint.tensors.items()
        if name.startswith(_AVERAGE)
    }
    facts["samples"] = state.get("samples", 0)
    return Checkpoint(KIND, tensors, {**made, "facts": facts})
