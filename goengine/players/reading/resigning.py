"""When a lost game is given up."""

from __future__ import annotations

import weakref

from goengine.board import Board
from goengine.games.game import Game
from goengine.search.findings import RootFinding

HOPELESS_TURNS = 3
"""Turns in a row that a game must look lost before it is resigned."""
RESIGN_FROM = 40
"""Moves before which nobody resigns on 19x19; fewer on smaller boards, as their areas are."""
OPEN_HANDICAP = 0.5
"""Moves a point before which a handicap game is open."""


def first_resignation(size: int) -> int:
    """Return the move before which nobody resigns on a board of so many lines."""
    return round(RESIGN_FROM * size * size / 19**2)


def is_too_early(board: Board) -> bool:
    """Tell whether nobody resigns yet: a game has to show itself, one with a handicap more so."""
    is_open = board.handicap > 0 and board.turn < OPEN_HANDICAP * board.size**2
    return is_open or board.turn < first_resignation(board.size)


class Resigning:
    """Remembers how games looked from turn to turn."""

    def __init__(self) -> None:
        self._lost: weakref.WeakKeyDictionary[Game, dict[int, list[int]]]
        self._lost = weakref.WeakKeyDictionary()

    def gives_up(self, game: Game, root: RootFinding, below: float | None) -> bool:
        """Note how a game looks to the player to move; tell whether it has been lost for long.

        That is so when the win rate was below `below` (None: never), with the score behind as well,
        in HOPELESS_TURNS turns of this player in a row.
        """
        if below is None:
            return False
        board = game.board
        turns = self._lost.setdefault(game, {})
        hopeless = root.winrate < below and root.lead < 0
        before = [turn for turn in turns.get(board.to_play, []) if turn < board.turn]
        now = [*before, board.turn] if hopeless else []
        turns[board.to_play] = now
        return len(now) >= HOPELESS_TURNS and not is_too_early(board)
