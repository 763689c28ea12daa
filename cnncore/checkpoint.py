"""Checkpoints: named tensors and JSON metadata in one safetensors file, written atomically.

The file holds no code and loading it runs none. `kind` says what is inside ("network",
"training-state"), `version` is CHECKPOINT_VERSION; the rest of the metadata belongs to the writer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

CHECKPOINT_VERSION = 1
_KEY = "cnncore"


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or is of another kind or version than asked for."""


@dataclass(frozen=True)
class Checkpoint:
    """What one file holds: `tensors` by name (on the CPU), `kind`, and the writer's `metadata`."""

    kind: str
    tensors: dict[str, Tensor]
    metadata: dict[str, Any]


def save_checkpoint(
    path: Path | str, tensors: Mapping[str, Tensor], *, kind: str, metadata: Mapping[str, Any]
) -> None:
    """Write a checkpoint; `path` holds the old file or the complete new one, never a part.

    Raises OSError when the disk refuses; the old file then still stands and no temporary file
    stays.
    """
    path = Path(path)
    header = {"kind": kind, "version": CHECKPOINT_VERSION, "metadata": dict(metadata)}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        save_file(ready, temporary, metadata={_KEY: json.dumps(header)})
        temporary.chmod(mode)  # safetensors writes for the owner alone
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except SafetensorError as error:
        raise OSError(f"cannot write {path}: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: Path | str, *, kind: str | None = None) -> Checkpoint:
    """Read a checkpoint and check its version and, if given, its kind.

    Raises CheckpointError with one sentence on a missing, damaged, foreign or wrong file.
    """
    header, tensors = _read(Path(path), with_tensors=True)
    if kind is not None and header["kind"] != kind:
        raise CheckpointError(f"{path} holds a {header['kind']}, not a {kind}; give another file")
    return Checkpoint(header["kind"], tensors, header["metadata"])


def read_metadata(path: Path | str) -> tuple[str, dict[str, Any]]:
    """Return (kind, metadata) without reading the tensors; raises CheckpointError."""
    header, _ = _read(Path(path), with_tensors=False)
    return header["kind"], header["metadata"]


def _read(path: Path, *, with_tensors: bool) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            if text is None:
                raise CheckpointError(f"{path} is safetensors but was not written by cnncore")
            header = json.loads(text)
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({error}); restore or write it again"
        ) from error
    if header["version"] != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{path} has checkpoint version {header['version']}, this program reads "
            f"{CHECKPOINT_VERSION}; export the network again with this program"
        )
    return header, tensors
