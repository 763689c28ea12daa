"""Moves after the game: capture the opponent's dead stones, as KGS asks before it counts.

When players disagree on KGS about dead stones, play resumes and everything on the board counts as
alive. ``kgs-genmove_cleanup`` must then not pass before the dead stones are off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goengine.scoring import neighbours
from goengine.types import EMPTY, RESIGN

if TYPE_CHECKING:
    from goengine.board import Board
    from goengine.gtp.session import Session


def choose_cleanup(session: Session, colour: int) -> int:
    """Return a move that helps to take dead stones of the opponent, or the player's own choice."""
    board = session.game.position(colour)
    dead = {
        move
        for move in session.status().dead
        if int(board.grid.ravel()[move]) not in (EMPTY, colour)
    }
    move = _best_attack(board, dead, colour)
    if move is not None:
        return move
    move = session.choose(colour)
    return board.size**2 if move == RESIGN else move


def _best_attack(board: Board, dead: set[int], colour: int) -> int | None:
    """Return the liberty of a dead chain that takes it soonest, safest first."""
    sensible = board.sensible(colour)
    best: tuple[tuple[int, int, int], int] | None = None
    for chain in _chains(board, dead):
        for point in _liberties(board, chain):
            if not sensible[point]:
                continue
            trial = board.copy()
            trial.play(point, colour)
            # A capture first; then chains with few liberties; never a stone in atari if avoidable.
            left = trial.liberties(chain[0]) if trial.grid.ravel()[chain[0]] else 0
            risk = int(trial.liberties(point) < 2 and left > 0)
            merit = (risk, left, -trial.liberties(point))
            if best is None or merit < best[0]:
                best = merit, point
    return best[1] if best else None


def _chains(board: Board, stones: set[int]) -> Iterator[list[int]]:
    """Yield the chains that hold these stones, each once."""
    left = set(stones)
    while left:
        chain = board.chain(min(left))
        left.difference_update(chain)
        yield chain


def _liberties(board: Board, chain: list[int]) -> list[int]:
    """Return the liberties of a chain, sorted."""
    colours = board.grid.ravel()
    table = neighbours(board.size)
    return sorted({near for stone in chain for near in table[stone] if colours[near] == EMPTY})
