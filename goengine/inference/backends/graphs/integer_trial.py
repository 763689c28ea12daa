"""How a network's numbers spread, and whether integers compute it well and fast on this machine.

The positions for that come along: a few games that `dual-96` played against itself on three board
sizes, some with handicap stones. Half of the positions show how large activations become, the other
half tries the integer graph beside the float one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from goengine._kernels.state import Records
from goengine.encoding.features import encode_batch
from goengine.games.sgf import read_collection
from goengine.inference.backends.backend import Planes
from goengine.inference.backends.graphs.quantised_graph import Range
from goengine.inference.backends.graphs.sessions import open_session
from goengine.types import GoError

GAMES = "calibration_games.sgf"
"""The games, beside the evaluator."""
POSITIONS = {19: 8, 13: 4, 9: 4}
"""Positions taken from a game of each board size, half of them for ranges, half for the trial."""
BATCH = 8
"""Positions that are computed at once, as many as a search asks for."""


@dataclass(frozen=True)
class Trial:
    """How the integer graph did beside the float one."""

    speed: float
    """How many times as many positions a second of processor time, one thread, batches of 8."""
    strayed: float
    """Mean Kullback-Leibler divergence of its probabilities over all points from the float ones."""


def activation_ranges(graph: bytes, names: Sequence[str], planes: int) -> dict[str, Range]:
    """Return the least and the largest number of activations of a float graph on our positions."""
    model = onnx.load_from_string(graph)
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = open_session(model.SerializeToString(), threads=1)
    found: dict[str, Range] = {}
    for batch in _batches(0, planes):
        for name, values in zip(names, session.run(list(names), {"planes": batch}), strict=True):
            low, high = found.get(name, (np.inf, -np.inf))
            found[name] = (min(low, float(values.min())), max(high, float(values.max())))
    return found


def try_out(integer: bytes, graph: bytes, planes: int) -> Trial:
    """Compare an integer graph with the float one on positions that gave no ranges."""
    sessions = [open_session(data, threads=1) for data in (graph, integer)]
    spent = [0.0, 0.0]
    strayed: list[npt.NDArray[np.float64]] = []
    batches = [batch for batch in _batches(1, planes) if batch.shape[-1] == max(POSITIONS)]
    for number, batch in enumerate([batches[0], *batches]):
        logits = []
        for i, session in enumerate(sessions):
            began = time.thread_time()
            logits.append(session.run(["logits"], {"planes": batch})[0].astype(np.float64))
            if number:  # the first batch warms up
                spent[i] += time.thread_time() - began
        exact, rough = (_log_softmax(values) for values in logits)
        strayed.append((np.exp(exact) * (exact - rough)).sum(axis=1))
    return Trial(spent[0] / max(spent[1], 1e-9), float(np.concatenate(strayed).mean()))


def _log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the logarithms of the probabilities of logits (B, M)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithms: npt.NDArray[np.float64] = shifted - np.log(
        np.exp(shifted).sum(axis=1, keepdims=True)
    )
    return logarithms


def _batches(half: int, planes: int) -> list[Planes]:
    """Return the planes of one half of the positions, in batches of one board size."""
    batches = []
    for records in _positions():
        mine = records[half::2]
        for start in range(0, len(mine), BATCH):
            batches.append(encode_batch(mine[start : start + BATCH], planes=planes))
    return batches


@cache
def _positions() -> tuple[Records, ...]:
    """Return the positions of each board size, spread over the games."""
    data = (resources.files("goengine.inference") / GAMES).read_bytes()
    found: dict[int, list[Records]] = {size: [] for size in POSITIONS}
    for game in read_collection(data):
        if not isinstance(game, GoError):
            boards = list(game.positions())
            at = np.linspace(0, len(boards) - 1, POSITIONS[game.size]).astype(int)
            found[game.size] += [boards[i][0].records for i in at]
    return tuple(np.concatenate(records) for records in found.values())
