"""A weak move: drawn from what the policy likes, among the moves that a weak player sees.

Restricting a policy to some random legal moves is the idea of KaTrain's calibrated bot; here the
moves around the last one are seen or overlooked together, so that a weak player still answers, and
what the policy hardly thinks of is not played, however weak the player is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.inference.priors import Priors
from goengine.players.ranked.styles import Style
from goengine.scoring.regions import liberty_points, neighbours
from goengine.types import EMPTY

AROUND = 2
"""Lines around the last move that are seen or overlooked together."""
LOOKS = 64
"""Draws of what is seen that the shares of a style's moves are averaged over."""

Masks = npt.NDArray[np.bool_]


def weights(board: Board, priors: Priors, style: Style, rng: np.random.Generator) -> Priors:
    """Return how likely each point is to be played, float32 (N*N,), what is seen drawn anew.

    `priors` (N*N,): the policy over legal moves. All zeros only where the priors are.
    """
    best = float(priors.max(initial=0.0))
    if best <= 0:
        return np.zeros_like(priors)
    plausible = priors >= style.plausible * best
    noticed = plausible & seen(board, style, rng)
    if not noticed.any():
        noticed = plausible
    return heated(priors * noticed, style.heat)


def heated(priors: Priors, heat: float) -> Priors:
    """Return probabilities (N*N,) at another temperature; 0 puts everything on the best move."""
    shares = np.zeros(len(priors))
    if heat == 0:
        shares[int(priors.argmax())] = 1.0
    else:
        some = priors > 0
        shares[some] = (priors[some] / priors.max()) ** (1 / heat)
        shares /= shares.sum()
    return shares.astype(np.float32)


def drawn(shares: Priors, rng: np.random.Generator) -> int:
    """Return a move drawn by shares (N*N,), some of which are not 0."""
    weights64 = shares.astype(np.float64)
    return int(rng.choice(len(shares), p=weights64 / weights64.sum()))


def seen(board: Board, style: Style, rng: np.random.Generator) -> Masks:
    """Return bool (N*N,): the points that a weak player sees, drawn at random.

    A share of all points, and unless they are overlooked those around the last move.
    """
    mask: Masks = rng.random(board.size**2) < style.sight
    last = board.last_move
    if last is not None and last < board.size**2 and rng.random() >= style.overlook:
        mask[_around(board, last)] = True
    return mask


def policy_of(board: Board, priors: Priors, style: Style) -> Priors:
    """Return how likely a style plays each point, float32 (N*N,), over what it may see.

    Vetoes and limits on lost points are left out. The same position always gets the same answer.
    """
    rng = np.random.default_rng(board.hash)
    total = np.zeros(len(priors))
    for _ in range(LOOKS if style.sight < 1 else 1):
        total += weights(board, priors, style, rng)
    return (total / max(float(total.sum()), 1e-12)).astype(np.float32)


def _around(board: Board, move: int) -> list[int]:
    """Return the points near a move, and the liberties of the chains that touch it."""
    size = board.size
    row, column = divmod(move, size)
    near = {
        r * size + c
        for r in range(max(0, row - AROUND), min(size, row + AROUND + 1))
        for c in range(max(0, column - AROUND), min(size, column + AROUND + 1))
    }
    grid = board.grid.ravel()
    for point in (move, *neighbours(size)[move]):
        if grid[point] != EMPTY:
            near |= liberty_points(board, point)
    return sorted(near)
