"""Files of weights, read into named tensors: torch, safetensors and npz.

Looks through nested dictionaries and takes away what DataParallel, AveragedModel and torch.compile
put into the names.
Nothing is unpickled but tensors unless the caller says so. What fits which model is the business
of `cnncore.weights.matching`.
"""

from __future__ import annotations

import argparse
import logging
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from cnncore.weights.checkpoint import CheckpointError, ForeignCheckpointError, load_checkpoint
from cnncore.weights.npz import NpzError, read_npz
from cnncore.weights.tensor_names import plain_names

TORCH_SUFFIXES = (".pth", ".pt", ".th", ".tar", ".bin", ".ckpt")
SUFFIXES = (*TORCH_SUFFIXES, ".safetensors", ".npz")
SCALE = "::scale"

# Harmless things that training scripts put beside the weights: their options, and numpy's numbers.
_HARMLESS: list[Any] = [
    argparse.Namespace,
    *(
        (np.float64().__reduce__()[0], f"numpy.{core}.multiarray.scalar")
        for core in ("core", "_core")
    ),
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "?")),
]
log = logging.getLogger(__name__)

_NESTS = ("state_dict", "model", "model_state_dict", "net", "network", "weights", "params")


class WeightsError(ValueError):
    """A file of weights that cannot be read or does not fit the model."""


@dataclass(frozen=True)
class WeightFile:
    """What a file of weights holds."""

    path: Path
    tensors: Mapping[str, Tensor]
    """The tensors by name."""
    metadata: Mapping[str, Any]
    """What this package wrote beside them; empty for other programs' files."""


def read_weights(path: Path | str, *, unsafe_pickle: bool = False) -> WeightFile:
    """Read the named tensors of a file, whatever they are nested in.

    `unsafe_pickle` lets a torch file run the code that its pickle names: only for files whose
    author you trust.

    Raises:
        WeightsError: the file is missing, damaged, unsafe or foreign.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights at {path}; check the path")
    metadata: Mapping[str, Any] = {}
    if path.suffix == ".npz":
        tensors = _read_npz(path)
    elif path.suffix == ".safetensors":
        tensors, metadata = _read_safetensors(path)
    elif path.suffix in TORCH_SUFFIXES:
        tensors = _read_torch(path, unsafe=unsafe_pickle)
    else:
        raise WeightsError(
            f"{path} does not end in one of {' '.join(SUFFIXES)}; rename or convert it"
        )
    return WeightFile(path, plain_names(tensors), metadata)


def _read_npz(path: Path) -> dict[str, Tensor]:
    """Read arrays; int8 ones have a scale for every output channel in NAME::scale."""
    try:
        arrays = read_npz(path)
    except NpzError as error:
        raise WeightsError(f"{path} is damaged or not an npz of plain arrays: {error}") from error
    tensors: dict[str, Tensor] = {}
    for name, array in arrays.items():
        if name.endswith(SCALE):
            if name.removesuffix(SCALE) not in arrays:
                raise WeightsError(f"{path} has {name} but not the array that it scales")
            continue
        scale = arrays.get(name + SCALE)
        if scale is not None:
            array = array.astype(np.float32) * scale.reshape(-1, *[1] * (array.ndim - 1))
        elif array.dtype == np.int8:
            raise WeightsError(f"{path} has {name} in 8 bits but no {name}{SCALE}")
        tensors[name] = torch.from_numpy(np.array(array))
    return tensors


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Read tensors, and the metadata of a file that this package wrote, whose digest is checked."""
    try:
        checkpoint = load_checkpoint(path)
    except ForeignCheckpointError:
        return _read_foreign(path), {}
    except CheckpointError as error:
        raise WeightsError(str(error)) from error
    return checkpoint.tensors, checkpoint.metadata


def _read_foreign(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged or not a safetensors file: {error}") from error


def _read_torch(path: Path, *, unsafe: bool) -> dict[str, Tensor]:
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            content = torch.load(path, map_location="cpu", weights_only=not unsafe)
    except pickle.UnpicklingError as error:
        named = [line.strip() for line in str(error).splitlines() if "GLOBAL" in line.upper()]
        if named:
            raise WeightsError(
                f"{path} holds Python objects besides tensors and loading them could run any code; "
                "ask its author for a state_dict, or pass from Python unsafe_pickle=True if you "
                f"trust its author ({named[0][:200]})"
            ) from error
        raise WeightsError(f"{path} is damaged or not a torch file; get it again") from error
    except Exception as error:  # torch raises a dozen kinds at a pickle that is cut short
        raise WeightsError(f"{path} is damaged or not a torch file ({_reason(error)})") from error
    tensors = _find_tensors(content)
    if not tensors:
        raise WeightsError(
            f"{path} holds no named tensors (a {type(content).__name__}); save a state_dict"
        )
    return tensors


def _reason(error: Exception) -> str:
    """Return the first line of a long message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]


def _find_tensors(content: object) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint: below a usual name, else here, else in the only nest.

    Tensors beside a nest are counters if none of their names has parts.
    """
    if isinstance(content, nn.Module):
        return dict(content.state_dict())
    if not isinstance(content, Mapping):
        return {}
    for nest in _NESTS:
        found = _find_tensors(content.get(nest))
        if found:
            _say_what_else_there_is(content, nest, found)
            return found
    found = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if any("." in name for name in found):
        return found
    nests = [inner for inner in map(_find_tensors, content.values()) if inner]
    return nests[0] if len(nests) == 1 else found


def _say_what_else_there_is(
    content: Mapping[object, object], nest: str, found: Mapping[str, Tensor]
) -> None:
    """Log other weights of the same model, such as an average, beside those that were taken."""
    shapes = sorted(tuple(tensor.shape) for tensor in found.values())
    for name, value in content.items():
        if name == nest or not isinstance(value, Mapping):
            continue
        other = _find_tensors(value)
        if sorted(tuple(tensor.shape) for tensor in other.values()) == shapes:
            log.warning(
                "the file has weights below %r and below %r; the first were taken, save the others "
                "alone to use them",
                *(nest, str(name)),
            )
