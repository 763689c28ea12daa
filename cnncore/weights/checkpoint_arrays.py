"""What checkpoints hold, read as numpy arrays: for programs that do not need torch.

checkpoint.py writes the files and reads them as tensors; the header, the digest and the errors are
here, so that both read the same files and say the same of a bad one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

CHECKPOINT_VERSION = 1
Content = tuple[str, str, tuple[int, ...], memoryview]
"""What the digest covers of a tensor: its name, type ("float32" ...), shape and bytes."""
HEADER = "cnncore"
"""The safetensors note that holds kind, version and metadata as JSON."""
DIGEST = "digest"
"""The safetensors note that holds the digest."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, or is of another kind or version than asked for."""


class ForeignCheckpointError(CheckpointError):
    """A sound safetensors file that another program wrote."""


class CheckpointVersionError(CheckpointError):
    """A sound checkpoint that another version of this program wrote."""


@dataclass(frozen=True)
class CheckpointArrays:
    """What one file holds."""

    kind: str
    """What the arrays are, such as "network"."""
    arrays: dict[str, npt.NDArray[Any]]
    """The tensors by name."""
    metadata: dict[str, Any]
    """What the writer said of them."""
    digest: str
    """The digest of all that."""


@dataclass(frozen=True)
class Notes:
    """The notes of a checkpoint whose version is this program's."""

    text: str
    """The header as it was written, which the digest covers."""
    kind: str
    """What the tensors are."""
    metadata: dict[str, Any]
    """What the writer said of them."""
    digest: str | None
    """The digest of header and tensors; files of older programs have none."""


def load_arrays(path: Path | str) -> CheckpointArrays:
    """Read a checkpoint as arrays and check its digest and its version.

    Raises:
        CheckpointError: the file is missing, damaged, foreign or of another version.
    """
    path = Path(path)
    notes, arrays = read_file(path, framework="np")
    seal = check_digest(path, notes, _contents(arrays))
    return CheckpointArrays(notes.kind, arrays, notes.metadata, seal)


def _contents(
    arrays: Mapping[str, npt.NDArray[Any]],
) -> Iterator[Content]:
    """Yield what the digest covers of each array, in the order of their names."""
    for name, array in sorted(arrays.items()):
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        yield name, array.dtype.name, array.shape, data


def read_file(
    path: Path, *, framework: Literal["np", "pt"], with_tensors: bool = True
) -> tuple[Notes, dict[str, Any]]:
    """Return the notes of a checkpoint and its tensors by name, arrays or torch tensors.

    Raises:
        CheckpointError: the file is missing, damaged, foreign or of another version.
    """
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; check the path")
    try:
        with safe_open(path, framework=framework) as file:
            notes = file.metadata() or {}
            if HEADER not in notes:
                raise ForeignCheckpointError(
                    f"{path} is safetensors but was not written by cnncore; give a checkpoint"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}
        header = json.loads(notes[HEADER])
        version = header["version"]
        sound = isinstance(header.get("kind"), str) and isinstance(header.get("metadata"), dict)
    except OSError as error:
        raise CheckpointError(f"cannot read {path} ({error}); check its permissions") from error
    except (SafetensorError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}); restore or write it again"
        ) from error
    if version != CHECKPOINT_VERSION:
        raise CheckpointVersionError(
            f"{path} has checkpoint version {version}, this program reads {CHECKPOINT_VERSION}; "
            "use the release that wrote it, or write it again with this one"
        )
    if not sound:
        raise _changed(path)
    found = Notes(notes[HEADER], header["kind"], header["metadata"], notes.get(DIGEST))
    return found, tensors


def check_digest(path: Path, notes: Notes, tensors: Iterable[Content]) -> str:
    """Return the digest of what was read, compared with the one that the file holds, if any.

    Raises:
        CheckpointError: they differ.
    """
    seal = digest(notes.text, tensors)
    if notes.digest is not None and notes.digest != seal:
        raise _changed(path)
    return seal


def digest(header: str, tensors: Iterable[Content]) -> str:
    """Return the digest of a header and of tensors in the order of their names."""
    state = hashlib.blake2b(header.encode(), digest_size=16)
    for name, dtype, shape, data in tensors:
        state.update(f"{name} torch.{dtype} {tuple(shape)}".encode())
        state.update(data)
    return state.hexdigest()


def _changed(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path} is damaged (some bytes have changed); restore or write it again"
    )
