"""GameRecord: one game of Go as plain values, whatever file it came from.

A record holds what was written down, in the order in which it was played, and does not judge.
Whether the moves are legal shows when they are replayed (`positions`, `final_board`). Reading and
writing SGF is sgf.py's work; this module imports no parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goengine.types import BLACK, WHITE, IllegalMoveError, colour_name

if TYPE_CHECKING:
    from goengine.board import Board
    from goengine.rules import Rules


@dataclass(frozen=True)
class GameRecord:
    """One game: set-up stones, moves and what is known about players and result.

    `moves` holds (colour, move) pairs; a move counts from the top-left, N*N is a pass.
    `handicap` is the announced number; the stones themselves are in `setup_black`, and
    `handicap_stones` is the number that rules pay White for.
    `result` reads like SGF: `B+R`, `W+T`, `W+3.5`, `0` (draw), `Void`, `B+`; None is
    unknown. `date` reads like SGF where it is a single day: `2018-05-02`.
    """

    size: int = 19
    komi: float | None = None
    rules: str | None = None
    handicap: int = 0
    setup_black: tuple[int, ...] = ()
    setup_white: tuple[int, ...] = ()
    to_play: int = BLACK
    moves: tuple[tuple[int, int], ...] = ()
    result: str | None = None
    black: str | None = None
    white: str | None = None
    black_rank: str | None = None
    white_rank: str | None = None
    date: str | None = None
    event: str | None = None
    cut: str | None = field(default=None, compare=False)
    """Why a reader kept only a prefix of the game; takes no part in equality."""

    notes: tuple[str, ...] = field(default=(), compare=False)
    """What a reader guessed or left out, a sentence each, its kind before the colon; takes no part
    in equality."""

    @property
    def winner(self) -> int | None:
        """The colour that won; None for a draw, a void game and an unknown result."""
        start = (self.result or "")[:2].upper()
        return {"B+": BLACK, "W+": WHITE}.get(start)

    @property
    def handicap_stones(self) -> int:
        """The handicap that stands on the board: 0, or 2 and more."""
        return self.handicap_with(self.moves)

    def handicap_with(self, moves: Sequence[tuple[int, int]]) -> int:
        """Return the handicap of a game that goes on from the set-up with these moves.

        An announced handicap whose stones nobody set up was not given; one stone is not a handicap
        but the right to begin. Where White begins with two moves in a row, stones were set up one
        by one: a diagram, which Sabaki sends so, and not a handicap.
        """
        if [colour for colour, _ in moves[:2]] == [WHITE, WHITE]:
            return 0
        stones = min(self.handicap, len(self.setup_black))
        return stones if stones >= 2 else 0

    def initial_board(self, rules: str | Rules = "replay") -> Board:
        """Return the board before the first move, with the record's komi and set-up stones."""
        from goengine.board import Board

        board = Board(self.size, rules=rules, komi=self.komi)
        if self.setup_black or self.setup_white:
            board.setup(black=self.setup_black, white=self.setup_white)
        board.handicap = self.handicap_stones
        board.to_play = self.to_play
        return board

    def positions(self, rules: str | Rules = "replay") -> Iterator[tuple[Board, int]]:
        """Yield (a board of your own BEFORE the move, the move) for every move, passes included.

        The player to move on the board is the one who moved in the record.

        Raises:
            IllegalMoveError: at the first move that the rules forbid.
        """
        board = self.initial_board(rules)
        for number, (colour, move) in enumerate(self.moves, start=1):
            board.to_play = colour
            yield board.copy(), move
            _play(board, number, colour, move)

    def board_at(self, count: int, rules: str | Rules = "replay") -> Board:
        """Return the board after the first `count` moves; a negative count leaves off the end.

        The player to move on the board is the one who makes the next move in the record.

        Raises:
            IllegalMoveError: at the first move that the rules forbid.
        """
        board = self.initial_board(rules)
        play_moves(board, self.moves[:count])
        following = self.moves[count:]
        if following:
            board.to_play = following[0][0]
        return board

    def final_board(self, rules: str | Rules = "replay") -> Board:
        """Return the board after the last move.

        Raises:
            IllegalMoveError: at the first move that the rules forbid.
        """
        return self.board_at(len(self.moves), rules)


def play_moves(board: Board, moves: Sequence[tuple[int, int]]) -> None:
    """Play (colour, move) pairs on a board.

    Raises:
        IllegalMoveError: at the first move that the rules forbid; it tells the move's number.
    """
    for number, (colour, move) in enumerate(moves, start=1):
        _play(board, number, colour, move)


def _play(board: Board, number: int, colour: int, move: int) -> None:
    """Play one move of a game; an error tells its number."""
    try:
        board.play(move, colour)
    except IllegalMoveError as error:
        raise IllegalMoveError(f"move {number} ({colour_name(colour)}): {error}") from error
