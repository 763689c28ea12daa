"""What this machine can compute networks with, asked without importing torch."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


@functools.cache
def physical_cores() -> int:
    """Return how many processor cores this process may use; two threads of one core count once.

    Where the system does not tell (all but Linux), a x86 processor is taken to have two threads a
    core.
    """
    if sys.platform == "linux":
        usable = os.sched_getaffinity(0)
        cores = {
            (entry.get("physical id", "0"), entry.get("core id", entry["processor"]))
            for entry in _processors()
            if int(entry["processor"]) in usable
        }
        return len(cores) or len(usable)
    threads = os.cpu_count() or 1
    return max(1, threads // 2) if platform.machine().lower() in ("amd64", "x86_64") else threads


def spare_one() -> int:
    """Return how many threads a network gets by default: all cores but one, which others need."""
    return max(1, physical_cores() - 1)


@functools.cache
def has_bfloat16() -> bool:
    """Tell whether the processor multiplies matrices of bfloat16: AMX tiles or AVX512-BF16.

    Only Linux tells; elsewhere the answer is no.
    """
    wanted = {"amx_bf16", "avx512_bf16"}
    return any(wanted & set(entry.get("flags", "").split()) for entry in _processors())


def adds_bytes_up_in_words() -> bool:
    """Tell whether products of two bytes are added up in 16 bits, which 8-bit weights overflow.

    x86 processors without VNNI do that; where the system does not tell, an x86 one counts as such.
    """
    if platform.machine().lower() not in ("amd64", "x86_64"):
        return False
    wanted = {"avx512_vnni", "avx_vnni"}
    return not any(wanted & set(entry.get("flags", "").split()) for entry in _processors())


def processor_name() -> str:
    """Return the name of the processor and what it can do, for what was measured on it."""
    first = next(_processors(), {})
    told = (first.get("model name", ""), first.get("flags", first.get("Features", "")))
    return " ".join((platform.machine(), *told)) if any(told) else platform.processor()


@functools.cache
def has_accelerator() -> bool:
    """Tell whether there is a CUDA device or Apple's mps; drivers that cannot be asked are not."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        asked = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return False
    return asked and count.value > 0


def is_installed(package: str) -> bool:
    """Tell whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


@functools.cache
def import_failure(package: str) -> str | None:
    """Return why a package cannot be imported, None where it can: it is imported to know that.

    A package may be there and yet not start, for want of a library of the system for instance.
    """
    if not is_installed(package):
        return "it is not installed"
    try:
        importlib.import_module(package)
    except Exception as error:  # what a broken installation raises is anything
        return f"it is installed but does not start: {error}"
    return None


def _processors() -> Iterator[dict[str, str]]:
    """Yield what Linux says of each logical processor."""
    try:
        text = _CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for block in text.split("\n\n"):
        pairs = (line.split(":", 1) for line in block.splitlines() if ":" in line)
        entry = {key.strip(): value.strip() for key, value in pairs}
        if "processor" in entry:
            yield entry
