"""ONNX Runtime sessions as the engine wants them: on the processor, quiet, without spinning."""

from __future__ import annotations

from typing import Any

_ERROR = 3
"""The severity from which ONNX Runtime writes to stderr."""


def open_session(graph: bytes, *, threads: int) -> Any:
    """Return an `onnxruntime.InferenceSession` of a graph.

    Its threads sleep while they wait for work, so that a program beside it stays quick.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERROR
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
