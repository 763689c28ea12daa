"""The positions of a query: its game replayed as leniently as programs record games.

Moves may take several stones of one's own or repeat a position, as players sometimes do; what the
rules forbid holds for the moves that are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from goengine.analysis.requests.json_fields import QueryError
from goengine.analysis.requests.queries import PositionQuery
from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.types import BLACK, WHITE, GoError, IllegalMoveError


def check_moves(query: PositionQuery) -> None:
    """Replay all moves of a query.

    Raises:
        QueryError: the set-up or a move is illegal.
    """
    for _ in _boards(query, len(query.moves)):
        pass


def game_at(query: PositionQuery, turn: int) -> Game:
    """Return the game of a query after so many moves.

    Raises:
        QueryError: the set-up or a move is illegal.
    """
    passed = []
    board = None
    for board in _boards(query, turn):
        passed.append((board.hash, board.to_play))
    assert board is not None
    found = board.under(query.rules)
    found.komi = query.komi
    if query.rules.ko != "simple":
        for stones, to_play in passed[:-1]:
            found.remember(stones, to_play)
    return Game.at(found)


def _boards(query: PositionQuery, turns: int) -> Iterator[Board]:
    """Yield the board before each of the first moves, and after the last; it is one and the same.

    Before a move its player is to move.
    """
    board = Board(query.size, rules="replay", komi=query.komi)
    try:
        board.setup(black=query.black, white=query.white)
    except GoError as error:
        raise QueryError(str(error), field="initialStones", name=query.name) from None
    board.handicap = _handicap(query)
    board.to_play = _first_player(query, board.handicap)
    for number in range(turns):
        colour, move = query.moves[number]
        board.to_play = colour
        yield board
        try:
            board.play(move, colour)
        except IllegalMoveError:
            vertex = move_to_gtp(move, query.size)
            raise QueryError(
                f"Illegal move {number}: {vertex}", field="moves", name=query.name
            ) from None
    yield board


def _handicap(query: PositionQuery) -> int:
    """Return how many of Black's first stones are a handicap: set up alone, or played in a row."""
    if query.black or query.white:
        stones = 0 if query.white else len(query.black)
    else:
        points = query.size**2
        stones = next(
            (n for n, (c, move) in enumerate(query.moves) if c != BLACK or move == points),
            len(query.moves),
        )
    return stones if stones >= 2 else 0


def _first_player(query: PositionQuery, handicap: int) -> int:
    """Return who moves before the first move."""
    if query.first_player is not None:
        return query.first_player
    if query.moves:
        return query.moves[0][0]
    return WHITE if handicap else BLACK
