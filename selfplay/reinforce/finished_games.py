"""Games that are over, as values and as arrays of a file."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from cnncore.system import atomic
from goengine.games.record import GameRecord
from goengine.scoring.counting import format_score
from goengine.types import GoError, opponent
from selfplay.reinforce.plan import RULES, Plan

SETTLED, PASSES, CAP = range(3)
ENDS = ("settled", "two passes", "move cap")
"""How a game ended: playouts found nothing open, both passed, or it grew too long."""

_FINISHED_DTYPE = np.dtype(
    [
        ("number", "<i8"),
        ("length", "<i4"),  # moves, passes included
        ("score", "<f4"),  # Black minus White, komi and handicap bonus included
        ("open", "<i2"),  # points that the last judgement left open
        ("end", "u1"),  # number into ENDS
    ]
)


@dataclass(frozen=True)
class FinishedGame:
    """One game that is over. What its number decides (size, komi, handicap) the plan knows."""

    number: int
    """Its number in the run."""
    moves: npt.NDArray[np.int16]
    """int16 (M,), passes included; colours alternate."""
    score: float
    """Black minus White, komi and handicap bonus included."""
    open: int
    """Points that the last judgement left open."""
    end: int
    """Number into ENDS."""


def as_record(game: FinishedGame, plan: Plan, network: str) -> GameRecord:
    """Return a game as a record; one that was broken off at the move cap is void."""
    setup = plan.setup(game.number)
    colours = (setup.first, opponent(setup.first))
    return GameRecord(
        size=setup.size,
        komi=setup.komi,
        rules=RULES,
        handicap=len(setup.handicap),
        setup_black=setup.handicap,
        to_play=setup.first,
        moves=tuple((colours[ply % 2], move) for ply, move in enumerate(game.moves.tolist())),
        result="Void" if game.end == CAP else format_score(game.score),
        black=network,
        white=network,
        event=f"self-play, game {game.number} of seed {plan.seed}, ended by {ENDS[game.end]}",
    )


def write_games(path: Path, games: Sequence[FinishedGame]) -> None:
    """Write games in the order of their numbers; the file is there whole or not at all."""
    ordered = sorted(games, key=lambda game: game.number)
    table = np.zeros(len(ordered), dtype=_FINISHED_DTYPE)
    for row, game in zip(table, ordered, strict=True):
        row["number"], row["length"] = game.number, len(game.moves)
        row["score"], row["open"], row["end"] = game.score, game.open, game.end
    moves = np.concatenate([np.zeros(0, np.int16), *(game.moves for game in ordered)])
    with atomic.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, table=table, moves=moves)


def read_games(path: Path) -> list[FinishedGame]:
    """Read games that `write_games` wrote.

    Raises:
        GoError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            table, moves = file["table"], file["moves"]
        if table.dtype != _FINISHED_DTYPE or table["length"].sum() != len(moves):
            raise ValueError("its arrays do not fit each other")
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise GoError(f"{path} is damaged ({error}): remove it, its games are played again") from (
            error
        )
    ends = np.cumsum(table["length"], dtype=np.int64)
    return [
        FinishedGame(
            int(row["number"]),
            moves[end - row["length"] : end],
            float(row["score"]),
            int(row["open"]),
            int(row["end"]),
        )
        for row, end in zip(table, ends.tolist(), strict=True)
    ]
