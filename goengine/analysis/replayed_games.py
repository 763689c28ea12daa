"""The positions of a query: its game replayed as leniently as programs record games.

Moves may take several stones of one's own or repeat a position, as players sometimes do; what the
rules forbid holds for the moves that are looked at.
"""

from __future__ import annotations

from goengine.analysis.requests.json_fields import QueryError
from goengine.analysis.requests.queries import PositionQuery
from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.types import BLACK, WHITE, GoError, IllegalMoveError


class Replay:
    """The game of a query, played forwards move by move.

    Raises:
        QueryError: the set-up leaves a chain without liberties.
    """

    def __init__(self, query: PositionQuery) -> None:
        self.query = query
        self.turn = 0
        """Moves played so far."""
        self._board = Board(query.size, rules="replay", komi=query.komi)
        self._superko = Board(query.size, rules=query.rules, komi=query.komi)
        try:
            self._board.setup(black=query.black, white=query.white)
        except GoError as error:
            raise QueryError(str(error), field="initialStones", name=query.name) from None
        self._board.to_play = _first_player(query)

    def forward(self, turn: int) -> None:
        """Play on until so many moves are played.

        Raises:
            QueryError: a move is illegal.
        """
        board = self._board
        for number in range(self.turn, turn):
            colour, move = self.query.moves[number]
            board.to_play = colour
            self._superko.remember(board.hash, colour)
            try:
                board.play(move, colour)
            except IllegalMoveError:
                vertex = move_to_gtp(move, self.query.size)
                raise QueryError(
                    f"Illegal move {number}: {vertex}", field="moves", name=self.query.name
                ) from None
        self.turn = turn

    def game(self) -> Game:
        """Return a game that begins where the replay is, under the rules of the query."""
        found = self._superko.copy()
        found.records = self._board.records.copy()
        found.last_move = self._board.last_move
        found.handicap = _handicap(self.query)
        return Game.at(found)


class ReplayedGames:
    """Games of queries at their turns; turns of one query in order cost one replay."""

    def __init__(self) -> None:
        self._last: Replay | None = None

    def at(self, query: PositionQuery, turn: int) -> Game:
        """Return the game of a query after so many moves.

        Raises:
            QueryError: the set-up or a move is illegal.
        """
        replay = self._last
        if replay is None or replay.query is not query or replay.turn > turn:
            replay = self._last = Replay(query)
        replay.forward(turn)
        return replay.game()


def check_moves(query: PositionQuery) -> None:
    """Replay all moves of a query.

    Raises:
        QueryError: the set-up or a move is illegal.
    """
    Replay(query).forward(len(query.moves))


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


def _first_player(query: PositionQuery) -> int:
    """Return who moves before the first move."""
    if query.first_player is not None:
        return query.first_player
    if query.moves:
        return query.moves[0][0]
    return WHITE if _handicap(query) else BLACK
