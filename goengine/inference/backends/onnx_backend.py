"""Networks computed by ONNX Runtime on the processor; torch is not imported."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from goengine.inference.backends.backend import BackendError, Floats, Planes, RawOutputs
from goengine.inference.backends.graphs.graph_cache import cached_graph
from goengine.inference.backends.graphs.integer_graphs import integer_graph
from goengine.inference.backends.graphs.sessions import open_session
from goengine.inference.processor import import_failure, spare_one
from goengine.networks.files import POSITION_BIAS, NetworkFile
from goengine.networks.network_config import NetworkError, PolicyValueConfig
from goengine.types import GoError

PRECISIONS = ("float32", "int8")
"""What it computes in."""
_CHUNK = 64

log = logging.getLogger(__name__)


class OnnxBackend:
    """The network of a file in ONNX Runtime, in float32 unless int8 is asked for.

    It gets `threads` threads, all physical cores but one by default, and they sleep while they wait
    for work, so that a program beside it stays quick.

    Raises:
        BackendError: ONNX Runtime cannot be used, or the device or precision is not its own.
        NetworkError: the weights do not fit the shape of the network.
    """

    name = "onnx"
    device = "cpu"
    chunk = _CHUNK

    def __init__(
        self,
        file: NetworkFile,
        *,
        device: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> None:
        if device not in (None, "auto", "cpu"):
            raise BackendError(f"the onnx backend runs on cpu, not {device}: use the torch backend")
        if precision not in (None, "auto", *PRECISIONS):
            raise BackendError(
                f"the onnx backend computes in {' or '.join(PRECISIONS)}, not {precision}: use the "
                "torch backend"
            )
        if threads is not None and threads < 1:
            raise BackendError(f"{threads} threads make no sense: use 1 or more")
        failure = import_failure("onnxruntime")
        if failure is not None:
            raise BackendError(
                f"the onnx backend needs ONNX Runtime ({failure}): install the package onnxruntime "
                "anew, or use the torch backend"
            )
        config = file.config
        self.precision = "int8" if precision == "int8" else "float32"
        self.planes = config.planes
        self.forgetful = config.forgetful
        self.threads = threads or spare_one()
        self._judges = isinstance(config, PolicyValueConfig)
        self._bias: Floats = _position_bias(file)
        self._session = _session(file, self.precision, self.threads)

    def run(self, planes: Planes) -> RawOutputs:
        """Return the raw outputs of uint8 planes (B, P, N, N)."""
        outputs = self._session.run(None, {"planes": np.ascontiguousarray(planes)})
        logits: Floats = outputs[0]
        if logits.shape[1] == len(self._bias):
            logits = logits + self._bias
        return RawOutputs(logits, *outputs[1:]) if self._judges else RawOutputs(logits)


def _position_bias(file: NetworkFile) -> Floats:
    """Return the bias of each point of the board that it belongs to."""
    bias = file.weights.get(POSITION_BIAS)
    if bias is None or bias.shape != (file.config.size**2,):
        raise NetworkError(
            f"the weights in {file.name} do not fit its config: {POSITION_BIAS} is missing or has "
            "another shape; export it again"
        )
    return bias


def _session(file: NetworkFile, precision: str, threads: int) -> Any:
    """Return a session of the network's graph; a kept graph that is damaged is written again."""
    graph_of = integer_graph if precision == "int8" else cached_graph
    try:
        return open_session(graph_of(file), threads=threads)
    except GoError:
        raise
    except Exception as error:  # its errors have no common class
        log.warning("the kept graph of %s is damaged and is written again: %s", file.name, error)
        return open_session(graph_of(file, anew=True), threads=threads)
