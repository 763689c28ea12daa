"""Checkpoints: named tensors and JSON metadata in one safetensors file, written atomically.

The file does not hold code, and loading it does not run any. `kind` says what is inside ("network",
"training-state"), `version` is CHECKPOINT_VERSION; the rest of the metadata belongs to the writer.
A digest over everything tells a damaged file from a sound one; files without a digest, which older
programs wrote, are read without that check.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from cnncore.system.atomic import replacing
from cnncore.weights.checkpoint_arrays import (
    CHECKPOINT_VERSION,
    DIGEST,
    HEADER,
    CheckpointError,
    CheckpointVersionError,
    Content,
    ForeignCheckpointError,
    check_digest,
    digest,
    read_file,
)

__all__ = [
    "CHECKPOINT_VERSION",
    "Checkpoint",
    "CheckpointError",
    "CheckpointVersionError",
    "ForeignCheckpointError",
    "load_checkpoint",
    "previous_checkpoint",
    "read_metadata",
    "recover_checkpoint",
    "save_checkpoint",
]


@dataclass(frozen=True)
class Checkpoint:
    """What one file holds."""

    kind: str
    """What the tensors are, such as "network"."""
    tensors: dict[str, Tensor]
    """The tensors by name, on the CPU."""
    metadata: dict[str, Any]
    """What the writer said of them."""


def save_checkpoint(
    path: Path | str,
    tensors: Mapping[str, Tensor],
    *,
    kind: str,
    metadata: Mapping[str, Any],
    keep_previous: bool = False,
) -> None:
    """Write a checkpoint; `path` holds the old file or the complete new one, never a part.

    `keep_previous` keeps the old file beside it, at `previous_checkpoint(path)`.

    Raises:
        OSError: the disk refuses; the old file then still stands, and no temporary file stays.
    """
    path = Path(path)
    header = json.dumps({"kind": kind, "version": CHECKPOINT_VERSION, "metadata": dict(metadata)})
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as temporary:
            temporary.touch()
            mode = temporary.stat().st_mode
            seal = digest(header, _contents(ready))
            save_file(ready, temporary, metadata={HEADER: header, DIGEST: seal})
            temporary.chmod(mode)  # safetensors writes for the owner alone
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            if keep_previous and path.is_file():
                _keep(path, previous_checkpoint(path))
    except (OSError, SafetensorError) as error:
        stands = "; the one written before still stands" if path.is_file() else ""
        raise OSError(
            f"cannot write {path} ({error}): make room there or give another folder{stands}"
        ) from error


def previous_checkpoint(path: Path | str) -> Path:
    """Return where the checkpoint before the one at `path` is kept."""
    path = Path(path)
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def recover_checkpoint(path: Path | str) -> str | None:
    """Put the previous checkpoint in the place of a damaged or missing one, if it is sound.

    Returns None if there was nothing to do or nothing sound to do it with, else a sentence that
    says what happened; the damaged file stays as NAME.damaged.safetensors.
    """
    path = Path(path)
    previous = previous_checkpoint(path)
    if not previous.is_file():
        return None
    try:
        load_checkpoint(path)
    except CheckpointVersionError:
        return None
    except CheckpointError as error:
        try:
            load_checkpoint(previous)
        except CheckpointError:
            return None
        said = f"{path} is missing; going on from {previous.name}"
        if path.is_file():
            damaged = path.with_name(f"{path.stem}.damaged{path.suffix}")
            _keep(path, damaged)
            said = (
                f"{error}; going on from {previous.name}, the damaged one is kept as {damaged.name}"
            )
        _keep(previous, path)
        return said
    return None


def load_checkpoint(path: Path | str, *, kind: str | None = None) -> Checkpoint:
    """Read a checkpoint and check its digest, its version and, if given, its kind.

    Raises:
        CheckpointError: the file is missing, damaged, foreign or of another kind.
    """
    path = Path(path)
    notes, tensors = read_file(path, framework="pt")
    check_digest(path, notes, _contents(tensors))
    if kind is not None and notes.kind != kind:
        raise CheckpointError(f"{path} holds a {notes.kind}, not a {kind}; give another file")
    return Checkpoint(notes.kind, tensors, notes.metadata)


def read_metadata(path: Path | str) -> tuple[str, dict[str, Any]]:
    """Return (kind, metadata) without reading the tensors.

    Raises:
        CheckpointError: the file is missing, damaged or foreign.
    """
    notes, _ = read_file(Path(path), framework="pt", with_tensors=False)
    return notes.kind, notes.metadata


def _contents(
    tensors: Mapping[str, Tensor],
) -> Iterator[Content]:
    """Yield what the digest covers of each tensor, in the order of their names."""
    for name in sorted(tensors):
        tensor = tensors[name]
        data = tensor.reshape(-1).view(torch.uint8).numpy().data
        yield name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), data


def _keep(source: Path, target: Path) -> None:
    """Make `target` hold what `source` holds, at once and without taking `source` away."""
    with replacing(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, temporary)
