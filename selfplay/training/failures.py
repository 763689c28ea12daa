"""Failures that a user can do something about, each as one sentence that names the remedy."""

from __future__ import annotations

import errno
import sys

import torch

from cnncore.data.samples import DataError
from cnncore.system.command_line import FAILED, MISUSED
from cnncore.system.devices import DeviceError
from cnncore.system.parallel import ParallelError
from cnncore.training.recipe_files import RecipeError
from cnncore.training.training_state import TrainingError
from cnncore.weights.checkpoint import CheckpointError
from goengine.types import GoError

FAILURES = (
    GoError,
    CheckpointError,
    RecipeError,
    DataError,
    TrainingError,
    DeviceError,
    ParallelError,
    OSError,
)
"""Errors whose text is a sentence that names the remedy."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ALLOCATOR = ("can't allocate memory", "not enough memory", "out of memory")


def fail(command: str, error: Exception) -> int:
    """Say on stderr why a command failed and return its status: misused or failed.

    Errors that are not the user's are raised again.
    """
    text = sentence(error)
    if text is None:
        raise error
    sys.stderr.write(f"selfplay {command}: {text}\n")
    return MISUSED if isinstance(error, ValueError) else FAILED


def sentence(error: Exception) -> str | None:
    """Return what a command says about an error; None if the user cannot do anything about it."""
    if _is_memory(error):
        return (
            f"not enough memory ({_first_line(error)}): take fewer --workers, a smaller network, "
            "or a smaller batch (--set batch=..., in another --out folder); the last checkpoint "
            "is good"
        )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return (
            f"the disk takes no more ({error}): make room there; the last checkpoint is good, and "
            "the same command goes on from it"
        )
    if isinstance(error, BrokenPipeError):
        return None  # the reader of stdout has gone; `main` deals with that
    return str(error) if isinstance(error, FAILURES) else None


def _is_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and any(words in text for words in _ALLOCATOR)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
