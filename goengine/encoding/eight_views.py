"""The eight views of a position: what a network is shown when all symmetries are asked."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from goengine.encoding.features import forget_last_moves
from goengine.encoding.symmetry import REFLECTIONS, SYMMETRIES, move_table, transform_planes

_T = TypeVar("_T", bound=np.generic)


def eight_views(planes: npt.NDArray[np.uint8], *, forgetful: bool) -> npt.NDArray[np.uint8]:
    """Return uint8 (8, B, P, N, N): planes (B, P, N, N) under each symmetry, in their order.

    `forgetful` takes the last moves out of the four mirrored views, so that a network that has
    learnt both says half its opinion on where the game is, and half on the whole board.
    """
    views = np.stack([transform_planes(planes, symmetry) for symmetry in range(SYMMETRIES)])
    if forgetful:
        for mirrored in REFLECTIONS:
            forget_last_moves(views[mirrored])
    return views


def turn_back(answers: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return answers (8, B, N*N) to the eight views with each point where it was, a copy."""
    size = round(answers.shape[-1] ** 0.5)
    table = move_table(size)[:, None, :-1].astype(np.int64)
    return np.take_along_axis(answers, np.broadcast_to(table, answers.shape), axis=2)
