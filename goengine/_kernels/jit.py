"""The one way in which kernels are compiled: nopython, cached on disk, without the GIL."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

log = logging.getLogger(__name__)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for scalars and arrays at its first call.

    Where no folder can be written that a cache could lie in, every start compiles anew.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba found no place for its cache
        warn_of_no_cache()
        return numba.njit(nogil=True)(function)


@functools.cache
def warn_of_no_cache() -> None:
    """Say once how to avoid compiling at every start."""
    log.warning(
        "no folder for compiled code can be written, so every start compiles for up to a minute: "
        "set NUMBA_CACHE_DIR to a folder that can"
    )


def readable(dtype: np.dtype[np.void]) -> np.dtype[np.void]:
    """Return a record type whose fields are attributes in compiled kernels and outside them.

    Numba reads the fields of a plain record type; Python, under `NUMBA_DISABLE_JIT=1`, does not.
    """
    plain: bool = vars(numba.config)["DISABLE_JIT"]
    return np.dtype((_Fields, dtype)) if plain else dtype


class _Fields(np.record):  # type: ignore[misc]  # the stubs call it final
    """A record that prefers its own fields to what numpy calls so, such as `size`."""

    def __getattribute__(self, name: str) -> Any:
        """Read a field, or else an attribute."""
        if name != "dtype" and name in (self.dtype.names or ()):
            return self[name]
        return super().__getattribute__(name)
