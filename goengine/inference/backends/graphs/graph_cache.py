"""Graphs that were written once, and what was measured of them, kept in the user's cache folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cnncore.system.atomic import write_bytes
from cnncore.system.folders import cache_folder
from goengine.inference.backends.backend import BackendError
from goengine.inference.processor import import_failure
from goengine.networks.files import NetworkFile

WRITER_VERSION = 2
"""Changes with any change of onnx_graph.py, quantised_graph.py or integer_trial.py.

So graphs of older writers are not used.
"""
KEPT = 48
"""Files that stay in the folder, up to three a network; those not used for longest go."""

log = logging.getLogger(__name__)


def graph_folder() -> Path:
    """Return where this user's graphs are kept; the folder need not be there."""
    return cache_folder("goengine") / "graphs"


def cached_graph(file: NetworkFile, *, anew: bool = False) -> bytes:
    """Return the float32 ONNX model of a network, from the cache or written and kept there.

    `anew` writes it in any case. Where no folder can be written, every start writes the graph anew.

    Raises:
        NetworkError: the weights do not fit the shape.
        BackendError: the package `onnx` cannot be used.
    """

    def write() -> bytes:
        require_onnx()
        from goengine.inference.backends.graphs.onnx_graph import write_graph

        return write_graph(file)

    return kept(file, ".onnx", write, anew=anew)


def require_onnx() -> None:
    """Refuse to write a graph without the package that writes it.

    Raises:
        BackendError: the package `onnx` cannot be used.
    """
    failure = import_failure("onnx")
    if failure is not None:
        raise BackendError(
            "a network's first use in ONNX Runtime writes its graph by the package onnx "
            f"({failure}): install the package onnx anew, or use the torch backend"
        )


def kept(file: NetworkFile, ending: str, make: Callable[[], bytes], *, anew: bool = False) -> bytes:
    """Return what is kept of a network under an ending; made first where it is not there.

    `anew` makes it in any case.
    """
    path = graph_folder() / f"{file.digest}-{WRITER_VERSION}{ending}"
    if not anew:
        with suppress(OSError):
            data = path.read_bytes()
            with suppress(OSError):  # a folder that may only be read
                os.utime(path)
            return data
    data = make()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data, lasting=True)
        _prune(path.parent)
    except OSError as error:
        log.debug("%s of %s is not kept: %s", ending, file.name, error)
    return data


def _prune(folder: Path) -> None:
    """Remove the files that were not used for longest."""
    by_use = sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_use[KEPT:]:
        path.unlink(missing_ok=True)
