"""Small files of pictures."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

PIXELS = np.random.default_rng(7).integers(0, 256, (6, 28, 28), np.uint8)


LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def write_idx(path: Path, array: np.ndarray, *, pack: bool = False) -> None:
    head = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    content = head + array.tobytes()
    path.write_bytes(gzip.compress(content) if pack else content)
