"""The one way in which kernels are compiled: nopython, cached on disk, without the GIL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for scalars and arrays at its first call."""
    return numba.njit(cache=True, nogil=True)(function)


def readable(dtype: np.dtype[np.void]) -> np.dtype[np.void]:
    """Return a record type whose fields are attributes in compiled kernels and outside them.

    Numba reads the fields of a plain record type; Python, under ``NUMBA_DISABLE_JIT=1``, does not.
    """
    plain: bool = vars(numba.config)["DISABLE_JIT"]
    return np.dtype((_Fields, dtype)) if plain else dtype


class _Fields(np.record):  # type: ignore[misc]  # the stubs call it final
    """A record that prefers its own fields to what numpy calls so, such as ``size``."""

    def __getattribute__(self, name: str) -> Any:
        """Read a field, or else an attribute."""
        if name != "dtype" and name in (self.dtype.names or ()):
            return self[name]
        return super().__getattribute__(name)
