"""SGF bytes to GameRecord and back, on top of sgfmill's grammar.

The grammar (brackets, escapes, properties) is sgfmill's; this module gives the properties their
meaning. It reads the main line, or every variation, and fails in one way only: `SgfError`.

==========================  ====================================================================
in the file                 in the record
==========================  ====================================================================
AB AW AE PL before a move   set-up stones and first player; `aa:cc` rectangles are expanded
HA[n], then n black moves   the n moves become set-up stones, as other servers write them
B[] B[tt] (up to 19x19)     a pass
AB AW AE after a move       the record ends before it; `cut` says so
a move off the board        the record ends before it; `cut` says so
text that is not SGF        the record ends before it; `cut` says so (nothing usable: SgfError)
what had to be guessed      `notes` says so: encoding, komi, a mended head, stones left out
==========================  ====================================================================

Legality is not asked here: replaying the record tells. Only where the encoding of a file decides
which moves it has, legal moves are evidence (sgf_encoding.py).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sgfmill import sgf_grammar

from goengine.coords import CoordError, gtp_to_move, move_to_sgf, pass_move, sgf_to_move
from goengine.games.record import GameRecord
from goengine.games.sgf_encoding import Soundness, decoded_parts
from goengine.games.sgf_text import (
    count_properties,
    games,
    has_unclosed_value,
    main_line,
    mended,
)
from goengine.games.sgf_values import (
    Node,
    SgfError,
    board_size,
    check_game,
    count_value,
    date_value,
    komi_text,
    komi_value,
    result_value,
    text_value,
)
from goengine.types import BLACK, EMPTY, RESIGN, WHITE, colour_letter

__all__ = ["SgfError", "read_collection", "read_sgf", "read_variations", "utf8_text", "write_sgf"]

log = logging.getLogger(__name__)

FIRST_GAME_ONLY = "only the first game was read: the file holds several"
"""The note of a record that was not alone in its file."""

CUT_BROKEN = "broken text"
CUT_SETUP = "setup in mid-game"
CUT_MOVE = "unreadable move"

# A whole game of the usual shape: a root, then one bare move a node, no variation. The quantifiers
# are possessive, so that matching takes linear time.
_PLAIN = re.compile(
    rb"\s*(\(;(?:[A-Z]{1,2}(?:\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\])++)*+)"
    rb"((?:;[BW]\[(?:[a-s]{2})?\])++)\)\s*\Z",
    re.DOTALL,
)
_PLAIN_MOVE = re.compile(rb";([BW])\[([a-s]*)\]")
_SETUP = {b"AB": BLACK, b"AW": WHITE, b"AE": EMPTY}
_TURN = {b"B": BLACK, b"W": WHITE}
_GAME_INFO = frozenset(b"GM SZ AP RU KM HA RE PB PW BR WR DT EV".split())


def read_sgf(data: bytes | str) -> GameRecord:
    """Return the main line of the first game in SGF data.

    A game that is damaged further on is read up to the damage (see `GameRecord.cut`). What was cut
    or guessed is logged as a warning.

    >>> record = read_sgf("(;SZ[9]PB[A]KM[6 1/2]RE[黑中盘胜];B[cc];W[gg])")
    >>> record.size, record.black, record.komi, record.result, record.moves
    (9, 'A', 6.5, 'B+R', ((1, 20), (2, 60)))

    Raises:
        SgfError: the data holds no usable game; no other exception, whatever the bytes.
    """
    record = first_game(data)
    for remark in remarks(record):
        log.warning("SGF: %s", remark)
    return record


def first_game(data: bytes | str) -> GameRecord:
    """Return what `read_sgf` does, and log nothing: `remarks` are for whoever shows them.

    Raises:
        SgfError: as for `read_sgf`.
    """
    found = read_collection(data)
    record = next(found)
    if isinstance(record, SgfError):
        raise record
    if next(found, None) is not None:
        record = replace(record, notes=(*record.notes, FIRST_GAME_ONLY))
    return record


def remarks(record: GameRecord) -> list[str]:
    """Return what a person should know of how a record was read: what was cut, then its notes."""
    cut = [f"kept the first {len(record.moves)} moves: {record.cut}"] if record.cut else []
    return [*cut, *record.notes]


def read_collection(data: bytes | str) -> Iterator[GameRecord | SgfError]:
    """Yield the main line of every game in SGF data, and an SgfError for every game that has none.

    Data without any game yields one SgfError. Never raises.
    """
    count = 0
    for text, notes in decoded_parts(data, _soundness):
        for game in _games(text, notes):
            count += 1
            yield game
    if count == 0:
        yield SgfError("no SGF game found: a game starts with '(;'")


def _games(text: bytes, notes: tuple[str, ...]) -> Iterator[GameRecord | SgfError]:
    """Yield the games in a text; `notes` say what was guessed about its encoding."""
    plain = _plain_game(text, notes)
    if plain is not None:
        yield plain
        return
    text, mending = mended(text)
    notes = (*notes, *mending)
    for game in games(text):
        try:
            yield _record(game.nodes, game.sound, (*notes, *game.notes))
        except SgfError as error:
            yield error


def _soundness(text: bytes) -> Soundness:
    """Return how much of a game a text keeps: whole games, legal moves, properties."""
    from goengine.games.replay import legal_length

    broken = legal = 0
    for game in _games(text, ()):
        if isinstance(game, SgfError) or game.cut:
            broken += 1
        if not isinstance(game, SgfError):
            legal += max(0, legal_length(game))
    return -broken, legal, count_properties(mended(text)[0])


def utf8_text(data: bytes) -> bytes:
    """Return the text of the first game of SGF data in UTF-8, whatever its encoding was."""
    text, _ = next(iter(decoded_parts(data, _soundness)))
    return text


def read_variations(data: bytes | str) -> Iterator[GameRecord]:
    """Yield every line of the first game from root to leaf, the main line first.

    Raises:
        SgfError: the data holds no well-formed game.
    """
    text, notes = next(iter(decoded_parts(data, _soundness)))
    text, mending = mended(text)
    try:
        tree = sgf_grammar.parse_sgf_game(text)
    except ValueError as error:
        raise SgfError(f"not a well-formed SGF game: {error}") from None
    stack: list[tuple[list[Node], Any]] = [([], tree)]
    while stack:
        before, branch = stack.pop()
        nodes = before + [
            {name.encode("ascii"): values for name, values in node.items()}
            for node in branch.sequence
        ]
        children = branch.children
        if not children:
            yield _record(nodes, True, (*notes, *mending))
        stack.extend((nodes, child) for child in reversed(children))


def write_sgf(record: GameRecord) -> bytes:
    """Return a record as UTF-8 SGF (FF 4), one node a move; `read_sgf` gives the record back."""
    root: dict[str, list[bytes]] = {
        "FF": [b"4"],
        "GM": [b"1"],
        "CA": [b"UTF-8"],
        "SZ": [str(record.size).encode()],
    }
    if record.komi is not None:
        root["KM"] = [komi_text(record.komi).encode()]
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
            escaped = sgf_grammar.escape_text(text.encode("utf-8", "replace"))
            # An open bracket is escaped too: what is behind it cannot be taken for a move.
            root[name] = [escaped.replace(b"[", b"\\[")]
    tree = sgf_grammar.Coarse_game_tree()
    tree.sequence = [root] + [
        {colour_letter(colour): [move_to_sgf(move, record.size).encode()]}
        for colour, move in record.moves
    ]
    return bytes(sgf_grammar.serialise_game_tree(tree))


def _plain_game(text: bytes, notes: tuple[str, ...]) -> GameRecord | None:
    """Return the game if it is a root and bare moves, else None: the general way is 3 times slower.

    The root goes through the grammar; the moves are taken by one regular expression.
    """
    match = _PLAIN.match(text)
    if match is None or has_unclosed_value(text):
        return None
    tokens, _ = sgf_grammar.tokenise(match.group(1) + b")")
    nodes, sound = main_line(tokens, closed=True)
    if not sound or len(nodes) != 1 or not _TURN.keys().isdisjoint(nodes[0]):
        return None
    try:
        return _record(nodes, True, notes, match.group(2))
    except (SgfError, KeyError):
        return None


@lru_cache(maxsize=32)
def _points(size: int) -> dict[bytes, int]:
    """Return the moves of all SGF points of a board, the passes included."""
    table = {move_to_sgf(move, size).encode(): move for move in range(size * size + 1)}
    table[b"tt"] = pass_move(size)
    return table


def read_point(value: bytes, size: int) -> int | None:
    """Return the move that a value names, in any case, blanks around it or not; else None."""
    move = _points(size).get(value)
    if move is not None:
        return move
    try:
        text = value.decode("utf-8").strip().lower()
    except UnicodeDecodeError:
        return None
    for reading in (sgf_to_move, gtp_to_move):  # some old programs write D4 and pass
        with suppress(CoordError):
            move = reading(text, size)
            return None if move == RESIGN else move
    return None


def read_stones(name: bytes, values: list[bytes], size: int, notes: list[str]) -> Iterator[int]:
    """Yield the points of AB, AW or AE; values that name none are left out, and noted."""
    for value in values:
        first, second = sgf_grammar.parse_compose(value)
        start = read_point(first, size)
        stop = start if second is None else read_point(second, size)
        if start is None or stop is None or pass_move(size) in (start, stop):
            shown = value[:20].decode("utf-8", "replace")
            notes.append(f"set-up stones left out: {name.decode()}[{shown}] is not on the board")
            continue
        rows = sorted((start // size, stop // size))
        columns = sorted((start % size, stop % size))
        for row in range(rows[0], rows[1] + 1):
            for column in range(columns[0], columns[1] + 1):
                yield row * size + column


def _described(nodes: list[Node], notes: list[str]) -> Node:
    """Return the root with what later nodes say about the game, as FF[4] allows.

    The size of the board belongs into the root; where it lacks there, any node may tell it.
    """
    root = nodes[0]
    for node in nodes[1:]:
        if not _GAME_INFO.isdisjoint(node):
            if node.get(b"SZ", root.get(b"SZ")) != root.get(b"SZ", node.get(b"SZ")):
                notes.append("board size guessed from the root: a later node tells another one")
            root = {name: node[name] for name in _GAME_INFO & node.keys()} | root
        if not _TURN.keys().isdisjoint(node):
            break
    if b"SZ" not in root:
        late = next((node for node in nodes if b"SZ" in node), None)
        if late is not None:
            notes.append("board size found late: SZ stands after the first move")
            root = root | {b"SZ": late[b"SZ"]}
    return root


def _record(
    nodes: list[Node], sound: bool, notes: tuple[str, ...], bare: bytes = b""
) -> GameRecord:
    """Build the record of one line of nodes; `sound` tells whether the text was whole.

    `bare` is text that follows the nodes and holds one move a node and nothing else.

    Raises:
        SgfError: the nodes are not a game of Go.
        KeyError: a bare move is off the board.
    """
    if not nodes:
        raise SgfError("the game has no node: write at least '(;)'")
    said = list(notes)
    root = _described(nodes, said)
    check_game(root)
    size = board_size(root, said)
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
                    move = read_point(values[0], size)
                if move is None:
                    cut = CUT_MOVE if values else CUT_BROKEN
                    break
                moves.append((_TURN[name], move))
                if len(values) > 1:
                    said.append(f"points left out: move {len(moves)} names {len(values)} points")
            elif name in _SETUP:
                if moves:
                    cut = CUT_SETUP
                    break
                colour = _SETUP[name]
                for point in read_stones(name, values, size, said):
                    stones[point] = colour
            elif name == b"PL" and values and not moves:
                player = {b"B": BLACK, b"W": WHITE}.get(values[0].strip()[:1].upper(), player)
        else:
            continue
        break
    moves += [(_TURN[colour], points[point]) for colour, point in _PLAIN_MOVE.findall(bare)]
    if not sound and not moves and not any(stones.values()):
        raise SgfError("the text breaks off before any stone: it is not a readable SGF game")
    return _finish(root, size, stones, moves, player, cut, said)


def _finish(
    root: Node,
    size: int,
    stones: dict[int, int],
    moves: list[tuple[int, int]],
    player: int | None,
    cut: str | None,
    notes: list[str],
) -> GameRecord:
    """Settle handicap and first player, and read what the root says about the game."""
    handicap = count_value(root, b"HA", notes)
    black = sorted(point for point, colour in stones.items() if colour == BLACK)
    white = sorted(point for point, colour in stones.items() if colour == WHITE)
    if not any(stones.values()) and _opens_with_handicap(moves, handicap, size):
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
        komi=komi_value(root, notes),
        rules=text_value(root, b"RU"),
        handicap=handicap,
        setup_black=tuple(black),
        setup_white=tuple(white),
        to_play=player,
        moves=tuple(moves),
        result=result_value(root),
        black=text_value(root, b"PB"),
        white=text_value(root, b"PW"),
        black_rank=text_value(root, b"BR"),
        white_rank=text_value(root, b"WR"),
        date=date_value(root),
        event=text_value(root, b"EV"),
        cut=cut,
        notes=tuple(notes),
    )


def _opens_with_handicap(moves: list[tuple[int, int]], handicap: int, size: int) -> bool:
    """Tell whether the first moves are handicap stones written as moves."""
    if not 2 <= handicap <= len(moves):
        return False
    first = moves[:handicap]
    points = {move for colour, move in first if colour == BLACK and move != pass_move(size)}
    follower = moves[handicap][0] if len(moves) > handicap else WHITE
    return len(points) == handicap and follower == WHITE
