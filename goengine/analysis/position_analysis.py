"""What the analysis of one position says, as plain values, and how a tree is read into them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.coords import move_to_gtp
from goengine.search.findings import MoveFinding, move_findings, ownership_deviation, root_finding
from goengine.search.tree_search import TreeSearch
from goengine.types import BLACK

Grid = npt.NDArray[np.float32]


@dataclass(frozen=True)
class MoveAnalysis:
    """One move of a position; values are for the player who makes it."""

    move: int
    """A point, or N*N for the pass."""
    visits: int
    """Positions that the search looked at behind the move."""
    prior: float
    """The move's probability by the network, as the search used it."""
    winrate: float
    """From 0, lost, to 1, won."""
    lead: float
    """Points, komi counted."""
    deviation: float
    """Standard deviation of the final score in points."""
    utility: float
    """Win minus loss with shares of the score, as the search weighs it."""
    lcb: float
    """Lower confidence bound of the win rate; few visits put it outside 0 to 1."""
    utility_lcb: float
    """Lower confidence bound of the utility."""
    pv: tuple[int, ...]
    """The move and what is expected to follow."""
    pv_visits: tuple[int, ...]
    """Visits behind each of them."""
    ownership: Grid | None = None
    """(N, N) from -1, White's, to 1, Black's, after this move; None where it was not asked for."""
    ownership_deviation: Grid | None = None
    """(N, N) its standard deviation over the search; None likewise."""


@dataclass(frozen=True)
class PositionAnalysis:
    """One position of a game; values are for the player to move, ownership is Black's."""

    turn: int
    """Moves before it."""
    size: int
    to_play: int
    """Who moves, BLACK or WHITE."""
    visits: int
    """Positions that the search looked at, this one among them."""
    winrate: float
    """From 0, lost, to 1, won."""
    lead: float
    """Points, komi counted."""
    deviation: float
    """Standard deviation of the final score in points."""
    utility: float
    """Win minus loss with shares of the score."""
    raw_winrate: float
    """The network's own win rate, before any search."""
    raw_lead: float
    """The network's own lead."""
    raw_deviation: float
    """The network's own standard deviation of the final score."""
    moves: tuple[MoveAnalysis, ...]
    """Those that the search looked at, the best one first."""
    ownership: Grid | None = None
    """(N, N) from -1, White's, to 1, Black's; None where it was not asked for."""
    ownership_deviation: Grid | None = None
    """(N, N) its standard deviation over the search; None likewise."""
    policy: Grid | None = None
    """(N*N + 1,) the network's probabilities before any search, -1 for illegal moves; None
    likewise."""

    @property
    def black_winrate(self) -> float:
        """Black's win rate."""
        return self.winrate if self.to_play == BLACK else 1.0 - self.winrate

    @property
    def black_lead(self) -> float:
        """Black's lead in points."""
        return self.lead if self.to_play == BLACK else -self.lead

    def find(self, move: int) -> MoveAnalysis | None:
        """Return the analysis of a move, None where the search did not look at it."""
        return next((found for found in self.moves if found.move == move), None)

    def vertex(self, move: int) -> str:
        """Return a move as people write it, `Q16` or `pass`."""
        return move_to_gtp(move, self.size)


@dataclass(frozen=True)
class Parts:
    """Which costly parts of an analysis are wanted."""

    ownership: bool = True
    ownership_deviation: bool = False
    moves_ownership: bool = False
    moves_ownership_deviation: bool = False
    pv_length: int = 15


def read_tree(
    tree: TreeSearch, turn: int, parts: Parts, *, policy: Grid | None = None
) -> PositionAnalysis:
    """Return what a tree with an evaluated root says of its position.

    Where nothing was visited but the root, its likeliest move stands for all, with 0 visits.
    """
    root = root_finding(tree.pool)
    size = tree.board.size

    def deviation(node: int) -> Grid:
        """Return by how much the ownership of each point differs behind a node, (N, N)."""
        spread = ownership_deviation(tree.pool, node)
        return spread.astype(np.float32).reshape(size, size)

    def shown(found: MoveFinding) -> MoveAnalysis:
        return MoveAnalysis(
            move=found.move,
            visits=found.visits,
            prior=found.prior,
            winrate=found.winrate,
            lead=found.lead,
            deviation=found.deviation,
            utility=found.utility,
            lcb=found.winrate_bound,
            utility_lcb=found.bound,
            pv=found.pv,
            pv_visits=found.pv_visits,
            ownership=_if(parts.moves_ownership, tree.ownership, found.node),
            ownership_deviation=_if(parts.moves_ownership_deviation, deviation, found.node),
        )

    moves = tuple(
        map(shown, move_findings(tree.pool, plies=parts.pv_length, bonus=tree.order.bonus))
    )
    if not moves and tree.pool.edges[0]:
        first = int(tree.pool.moves[0, 0])
        moves = (
            MoveAnalysis(
                move=first,
                visits=0,
                prior=float(tree.pool.priors[0, 0]),
                winrate=root.winrate,
                lead=root.lead,
                deviation=root.deviation,
                utility=root.utility,
                lcb=root.winrate,
                utility_lcb=root.utility,
                pv=(first,),
                pv_visits=(0,),
                ownership=_if(parts.moves_ownership, tree.ownership, 0),
                ownership_deviation=_if(parts.moves_ownership_deviation, deviation, 0),
            ),
        )
    return PositionAnalysis(
        turn=turn,
        size=size,
        to_play=tree.board.to_play,
        visits=root.visits,
        winrate=root.winrate,
        lead=root.lead,
        deviation=root.deviation,
        utility=root.utility,
        raw_winrate=root.raw_winrate,
        raw_lead=root.raw_lead,
        raw_deviation=float(tree.pool.raw_spread[0]),
        moves=moves,
        ownership=_if(parts.ownership, tree.ownership, 0),
        ownership_deviation=_if(parts.ownership_deviation, deviation, 0),
        policy=policy,
    )


def _if(wanted: bool, part: Callable[[int], Grid], node: int) -> Grid | None:
    """Return a part of the tree where it is wanted."""
    return part(node) if wanted else None
