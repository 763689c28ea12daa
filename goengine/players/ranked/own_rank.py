"""The rank of a person's partner, which follows their games and is kept between them.

A win moves the partner up one rank, a loss down one, as between people who change the handicap
after every game; a draw leaves it. Every step can be taken back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnncore.system import atomic
from cnncore.system.folders import config_folder, make_folder
from goengine.players.ranked.ranks import BEST, moved, parse_rank
from goengine.types import BLACK, WHITE, GoError

if TYPE_CHECKING:
    from goengine.games.game import Game, Move

FILE = "rank.json"
FIRST = "12k"
"""The rank that a partner has before anything is known."""
SHOWN = 10
"""Games that a description lists."""
_WORDS = {True: "won", False: "lost", None: "drawn"}


@dataclass(frozen=True)
class Step:
    """One game against the partner, and what it did to the rank."""

    won: bool | None
    """Whether the person won; None for a draw, or where the person set the rank."""
    size: int
    """Lines of the board; 0 where the person set the rank."""
    before: str
    after: str


class OwnRank:
    """The partner's rank in a file of the user's configuration.

    Raises:
        GoError: the file holds something else, or cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = config_folder("goengine") / FILE if path is None else path
        self._rank, self.steps = self._read()

    @property
    def rank(self) -> str:
        """The rank now."""
        return self._rank or FIRST

    @property
    def is_new(self) -> bool:
        """Whether nothing was kept yet."""
        return not self._rank

    def note(self, won: bool | None, size: int) -> Step:
        """Keep a finished game and move the rank by it.

        Raises:
            FolderError: nothing can be kept there.
        """
        steps = {True: 1, False: -1, None: 0}[won]
        return self._step(Step(won, size, self.rank, moved(self.rank, steps)))

    def set(self, rank: str) -> Step:
        """Begin again from a rank.

        Raises:
            GoError: there is no opponent of it; FolderError: nothing can be kept there.
        """
        name = parse_rank(rank)
        if name == BEST:
            raise GoError(f"{BEST} does not follow anybody: name a rank such as {FIRST}")
        return self._step(Step(None, 0, self.rank, name))

    def undo(self) -> Step:
        """Take the last step back.

        Raises:
            GoError: there was none; FolderError: nothing can be kept there.
        """
        if not self.steps:
            raise GoError("there is no game to take back: the rank has not moved yet")
        last = self.steps.pop()
        self._rank = last.before
        self._write()
        return last

    def described(self) -> str:
        """Return what is kept, for people."""
        played = [step for step in self.steps if step.size]
        lines = [f"your partner is {self.rank}"]
        if played:
            won = sum(step.won is True for step in played)
            games = "1 game" if len(played) == 1 else f"{len(played)} games"
            lines[0] += f" after {games}, of which you won {won}"
        for step in self.steps[-SHOWN:]:
            what = f"{_WORDS[step.won]} on {step.size}x{step.size}" if step.size else "set"
            lines.append(f"  {what}: {step.before} to {step.after}")
        return "\n".join(lines)

    def _step(self, step: Step) -> Step:
        """Keep a step."""
        self.steps.append(step)
        self._rank = step.after
        self._write()
        return step

    def _read(self) -> tuple[str, list[Step]]:
        """Return the rank and the steps in the file, none where there is none."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return parse_rank(found["rank"]), [Step(**step) for step in found["steps"]]
        except FileNotFoundError:
            return "", []
        except OSError as error:
            raise GoError(f"cannot read {self.path}: {error.strerror}; mend that") from None
        except (ValueError, KeyError, TypeError):
            raise GoError(f"{self.path} is damaged: delete it to begin again") from None

    def _write(self) -> None:
        """Write the file."""
        make_folder(self.path.parent)
        kept = {"rank": self._rank, "steps": [asdict(step) for step in self.steps]}
        atomic.write_text(self.path, json.dumps(kept, indent=1) + "\n")


class RankFollower:
    """Notes the games of one sitting, each once, and takes back what undo takes back."""

    def __init__(self, kept: OwnRank) -> None:
        self.kept = kept
        self._noted: tuple[Move, ...] | None = None

    def see(self, game: Game, winner: int | None, *, over: bool, person: int) -> str:
        """Look at a game; return a sentence where the rank moves, else nothing.

        `winner` is the colour that won, None for nobody; `person` the colour that the person has.
        """
        moves = tuple(game.moves)
        if over and self._noted is None:
            self._noted = moves
            step = self.kept.note(None if winner is None else winner == person, game.size)
            return f"your partner was {step.before} and is {step.after} from the next game on"
        if not over and self._noted is not None:
            undone = bool(moves) and self._noted[: len(moves)] == moves
            self._noted = None
            if undone:
                step = self.kept.undo()
                return f"the game goes on, and your partner is {step.before} again"
        return ""


def winner_of(result: str | None) -> int | None:
    """Return the colour that SGF's result names, None for a draw or none."""
    if not result or result[0] not in "BW":
        return None
    return BLACK if result[0] == "B" else WHITE
