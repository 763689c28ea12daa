"""How games lie in an archive: one record a game, flat moves and set-up stones, names by number.

The table of files is in archive.py; this module knows nothing about files. A ``Block`` is a piece
of an archive in memory, which a worker process can make and hand over.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.encoding.symmetry import move_table
from goengine.games.record import GameRecord
from goengine.types import BLACK, WHITE, GoError, opponent

SPLITS = ("train", "validation", "test")
_HELD_OUT = {"validation": range(0, 20), "test": range(20, 40)}  # of 1000, by game digest

GAME_DTYPE = np.dtype(
    [
        ("digest", "<u8"),  # of the moves, the same for all 8 symmetries of the game
        ("offset", "<i8"),  # of the first move in moves.npy
        ("length", "<i4"),  # moves, passes included
        ("setup", "<i4"),  # offset of the set-up stones in setup.npy
        ("komi", "<f4"),  # NaN where unknown
        ("date", "<i4"),  # yyyymmdd, zeros where unknown
        ("result", "S8"),  # B+R, W+3.5, 0, Void, ...; empty where unknown
        ("source", "<u2"),  # number into sources
        ("black_rank", "<u2"),  # number into ranks
        ("white_rank", "<u2"),
        ("rules", "<u2"),  # number into rules
        ("year", "<i2"),  # 0 where unknown
        ("black_stones", "<u2"),  # set-up stones
        ("white_stones", "<u2"),
        ("handicap", "u1"),
        ("size", "u1"),
        ("first", "u1"),  # colour of the first move
        ("winner", "u1"),  # BLACK, WHITE or 0
    ]
)

TABLES = ("sources", "ranks", "rules")
COLUMN_TABLE = {
    "source": "sources",
    "black_rank": "ranks",
    "white_rank": "ranks",
    "rules": "rules",
}
_TABLE_LIMIT = 65535

BOTH = BLACK | WHITE
"""Bits of both colours: whose moves in a game are to be learnt."""

Games = npt.NDArray[Any]
Moves = npt.NDArray[np.int16]
Colours = npt.NDArray[np.uint8]


class ArchiveError(GoError):
    """An archive that cannot be read or written."""


def game_digest(
    size: int, first: int, black: Sequence[int], white: Sequence[int], moves: Sequence[int]
) -> int:
    """Return 64 bits that name a game, equal for all 8 symmetries and for passes at its end."""
    table = move_table(size)
    sequence = np.asarray(moves, dtype=np.int64)
    played = np.flatnonzero(sequence != size * size)
    sequence = sequence[: played[-1] + 1] if played.size else sequence[:0]
    rows = table[:, sequence].astype(">i2")
    if len(black) or len(white):
        stones = [
            np.sort(table[:, np.asarray(side, dtype=np.int64)], axis=1) for side in (black, white)
        ]
        rows = np.concatenate([*stones, rows], axis=1).astype(">i2")
    smallest = min(row.tobytes() for row in rows)
    head = np.array([size, first, len(black), len(white)], dtype=">i2").tobytes()
    return int.from_bytes(hashlib.blake2b(head + smallest, digest_size=8).digest(), "big")


def split_of(digest: npt.NDArray[np.uint64]) -> npt.NDArray[np.int8]:
    """Return int8 numbers into SPLITS for game digests: stable, whatever else is in the archive."""
    share = (digest % np.uint64(1000)).astype(np.int64)
    result = np.zeros(digest.shape, dtype=np.int8)
    for name, held_out in _HELD_OUT.items():
        result[(share >= held_out.start) & (share < held_out.stop)] = SPLITS.index(name)
    return result


def enlarge_split(
    numbers: npt.NDArray[np.int8], digest: npt.NDArray[np.uint64], name: str, count: int
) -> npt.NDArray[np.int8]:
    """Return split numbers with at least ``count`` games in split ``name``, taken from train.

    Games of the other held-out split stay there; which games move is decided by their digests.
    """
    result = numbers.copy()
    missing = count - int((numbers == SPLITS.index(name)).sum())
    order = np.lexsort((digest, digest % np.uint64(1000)))
    spare = order[numbers[order] == SPLITS.index("train")]
    result[spare[: max(0, missing)]] = SPLITS.index(name)
    return result


@dataclass
class Block:
    """Some games in memory, laid out as in an archive, with tables of their own."""

    games: Games
    moves: Moves
    setup: Moves
    tables: dict[str, list[str]]
    learn: Colours

    @classmethod
    def from_records(
        cls,
        records: Sequence[GameRecord],
        sources: Sequence[str],
        learn: Sequence[int] | None = None,
    ) -> Block:
        """Lay out records whose colours alternate.

        ``sources`` names the source of each, ``learn`` the bits of the colours whose moves are to
        be learnt (both if None).
        """
        tables = {name: NameTable() for name in TABLES}
        games = np.zeros(len(records), dtype=GAME_DTYPE)
        moves: list[int] = []
        setup: list[int] = []
        rows = []
        for record, source in zip(records, sources, strict=True):
            played = [move for _, move in record.moves]
            _check_alternation(record)
            date = parse_date(record.date)
            rows.append(
                (
                    game_digest(
                        record.size,
                        record.to_play,
                        record.setup_black,
                        record.setup_white,
                        played,
                    ),
                    len(moves),
                    len(played),
                    len(setup),
                    math.nan if record.komi is None else record.komi,
                    date,
                    (record.result or "").encode("ascii", "replace")[:8],
                    tables["sources"].number(source),
                    tables["ranks"].number((record.black_rank or "")[:16]),
                    tables["ranks"].number((record.white_rank or "")[:16]),
                    tables["rules"].number((record.rules or "")[:32]),
                    date // 10000,
                    len(record.setup_black),
                    len(record.setup_white),
                    min(record.handicap, 255),
                    record.size,
                    record.to_play,
                    record.winner or 0,
                )
            )
            moves.extend(played)
            setup.extend(record.setup_black)
            setup.extend(record.setup_white)
        if rows:
            games[:] = rows
        return cls(
            games,
            np.array(moves, dtype=np.int16),
            np.array(setup, dtype=np.int16),
            {name: table.names for name, table in tables.items()},
            np.array([BOTH] * len(records) if learn is None else learn, dtype=np.uint8),
        )

    def select(self, keep: npt.NDArray[np.bool_]) -> Block:
        """Return the games that a (G,) mask keeps."""
        if keep.all():
            return self
        games = self.games[keep].copy()
        stones = self.games["black_stones"].astype(np.int64) + self.games["white_stones"]
        moves = self.moves[np.repeat(keep, self.games["length"])]
        setup = self.setup[np.repeat(keep, stones)]
        games["offset"] = run_starts(games["length"])
        games["setup"] = run_starts(stones[keep])
        return Block(games, moves, setup, self.tables, self.learn[keep])


class NameTable:
    """Texts by number; number 0 is the empty text, which also stands for what finds no room."""

    def __init__(self) -> None:
        self.names = [""]
        self._numbers = {"": 0}

    def number(self, text: str) -> int:
        """Return the number of a text, a new one if it is new."""
        found = self._numbers.get(text)
        if found is None:
            if len(self.names) > _TABLE_LIMIT:
                return 0
            found = self._numbers[text] = len(self.names)
            self.names.append(text)
        return found


def run_starts(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return where each run starts when runs of these lengths follow each other."""
    starts: npt.NDArray[np.int64] = np.cumsum(lengths, dtype=np.int64) - lengths
    return starts


def _check_alternation(record: GameRecord) -> None:
    colours = [colour for colour, _ in record.moves]
    turns = [record.to_play, opponent(record.to_play)] * (len(colours) // 2 + 1)
    if colours == turns[: len(colours)]:
        return
    number = next(i for i, (one, two) in enumerate(zip(colours, turns, strict=False)) if one != two)
    raise ArchiveError(
        f"move {number + 1} is the second in a row by one colour: cut the game before it"
    )


def parse_date(text: str | None) -> int:
    """Return the first date of an SGF DT value as yyyymmdd, with zeros for what is missing."""
    parts = []
    for part in (text or "").replace("/", "-").replace(".", "-").split(",")[0].split("-")[:3]:
        digits = part.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 4):
            break
        parts.append(int(digits))
    if not parts or not 1000 <= parts[0] <= 2999:
        return 0
    month = parts[1] if len(parts) > 1 and parts[1] <= 12 else 0
    day = parts[2] if month and len(parts) > 2 and parts[2] <= 31 else 0
    return parts[0] * 10000 + month * 100 + day
