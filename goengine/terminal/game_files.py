"""A game from an SGF file, with what a person should know of the file."""

from __future__ import annotations

from pathlib import Path

from goengine.games.record import GameRecord
from goengine.games.sgf import FIRST_GAME_ONLY, SgfError, read_collection
from goengine.types import GoError


def open_game(name: str) -> tuple[GameRecord, list[str]]:
    """Return the first game of a file, and what was left out or guessed.

    Raises:
        GoError: the file cannot be read, or holds no usable game.
    """
    try:
        games = read_collection(Path(name).read_bytes())
    except OSError as error:
        raise GoError(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise GoError(f"cannot load {name}: {error}") from None
    record = next(games)
    if isinstance(record, SgfError):
        raise GoError(f"cannot load {name}: {record}")
    said = list(record.notes)
    if record.cut:
        said.append(f"kept the first {len(record.moves)} moves: {record.cut}")
    if next(games, None) is not None:
        said.append(FIRST_GAME_ONLY)
    return record, said
