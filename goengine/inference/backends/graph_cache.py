"""Graphs that were written once, kept in the user's cache folder."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from cnncore.system.atomic import write_bytes
from goengine.inference.backends.backend import BackendError
from goengine.inference.processor import is_installed
from goengine.networks.files import NetworkFile

WRITER_VERSION = 1
"""Changes with any change of onnx_graph.py, so that graphs of older writers are not used."""
KEPT = 16
"""Graphs that stay in the folder; those that were not used for longest go."""

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return where this user's graphs are kept; the folder need not be there."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "goengine" / "graphs"


def cached_graph(file: NetworkFile, *, anew: bool = False) -> bytes:
    """Return the ONNX model of a network, from the cache or written and kept there.

    `anew` writes it in any case. Where no folder can be written, every start writes the graph anew.

    Raises:
        NetworkError: the weights do not fit the shape.
        BackendError: the package `onnx` is not installed.
    """
    path = cache_folder() / f"{file.digest}-{WRITER_VERSION}.onnx"
    if not anew:
        with suppress(OSError):
            graph = path.read_bytes()
            os.utime(path)
            return graph
    if not is_installed("onnx"):
        raise BackendError(
            "a network's first use in ONNX Runtime writes its graph: install the package onnx, or "
            "use the torch backend"
        )
    from goengine.inference.backends.onnx_graph import write_graph

    graph = write_graph(file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, graph)
        _prune(path.parent)
    except OSError as error:
        log.debug("the graph of %s is not kept: %s", file.name, error)
    return graph


def _prune(folder: Path) -> None:
    """Remove the graphs that were not used for longest."""
    by_use = sorted(folder.glob("*.onnx"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_use[KEPT:]:
        path.unlink(missing_ok=True)
