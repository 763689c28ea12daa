"""The game in progress: one board, what led to it, the way back, clocks and result.

GTP sessions, the terminal and matches all play one of these. Undo replays: the board is rebuilt
from the position before the first move, so that no history of boards has to be kept right. Every
change is made on a new board first; a refused one changes nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goengine.board import Board
from goengine.clock import Clock
from goengine.games.record import GameRecord, play_moves
from goengine.rules import Rules
from goengine.types import BLACK, MAX_SIZE, MIN_SIZE, WHITE, GoError, colour_letter, opponent

Move = tuple[int, int]
"""(colour, move)."""


class Game:
    """A game from its set-up stones to the present position.

    `size`, `rules`, `komi` and the clocks' settings outlive the game: they hold for the next one
    too. `moves` are all moves so far, `result` what SGF writes once the game has ended, `reason`
    why it ended so.
    """

    def __init__(
        self,
        size: int = 19,
        *,
        rules: str | Rules = "chinese",
        komi: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._prepare(Board(size, rules=rules, komi=komi), clock)
        self._origin = GameRecord(size=size)
        self.board = self.first.copy()

    @classmethod
    def at(cls, board: Board, *, clock: Clock | None = None) -> Game:
        """Return a game that begins in a position; the board itself stays as it is."""
        game = object.__new__(cls)
        game._prepare(board.copy(), clock)
        stones = board.grid.ravel()
        black, white = (tuple(np.flatnonzero(stones == c).tolist()) for c in (BLACK, WHITE))
        game._start(
            GameRecord(
                size=board.size,
                handicap=board.handicap,
                setup_black=black,
                setup_white=white,
                to_play=board.to_play,
            ),
            first=game.first,
        )
        return game

    def _prepare(self, first: Board, clock: Clock | None) -> None:
        """Take over the position before the first move; the game is still to be begun."""
        self.size = first.size
        self.rules = first.rules
        self.komi = first.komi
        self.clock = Clock() if clock is None else clock
        self.result: str | None = None
        self.reason = ""
        self.moves: list[Move] = []
        self.first = first

    def clear(self) -> None:
        """Start a new game on an empty board; size, rules and komi stay."""
        self._start(GameRecord(size=self.size))

    def resize(self, size: int) -> None:
        """Start a new game on a board of `size` lines.

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
            IllegalMoveError: a move of the game so far is illegal under them.
        """
        before = self.first
        self.first = before.under(rules)
        try:
            self._rebuild(self.moves)
        except GoError:
            self.first = before
            raise
        self.rules = rules

    def play(self, move: int, colour: int | None = None) -> None:
        """Play a move of either colour, by default of the one to move.

        Raises:
            IllegalMoveError: the rules forbid it.
        """
        colour = self.board.to_play if colour is None else colour
        self.board.play(move, colour)
        self.moves.append((colour, move))
        self.board.handicap = self._handicap(self.moves)

    def undo(self, count: int = 1) -> None:
        """Take the last moves back, and a result with them; set-up and handicap stones stay.

        Raises:
            GoError: fewer moves were played.
        """
        if not 1 <= count <= len(self.moves):
            raise GoError(f"cannot take back {count} of {len(self.moves)} moves")
        self._rebuild(self.moves[:-count])
        self.reopen()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was placed or played yet."""
        return not self.moves and not self.board.grid.any()

    @property
    def over(self) -> bool:
        """Whether the game has a result."""
        return self.result is not None

    def end(self, result: str, reason: str = "") -> None:
        """End the game with a result as SGF writes it."""
        self.result = result
        self.reason = reason

    def lose(self, colour: int, kind: str, reason: str = "") -> None:
        """End the game as lost by a colour; `kind` is SGF's letter: R, T or F."""
        self.end(f"{colour_letter(opponent(colour))}+{kind}", reason)

    def reopen(self) -> None:
        """Take the result back."""
        self.result = None
        self.reason = ""

    def place_handicap(self, points: Sequence[int]) -> None:
        """Begin with Black's handicap stones and White to move.

        Raises:
            GoError: the board is not empty, or the points are not a handicap.
        """
        if not self.is_empty:
            raise GoError("handicap stones go on an empty board")
        stones = tuple(sorted(points))
        board = Board(self.size, rules=self.rules, komi=self.komi)
        board.place_handicap(stones)
        self._start(
            GameRecord(size=self.size, handicap=len(stones), setup_black=stones, to_play=WHITE)
        )

    def set_position(self, black: Sequence[int], white: Sequence[int]) -> None:
        """Begin with any stones on the board and Black to move.

        Raises:
            GoError: a chain would have no liberty.
        """
        self._start(GameRecord(size=self.size, setup_black=tuple(black), setup_white=tuple(white)))

    def load(self, record: GameRecord, *, count: int | None = None) -> None:
        """Take over a game record up to `count` moves; its komi, if it has one, too.

        Raises:
            GoError: the record's size is not supported or a move is illegal; nothing changes.
        """
        if not MIN_SIZE <= record.size <= MAX_SIZE:
            raise GoError(f"size {record.size} is outside {MIN_SIZE} to {MAX_SIZE}")
        komi = self.komi if record.komi is None else record.komi
        loaded = Game(record.size, rules=self.rules, komi=komi, clock=self.clock)
        loaded._start(record, record.moves[:count])
        self.__dict__.update(loaded.__dict__)

    def record(self, *, black: str | None = None, white: str | None = None) -> GameRecord:
        """Return the game so far as a record, with the players' names where they are given."""
        moves = tuple(self.moves)
        origin = self._origin
        kept = origin.result if moves == origin.moves else None
        return replace(
            origin,
            komi=self.komi,
            rules=self.rules.name,
            moves=moves,
            result=kept if self.result is None else self.result,
            black=origin.black if black is None else black,
            white=origin.white if white is None else white,
        )

    def turned_to(self, colour: int) -> Game:
        """Return the game with `colour` to move: a copy where it is the other's turn."""
        if self.board.to_play == colour:
            return self
        twin = copy.copy(self)
        twin.board = self.board.copy()
        twin.board.to_play = colour
        twin.moves = list(self.moves)
        return twin

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

    def _start(
        self, origin: GameRecord, moves: Sequence[Move] = (), *, first: Board | None = None
    ) -> None:
        """Begin the game that an origin's set-up describes, with none or some of its moves.

        `first` is the position before the first move where the set-up does not say all of it.
        """
        begun = replace(origin, komi=self.komi, moves=tuple(moves))
        board = begun.initial_board(self.rules) if first is None else first
        before = self.__dict__.copy()
        self._origin, self.first = origin, board
        try:
            self._rebuild(moves)
        except GoError:
            self.__dict__.update(before)
            raise
        self.reopen()

    def _rebuild(self, moves: Sequence[Move]) -> None:
        """Replace the game by the one with these moves."""
        self.board = self._replayed(moves)
        self.moves = list(moves)

    def _handicap(self, moves: Sequence[Move]) -> int:
        """Return how many stones of the set-up are a handicap, which the first moves tell."""
        return self._origin.handicap_with(moves)

    def _replayed(self, moves: Sequence[Move]) -> Board:
        """Return the board after the set-up and these moves.

        Where a loaded game went on from here, whoever made its next move is to play.
        """
        board = self.first.copy()
        board.komi = self.komi
        board.handicap = self._handicap(moves)
        play_moves(board, moves)
        recorded = self._origin.moves
        if len(moves) < len(recorded) and tuple(moves) == recorded[: len(moves)]:
            board.to_play = recorded[len(moves)][0]
        return board
