"""Games in memory as an archive stores them: one record a game, flat moves, names by number.

A `Block` is a piece of an archive that a worker process can make and hand over. The table of files
is in reader.py; this module does not read or write any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.games.record import GameRecord
from goengine.games.sgf_numbers import parse_date
from goengine.types import BLACK, WHITE, GoError, opponent
from selfplay.archive.splits import game_digest

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


@dataclass
class Block:
    """Some games in memory, laid out as in an archive, with tables of their own."""

    games: Games
    """GAME_DTYPE (G,): one record a game."""
    moves: Moves
    """int16 (M,): all moves, game after game."""
    setup: Moves
    """int16 (S,): set-up stones, game after game, black ones first."""
    tables: dict[str, list[str]]
    """Names behind the numbers of each of TABLES."""
    learn: Colours
    """uint8 (G,): bits of the colours whose moves are to be learnt."""

    @classmethod
    def from_records(
        cls,
        records: Sequence[GameRecord],
        sources: Sequence[str],
        learn: Sequence[int] | None = None,
    ) -> Block:
        """Lay out records whose colours alternate.

        `sources` names the source of each, `learn` the bits of the colours whose moves are to
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
