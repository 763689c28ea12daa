"""Small training runs of `selfplay`, here and in processes of their own, and their comparison."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnncore.training.curves import MetricsLog
from selfplay.archive.reader import Archive
from selfplay.recipes import Recipe
from selfplay.training.policy_run import Run
from selfplay.training.trained_network import averaged_network

ROOT = Path(__file__).parents[2]

RECIPE = Recipe(
    filters=8,
    layers=4,
    positions=480,
    batch=8,
    future_moves=1,
    report_steps=4,
    validate_every=160,
    validate_positions=16,
    warmup=40,
    precision="float32",
)


def small_run(folder: Path, archive: Archive, recipe: Recipe = RECIPE) -> Run:
    """Return the run of a small recipe in this process, on the CPU."""
    return Run(folder, recipe, archive, device=torch.device("cpu"))


def environment() -> dict[str, str]:
    """Return the environment of a process that computes on one thread of a CPU."""
    return {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def wait_for_metrics(folder: Path, *, seconds: float) -> None:
    """Wait until a run has written its first line of metrics, at most so long."""
    begun = time.monotonic()
    while not (folder / "metrics.jsonl").is_file() and time.monotonic() - begun < seconds:
        time.sleep(0.05)


def metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the metrics of a run without what depends on the clock."""
    clock = ("time", "samples_per_second")
    lines = MetricsLog(folder / "metrics.jsonl").read()
    return [{k: v for k, v in line.items() if k not in clock} for line in lines]


def weights(folder: Path) -> dict[str, Tensor]:
    """Return the averaged weights of a run."""
    return averaged_network(folder).state_dict()


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Tell whether two sets of named tensors are equal to the bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
