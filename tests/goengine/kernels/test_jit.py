"""Kernels are compiled even where nothing can be cached."""

from __future__ import annotations

import logging
from typing import Any

import numba
import numpy as np
import pytest

from goengine._kernels import jit


def test_without_a_place_for_a_cache_kernels_compile_and_one_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = numba.njit

    def njit(*functions: Any, **options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'f': no locator available for file 'f.py'")
        return real(*functions, **options)

    monkeypatch.setattr(numba, "njit", njit)
    jit.warn_of_no_cache.cache_clear()
    with caplog.at_level(logging.WARNING):
        double, triple = jit.kernel(lambda x: 2 * x), jit.kernel(lambda x: 3 * x)
    assert (double(4), triple(4)) == (8, 12)
    assert caplog.text.count("set NUMBA_CACHE_DIR to a folder") == 1


def test_a_kernel_is_compiled_once_for_integers_of_all_widths() -> None:
    inner = jit.kernel(lambda x, flag: x + 1 if flag else x)

    def outer(narrow: Any, wide: Any) -> Any:
        return inner(narrow[0], True) + inner(wide, narrow[0] > 1) + inner(5, False)

    assert jit.kernel(outer)(np.array([3], dtype=np.int32), 4) == 14
    assert len(inner.overloads) == 1
    same = jit.kernel(lambda x: x)
    assert jit.kernel(lambda x: same(x))(np.uint64(2**63)) == 2**63, "hashes stay unsigned"


def test_an_inner_kernel_serves_kernels_and_refuses_python() -> None:
    inner = jit.inner_kernel(lambda x: 2 * x)
    outer = jit.kernel(lambda x: inner(x) + 1)
    for _ in ("compiled", "ready"):
        assert outer(4) == 9
        with pytest.raises(TypeError, match="for kernels only"):
            inner(4)
