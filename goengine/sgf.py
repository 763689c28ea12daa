"""SGF bytes to GameRecord and back, on top of sgfmill's grammar.

The grammar (brackets, escapes, properties) is sgfmill's; this module gives the properties their
meaning. It reads the main line, or every variation, and fails in one way only: ``SgfError``.

==========================  ====================================================================
in the file                 in the record
==========================  ====================================================================
AB AW AE PL before a move   set-up stones and first player; ``aa:cc`` rectangles are expanded
HA[n], then n black moves   the n moves become set-up stones, as other servers write them
B[] B[tt] (up to 19x19)     a pass
AB AW AE after a move       the record ends before it; ``cut`` says so
a move off the board        the record ends before it; ``cut`` says so
text that is no SGF         the record ends before it; ``cut`` says so (nothing usable: SgfError)
CA                          the encoding; without it UTF-8, else GB18030 or Latin-1 by the look
==========================  ====================================================================

Legality is not asked here: replaying the record tells.
"""

from __future__ import annotations

import codecs
import logging
import math
import re
from collections.abc import Iterator
from functools import lru_cache

from sgfmill import sgf_grammar

from goengine.coords import CoordError, move_to_sgf, pass_move, sgf_to_move
from goengine.record import GameRecord
from goengine.types import BLACK, EMPTY, MAX_SIZE, MIN_SIZE, WHITE, GoError, colour_letter

_log = logging.getLogger(__name__)

_Node = dict[bytes, list[bytes]]
_Token = tuple[str, bytes]

CUT_BROKEN = "broken text"
CUT_SETUP = "setup in mid-game"
CUT_MOVE = "unreadable move"

_CHARSET = re.compile(rb"CA\s*\[\s*([A-Za-z0-9_-]{1,20})\s*\]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_ROOT = re.compile(rb"\(\s*;(?=[^()]{0,300}?\b(?:GM|FF|SZ|CA|PB|PW)\s*\[)")
# What files call an encoding, and the superset that their bytes are really in.
_ENCODINGS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_SAFE_ENCODING = re.compile(
    r"(ascii|utf-8|iso8859-\d+|cp\d+|gb18030|big5(hkscs)?|euc_jp|koi8-[ru]|johab|hz)\Z"
)
_SETUP = {b"AB": BLACK, b"AW": WHITE, b"AE": EMPTY}
_TURN = {b"B": BLACK, b"W": WHITE}
# Komi in hundredths, as Fox writes it; Chinese rules count 3.75 stones for 7.5 points.
_FOX_KOMI = {375.0: 7.5, 650.0: 6.5, 750.0: 7.5}
_MAX_KOMI = 200.0


class SgfError(GoError):
    """Data from which no game of Go can be read."""


def read_sgf(data: bytes | str) -> GameRecord:
    """Return the main line of the first game in SGF data.

    A game that is damaged further on is read up to the damage (see ``GameRecord.cut``).

    Raises:
        SgfError: the data holds no usable game; no other exception, whatever the bytes.
    """
    record = next(read_collection(data))
    if isinstance(record, SgfError):
        raise record
    if record.cut:
        _log.warning("SGF: kept the first %d moves: %s", len(record.moves), record.cut)
    return record


def read_collection(data: bytes | str) -> Iterator[GameRecord | SgfError]:
    """Yield the main line of every game in SGF data, and an SgfError for every game that has none.

    Data without any game yields one SgfError. Never raises.
    """
    text = to_utf8(data)
    position = 0
    count = 0
    while True:
        tokens, end = sgf_grammar.tokenise(text, position)
        if not tokens:
            break
        count += 1
        closed = tokens[-1] == ("D", b")") and _balanced(tokens)
        try:
            yield _record(*_main_line(tokens, closed=closed))
        except SgfError as error:
            yield error
        if closed:
            position = end
            continue
        # Inside a value that never ends there is no other game; elsewhere look for the next root.
        if text[end : end + 200].lstrip()[:1] == b"[":
            break
        root = _ROOT.search(text, end)
        if root is None:
            break
        position = root.start()
    if count == 0:
        yield SgfError("no SGF game found: a game starts with '(;'")


def read_variations(data: bytes | str) -> Iterator[GameRecord]:
    """Yield every line of the first game from root to leaf, the main line first.

    Raises:
        SgfError: the data holds no well-formed game.
    """
    try:
        tree = sgf_grammar.parse_sgf_game(to_utf8(data))
    except ValueError as error:
        raise SgfError(f"not a well-formed SGF game: {error}") from None
    stack: list[tuple[list[_Node], object]] = [([], tree)]
    while stack:
        before, branch = stack.pop()
        nodes = before + [
            {name.encode("ascii"): values for name, values in node.items()}
            for node in branch.sequence  # type: ignore[attr-defined]
        ]
        children = branch.children  # type: ignore[attr-defined]
        if not children:
            yield _record(nodes, sound=True)
        stack.extend((nodes, child) for child in reversed(children))


def write_sgf(record: GameRecord) -> bytes:
    """Return a record as UTF-8 SGF (FF 4), one node a move; ``read_sgf`` gives the record back."""
    root: dict[str, list[bytes]] = {
        "FF": [b"4"],
        "GM": [b"1"],
        "CA": [b"UTF-8"],
        "SZ": [str(record.size).encode()],
    }
    if record.komi is not None:
        root["KM"] = [repr(float(record.komi)).removesuffix(".0").encode()]
    if record.handicap:
        root["HA"] = [str(record.handicap).encode()]
    for name, stones in (("AB", record.setup_black), ("AW", record.setup_white)):
        if stones:
            root[name] = [move_to_sgf(stone, record.size).encode() for stone in stones]
    root["PL"] = [colour_letter(record.to_play).encode()]
    for name, text in (
        ("RU", record.rules),
        ("RE", record.result),
        ("PB", record.black),
        ("PW", record.white),
        ("BR", record.black_rank),
        ("WR", record.white_rank),
        ("DT", record.date),
        ("EV", record.event),
    ):
        if text:
            root[name] = [sgf_grammar.escape_text(text.encode("utf-8", "replace"))]
    tree = sgf_grammar.Coarse_game_tree()
    tree.sequence = [root] + [
        {colour_letter(colour): [move_to_sgf(move, record.size).encode()]}
        for colour, move in record.moves
    ]
    data: bytes = sgf_grammar.serialise_game_tree(tree)
    return data


def to_utf8(data: bytes | str) -> bytes:
    """Return SGF data as UTF-8 bytes: by CA where it holds, else by the look of the bytes."""
    if isinstance(data, str):
        return data.encode("utf-8", "replace")
    if data.isascii():
        return data
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    declared = _declared_encoding(data)
    for encoding in (declared, "utf-8", _guessed_encoding(data)):
        if encoding is None:
            continue
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        return data if encoding == "utf-8" else text.encode("utf-8", "replace")
    return data.decode("utf-8", "replace").encode("utf-8")


def _declared_encoding(data: bytes) -> str | None:
    """Return the Python name of the encoding in CA, None if absent or unknown."""
    match = _CHARSET.search(data)
    if match is None:
        return None
    try:
        name = codecs.lookup(match.group(1).decode("ascii")).name
    except LookupError:
        return None
    name = _ENCODINGS.get(name, name)
    return name if _SAFE_ENCODING.match(name) else None


def _guessed_encoding(data: bytes) -> str:
    """Tell Chinese from Latin-1: GB bytes come in pairs, accented letters mostly alone."""
    runs = _HIGH_RUN.findall(data)
    even = sum(len(run) % 2 == 0 for run in runs)
    return "gb18030" if 2 * even > len(runs) else "latin-1"


def _balanced(tokens: list[_Token]) -> bool:
    """Tell whether the last token closes the first."""
    return tokens.count(("D", b"(")) == tokens.count(("D", b")"))


def _main_line(tokens: list[_Token], *, closed: bool) -> tuple[list[_Node], bool]:
    """Return the nodes from the root to the first leaf (the first ``)``) and whether all is sound."""
    nodes: list[_Node] = []
    values: list[bytes] | None = None
    node: _Node | None = None
    for kind, token in tokens:
        if kind == "V":
            if values is None:
                return nodes, False
            values.append(token)
        elif kind == "I":
            if node is None:
                return nodes, False
            values = node.setdefault(token, [])
        elif token == b";":
            node = {}
            nodes.append(node)
            values = None
        elif token == b")":
            return nodes, closed
        else:
            node = values = None
    return nodes, False


@lru_cache(maxsize=32)
def _points(size: int) -> dict[bytes, int]:
    """Return the moves of all SGF points of a board, the passes included."""
    table = {move_to_sgf(move, size).encode(): move for move in range(size * size + 1)}
    table[b"tt"] = pass_move(size)
    return table


def _point(value: bytes, size: int) -> int | None:
    """Return the move that a value names, in any case and with blanks around; None if it is none."""
    move = _points(size).get(value)
    if move is not None:
        return move
    try:
        return sgf_to_move(value.strip().lower().decode("ascii"), size)
    except (CoordError, UnicodeDecodeError):
        return None


def _stones(values: list[bytes], size: int) -> Iterator[int]:
    """Yield the points of AB, AW or AE; values that name none are left out."""
    for value in values:
        first, second = sgf_grammar.parse_compose(value)
        start = _point(first, size)
        stop = start if second is None else _point(second, size)
        if start is None or stop is None or pass_move(size) in (start, stop):
            continue
        rows = sorted((start // size, stop // size))
        columns = sorted((start % size, stop % size))
        for row in range(rows[0], rows[1] + 1):
            for column in range(columns[0], columns[1] + 1):
                yield row * size + column


def _record(nodes: list[_Node], sound: bool) -> GameRecord:
    """Build the record of one line of nodes; ``sound`` tells whether the text was whole."""
    if not nodes:
        raise SgfError("the game has no node: write at least '(;)'")
    root = nodes[0]
    _check_game(root)
    size = _size(root)
    points = _points(size)
    stones: dict[int, int] = {}
    moves: list[tuple[int, int]] = []
    cut = None if sound else CUT_BROKEN
    player: int | None = None
    for node in nodes:
        for name, values in node.items():
            if name in _TURN:
                move = points.get(values[0]) if values else None
                if move is None and values:
                    move = _point(values[0], size)
                if move is None:
                    cut = CUT_MOVE
                    break
                moves.append((_TURN[name], move))
            elif name in _SETUP:
                if moves:
                    cut = CUT_SETUP
                    break
                colour = _SETUP[name]
                for point in _stones(values, size):
                    stones[point] = colour
            elif name == b"PL" and values and not moves:
                player = {b"B": BLACK, b"W": WHITE}.get(values[0].strip()[:1].upper(), player)
        else:
            continue
        break
    if not sound and not moves and not any(stones.values()):
        raise SgfError("the text breaks off before any stone: it is not a readable SGF game")
    return _finish(root, size, stones, moves, player, cut)


def _finish(
    root: _Node,
    size: int,
    stones: dict[int, int],
    moves: list[tuple[int, int]],
    player: int | None,
    cut: str | None,
) -> GameRecord:
    """Settle handicap and first player, and read what the root says about the game."""
    handicap = _integer(root, b"HA")
    black = sorted(point for point, colour in stones.items() if colour == BLACK)
    white = sorted(point for point, colour in stones.items() if colour == WHITE)
    if not stones and _opens_with_handicap(moves, handicap, size):
        black = sorted(move for _, move in moves[:handicap])
        moves = moves[handicap:]
        player = WHITE
    if moves:
        player = moves[0][0]
    elif player is None:
        player = WHITE if black and not white else BLACK
    if handicap == 0 and len(black) >= 2 and not white and player == WHITE:
        handicap = len(black)
    return GameRecord(
        size=size,
        komi=_komi(root),
        rules=_text(root, b"RU"),
        handicap=handicap,
        setup_black=tuple(black),
        setup_white=tuple(white),
        to_play=player,
        moves=tuple(moves),
        result=_result(root),
        black=_text(root, b"PB"),
        white=_text(root, b"PW"),
        black_rank=_text(root, b"BR"),
        white_rank=_text(root, b"WR"),
        date=_text(root, b"DT"),
        event=_text(root, b"EV"),
        cut=cut,
    )


def _opens_with_handicap(moves: list[tuple[int, int]], handicap: int, size: int) -> bool:
    """Tell whether the first moves are handicap stones written as moves."""
    if not 2 <= handicap <= len(moves):
        return False
    first = moves[:handicap]
    points = {move for colour, move in first if colour == BLACK and move != pass_move(size)}
    follower = moves[handicap][0] if len(moves) > handicap else WHITE
    return len(points) == handicap and follower == WHITE


def _check_game(root: _Node) -> None:
    game = _text(root, b"GM")
    if game not in (None, "1"):
        raise SgfError(f"GM[{game[:20] if game else ''}] is not Go: only GM[1] can be read")


def _size(root: _Node) -> int:
    text = _text(root, b"SZ")
    if text is None:
        return MAX_SIZE
    width, _, height = text.partition(":")
    digits = width.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= 3:
        size = int(digits)
        if MIN_SIZE <= size <= MAX_SIZE and height.strip() in ("", digits):
            return size
    raise SgfError(
        f"board size SZ[{text[:20]}] is not supported: use square boards of {MIN_SIZE} to {MAX_SIZE}"
    )


def _text(root: _Node, name: bytes) -> str | None:
    """Return the first value of a property as text without blanks at the ends, None if empty."""
    values = root.get(name)
    if not values:
        return None
    text: str = sgf_grammar.simpletext_value(values[0]).decode("utf-8", "replace").strip()
    return text or None


def _integer(root: _Node, name: bytes) -> int:
    """Return a small count, 0 where the value is absent or is none."""
    text = _text(root, name)
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 3:
        return 0
    return min(int(text), MAX_SIZE * MAX_SIZE)


def _komi(root: _Node) -> float | None:
    """Return KM in points, None where it is absent or absurd."""
    text = _text(root, b"KM")
    if text is None:
        return None
    try:
        komi = float(text.replace(",", "."))
    except ValueError:
        return None
    komi = _FOX_KOMI.get(komi, komi)
    return komi if math.isfinite(komi) and abs(komi) <= _MAX_KOMI else None


_RESULT = re.compile(r"([BW])\+\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_REASONS = {"RESIGN": "R", "RESIGNATION": "R", "TIME": "T", "FORFEIT": "F"}


def _result(root: _Node) -> str | None:
    """Return RE in its short form (``B+R``, ``W+3.5``, ``0``, ``Void``); other text as it stands."""
    text = _text(root, b"RE")
    if text is None:
        return None
    if text.upper() in ("0", "DRAW", "JIGO"):
        return "0"
    if text.upper() == "VOID":
        return "Void"
    match = _RESULT.match(text)
    if match is None:
        return text
    winner = match.group(1).upper()
    detail = match.group(2).strip().upper()
    detail = _REASONS.get(detail, detail)
    if detail in ("", "R", "T", "F"):
        return f"{winner}+{detail}"
    margin = re.match(r"(\d{1,3}(?:[.,]\d{1,2})?)(?![\d.,])", detail)
    if margin is None:
        return text
    points = float(margin.group(1).replace(",", "."))
    return f"{winner}+{points:g}"
