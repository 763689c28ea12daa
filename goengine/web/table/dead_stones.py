"""The count at the end of a game: dead stones proposed, corrected by people, and the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.inference.evaluator import Evaluator
from goengine.scoring.counting import area_owners, format_score, score, tally
from goengine.scoring.regions import neighbours
from goengine.scoring.status import status, taken_off
from goengine.search.playing_out import verdict_by
from goengine.types import BLACK, EMPTY, WHITE, GoError, colour_letter

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


@dataclass(frozen=True)
class _Click:
    """A correction, and the stones that it turned."""

    point: int
    stones: frozenset[int]


class DeadStones:
    """A position that is being counted."""

    def __init__(self, board: Board, proposal: Proposal) -> None:
        self.board = board
        self.seki = proposal.seki
        self._proposal = proposal
        self._clicks: list[_Click] = []
        self._begin()

    def _begin(self) -> None:
        """Stand where the proposal stands."""
        self.dead = set(self._proposal.dead)
        self.ownership = self._proposal.ownership.copy()

    def toggle(self, point: int) -> None:
        """Let the group of a stone be dead instead of alive, or alive again.

        The group is all stones of its colour in its area; with them the area changes hands. What
        lives again makes its area nobody's; only the players know whose, and a border that they
        left open. A second click on a group takes the first one back.

        Raises:
            GoError: there is no stone.
        """
        colours = self.board.grid.ravel()
        if not 0 <= point < len(colours) or colours[point] == EMPTY:
            raise GoError("there is no stone to mark: click on a stone")
        earlier = next((one for one in reversed(self._clicks) if point in one.stones), None)
        if earlier is None:
            self._turn(point)
            return
        kept = [one.point for one in self._clicks if one is not earlier]
        self._clicks.clear()
        self._begin()
        for one in kept:
            self._turn(one)

    def _turn(self, point: int) -> None:
        """Turn the group of a stone."""
        colours = self.board.grid.ravel()
        colour = int(colours[point])
        revived = point in self.dead
        area = self._area(point, colour)
        group = frozenset(move for move in area if colours[move] == colour)
        if revived:
            self.dead -= group
        else:
            self.dead |= group
        owner = 0.0 if revived else (-1.0 if colour == BLACK else 1.0)
        owned = self.ownership.ravel().copy()
        owned[[move for move in area if colours[move] == EMPTY or move in self.dead]] = owner
        self.ownership = owned.reshape(self.ownership.shape)
        self._clicks.append(_Click(point, group))

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
            "breakdown": self._breakdown(),
        }

    def _breakdown(self) -> dict[str, dict[str, float]]:
        """Return what the score is made of, by the letters of the colours."""
        found = tally(self.board, self.dead, status=self._judgement())
        said: dict[str, dict[str, float]] = {}
        for colour in (BLACK, WHITE):
            side: dict[str, float] = {self.board.rules.scoring: found.points[colour]}
            side["prisoners"] = found.prisoners[colour]
            said[colour_letter(colour)] = side
        said["W"]["komi"] = found.komi
        if found.bonus:
            said["W"]["handicap"] = found.bonus
        return said

    def _judgement(self) -> DeadStones | None:
        """Return who says whose a point between both is, None where the rules ask nobody."""
        return None if self.board.rules.counts_as_it_stands else self

    def _area(self, point: int, colour: int) -> list[int]:
        """Return the points that a stone reaches over all but living stones of the opponent.

        Where a border is open and it would reach every stone of its colour, other living chains of
        that colour bound the area too.
        """
        colours = self.board.grid.ravel()
        own = set(self.board.chain(point))
        every = {move for move in range(len(colours)) if colours[move] == colour}
        inside = self._reached(own, every)
        living = every - self.dead - own
        if living and every <= set(inside):
            inside = self._reached(own, own)
        return inside

    def _reached(self, begin: set[int], crossed: set[int]) -> list[int]:
        """Return what is reached over empty points, dead stones and those of `crossed`."""
        colours = self.board.grid.ravel()
        table = neighbours(self.board.size)
        seen = set(begin)
        inside = sorted(begin)
        for move in inside:
            for near in table[move]:
                free = colours[near] == EMPTY or near in self.dead or near in crossed
                if near not in seen and free:
                    seen.add(near)
                    inside.append(near)
        return inside
