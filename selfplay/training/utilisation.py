"""How much of a device's arithmetic a training run uses (MFU, model FLOPs utilisation).

Chowdhery et al. 2022, "PaLM", appendix B: the operations that the model needs, divided by
those that the device can do. What the implementation computes besides is not counted. The second
number is measured, not read off a data sheet: the rate of a large matrix product in the run's
precision.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from cnncore.system.devices import TrainingPrecision
from selfplay.batches.positions import SIZE

TRIES = 3
"""Timed tries of the matrix product at the least: another program may stall one of them."""


def multiply_adds(model: nn.Module) -> int:
    """Return the multiply-adds of one position's forward pass through a network's convolutions.

    All are "same" convolutions on 19x19 maps, so each weight of a kernel is used 361 times.
    """
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    return SIZE * SIZE * sum(convolution.weight.numel() for convolution in convolutions)


def training_flops(model: nn.Module) -> int:
    """Return the floating-point operations of learning from one position: 6 a multiply-add.

    A multiply-add is two operations, and the backward pass costs twice the forward one (gradients
    of the maps and of the kernels). Normalisation, activation and optimiser count nothing; the
    first layer's unneeded gradient of its input is counted, as is usual.
    """
    return 6 * multiply_adds(model)


def median_rate(lines: Iterable[Mapping[str, Any]], *, since: int) -> float:
    """Return the median of the samples/s that lines of metrics behind a step tell; 0 for none.

    The first line also pays for the start of the workers, so it counts only where it is alone.
    """
    rates = [
        line["samples_per_second"]
        for line in lines
        if line["event"] == "train" and line["step"] > since
    ]
    return float(statistics.median(rates[1:] or rates)) if rates else 0.0


def matrix_rate(
    device: torch.device, precision: TrainingPrecision, *, seconds: float = 1.0
) -> float:
    """Return the FLOP/s of a square matrix product on a device, the best of at least three tries.

    8192 rows on an accelerator, 1024 on a CPU with the threads that torch has. Takes about
    `seconds`, longer where three tries do.
    """
    rows = 1024 if device.type == "cpu" else 8192
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a = torch.randn(rows, rows, device=device).to(dtype)
    b = torch.randn(rows, rows, device=device).to(dtype)
    float((a @ b)[0, 0])  # the first product also pays for memory and kernels
    repeats = 1
    tries: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(tries) < TRIES:
        began = time.perf_counter()
        for _ in range(repeats):
            product = a @ b
        float(product[0, 0])  # waits for the device
        spent = time.perf_counter() - began
        if spent < 0.05:
            repeats *= 2
        else:
            tries.append(2.0 * rows**3 * repeats / spent)
    return max(tries)
