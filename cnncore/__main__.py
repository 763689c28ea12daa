"""The command line: ``cnncore info FILE`` says what a checkpoint holds."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cnncore.checkpoint import CheckpointError, load_checkpoint


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 for a file that cannot be read."""
    parser = argparse.ArgumentParser(prog="cnncore", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="say what a checkpoint holds")
    info.add_argument("file", type=Path, help="a .safetensors file written by this program")
    args = parser.parse_args(argv)
    try:
        sys.stdout.write(describe(args.file))
    except CheckpointError as error:
        sys.stderr.write(f"cnncore info: {error}\n")
        return 1
    return 0


def describe(path: Path) -> str:
    """Return a checkpoint's kind, metadata, and the shape of every tensor as text.

    Raises:
        CheckpointError: the file is missing, damaged or foreign.
    """
    checkpoint = load_checkpoint(path)
    total = sum(tensor.numel() for tensor in checkpoint.tensors.values())
    lines = [f"{path}: {checkpoint.kind}, {len(checkpoint.tensors)} tensors, {total:,} numbers"]
    lines += [f"  {key}: {json.dumps(value)}" for key, value in checkpoint.metadata.items()]
    lines += [
        f"  {name}  {tuple(tensor.shape)}  {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in checkpoint.tensors.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
