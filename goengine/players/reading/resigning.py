"""When a lost game is given up."""

from __future__ import annotations

import weakref

from goengine.board import Board
from goengine.games.game import Game, Move
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


class LostTurns:
    """Remembers in which turns games looked lost to the player to move."""

    def __init__(self) -> None:
        self._turns: weakref.WeakKeyDictionary[Game, dict[int, list[tuple[int, list[Move]]]]]
        self._turns = weakref.WeakKeyDictionary()

    def note(self, game: Game, *, lost: bool) -> int:
        """Note how a game looks; return in how many turns of this player in a row it looked lost.

        Turns that were taken back do not count, nor those of another game on the same board.
        """
        moves = game.moves
        turns = self._turns.setdefault(game, {})
        before = [
            (turn, last)
            for turn, last in turns.get(game.board.to_play, [])
            if turn < len(moves) and moves[:turn][-1:] == last
        ]
        now = [*before, (len(moves), moves[-1:])] if lost else []
        turns[game.board.to_play] = now
        return len(now)


class Resigning:
    """Remembers how games looked from turn to turn."""

    def __init__(self) -> None:
        self._lost = LostTurns()

    def gives_up(self, game: Game, root: RootFinding, below: float | None) -> bool:
        """Note how a game looks to the player to move; tell whether it has been lost for long.

        That is so when the win rate was below `below` (None: never), with the score behind as well,
        in HOPELESS_TURNS turns of this player in a row.
        """
        if below is None:
            return False
        turns = self._lost.note(game, lost=root.winrate < below and root.lead < 0)
        return turns >= HOPELESS_TURNS and not is_too_early(game.board)
