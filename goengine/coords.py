"""The one place where coordinates are converted.

==============  =====================================  ==================  ============
system          top-left of a 19x19 board              bottom-right        pass
==============  =====================================  ==================  ============
move            0                                      360                 361 (= N*N)
(row, column)   (0, 0)                                 (18, 18)            none
GTP vertex      A19                                    T1 (no letter I)    pass
SGF point       aa                                     ss                  "" (or tt)
==============  =====================================  ==================  ============

A move counts row by row from the top-left corner: `move = row * N + column`.
"""

from __future__ import annotations

from goengine.types import RESIGN, GoError

GTP_COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"

_SGF_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class CoordError(GoError):
    """A text or number that does not name a point of the board."""


def pass_move(size: int) -> int:
    """Return the number of the pass on a board of `size` lines."""
    return size * size


def move_to_rowcol(move: int, size: int) -> tuple[int, int]:
    """Return the (row, column) of a move that is a point.

    Raises:
        CoordError: the move is a pass or off the board.
    """
    if not 0 <= move < size * size:
        raise CoordError(f"move {move} is not a point of a {size}x{size} board")
    return divmod(move, size)


def rowcol_to_move(row: int, column: int, size: int) -> int:
    """Return the move at (row, column), counted from the top-left.

    Raises:
        CoordError: the point is off the board.
    """
    if not (0 <= row < size and 0 <= column < size):
        raise CoordError(f"({row}, {column}) is not a point of a {size}x{size} board")
    return row * size + column


def move_to_gtp(move: int, size: int) -> str:
    """Return the GTP vertex of a move: `Q16`, `pass` or `resign`.

    Raises:
        CoordError: the move is off the board.
    """
    if move == RESIGN:
        return "resign"
    if move == size * size:
        return "pass"
    row, column = move_to_rowcol(move, size)
    return f"{GTP_COLUMNS[column]}{size - row}"


def gtp_to_move(text: str, size: int) -> int:
    """Return the move that a GTP vertex names, in any case; `pass` and `resign` included.

    Raises:
        CoordError: the text is not a vertex of this board.
    """
    word = text.upper()
    if word == "PASS":
        return size * size
    if word == "RESIGN":
        return RESIGN
    column = GTP_COLUMNS.find(word[:1]) if word else -1
    digits = word[1:]
    if column < 0 or not (digits.isascii() and digits.isdigit()) or len(digits) > 2:
        why = ": columns leave out the letter I" if word[:1] == "I" and digits.isdigit() else ""
        raise CoordError(f"{text!r} is not a vertex such as D4{why}")
    line = int(digits)
    if column >= size or not 1 <= line <= size:
        raise CoordError(f"{text!r} is off the {size}x{size} board")
    return (size - line) * size + column


def move_to_sgf(move: int, size: int) -> str:
    """Return the SGF point of a move, the empty string for a pass.

    Raises:
        CoordError: the move is off the board.
    """
    if move == size * size:
        return ""
    row, column = move_to_rowcol(move, size)
    return _SGF_LETTERS[column] + _SGF_LETTERS[row]


def sgf_to_move(text: str, size: int) -> int:
    """Return the move of an SGF point; empty, or `tt` up to 19x19, is a pass.

    Raises:
        CoordError: the text is not a point of this board.
    """
    if text == "" or (text == "tt" and size <= 19):
        return size * size
    if len(text) == 2:
        column = _SGF_LETTERS.find(text[0].lower())
        row = _SGF_LETTERS.find(text[1].lower())
        if 0 <= column < size and 0 <= row < size:
            return row * size + column
    raise CoordError(f"{text!r} is not an SGF point of a {size}x{size} board")
