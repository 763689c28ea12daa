"""Devices by name: the one that is asked for, where this machine has it; what it computes in."""

from __future__ import annotations

import torch


class DeviceError(RuntimeError):
    """A name that is no device, or a device that is not there."""


def device_named(name: str) -> torch.device:
    """Return the device of a name: cpu, mps, cuda, or cuda:1 and so on.

    Raises:
        DeviceError: nothing is called so, or this machine has none.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"{name!r} is not a device: use cuda, mps or cpu") from None
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    present = {
        "cpu": True,
        "mps": torch.backends.mps.is_available(),
        "cuda": torch.cuda.is_available() and (device.index is None or device.index < cards),
    }
    if device.type not in present:
        raise DeviceError(f"{name!r} is not supported: use cuda, mps or cpu")
    if not present[device.type]:
        raise DeviceError(f"device {name!r} is not available on this machine: use cpu")
    return device


def widest_float(device: torch.device) -> torch.dtype:
    """Return float64, or float32 for a device that has nothing wider (MPS)."""
    return torch.float32 if device.type == "mps" else torch.float64
