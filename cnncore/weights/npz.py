"""Files of named arrays as numpy writes them, with every kind of damage told in one way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class NpzError(ValueError):
    """What is wrong with a file of arrays, in words for the middle of a sentence."""


def read_npz(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays `names` of a file, by default all; nothing in it is unpickled.

    Raises:
        NpzError: the file is damaged, is not npz, or lacks one of these arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in (archive.files if names is None else names)}
    except Exception as error:  # numpy, zipfile and zlib raise a dozen kinds at damaged bytes
        lines = str(error).splitlines()
        raise NpzError(lines[0] if lines else type(error).__name__) from error
