"""The command `cnncore info`: the layers of a model, or what a file holds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from cnncore.classification.stopped_runs import stopped_model
from cnncore.classification.trained_models import model_file
from cnncore.models.registry import find_model, list_models
from cnncore.models.shapes import summary
from cnncore.system.command_line import DONE
from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import Checkpoint, ForeignCheckpointError, load_checkpoint
from cnncore.weights.model_files import create_model
from cnncore.weights.weight_files import SUFFIXES, read_weights


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore info`."""
    parser.add_argument(
        "name", metavar="MODEL|FILE|RUN", help="a model's name, a file of weights, or a run"
    )
    parser.add_argument(
        "--size", type=int, help="side of the image or length of the sentence (default: paper's)"
    )
    parser.add_argument("--classes", type=int, help="number of classes (default: paper's)")


def run(args: argparse.Namespace) -> int:
    """Write the description of a model, a file or a run to stdout."""
    if _is_path(args.name):
        text = describe(Path(args.name))
    else:
        text = describe_model(args.name, size=args.size, num_classes=args.classes)
    sys.stdout.write(text)
    return DONE


def _is_path(name: str) -> bool:
    """Tell a file or folder from a model: "net.pth" and "runs/net" from "resnet50-v1.5"."""
    path = Path(name)
    if path.is_dir() and len(path.parts) < 2:
        return not list_models(name.lower().replace("_", "-"), aliases=True)
    return path.is_file() or len(path.parts) > 1 or path.suffix[1:].isalpha()


def describe_model(name: str, *, size: int | None = None, num_classes: int | None = None) -> str:
    """Return a model's layers: shapes, parameters, multiply-adds, receptive fields.

    Raises:
        UnknownModelError: no model has this name.
        ValueError: the model cannot take this size.
        RuntimeError: the same, noticed by torch.
    """
    entry = find_model(name)
    with torch.device("meta"):
        model = create_model(name, num_classes=num_classes)
    return f"{entry.name}: {entry.about}\n{summary(model, size)}\n"


def describe(path: Path) -> str:
    """Return a file's kind and metadata, and the shape of every tensor in it, as text.

    Of a run it is its model at the end, or of one that was stopped its average so far.

    Raises:
        CheckpointError: a file that should be ours is missing or damaged.
        WeightsError: another program's file is missing, damaged or unsafe; a folder is not a run.
    """
    if path.is_dir():
        path = model_file(path)
        if path.name == CHECKPOINT:
            return _of_checkpoint(path, stopped_model(path))
    if path.suffix in SUFFIXES and path.suffix != ".safetensors":
        return _inventory(path, "weights", read_weights(path).tensors, [])
    try:
        checkpoint = load_checkpoint(path)
    except ForeignCheckpointError:
        return _inventory(path, "weights", read_weights(path).tensors, [])
    return _of_checkpoint(path, checkpoint)


def _of_checkpoint(path: Path, checkpoint: Checkpoint) -> str:
    metadata = [f"  {key}: {json.dumps(value)}" for key, value in checkpoint.metadata.items()]
    return _inventory(path, checkpoint.kind, checkpoint.tensors, metadata)


def _inventory(path: Path, kind: str, tensors: Mapping[str, Tensor], metadata: list[str]) -> str:
    total = sum(tensor.numel() for tensor in tensors.values())
    lines = [f"{path}: {kind}, {len(tensors)} tensors, {total:,} numbers", *metadata]
    lines += [
        f"  {name}  {tuple(tensor.shape)}  {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in tensors.items()
    ]
    return "\n".join(lines) + "\n"
