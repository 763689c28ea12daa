"""The game that a GTP session plays: one board, what led to it, and the way back.

Undo replays: the board is rebuilt from the set-up stones and the moves, so that no history of
boards has to be kept right. Every change is made on a new board first; a refused one changes
nothing. This module imports numba through the board, so only loaded sessions import it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from goengine.board import Board
from goengine.games.record import GameRecord
from goengine.rules import Rules
from goengine.types import MAX_SIZE, MIN_SIZE, WHITE, GoError, IllegalMoveError

Move = tuple[int, int]


class GameState:
    """A game from its set-up stones to the present position.

    ``size``, ``rules`` and ``komi`` outlive the game: they hold for the next one too.
    """

    def __init__(self, size: int, *, rules: Rules, komi: float) -> None:
        self.size = size
        self.rules = rules
        self.komi = komi
        self.clear()

    def clear(self) -> None:
        """Start a new game on an empty board; size, rules and komi stay."""
        self._start(GameRecord(size=self.size))

    def resize(self, size: int) -> None:
        """Start a new game on a board of ``size`` lines.

        Raises:
            GoError: no board has that size.
        """
        if not MIN_SIZE <= size <= MAX_SIZE:
            raise GoError(f"size {size} is outside {MIN_SIZE} to {MAX_SIZE}")
        self.size = size
        self.clear()

    def set_komi(self, komi: float) -> None:
        """Change the komi of this game and the next ones."""
        self.komi = komi
        self.board.komi = komi

    def set_rules(self, rules: Rules) -> None:
        """Change the rules of this game and the next ones; komi stays.

        Raises:
            GoError: a move of the game so far is illegal under them.
        """
        before = self.rules
        self.rules = rules
        try:
            self._rebuild(self.moves)
        except IllegalMoveError:
            self.rules = before
            raise

    def play(self, move: int, colour: int) -> None:
        """Play a move of either colour.

        Raises:
            IllegalMoveError: the rules forbid it.
        """
        self.board.play(move, colour)
        self.moves.append((colour, move))
        begun = replace(self._origin, moves=tuple(self.moves[:2]))
        self.board.handicap = begun.handicap_stones

    def undo(self, count: int = 1) -> None:
        """Take the last moves back; set-up and handicap stones stay.

        Raises:
            GoError: fewer moves were played.
        """
        if not 1 <= count <= len(self.moves):
            raise GoError(f"cannot take back {count} of {len(self.moves)} moves")
        self._rebuild(self.moves[:-count])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was placed or played yet."""
        return not self.moves and not self.board.grid.any()

    def place_handicap(self, points: Sequence[int]) -> None:
        """Begin with Black's handicap stones and White to move.

        Raises:
            GoError: the board is not empty, or the points are no handicap.
        """
        if not self.is_empty:
            raise GoError("handicap stones go on an empty board")
        stones = tuple(sorted(points))
        board = self._empty_board()
        board.place_handicap(stones)
        self._start(
            GameRecord(size=self.size, handicap=len(stones), setup_black=stones, to_play=WHITE)
        )

    def set_position(self, black: Sequence[int], white: Sequence[int]) -> None:
        """Begin with any stones on the board and Black to move.

        Raises:
            GoError: a chain would have no liberty.
        """
        self._empty_board().setup(black=black, white=white)
        self._start(GameRecord(size=self.size, setup_black=tuple(black), setup_white=tuple(white)))

    def load(self, record: GameRecord, *, count: int | None = None) -> None:
        """Take over a game record up to ``count`` moves; its komi, if it has one, too.

        Raises:
            GoError: the record's size is not supported or a move is illegal; nothing changes.
        """
        if not MIN_SIZE <= record.size <= MAX_SIZE:
            raise GoError(f"size {record.size} is outside {MIN_SIZE} to {MAX_SIZE}")
        komi = self.komi if record.komi is None else record.komi
        loaded = GameState(record.size, rules=self.rules, komi=komi)
        loaded._start(record, record.moves[:count])
        self.__dict__.update(loaded.__dict__)

    def record(self) -> GameRecord:
        """Return the game so far as a record."""
        moves = tuple(self.moves)
        origin = self._origin
        return replace(
            origin,
            komi=self.komi,
            rules=self.rules.name,
            moves=moves,
            result=origin.result if moves == origin.moves else None,
        )

    def position(self, colour: int) -> Board:
        """Return the board with ``colour`` to move: a copy where it is the other's turn."""
        if self.board.to_play == colour:
            return self.board
        board = self.board.copy()
        board.to_play = colour
        return board

    def before_last(self) -> Board:
        """Return the position before the last move, its player to move.

        Raises:
            GoError: no move was played.
        """
        if not self.moves:
            raise GoError("no move was played yet")
        board = self._replayed(self.moves[:-1])
        board.to_play = self.moves[-1][0]
        return board

    def _start(self, origin: GameRecord, moves: Sequence[Move] = ()) -> None:
        """Begin the game that an origin's set-up describes, with none or some of its moves."""
        self._origin = origin
        self._rebuild(moves)

    def _rebuild(self, moves: Sequence[Move]) -> None:
        """Replace the game by the one with these moves."""
        self.board = self._replayed(moves)
        self.moves: list[Move] = list(moves)

    def _empty_board(self) -> Board:
        """Return a board of the present size, rules and komi."""
        return Board(self.size, rules=self.rules, komi=self.komi)

    def _replayed(self, moves: Sequence[Move]) -> Board:
        """Return the board after the set-up and these moves.

        Where a loaded game went on from here, whoever made its next move is to play.
        """
        played = replace(self._origin, komi=self.komi, moves=tuple(moves))
        board = played.final_board(self.rules)
        recorded = self._origin.moves
        if len(moves) < len(recorded) and tuple(moves) == recorded[: len(moves)]:
            board.to_play = recorded[len(moves)][0]
        return board
