"""The rank of a person's partner, which follows their games and is kept between them.

A win moves the partner up one rank, a loss down one, as between people who change the handicap
after every game; a draw leaves it. Every step can be taken back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnncore.system import atomic
from cnncore.system.folders import config_folder, folder_error, make_folder
from goengine.players.ranked.ranks import BEST, RANKS, moved, parse_rank, rank_number
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

    Whoever changes it reads the file again first, for several programs may keep their games there.

    Raises:
        GoError: the file holds something else, or cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = config_folder("goengine") / FILE if path is None else path
        self.refresh()

    def refresh(self) -> None:
        """Read the file again: another program may have moved the rank.

        Raises:
            GoError: the file holds something else, or cannot be read.
        """
        self._rank, self.steps = self._read()

    @property
    def rank(self) -> str:
        """The rank now."""
        return self._rank or FIRST

    @property
    def is_new(self) -> bool:
        """Whether nothing is kept: no game, and no rank that was set."""
        return not self.steps and self.rank == FIRST

    def note(self, won: bool | None, size: int) -> Step:
        """Keep a finished game and move the rank by it.

        Raises:
            GoError: the file cannot be read any more; FolderError: nothing can be kept there.
        """
        self.refresh()
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
        self.refresh()
        return self._step(Step(None, 0, self.rank, name))

    def undo(self, step: Step | None = None) -> Step:
        """Take a step back, the last one where none is named; others that came later stay.

        Raises:
            GoError: there was none; FolderError: nothing can be kept there.
        """
        self.refresh()
        if not self.steps or (step is not None and step not in self.steps):
            raise GoError("there is no game to take back: the rank has not moved yet")
        last = len(self.steps) - 1
        place = last if step is None else last - self.steps[::-1].index(step)
        gone = self.steps[place]
        rank = gone.before
        if place < last:
            rank = moved(self.rank, rank_number(gone.before) - rank_number(gone.after))
        self._keep(rank, [*self.steps[:place], *self.steps[place + 1 :]])
        return gone

    def described(self) -> str:
        """Return what is kept, for people."""
        played = [step for step in self.steps if step.size]
        lines = [f"your partner is {self.rank}"]
        if played:
            won = sum(step.won is True for step in played)
            games = "1 game" if len(played) == 1 else f"{len(played)} games"
            lines[0] += f" after {games}, of which you won {won}"
        first = max(0, len(self.steps) - SHOWN)
        for place, step in enumerate(self.steps[first:], first):
            what = f"{_WORDS[step.won]} on {step.size}x{step.size}" if step.size else "set"
            begins = place == 0 and not step.size  # what was before it nobody has chosen
            lines.append(
                f"  begun at {step.after}" if begins else f"  {what}: {step.before} to {step.after}"
            )
        return "\n".join(lines)

    def _step(self, step: Step) -> Step:
        """Keep a step."""
        self._keep(step.after, [*self.steps, step])
        return step

    def _read(self) -> tuple[str, list[Step]]:
        """Return the rank and the steps in the file, none where there is none."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return _rank(found["rank"]), [_step(**step) for step in found["steps"]]
        except FileNotFoundError:
            return "", []
        except OSError as error:
            raise GoError(f"cannot read {self.path}: {error.strerror}; mend that") from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise GoError(f"{self.path} is damaged: delete it to begin again") from None

    def _keep(self, rank: str, steps: list[Step]) -> None:
        """Write the file, and only then go on by what it holds."""
        make_folder(self.path.parent)
        kept = {"rank": rank, "steps": [asdict(step) for step in steps]}
        try:
            atomic.write_text(self.path, json.dumps(kept, indent=1) + "\n")
        except OSError as error:
            raise folder_error(self.path.parent, error) from error
        self._rank, self.steps = rank, steps


def _rank(text: str) -> str:
    """Return the rank of a partner that a file names.

    Raises:
        GoError: it names none.
    """
    name = parse_rank(text)
    if name == BEST:
        raise GoError(f"{BEST} is not a partner's rank")
    return name


def _step(won: Any, size: Any, before: str, after: str) -> Step:
    """Return a step that a file holds.

    Raises:
        GoError: it is none.
    """
    if not isinstance(won, bool | None) or not isinstance(size, int):
        raise GoError(f"{won!r} and {size!r} do not say how a game ended")
    return Step(won, size, _rank(before), _rank(after))


class RankFollower:
    """Notes the games of one sitting, each once, and takes back what undo takes back."""

    def __init__(self, kept: OwnRank) -> None:
        self.kept = kept
        self._noted: tuple[tuple[Move, ...], int | None, Step] | None = None
        """The moves and the winner of the last game that was noted, and what that did."""

    def see(self, game: Game, winner: int | None, *, over: bool, person: int) -> str:
        """Look at a game; return a sentence where the rank moves, else nothing.

        `winner` is the colour that won, None for nobody; `person` the colour that the person has.
        A game that goes on after it was noted is noted anew when it ends again.
        """
        moves = tuple(game.moves)
        undone = None
        if self._noted is not None:
            before, won_by, step = self._noted
            goes_on = bool(moves) and _is_beginning(moves, before)
            if over and goes_on and winner == won_by:
                self._noted = moves, winner, step
                return ""
            self._noted = None
            self.kept.refresh()
            if goes_on and step in self.kept.steps:  # else a person has taken it back already
                undone = self.kept.undo(step)
        if over:
            step = self.kept.note(None if winner is None else winner == person, game.size)
            self._noted = moves, winner, step
            return _said(step)
        if undone is not None:
            return f"the game goes on, and your partner is {self.kept.rank} again"
        return ""


def _is_beginning(some: tuple[Move, ...], others: tuple[Move, ...]) -> bool:
    """Tell whether one of two games begins with all moves of the other."""
    shorter = min(len(some), len(others))
    return some[:shorter] == others[:shorter]


def _said(step: Step) -> str:
    """Return what a person is told about a game that was noted."""
    if step.after != step.before:
        return f"your partner was {step.before} and is {step.after} from the next game on"
    if step.won is None:
        return f"nobody won, so your partner stays {step.after}"
    end = "strongest" if step.after == RANKS[-1] else "weakest"
    return f"your partner stays {step.after}, which is the {end} there is"


def winner_of(result: str | None) -> int | None:
    """Return the colour that SGF's result names, None for a draw or none."""
    if not result or result[0] not in "BW":
        return None
    return BLACK if result[0] == "B" else WHITE
