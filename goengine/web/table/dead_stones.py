"""The count at the end of a game: dead stones proposed, corrected by people, and the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.inference.evaluator import Evaluator
from goengine.scoring.counting import area_owners, format_score, score
from goengine.scoring.regions import neighbours
from goengine.scoring.status import status, taken_off
from goengine.search.playing_out import verdict_by
from goengine.types import BLACK, EMPTY, WHITE, GoError

Owners = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Proposal:
    """What judges say of an ended game, for Black."""

    dead: frozenset[int]
    seki: frozenset[int]
    ownership: Owners
    """(N, N) -1 White's ... 1 Black's."""


def proposed(board: Board, evaluator: Evaluator | None, rng: np.random.Generator) -> Proposal:
    """Return what playouts, and a network where there is one, say of an ended game."""
    judged = status(board, rng=rng)
    found = None if evaluator is None else verdict_by(evaluator, board, judged)
    if found is not None:
        return Proposal(found.dead, found.seki, found.ownership)
    return Proposal(taken_off(board, judged), judged.seki, judged.ownership)


class DeadStones:
    """A position that is being counted."""

    def __init__(self, board: Board, proposal: Proposal) -> None:
        self.board = board
        self.dead = set(proposal.dead)
        self.seki = proposal.seki
        self.ownership = proposal.ownership.copy()

    def toggle(self, point: int) -> None:
        """Let the chain on a point be dead instead of alive, or alive again.

        With a chain that lives again live the dead chains of its colour in the same area, which is
        then nobody's; only the players know whose, and a border that they left open.

        Raises:
            GoError: there is no stone.
        """
        colours = self.board.grid.ravel()
        if not 0 <= point < len(colours) or colours[point] == EMPTY:
            raise GoError("there is no stone to mark: click on a stone")
        colour = int(colours[point])
        revived = point in self.dead
        area = self._area(point, colour)
        if revived:
            self.dead -= {move for move in area if colours[move] == colour}
        else:
            self.dead |= set(self.board.chain(point))
        owner = 0.0 if revived else (-1.0 if colour == BLACK else 1.0)
        owned = self.ownership.ravel().copy()
        owned[[move for move in area if colours[move] == EMPTY or move in self.dead]] = owner
        self.ownership = owned.reshape(self.ownership.shape)

    @property
    def lead(self) -> float:
        """The score for Black in points."""
        return score(self.board, self.dead, status=self._judgement())

    def described(self) -> dict[str, Any]:
        """Return the count as the page reads it."""
        size = self.board.size
        owners = area_owners(self.board, self.dead, status=self._judgement()).ravel()
        return {
            "dead": [move_to_gtp(move, size) for move in sorted(self.dead)],
            "area": np.where(owners == BLACK, 1, np.where(owners == WHITE, -1, 0)).tolist(),
            "score": format_score(self.lead),
        }

    def _judgement(self) -> DeadStones | None:
        """Return who says whose a point between both is, None where the rules ask nobody."""
        return None if self.board.rules.counts_as_it_stands else self

    def _area(self, point: int, colour: int) -> list[int]:
        """Return the points that a chain reaches over empty points and dead stones.

        Stones of its own colour are crossed too where they are dead, or are its own chain's.
        """
        colours = self.board.grid.ravel()
        table = neighbours(self.board.size)
        own = set(self.board.chain(point))
        seen = set(own)
        inside = sorted(own)
        for move in inside:
            for near in table[move]:
                crossed = colours[near] == EMPTY or near in self.dead or near in own
                if near not in seen and crossed:
                    seen.add(near)
                    inside.append(near)
        return inside
