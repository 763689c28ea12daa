"""Kernels made ready ahead: compiled, or taken from numba's cache, before a move needs them.

A kernel is compiled where it is first called, which takes seconds, and some are first called late
in a game, when that time is the engine's. So all that commands and moves call is called here once.
"""

from __future__ import annotations

import functools

import numpy as np

from goengine.board import Board
from goengine.scoring.status import move_scores, status


@functools.cache
def warm_board() -> None:
    """Call what commands and players ask of a board."""
    board = Board(5)
    board.setup(black=[0])
    board.play(2)
    board.legal()
    board.sensible()
    board.chain(0)
    board.liberties(0)


@functools.cache
def warm_playouts() -> None:
    """Call what judges the end of a game."""
    board = Board(5)
    rng = np.random.default_rng(0)
    status(board, rng=rng, playouts=1)
    move_scores(board, [0, 25], rng=rng, playouts=1)
