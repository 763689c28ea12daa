"""The 48 feature planes of AlphaGo's policy network, and the 49th of its value network.

Source: Silver et al. 2016, Nature 529, Extended Data Table 2; docs/features.md fixes what the paper
leaves open, feature_table.py is the one table.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels import ladders
from goengine._kernels import planes as plane_kernels
from goengine._kernels.state import Records
from goengine.board import Board
from goengine.feature_table import (
    OPPONENT_STONE,
    OWN_STONE,
    POLICY_PLANES,
    VALUE_PLANES,
    feature_slices,
)
from goengine.types import GoError

FEATURE_VERSION = 1
"""Changes with any change of meaning; checkpoints carry it and loaders compare it."""


def forget_last_moves(planes: Any) -> None:
    """Make every stone the oldest in planes (B, P, N, N), an array or a tensor, in place.

    That is how a position looks whose stones were set up: the other planes do not tell of moves.
    """
    since = feature_slices()["turns since"]
    own, opponent = planes[:, OWN_STONE], planes[:, OPPONENT_STONE]
    planes[:, since.start : since.stop - 1] = 0
    planes[:, since.stop - 1] = own | opponent


def encode(board: Board, planes: int = POLICY_PLANES) -> npt.NDArray[np.uint8]:
    """Return uint8 (planes, N, N) for the player to move, row 0 = top; planes is 48 or 49.

    >>> board = Board.from_diagram(". X . | . O . | . . .")
    >>> encode(board)[OWN_STONE].tolist()
    [[0, 1, 0], [0, 0, 0], [0, 0, 0]]

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

    `out`, if given, is written to and returned. The kernel holds no lock: callers may encode
    in several threads, or let this function use `threads` of its own.

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

    Bit `p % 8` of byte `p // 8` of a point is plane `p` there, row 0 = top first. The kernel
    holds no lock.

    Raises:
        GoError: the boards differ in size.
    """
    size = _one_size(records)
    out = np.empty((len(records), size * size, POLICY_PLANES // 8), dtype=np.uint8)
    scratch, work = plane_kernels.new_scratch(), ladders.new_workspace()
    plane_kernels.write_packed(np.ascontiguousarray(records), out, scratch, work)
    return out


def _one_size(records: Records) -> int:
    """Return the board size of all records (19 for none); GoError if they differ."""
    sizes = set(records["size"].tolist())
    if len(sizes) > 1:
        raise GoError(f"one batch has boards of sizes {sorted(sizes)}: encode each size apart")
    return int(sizes.pop()) if sizes else 19


def _write(records: Records, out: npt.NDArray[Any]) -> int:
    """Encode in this thread; return how many ladder readings used up their node budget."""
    records = np.ascontiguousarray(records)  # the kernels would be compiled anew for other orders
    plane_kernels.write_planes(records, out, plane_kernels.new_scratch())
    return int(ladders.mark_ladders(records, out, ladders.new_workspace()))
