"""What is kept of a match: its settings, one line and one SGF file for every finished game.

==================  ==========================================================================
file                content
==================  ==========================================================================
`match.json`      the settings that every game is played by
`results.jsonl`   a `Result` a line, in the order in which games ended
`game-0001.sgf`   the first game, and so on
==================  ==========================================================================

Each is written when its game ends, so a match that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnncore.system import atomic
from goengine.games.sgf import write_sgf
from goengine.match.contest import VOID, MatchGame
from goengine.types import GoError

log = logging.getLogger(__name__)

SETTINGS = "match.json"
RESULTS = "results.jsonl"

_WORDS = {
    "a": "the first player",
    "b": "the second player",
    "network": "the network",
    "size": "the board size",
    "rules": "the set of rules",
    "komi": "the komi",
    "handicap": "the handicap",
    "time": "the time",
    "openings": "the kind of opening",
    "opening_moves": "the length of an opening",
    "move_cap": "the move cap",
    "referee": "the referee",
    "seed": "the seed",
}
"""What the settings that a person gives are called in a sentence."""


class MatchError(GoError):
    """Settings that cannot be played, or a folder that cannot hold the match."""


@dataclass(frozen=True)
class Result:
    """One finished game as results.jsonl keeps it; index 0 is entrant A, 1 is B."""

    game: int
    black: int
    winner: int | None
    result: str
    reason: str
    turns: int
    seconds: tuple[float, float]
    chosen: tuple[int, int]

    @classmethod
    def of(cls, game: MatchGame) -> Result:
        """Return the result of a game that is over."""
        return cls(
            game.number,
            game.black,
            game.winner,
            game.game.result or "",
            game.game.reason,
            len(game.game.moves),
            (round(game.seconds[0], 3), round(game.seconds[1], 3)),
            (game.chosen[0], game.chosen[1]),
        )

    @property
    def counts(self) -> bool:
        """Whether the game was won, lost or drawn, and not left without a result."""
        return self.result != VOID


class MatchFolder:
    """The folder of a match: settings, results so far, one SGF file a game.

    Raises:
        MatchError: the folder holds a match with other settings, or cannot be read or written.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        with self._reachable():
            path.mkdir(parents=True, exist_ok=True)
            file = path / SETTINGS
            if file.exists():
                self._compare(_read_settings(file), settings)
            else:
                atomic.write_text(file, json.dumps(settings, indent=2) + "\n")

    def results(self) -> list[Result]:
        """Return the finished games; a line that a kill cut short is left out."""
        file = self.path / RESULTS
        found: dict[int, Result] = {}
        with self._reachable():
            lines = file.read_bytes().splitlines() if file.exists() else []
        for line in lines:
            try:
                values = json.loads(line)
                values["seconds"] = tuple(values["seconds"])
                values["chosen"] = tuple(values["chosen"])
                found[values["game"]] = Result(**values)
            except (ValueError, TypeError, KeyError):
                log.warning("%s: a broken line is ignored", file)
        return [found[number] for number in sorted(found)]

    def add(self, game: MatchGame, names: Sequence[str]) -> Result:
        """Write a finished game and its result."""
        sgf = write_sgf(game.record(names))
        result = Result.of(game)
        file = self.path / RESULTS
        with self._reachable():
            atomic.write_bytes(self.path / f"game-{game.number + 1:04d}.sgf", sgf)
            broken = file.exists() and not file.read_bytes().endswith(b"\n")
            with open(file, "a", encoding="utf-8") as lines:
                lines.write(("\n" if broken else "") + json.dumps(result.__dict__) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
        return result

    def _compare(self, before: dict[str, Any], settings: dict[str, Any]) -> None:
        """Refuse settings other than those of the games that are there."""
        changed = sorted(key for key in settings if before.get(key) != settings[key])
        if changed:
            told = "; ".join(_difference(key, before.get(key), settings[key]) for key in changed)
            raise MatchError(
                f"{self.path} holds another match: {told}; repeat what was, or name a new folder "
                "with --out"
            )

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Say in one sentence that the folder or a file in it cannot be read or written."""
        try:
            yield
        except OSError as error:
            raise MatchError(
                f"cannot keep the match in {self.path}: {error.strerror or error}; "
                "mend that or name another folder with --out"
            ) from None


def _difference(key: str, was: Any, now: Any) -> str:
    """Return in words how a setting differs; what no person gives is named without its value."""
    if key not in _WORDS:
        return f"the {key} were others"
    return f"{_WORDS[key]} was {_words(was)}, now {_words(now)}"


def _words(value: Any) -> str:
    """Return the value of a setting as a person gives it."""
    if isinstance(value, list):
        return " ".join(map(_words, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def _read_settings(file: Path) -> dict[str, Any]:
    """Return the settings in a file.

    Raises:
        MatchError: it holds something else.
    """
    try:
        settings = json.loads(file.read_bytes())
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise MatchError(f"{file} is damaged: restore it or name a new folder with --out")
    return settings
