"""The 48 feature planes of AlphaGo's policy network, and the 49th of its value network.

Source: Silver et al. 2016, Nature 529, Extended Data Table 2; docs/features.md fixes what the paper
leaves open. ``FEATURES`` is the one table from which counts, slices and documents derive.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels import ladders
from goengine._kernels import planes as plane_kernels
from goengine._kernels.state import Records
from goengine.board import Board
from goengine.types import GoError

FEATURE_VERSION = 1
"""Changes with any change of meaning; checkpoints carry it and loaders compare it."""


@dataclass(frozen=True)
class Feature:
    """One row of the table: consecutive binary planes."""

    name: str
    planes: int
    description: str
    first_value: int
    """What the first plane of a one-hot group stands for; the last also takes what is above."""


FEATURES: tuple[Feature, ...] = (
    Feature("stone colour", 3, "own stone; opponent stone; empty point", 0),
    Feature("ones", 1, "constant 1", 1),
    Feature("turns since", 8, "turns taken after the stone on the point was played", 0),
    Feature("liberties", 8, "liberties of the chain on the point", 1),
    Feature("capture size", 8, "opponent stones captured by playing here", 0),
    Feature("self-atari size", 8, "stones of the own chain that this move leaves in atari", 1),
    Feature("liberties after move", 8, "liberties of the own chain after playing here", 1),
    Feature("ladder capture", 1, "playing here captures a chain in a ladder", 1),
    Feature("ladder escape", 1, "playing here saves a chain in atari from a ladder", 1),
    Feature("sensibleness", 1, "legal and not an own true eye", 1),
    Feature("zeros", 1, "constant 0", 0),
    Feature("player colour", 1, "1 everywhere if Black is to move (value network only)", 1),
)

POLICY_PLANES = sum(feature.planes for feature in FEATURES[:-1])
VALUE_PLANES = POLICY_PLANES + FEATURES[-1].planes


def feature_slices() -> dict[str, slice]:
    """Return where each feature's planes lie, by name, in table order."""
    slices = {}
    start = 0
    for feature in FEATURES:
        slices[feature.name] = slice(start, start + feature.planes)
        start += feature.planes
    return slices


def plane_names() -> list[str]:
    """Return a short name for each of the 49 planes, such as ``liberties 3``."""
    names = []
    for feature in FEATURES:
        for k in range(feature.planes):
            if feature.name == "stone colour":
                names.append(("own stone", "opponent stone", "empty point")[k])
            elif feature.planes == 1:
                names.append(feature.name)
            else:
                more = "+" if k == feature.planes - 1 else ""
                names.append(f"{feature.name} {feature.first_value + k}{more}")
    return names


def forget_last_moves(planes: Any) -> None:
    """Make every stone the oldest in planes (B, P, N, N), an array or a tensor, in place.

    That is how a position looks whose stones were set up: the other planes do not tell of moves.
    """
    since = feature_slices()["turns since"]
    own, opponent = planes[:, 0], planes[:, 1]
    planes[:, since.start : since.stop - 1] = 0
    planes[:, since.stop - 1] = own | opponent


def encode(board: Board, planes: int = POLICY_PLANES) -> npt.NDArray[np.uint8]:
    """Return uint8 (planes, N, N) for the player to move, row 0 = top; planes is 48 or 49.

    Raises:
        GoError: another number of planes is asked for.
    """
    encoded: npt.NDArray[np.uint8] = encode_batch(board.records, planes=planes)[0]
    return encoded


def encode_batch(
    records: Records,
    *,
    planes: int = POLICY_PLANES,
    out: npt.NDArray[np.uint8] | None = None,
    threads: int = 1,
) -> npt.NDArray[np.uint8]:
    """Return uint8 (B, planes, N, N) for B records of one board size.

    ``out``, if given, is written to and returned. The kernel holds no lock: callers may encode
    in several threads, or let this function use ``threads`` of its own.

    Raises:
        GoError: the planes are neither 48 nor 49, or the boards differ in size.
    """
    if planes not in (POLICY_PLANES, VALUE_PLANES):
        raise GoError(f"{planes} planes are not defined: use {POLICY_PLANES} or {VALUE_PLANES}")
    size = _one_size(records)
    if out is None:
        out = np.empty((len(records), planes, size, size), dtype=np.uint8)
    if threads <= 1 or len(records) < 2 * threads:
        _write(records, out)
        return out
    bounds = np.linspace(0, len(records), threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(_write, records[a:b], out[a:b]) for a, b in pairwise(bounds)]
        for job in jobs:
            job.result()
    return out


def encode_packed(records: Records) -> npt.NDArray[np.uint8]:
    """Return the 48 planes as bits, uint8 (B, N * N, 6): an eighth of the bytes.

    Bit ``p % 8`` of byte ``p // 8`` of a point is plane ``p`` there, row 0 = top first. The kernel
    holds no lock.

    Raises:
        GoError: the boards differ in size.
    """
    size = _one_size(records)
    out = np.empty((len(records), size * size, POLICY_PLANES // 8), dtype=np.uint8)
    stack, replies = ladders.new_workspace()
    plane_kernels.write_packed(records, out, stack, replies)
    return out


def _one_size(records: Records) -> int:
    """Return the board size of all records (19 for none); GoError if they differ."""
    sizes = set(records["size"].tolist())
    if len(sizes) > 1:
        raise GoError(f"one batch has boards of sizes {sorted(sizes)}: encode each size apart")
    return int(sizes.pop()) if sizes else 19


def _write(records: Records, out: npt.NDArray[Any]) -> int:
    """Encode in this thread; return how many ladder readings used up their node budget."""
    stack, replies = ladders.new_workspace()
    return int(plane_kernels.write_batch(records, out, stack, replies, True))
