"""A game from an SGF file, with what a person should know of the file."""

from __future__ import annotations

from pathlib import Path

from goengine.games.record import GameRecord
from goengine.games.sgf import first_game, remarks
from goengine.types import GoError


def open_game(name: str) -> tuple[GameRecord, list[str]]:
    """Return the first game of a file, and what was left out or guessed.

    Raises:
        GoError: the file cannot be read, or holds no usable game.
    """
    try:
        record = first_game(Path(name).read_bytes())
    except OSError as error:
        raise GoError(f"cannot read {name}: {error.strerror}") from None
    except (GoError, ValueError) as error:
        raise GoError(f"cannot load {name}: {error}") from None
    return record, remarks(record)
