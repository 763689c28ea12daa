"""The board that people use: a position record with rules, history and readable moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine import coords
from goengine._kernels import chains, repetition
from goengine._kernels.state import BOARD_DTYPE, STRIDE, TURN_WORD, Records, new_records
from goengine.rules import Rules, get_rules
from goengine.types import BLACK, EMPTY, WHITE, GoError, IllegalMoveError, colour_name, opponent

_SYMBOLS = {EMPTY: ".", BLACK: "X", WHITE: "O"}
_LETTERS = {".": EMPTY, "+": EMPTY, "X": BLACK, "B": BLACK, "#": BLACK, "O": WHITE, "W": WHITE}


class Board:
    """A game in progress on a board of 2 to 19 lines.

    Moves are numbers, row by row from the top-left, N*N is a pass (see coords.py). `records` is
    the (1,) BOARD_DTYPE array that kernels work on; batches are made with `numpy.concatenate`.

    >>> board = Board(3)
    >>> for move in (4, 1, 3, 5):
    ...     board.play(move)
    >>> print(board)
       A B C
     3 . O . 3
     2 X X(O)2
     1 . . . 1
       A B C
    >>> board.liberties(3), board.chain(3), int(board.legal().sum())
    (3, [3, 4], 5)
    >>> Board.from_diagram(str(board)) == board
    True
    """

    def __init__(
        self, size: int = 19, *, rules: str | Rules = "chinese", komi: float | None = None
    ) -> None:
        self.records: Records = new_records(1, size)
        self.size = size
        self.rules = get_rules(rules)
        self.komi = self.rules.komi if komi is None else float(komi)
        self.handicap = 0
        self.last_move: int | None = None
        self.history: repetition.Table = repetition.new_table()
        """What superko compares with: a word for every position before this one, for kernels."""
        self._remembered = 0

    @classmethod
    def from_diagram(
        cls, text: str, *, to_play: int = BLACK, rules: str | Rules = "chinese"
    ) -> Board:
        """Return the position that a diagram shows.

        Rows end at a newline or `|`; `X B #` are black, `O W` white, `. +` empty; blanks,
        parentheses, row numbers and a line of column letters, as `str(board)` has them, do not
        count.

        Raises:
            GoError: the diagram is not square or has another character.
        """
        lines = text.translate(str.maketrans("|", "\n", " ()")).split("\n")
        rows = [line.strip("0123456789") for line in lines]
        rows = [row for row in rows if row and not coords.GTP_COLUMNS.startswith(row)]
        if any(len(row) != len(rows) for row in rows):
            raise GoError(f"the diagram is not square: {len(rows)} rows, {sorted(map(len, rows))}")
        board = cls(len(rows), rules=rules)
        stones: dict[int, list[int]] = {EMPTY: [], BLACK: [], WHITE: []}
        for move, letter in enumerate("".join(rows)):
            if letter.upper() not in _LETTERS:
                raise GoError(f"{letter!r} in the diagram is not one of X B # O W . +")
            stones[_LETTERS[letter.upper()]].append(move)
        board.setup(black=stones[BLACK], white=stones[WHITE])
        board.to_play = to_play
        return board

    # The position

    @property
    def to_play(self) -> int:
        """The colour to move."""
        return int(self.records["to_play"][0])

    @to_play.setter
    def to_play(self, colour: int) -> None:
        if colour not in (BLACK, WHITE):
            raise GoError(f"{colour!r} is not a colour: use BLACK or WHITE")
        if colour != self.to_play:
            self.records["ko"][0] = 0
            self.records["to_play"][0] = colour

    @property
    def turn(self) -> int:
        """Moves played so far, passes included, set-up stones not."""
        return int(self.records["turn"][0])

    @property
    def passes(self) -> int:
        """How many passes in a row were just played."""
        return int(self.records["passes"][0])

    @property
    def captures(self) -> tuple[int, int]:
        """Stones captured by Black and by White."""
        taken = self.records["captures"][0]
        return int(taken[BLACK]), int(taken[WHITE])

    @property
    def hash(self) -> int:
        """The Zobrist hash of the stones, 64 bits."""
        return int(self.records["hash"][0])

    @property
    def ko(self) -> int | None:
        """The move that the simple ko forbids to the player to move, if there is one."""
        point = int(self.records["ko"][0])
        return int(chains.move_of(point, self.size)) if point else None

    @property
    def grid(self) -> npt.NDArray[np.int8]:
        """A copy of the colours, int8 (N, N), row 0 = top."""
        return self._field("colour").astype(np.int8)

    def _field(self, name: str) -> npt.NDArray[Any]:
        """Return one per-point field of the record without its padding, (N, N)."""
        rows = self.records[name][0][STRIDE : (self.size + 1) * STRIDE]
        return np.array(rows.reshape(self.size, STRIDE)[:, 1 : self.size + 1])

    def __eq__(self, other: object) -> bool:
        """Compare stones, player to move, ko and rules."""
        if not isinstance(other, Board):
            return NotImplemented
        return (
            self.size == other.size
            and self.rules == other.rules
            and self.to_play == other.to_play
            and self.ko == other.ko
            and bool((self.grid == other.grid).all())
        )

    __hash__ = None  # type: ignore[assignment]  # a board changes as it is played on

    def __str__(self) -> str:
        """Draw the position with GTP coordinates; the last move is in parentheses."""
        letters = " ".join(coords.GTP_COLUMNS[: self.size])
        lines = [f"   {letters}"]
        for row, stones in enumerate(self.grid):
            cells = "".join(f" {_SYMBOLS[int(colour)]}" for colour in stones) + " "
            if self.last_move is not None and self.last_move // self.size == row:
                column = self.last_move % self.size
                cells = f"{cells[: 2 * column]}({cells[2 * column + 1]}){cells[2 * column + 3 :]}"
            lines.append(f"{self.size - row:2d}{cells}{self.size - row}")
        return "\n".join([*lines, f"   {letters}"])

    def __repr__(self) -> str:
        """Name the size, the turn and the player to move."""
        return f"<Board {self.size}x{self.size}, turn {self.turn}, {colour_name(self.to_play)}>"

    def copy(self) -> Board:
        """Return an independent copy, history included."""
        twin = object.__new__(Board)
        twin.__dict__.update(self.__dict__)
        twin.records = self.records.copy()
        twin.history = self.history.copy()
        return twin

    def under(self, rules: Rules) -> Board:
        """Return a copy under other rules; what superko compared with is forgotten."""
        twin = self.copy()
        twin.rules = rules
        twin.history = repetition.new_table()
        twin._remembered = 0
        return twin

    # Chains

    def chain(self, move: int) -> list[int]:
        """Return the moves of the chain on a point, sorted; empty on an empty point."""
        coords.move_to_rowcol(move, self.size)
        out = np.empty(self.size * self.size, dtype=np.int16)
        count = chains.chain_moves(self.records, 0, move, out)
        return sorted(out[:count].tolist())

    def liberties(self, move: int) -> int:
        """Return the number of liberties of the chain on a point, 0 on an empty point."""
        coords.move_to_rowcol(move, self.size)
        return int(chains.liberties(self.records, 0, move))

    def area(self) -> npt.NDArray[np.int8]:
        """Return int8 (N, N): stones, and empty regions that touch one colour only."""
        out = np.empty(self.size * self.size, dtype=np.int8)
        chains.area(self.records, 0, out)
        return out.reshape(self.size, self.size)

    # Moves

    def legal(self, colour: int | None = None) -> npt.NDArray[np.bool_]:
        """Return bool (N*N + 1,): the moves that the rules allow; the pass, last, always is."""
        colour = self.to_play if colour is None else colour
        mask = np.empty(self.size * self.size + 1, dtype=np.bool_)
        chains.legal_mask(self.records, 0, colour, self.rules.suicide, mask)
        return self._without_repetition(mask, colour)

    def sensible(self, colour: int | None = None) -> npt.NDArray[np.bool_]:
        """Return bool (N*N + 1,): legal moves that do not fill an own true eye."""
        colour = self.to_play if colour is None else colour
        mask = np.empty(self.size * self.size + 1, dtype=np.bool_)
        chains.sensible_mask(self.records, 0, colour, mask)
        return self._without_repetition(mask, colour)

    def is_legal(self, move: int, colour: int | None = None) -> bool:
        """Tell whether the rules allow a move; a pass always is allowed."""
        colour = self.to_play if colour is None else colour
        points = self.size * self.size
        if move == points:
            return True
        if not 0 <= move < points:
            return False
        if not chains.legal_at(self.records, 0, move, colour, self.rules.suicide):
            return False
        mask = np.zeros(points + 1, dtype=np.bool_)
        mask[move] = True
        return bool(self._without_repetition(mask, colour)[move])

    def play(self, move: int, colour: int | None = None) -> None:
        """Play a move or a pass; the colour defaults to the player to move.

        Raises:
            IllegalMoveError: the rules forbid the move; the board is unchanged.
        """
        colour = self.to_play if colour is None else colour
        if not self.is_legal(move, colour):
            raise IllegalMoveError(self._why_illegal(move, colour))
        if self.rules.ko != "simple":
            self.remember(self.hash, colour)
        chains.play(self.records, 0, move, colour)
        self.last_move = move

    def setup(
        self, black: Iterable[int] = (), white: Iterable[int] = (), empty: Iterable[int] = ()
    ) -> None:
        """Put stones on the board or take them off, as SGF's AB, AW and AE do.

        The stones count as older than any move, no turn is taken, and a ko is forgotten.

        Raises:
            GoError: a point is off the board, or a chain would have no liberty.
        """
        colours = self.grid.ravel()
        born = self._field("born").ravel()
        new: set[int] = set()
        for colour, moves in ((EMPTY, empty), (BLACK, black), (WHITE, white)):
            for move in moves:
                coords.move_to_rowcol(move, self.size)
                colours[move] = colour
                new.add(move)
        fresh = new_records(1, self.size)
        for move in np.flatnonzero(colours).tolist():
            chains.place(fresh, 0, move, colours[move])
            if move not in new:
                fresh["born"][0, chains.point_of(move, self.size)] = born[move]
        for name in ("turn", "captures", "to_play", "passes"):
            fresh[name] = self.records[name]
        before = self.records
        self.records = fresh
        if not (self.grid.ravel() == colours).all():
            self.records = before
            raise GoError("the set-up stones leave a chain without liberties: correct the diagram")

    def place_handicap(self, moves: Iterable[int]) -> None:
        """Place Black's handicap stones on an empty board; White moves next.

        Raises:
            GoError: the board is not empty, or a point is repeated or off the board.
        """
        points = list(moves)
        if self.grid.any() or self.turn:
            raise GoError("handicap stones go on an empty board: clear it first")
        if len(set(points)) != len(points):
            raise GoError("a handicap point is repeated: name every point once")
        self.setup(black=points)
        self.handicap = len(points)
        self.to_play = WHITE

    # Repetition

    def remember(self, stones: int, to_play: int) -> None:
        """Forbid under superko that a position comes again: its stones' hash, and who moved there.

        `play` does so by itself for every position that it leaves. Whoever moves had the turn, also
        after a set-up that gave it to the other player.
        """
        if 2 * (self._remembered + 1) > len(self.history):
            self.history = repetition.grown(self.history)
        word = np.uint64(stones ^ self._turn_word(to_play))
        self._remembered += bool(repetition.remember(self.history, word))

    def _turn_word(self, to_play: int) -> int:
        """Return what superko adds to the stones' hash: the player to move, if that counts."""
        return TURN_WORD if self.rules.ko == "situational" and to_play == WHITE else 0

    def _without_repetition(
        self, mask: npt.NDArray[np.bool_], colour: int
    ) -> npt.NDArray[np.bool_]:
        """Clear the moves of a mask that would repeat a position."""
        if self.rules.ko == "simple":
            return mask
        after = np.zeros(self.size * self.size, dtype=np.uint64)
        chains.hashes_after(self.records, 0, colour, mask, after)
        turn_word = np.uint64(self._turn_word(opponent(colour)))
        repetition.forbid_repetition(self.history, after, turn_word, mask)
        present = np.uint64(self.hash ^ self._turn_word(colour))
        mask[:-1] &= (after ^ turn_word) != present
        return mask

    def _why_illegal(self, move: int, colour: int) -> str:
        """Say in one sentence why a move is not allowed."""
        if not 0 <= move <= self.size * self.size:
            return f"move {move} is off the {self.size}x{self.size} board"
        vertex = f"{colour_name(colour)} {coords.move_to_gtp(move, self.size)}"
        if self.grid.ravel()[move] != EMPTY:
            return f"{vertex} is illegal: the point is occupied"
        if move == self.ko and colour == self.to_play:
            return f"{vertex} is illegal: it retakes a ko at once"
        if not chains.legal_at(self.records, 0, move, colour, self.rules.suicide):
            return f"{vertex} is illegal: suicide"
        return f"{vertex} is illegal: it repeats an earlier position ({self.rules.ko} superko)"


def joined(parts: Sequence[Records]) -> Records:
    """Return records (A,), (B,) ... as one array (A + B + ...,).

    `np.concatenate` compares the fields of all parts first, which takes longer than the copy.
    """
    whole = np.empty(sum(map(len, parts)), dtype=BOARD_DTYPE)
    start = 0
    for part in parts:
        whole[start : start + len(part)] = part
        start += len(part)
    return whole
