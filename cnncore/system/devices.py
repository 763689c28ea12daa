"""The device that a network runs on and the precision that it computes in: decided here alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16", "float16"]
TrainingPrecision = Literal["float32", "bfloat16"]


class DeviceError(ValueError):
    """A name that is not a device's, or a device that is not there."""


def device_named(name: str) -> torch.device:
    """Return the device of a name: cpu, mps, cuda, or cuda:1 and so on.

    Raises:
        DeviceError: nothing is called so, or this machine does not have it.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"{name!r} is not a device: use cuda, mps or cpu") from None
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"{name!r} is not supported: use cuda, mps or cpu")
    if not _is_present(device):
        raise DeviceError(f"device {name!r} is not available on this machine: use cpu")
    return device


def default_device(
    name: str | None = None, *, among: Sequence[str] = ("cuda", "cpu")
) -> torch.device:
    """Return the device of that name, or without one the first of `among` that is here.

    Training leaves `mps` out of `among`, for it is not tested there.

    Raises:
        DeviceError: nothing is called so, or this machine does not have it.
    """
    if name is not None:
        return device_named(name)
    here = (device for device in map(torch.device, among) if _is_present(device))
    return next(here, torch.device("cpu"))


def _is_present(device: torch.device) -> bool:
    """Tell whether this machine has a device of type cpu, cuda or mps."""
    if device.type == "cuda":
        numbered = device.index is not None
        within = not numbered or device.index < torch.cuda.device_count()
        return torch.cuda.is_available() and within
    return device.type == "cpu" or torch.backends.mps.is_available()


def best_precision(device: torch.device) -> Precision:
    """Return the precision that a device computes a trained network in fastest.

    bfloat16 where matrix units for it exist (Ampere and later, AMX or AVX512-BF16 processors: 1.7
    to 2.3 times float32 measured on the latter), float16 on older CUDA devices and on mps.
    """
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return "bfloat16" if major >= 8 else "float16" if major == 7 else "float32"
    if device.type == "mps":
        return "float16"
    if device.type == "cpu" and _processor_has_bfloat16():
        return "bfloat16"
    return "float32"


def training_precision(device: torch.device) -> TrainingPrecision:
    """Return the precision to train in: bfloat16 where that is fastest, else float32.

    float16 is left out, for its small gradients would vanish without scaling the loss.
    """
    return "bfloat16" if best_precision(device) == "bfloat16" else "float32"


def _processor_has_bfloat16() -> bool:
    """Tell whether the processor multiplies matrices of bfloat16: AMX tiles or AVX512-BF16."""
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a model computes in `precision` ("float32" or "bfloat16")."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


def widest_float(device: torch.device) -> torch.dtype:
    """Return float64, or float32 for a device that has nothing wider (MPS)."""
    return torch.float32 if device.type == "mps" else torch.float64
