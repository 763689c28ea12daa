"""Integer graphs of networks, made at their first use and kept, with what was measured of them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from goengine.inference.backends.graphs.graph_cache import cached_graph, kept, require_onnx
from goengine.inference.processor import (
    adds_bytes_up_in_words,
    import_failure,
    is_installed,
    processor_name,
)
from goengine.networks.files import NetworkFile
from goengine.types import GoError

FASTER = 1.2
"""Times the positions a second of float32 from which integers are the default."""
STRAYED = 0.02
"""Mean divergence in nats up to which they are; shipped networks have 0.003 to 0.01 (lab.md)."""

log = logging.getLogger(__name__)


def integer_graph(file: NetworkFile, *, anew: bool = False) -> bytes:
    """Return the int8 ONNX model of a network, from the cache or made and kept there.

    Weights have 7 bits on processors that would overflow with 8. `anew` makes it in any case.

    Raises:
        NetworkError: the weights do not fit the shape.
        BackendError: the package `onnx` cannot be used.
    """
    bits = 7 if adds_bytes_up_in_words() else 8

    def make() -> bytes:
        require_onnx()
        from goengine.inference.backends.graphs import integer_trial, quantised_graph

        graph = cached_graph(file, anew=anew)
        names = quantised_graph.quantised_tensors(graph)
        ranges = integer_trial.activation_ranges(graph, names, file.config.planes)
        return quantised_graph.quantise(graph, ranges, bits=bits)

    return kept(file, f"-int8-{bits}.onnx", make, anew=anew)


def integers_pay(file: NetworkFile) -> bool:
    """Tell whether integers compute a network faster than float32 here, and nearly the same.

    Both are tried once for each network and processor, at its first use, which takes a second or
    two of one core; what came of it is kept.

    Raises:
        NetworkError: the weights do not fit the shape.
    """
    if not is_installed("onnx") or import_failure("onnxruntime") is not None:
        return False
    import onnxruntime

    machine = f"{processor_name()} {onnxruntime.__version__}"
    number = hashlib.blake2b(machine.encode(), digest_size=6).hexdigest()

    def measure() -> bytes:
        from goengine.inference.backends.graphs import integer_trial

        def tried(*, anew: bool) -> integer_trial.Trial:
            integer = integer_graph(file, anew=anew)
            return integer_trial.try_out(integer, cached_graph(file), file.config.planes)

        try:
            trial = tried(anew=False)
        except GoError:
            raise
        except Exception as error:  # ONNX Runtime's errors have no common class
            log.debug("the kept graphs of %s are written again: %s", file.name, error)
            trial = tried(anew=True)
        log.debug("%s in integers: %s", file.name, trial)
        return json.dumps(asdict(trial)).encode()

    ending = f"-{number}.json"
    try:
        found = _numbers(kept(file, ending, measure))
        found = found or _numbers(kept(file, ending, measure, anew=True))
    except GoError:
        raise
    except Exception as error:
        log.warning("%s cannot be tried in int8 and is not: %s", file.name, error)
        return False
    return bool(found["speed"] >= FASTER and found["strayed"] <= STRAYED)


def _numbers(data: bytes) -> Mapping[str, Any]:
    """Return what was measured; nothing of a damaged file."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    whole = isinstance(found, dict) and all(
        isinstance(found.get(name), float) for name in ("speed", "strayed")
    )
    return found if whole else {}
