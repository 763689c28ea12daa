"""What playouts add to a network's judgement: the score of ended games, and AlphaGo's rollouts.

A network that learnt from people's games has hardly seen the end of one, and playouts misjudge what
only reading finds. So dead stones are what both together hold for dead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine._kernels.playout_board import ROWS
from goengine._kernels.playouts import NO_MOVE, run_playouts
from goengine._kernels.state import POINTS, Records
from goengine.board import Board
from goengine.inference.evaluator import Evaluator
from goengine.scoring.counting import score
from goengine.scoring.regions import regions
from goengine.scoring.status import Status, signed, status, still_in_seki
from goengine.types import BLACK, EMPTY

Floats = npt.NDArray[np.floating]

PLAYOUTS = 100
"""Playouts that judge an ended game in the tree: about 5 ms on 19x19."""
ROLLOUTS = 8
"""Playouts of a leaf whose value is mixed with their result."""


@dataclass(frozen=True)
class Verdict:
    """How a game would be counted if it ended here; for Black."""

    ownership: npt.NDArray[np.float32]
    """(N, N) -1 White's ... 1 Black's, the mean of both judges."""
    seki: frozenset[int]
    """Moves whose stones are in seki."""
    dead: frozenset[int]
    """Moves whose stones would be taken off."""
    lead: float
    """Points by the rules in force, komi and handicap bonus included."""

    def lead_for(self, colour: int) -> float:
        """Return the score as a colour sees it, in points."""
        return signed(self.lead, colour)


def verdict(board: Board, owners: Floats, judged: Status) -> Verdict:
    """Return how a game would end that is counted now, by a network and by playouts together.

    `owners` (N*N,): the network's ownership, for Black. Where nobody agrees on dead stones, as
    under Tromp-Taylor rules, all count as they stand.
    """
    size = board.size
    both = ((judged.ownership + owners.reshape(size, size)) / 2).astype(np.float32)
    dead: list[int] = []
    if not board.rules.counts_as_it_stands:
        flat = both.ravel()
        for colour, inside, _ in regions(board.grid):
            if colour != EMPTY and float(flat[inside].mean()) * (1 if colour == BLACK else -1) < 0:
                dead += inside
    taken = frozenset(dead)
    found = Verdict(both, still_in_seki(board.grid, judged.seki, taken), taken, 0.0)
    judge = None if board.rules.counts_as_it_stands else found
    lead = score(board, found.dead, status=judge)
    return Verdict(both, found.seki, found.dead, lead)


def verdict_by(evaluator: Evaluator, board: Board, judged: Status) -> Verdict | None:
    """Return how a game is counted by an evaluator and by playouts together.

    None where its network names moves only and does not say who owns what.
    """
    owned = evaluator.evaluate([board], symmetry="all").ownership
    if owned is None:
        return None
    sign = 1.0 if board.to_play == BLACK else -1.0
    return verdict(board, sign * owned[0].ravel(), judged)


def final_lead(board: Board, owners: Floats) -> float:
    """Return the score of an ended game for Black; the same position always gets the same one.

    `owners` as for `verdict`.
    """
    rng = np.random.default_rng(board.hash)
    return verdict(board, owners, status(board, rng=rng, playouts=PLAYOUTS)).lead


def rollout_values(
    leaves: Records, points: float, *, rng: np.random.Generator, playouts: int = ROLLOUTS
) -> npt.NDArray[np.float64]:
    """Return how playouts from records (B,) end: float64 (B,) -1 ... 1, for the player to move.

    `points` is what White gets besides the board. Silver et al. 2016, "Evaluation": z of the fast
    rollout policy; ours plays by chance but for a few rules (_kernels/playouts.py).
    """
    values = np.zeros(len(leaves))
    work = np.empty((2, ROWS, POINTS), dtype=np.int32)
    for i, leaf in enumerate(leaves):
        size = int(leaf["size"])
        owners = np.empty((playouts, size * size), dtype=np.int8)
        seed = np.array([rng.integers(1, 2**63)], dtype=np.uint64)
        first = int(leaf["to_play"])
        run_playouts(leaf["colour"], size, int(leaf["ko"]), first, NO_MOVE, seed, work, owners)
        margins = owners.sum(axis=1, dtype=np.int64) - points
        values[i] = float(np.sign(margins).mean()) * (1 if first == BLACK else -1)
    return values
