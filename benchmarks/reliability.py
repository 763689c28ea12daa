"""Kill a training run with SIGKILL at random moments; does it end as one that was left alone?

A small network learns random games twice: once undisturbed, once killed again and again and begun
again with the same command. Checkpoints come thick and fast, so that kills strike while files are
written. Every tensor of both last checkpoints (weights, average, optimiser) and every line of
metrics must be equal to the bit. Run as ``python -m benchmarks.reliability [--kills 50]``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
import sys
import tempfile
import time
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
import torch

import selfplay.__main__
import selfplay.commands.train
from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import (
    CheckpointError,
    load_checkpoint,
    previous_checkpoint,
    read_metadata,
)
from selfplay.batches.positions import Positions
from tests.helpers.small_archive import make_archive
from tests.helpers.small_runs import metrics

FORK = multiprocessing.get_context("fork")
SETTINGS = {
    "filters": 8,
    "layers": 4,
    "grow": "[{at = 0.5, filters = 12}]",
    "batch": 8,
    "future_moves": 1,
    "report_steps": 1_000_000,  # without training lines no curve is drawn at each checkpoint
    "validate_every": 400,
    "validate_positions": 16,
    "warmup": 40,
    "checkpoint_seconds": 0.05,
    "precision": "float32",
}


def arguments(archive: Path, out: Path, positions: int) -> list[str]:
    """Return the words of a training command; the same ones begin a run and go on with it."""
    sets = [f"{key}={value}" for key, value in SETTINGS.items()] + [f"positions={positions}"]
    words = ["train", "policy-64", "--data", str(archive), "--out", str(out), "--threads", "1"]
    words += ["--device", "cpu", "--quiet"]
    return [*words, *(word for setting in sets for word in ("--set", setting))]


def start(words: list[str]) -> ForkProcess:
    """Start a training command in a process of its own, which has all imports behind it."""
    process = FORK.Process(target=_train, args=(words,))
    process.start()
    return process


def _train(words: list[str]) -> None:
    sys.exit(selfplay.__main__.main(words))


def finish(words: list[str]) -> None:
    """Let a training command run to its end."""
    process = start(words)
    process.join()
    if process.exitcode:
        raise SystemExit(f"selfplay train ended with status {process.exitcode}")


def kill_again_and_again(
    words: list[str], out: Path, *, kills: int, seconds: float, rng: np.random.Generator
) -> dict[str, int]:
    """Kill a run `kills` times, up to `seconds` after its first checkpoint; count where."""
    where = {"starting": 0, "training": 0, "ended before": 0, "temporary files left": 0}
    checkpoint = out / CHECKPOINT
    for number in range(kills):
        process = start(words)
        early = rng.random() < 0.1
        before = _changed(checkpoint)
        while not early and process.is_alive() and _changed(checkpoint) == before:
            time.sleep(0.01)
        process.join(float(rng.uniform(0.0, seconds)))
        if process.is_alive():
            process.kill()
            where["starting" if early else "training"] += 1
        else:
            where["ended before"] += 1
        process.join()
        if process.exitcode not in (-signal.SIGKILL, 0):
            raise SystemExit("the run did not start again")
        where["temporary files left"] += len(list(out.glob(".*.tmp")))
        print(f"kill {number + 1}: {_progress(out)} positions behind", file=sys.stderr)
    return where


def difference(one: Path, other: Path) -> str | None:
    """Return what differs between the last states of two runs, None if nothing does."""
    a, b = (load_checkpoint(folder / CHECKPOINT) for folder in (one, other))
    if a.tensors.keys() != b.tensors.keys():
        return "the names of the tensors"
    for name, tensor in a.tensors.items():
        if not torch.equal(tensor, b.tensors[name]):
            return name
    return None if metrics(one) == metrics(other) else "the metrics"


def _changed(file: Path) -> int:
    return file.stat().st_mtime_ns if file.is_file() else 0


def _progress(out: Path) -> int:
    try:
        return int(read_metadata(out / CHECKPOINT)[1]["state"]["samples"])
    except CheckpointError:
        return 0


def main() -> int:
    """Run both, compare, print one JSON object; 0 if they are equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=50, help="times that a run is killed; default: 50"
    )
    parser.add_argument(
        "--positions", type=int, default=8_000, help="positions of a whole run; default: 8000"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="longest life in training")
    parser.add_argument("--seed", type=int, default=1, help="of the moments; default: 1")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = make_archive(folder / "games", games=200)
        Positions(archive, "train").random_batch(1, seed=1, number=0)  # compiled before the forks
        whole, parts = folder / "whole", folder / "parts"
        words = [arguments(archive.path, out, args.positions) for out in (whole, parts)]
        finish(words[0])
        where = kill_again_and_again(
            words[1], parts, kills=args.kills, seconds=args.seconds, rng=rng
        )
        finish(words[1])
        differs = difference(whole, parts)
        result = {
            **where,
            "equal": differs is None,
            "differs": differs,
            "positions": _progress(parts),
            "previous checkpoint kept": previous_checkpoint(parts / CHECKPOINT).is_file(),
            "wall seconds": round(time.monotonic() - began),
        }
    print(json.dumps(result, indent=1))
    return 0 if differs is None else 1


if __name__ == "__main__":
    sys.exit(main())
