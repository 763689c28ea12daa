"""What is still open in a batch of positions: a quick look by few playouts, in one call.

The judgement that counts (dead stones, seki, the score) is status.py's; this one only tells whether
it is worth asking for, and where there is still something to play for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._kernels.chains import point_of
from goengine._kernels.jit import kernel
from goengine._kernels.playout_board import ROWS
from goengine._kernels.playouts import NO_MOVE, run_playouts
from goengine._kernels.state import POINTS, STRIDE, Records
from goengine.scoring.status import SETTLED
from goengine.types import EMPTY, WHITE

Array = Any


@kernel
def _look(
    records: Array,
    lanes: Array,
    seeds: Array,
    work: Array,
    results: Array,
    share: float,
    out: Array,
) -> None:
    """Write into bool `out` (L, N*N) which points of `records[lanes]` are open."""
    playouts, points = results.shape
    least = share * playouts
    for n in range(len(lanes)):
        rec = records[lanes[n]]
        size = rec.size
        seed = seeds[n : n + 1]
        run_playouts(rec.colour, size, rec.ko, rec.to_play, NO_MOVE, seed, work, results)
        for move in range(points):
            black = 0
            white = 0
            for k in range(playouts):
                black += results[k, move] == 1
                white += results[k, move] == -1
            most = max(black, white, playouts - black - white)
            out[n, move] = most < least


@kernel
def _widen(records: Array, lanes: Array, loose: Array, out: Array) -> None:
    """Write into `out` the points of `loose` and those beside its stones."""
    for n in range(len(lanes)):
        rec = records[lanes[n]]
        size = rec.size
        for move in range(loose.shape[1]):
            if not loose[n, move]:
                continue
            out[n, move] = True
            point = point_of(move, size)
            if rec.colour[point] == EMPTY:
                continue
            for d in (-STRIDE, -1, 1, STRIDE):
                if rec.colour[point + d] <= WHITE:
                    row = (point + d) // STRIDE - 1
                    out[n, row * size + (point + d) % STRIDE - 1] = True


def unsettled(
    records: Records,
    lanes: npt.NDArray[np.int64],
    *,
    seeds: npt.NDArray[np.uint64],
    playouts: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return what is open on some boards of one size, `records[lanes]`.

    First int64 (L,): how many points playouts do not agree about. Then bool (L, N*N): those points,
    and the points beside stones among them, where a move may change something. `seeds` uint64
    (L,), none of them 0, fix the result. The GIL is free while it runs.
    """
    points = int(records["size"][0]) ** 2
    loose = np.zeros((len(lanes), points), dtype=np.bool_)
    results = np.empty((playouts, points), dtype=np.int8)
    work = np.empty((2, ROWS, POINTS), dtype=np.int32)
    _look(records, lanes, seeds.copy(), work, results, SETTLED, loose)
    wanted = np.zeros_like(loose)
    _widen(records, lanes, loose, wanted)
    return np.count_nonzero(loose, axis=1), wanted
