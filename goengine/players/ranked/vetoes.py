"""What no player of a rank would do, by exact rules of the board, small and cheap.

=====================  ============================================================================
name                   a move that
=====================  ============================================================================
`own eye`              fills a true eye of its own
`self-atari`           leaves a chain of `BIG` stones or more with one liberty, captures nothing and
                       is not a killing shape (nakade)
`lost ladder`          runs with a chain of `LADDER` stones or more that a ladder takes all the same
`group in atari`       leaves an own chain of `LARGE` stones or more in atari that could be saved
`capture refused`      leaves an enemy chain of `LARGE` stones or more in atari that would get away
`tenuki in a ladder`   lets a chain go that has just run and that a ladder takes
=====================  ============================================================================

The last three are duties: a move that meets one of them, or captures as many stones as the duty is
about, meets the smaller ones too, for two things cannot be done at once. Own chains that are lost
anyway, as the player sees it, are not duties. Passing is not looked at: endings decide about it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.encoding.features import encode
from goengine.feature_table import LADDER_CAPTURE, LIBERTIES, OPPONENT_STONE, OWN_STONE
from goengine.scoring.regions import liberty_points, neighbours
from goengine.types import EMPTY, opponent

BIG = 4
"""Stones from which a chain is not put into atari by its owner."""
LADDER = 3
"""Stones from which a ladder is played out."""
LARGE = 5
"""Stones from which a chain is not left in atari, nor its capture refused."""
SAFE = 3
"""Liberties that no ladder takes away."""
LOST = -0.6
"""Ownership of its points, -1 the opponent's, from which a chain counts as lost."""

OWN_EYE = "own eye"
SELF_ATARI = "self-atari"
LOST_LADDER = "lost ladder"
IN_ATARI = "group in atari"
REFUSED = "capture refused"
TENUKI = "tenuki in a ladder"
VETOES = (OWN_EYE, SELF_ATARI, LOST_LADDER, IN_ATARI, REFUSED, TENUKI)
"""The names of all rules."""

_SHAPES = {
    (1, 1, 2),
    (1, 1, 1, 3),
    (2, 2, 2, 2),
    (1, 2, 2, 2, 3),
    (1, 1, 1, 1, 4),
    (1, 1, 2, 2, 2, 4),
}
"""Killing shapes by the neighbours that each stone has in the shape, in order: three in a row or
bent, pyramid and square of four, bulky and crossed five, rabbity six."""

Ownership = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Duty:
    """Something that a move has to see to."""

    name: str
    """The rule that a move breaks which does not."""
    stones: int
    """Stones that are at stake."""
    answers: frozenset[int]
    """Moves that see to it."""


class Vetoes:
    """The rules for the moves of one position.

    `ownership` (N, N) or (N*N,) is what the player to move expects, 1 its own; None leaves out what
    is lost anyway.
    """

    def __init__(self, board: Board, ownership: Ownership | None = None) -> None:
        self._board = board
        self._owned = None if ownership is None else ownership.ravel()
        self._sensible = board.sensible()
        self.duties = self._duties()
        """What the move has to see to, the most stones first."""

    def of(self, move: int) -> str | None:
        """Return the rule that a legal move breaks, None if it breaks none."""
        board = self._board
        if move == board.size**2:
            return None
        if not self._sensible[move]:
            return OWN_EYE
        after = board.copy()
        after.play(move)
        blunder = self._blunder(move, after)
        if blunder is not None or not self.duties:
            return blunder
        captured = sum(after.captures) - sum(board.captures)
        met = max([captured, *(duty.stones for duty in self.duties if move in duty.answers)])
        return self.duties[0].name if self.duties[0].stones > met else None

    def _blunder(self, move: int, after: Board) -> str | None:
        """Return the rule that a move breaks by itself, whatever else there is to do."""
        board = self._board
        if after.captures != board.captures:
            return None
        if after.liberties(move) == 1:
            chain = after.chain(move)
            if len(chain) >= BIG and not is_killing_shape(chain, board.size):
                return SELF_ATARI
        return LOST_LADDER if self._runs_in_vain(move, after) else None

    def _duties(self) -> tuple[Duty, ...]:
        """Return what the move has to see to, as far as there are moves that do so soundly."""
        found = []
        for duty in self._matters():
            sound = []
            for move in duty.answers:
                after = self._board.copy()
                after.play(move)
                if self._sensible[move] and self._blunder(move, after) is None:
                    sound.append(move)
            if sound:
                found.append(Duty(duty.name, duty.stones, frozenset(sound)))
        return tuple(sorted(found, key=lambda duty: -duty.stones))

    def _matters(self) -> list[Duty]:
        """Return what ought to be seen to."""
        board = self._board
        planes = encode(board)
        found = []
        for stone in _in_atari(board, planes, OWN_STONE):
            chain = board.chain(stone)
            lost = self._owned is not None and float(self._owned[chain].mean()) < LOST
            answers = frozenset() if lost else _rescues(board, stone)
            if answers:
                found.append(Duty(IN_ATARI, len(chain), answers))
        for stone in _in_atari(board, planes, OPPONENT_STONE):
            capture = liberty_points(board, stone) & _legal(board)
            if capture and _gets_away(board, stone):
                found.append(Duty(REFUSED, len(board.chain(stone)), frozenset(capture)))
        ladder = _ladder(board, planes)
        if ladder is not None:
            found.append(ladder)
        return found

    def _runs_in_vain(self, move: int, after: Board) -> bool:
        """Tell whether a move runs with a chain in atari that a ladder takes all the same."""
        board = self._board
        grid = board.grid.ravel()
        running = [
            near
            for near in neighbours(board.size)[move]
            if grid[near] == board.to_play
            and board.liberties(near) == 1
            and len(board.chain(near)) >= LADDER
        ]
        return bool(running) and after.liberties(move) <= 2 and _is_taken(after, move)


def is_killing_shape(chain: Collection[int], size: int) -> bool:
    """Tell whether stones have the shape of one that kills in an eye: three to six stones."""
    stones = set(chain)
    degrees = sorted(len(stones & set(neighbours(size)[stone])) for stone in stones)
    return tuple(degrees) in _SHAPES


def _in_atari(board: Board, planes: npt.NDArray[np.uint8], whose: int) -> list[int]:
    """Return one stone of every large chain in atari; `whose` is the plane of its colour."""
    points = np.flatnonzero((planes[whose] & planes[LIBERTIES]).ravel())
    heads = {board.chain(int(point))[0] for point in points}
    return sorted(stone for stone in heads if len(board.chain(stone)) >= LARGE)


def _legal(board: Board) -> set[int]:
    """Return the points where the player to move may play."""
    return set(np.flatnonzero(board.legal()[:-1]).tolist())


def _rescues(board: Board, stone: int) -> frozenset[int]:
    """Return the moves of the player to move that save the chain in atari on a point.

    They extend it, or capture beside it, so that it has three liberties or two and no ladder.
    """
    enemy = opponent(board.to_play)
    grid = board.grid.ravel()
    tried = liberty_points(board, stone)
    for own in board.chain(stone):
        for near in neighbours(board.size)[own]:
            if grid[near] == enemy and board.liberties(near) == 1:
                tried |= liberty_points(board, near)
    saving = []
    for move in tried & _legal(board):
        after = board.copy()
        after.play(move)
        left = after.liberties(stone)
        if left >= SAFE or (left == 2 and not _is_taken(after, stone)):
            saving.append(move)
    return frozenset(saving)


def _is_taken(board: Board, stone: int) -> bool:
    """Tell whether the player to move takes the chain on a point at once or in a ladder."""
    if board.liberties(stone) == 1:
        return bool(liberty_points(board, stone) & _legal(board))
    return bool(_hunts(board, encode(board), stone))


def _hunts(board: Board, planes: npt.NDArray[np.uint8], stone: int) -> frozenset[int]:
    """Return the moves that begin a ladder which takes the chain with two liberties on a point."""
    marked = planes[LADDER_CAPTURE].ravel()
    found = []
    for move in liberty_points(board, stone) & _legal(board):
        if marked[move]:
            after = board.copy()
            after.play(move)
            if after.liberties(stone) == 1:
                found.append(move)
    return frozenset(found)


def _gets_away(board: Board, stone: int) -> bool:
    """Tell whether the enemy chain in atari on a point is saved if its owner moves next."""
    twin = board.copy()
    twin.play(board.size**2)
    return bool(_rescues(twin, stone))


def _ladder(board: Board, planes: npt.NDArray[np.uint8]) -> Duty | None:
    """Return the duty to go on with a ladder whose prey has just run, None where there is none."""
    last = board.last_move
    if last is None or last == board.size**2 or board.liberties(last) != 2:
        return None
    grid = board.grid.ravel()
    chain = set(board.chain(last))
    if len(chain) < LADDER or grid[last] != opponent(board.to_play):
        return None
    if not _has_run(board, chain, last):
        return None
    answers = _hunts(board, planes, last)
    return Duty(TENUKI, len(chain), answers) if answers else None


def _has_run(board: Board, chain: set[int], last: int) -> bool:
    """Tell whether the last stone of a chain saved two stones or more of it from an atari.

    So it is where a part of the chain, without that stone, has no liberty but its point.
    """
    grid = board.grid.ravel()
    beside = neighbours(board.size)
    for first in beside[last]:
        if first not in chain:
            continue
        part = [first]
        seen = {first, last}
        for stone in part:
            for near in beside[stone]:
                if near in chain and near not in seen:
                    seen.add(near)
                    part.append(near)
        if len(part) >= 2 and all(grid[near] != EMPTY for s in part for near in beside[s]):
            return True
    return False
