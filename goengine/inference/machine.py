"""Where and how a network runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Where and how a network runs; what is None chooses itself."""

    backend: str | None = None
    """`onnx` or `torch`."""
    device: str | None = None
    """`cuda`, `mps` or `cpu`."""
    precision: str | None = None
    """`float32`, `bfloat16`, `float16` or `int8`."""
    threads: int | None = None
    """Of the processor: all physical cores but one where they are not given, since a program that
    needs a core beside them slows a network on all cores down many times (docs/lab.md)."""


ANY_MACHINE = Machine()
"""All of it chooses itself."""
