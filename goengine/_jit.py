"""The one way in which kernels are compiled: nopython, cached on disk, without the GIL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for scalars and arrays at its first call."""
    return numba.njit(cache=True, nogil=True)(function)
