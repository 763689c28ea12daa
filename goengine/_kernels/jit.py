"""The one place where kernels are compiled: nopython, cached on disk, without the GIL."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from numba.core.registry import CPUDispatcher

from cnncore.system.folders import cache_folder

log = logging.getLogger(__name__)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for scalars and arrays at its first call.

    Compiled code lies in the user's cache folder, or where `NUMBA_CACHE_DIR` says; beside the
    package it would survive an uninstallation, and Python would import what is left. Where no
    folder can be written, every start compiles anew.
    """
    return _compiled(function)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that only kernels call, without what Python would call it by.

    That is a tenth of the time of the first start.
    """
    dispatcher = _compiled(function, no_cpython_wrapper=True)
    if not _is_plain():
        dispatcher.__class__ = _InnerDispatcher
    return dispatcher


class _InnerDispatcher(CPUDispatcher):
    """An inner kernel; called all the same, numba would follow a pointer to nothing."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse.

        Raises:
            TypeError: always.
        """
        name = self.py_func.__name__
        raise TypeError(f"{name} is for kernels only: to call it from Python, make it a `kernel`")


def _compiled(function: Callable[..., Any], **more: bool) -> Any:
    """Return a function as numba compiles it, by these options and those of all kernels."""
    options: dict[str, Any] = {"nogil": True, "no_cfunc_wrapper": True, **more}
    try:
        with _cached_apart():
            dispatcher = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no place for its cache
        warn_of_no_cache()
        dispatcher = numba.njit(**options)(function)
    if not _is_plain():
        _compile_once_for_all_integers(dispatcher)
    return dispatcher


@contextmanager
def _cached_apart() -> Iterator[None]:
    """Let numba put its cache into the user's cache folder, for this package's functions only."""
    settings: Any = numba.config
    chosen = settings.CACHE_DIR
    settings.CACHE_DIR = chosen or str(cache_folder("goengine") / "kernels")
    try:
        yield
    finally:
        settings.CACHE_DIR = chosen


def _compile_once_for_all_integers(dispatcher: Any) -> None:
    """Let kernels that call this one pass every signed integer as int64.

    Numba would compile it anew for each width and for literals, and what it calls again with it:
    that doubled the time of the first start.
    """
    of_any_width = dispatcher.get_call_template

    def template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        wide = {name: _widened(kind) for name, kind in kws.items()}
        return of_any_width(tuple(_widened(kind) for kind in args), wide)

    dispatcher.get_call_template = template


def _widened(kind: Any) -> Any:
    """Return int64 for a signed integer and for a literal one, any other type as it is."""
    types: Any = numba.types
    plain = types.unliteral(kind)
    if isinstance(plain, types.Integer) and plain.signed:
        return types.int64
    return plain


def _is_plain() -> bool:
    """Tell whether `NUMBA_DISABLE_JIT` leaves kernels as Python functions."""
    plain: bool = vars(numba.config)["DISABLE_JIT"]
    return plain


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
    return np.dtype((_Fields, dtype)) if _is_plain() else dtype


class _Fields(np.record):  # type: ignore[misc]  # the stubs call it final
    """A record that prefers its own fields to what numpy calls so, such as `size`."""

    def __getattribute__(self, name: str) -> Any:
        """Read a field, or else an attribute."""
        if name != "dtype" and name in (self.dtype.names or ()):
            return self[name]
        return super().__getattribute__(name)
