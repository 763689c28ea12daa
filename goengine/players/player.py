"""What players and analysts are asked and what they answer.

A `Player` chooses moves, an `Analyst` streams what it thinks of a position until it is told to
stop. Both see games, with their history, clocks and rules, and never change them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from goengine.games.game import Game
from goengine.players.settings import Settings


@dataclass(frozen=True)
class Budget:
    """What a choice may cost; None sets no limit, and the player takes what it usually takes."""

    visits: int | None = None
    """Positions of a search."""
    seconds: float | None = None
    """Time on the wall."""
    most: float | None = None
    """Time that an open choice may take; None gives it no more than `seconds`."""
    stop: Callable[[], bool] | None = None
    """Tells that nobody waits for the choice any more, so that any move will do."""

    def within(self, limit: float | None) -> Budget:
        """Return this budget with no more time than a limit, in seconds; None sets none."""
        if limit is None:
            return self
        seconds = limit if self.seconds is None else min(limit, self.seconds)
        most = None if self.most is None else min(limit, self.most)
        return replace(self, seconds=seconds, most=most)


NO_LIMIT = Budget()


@dataclass(frozen=True)
class Conditions:
    """What is asked of a choice besides a good move."""

    among: frozenset[int] | None = None
    """Moves to choose from, N*N the pass; None leaves all."""
    exact: bool = False
    """The best move, without chance."""
    cleanup: bool = False
    """Capture the opponent's dead stones before a pass, and do not resign."""


FREELY = Conditions()


@dataclass(frozen=True)
class Ban:
    """Moves that an analysis does not look at."""

    colour: int
    moves: frozenset[int]
    """Moves of that colour, N*N the pass."""
    until: int
    """In the first so many moves from the root; 1 means only at the root itself."""


def allowing(colour: int, moves: Collection[int], until: int, *, size: int) -> Ban:
    """Return the ban on all moves of a colour but some, as a list of allowed moves means it."""
    return Ban(colour, frozenset(range(size * size + 1)) - frozenset(moves), until)


@dataclass(frozen=True)
class Question:
    """What is asked of an analysis besides what it thinks of a position."""

    bans: tuple[Ban, ...] = ()
    moves_ownership: bool = False
    """Each candidate comes with its own ownership."""
    width: float = 0.0
    """How much more widely the root's moves are looked at; 0 is as in play."""
    visits: int | None = None
    """Positions after which the analysis ends by itself; None sets no limit."""
    seconds: float | None = None
    """Time after which it does."""
    least_moves: int = 0
    """Points of a snapshot at the least, those that nobody looked at yet among them."""
    chooses: bool = False
    """A move is to be chosen: under a limit of time the analysis ends once the choice is clear."""
    most: float | None = None
    """Time that it may take while such a choice is open; None gives it no more than `seconds`."""

    def banned(self, colour: int, depth: int) -> frozenset[int]:
        """Return the moves of a colour that are not looked at, `depth` moves behind the root."""
        found: frozenset[int] = frozenset()
        for ban in self.bans:
            if ban.colour == colour and depth < ban.until:
                found |= ban.moves
        return found


PLAINLY = Question()


@dataclass(frozen=True)
class Candidate:
    """One move in an analysis; values are for the player to move, None where they are unknown."""

    move: int
    prior: float
    """The move's probability by the network."""
    visits: int
    """Positions that a search looked at behind the move; a bare network's share of 1,000."""
    pv: tuple[int, ...]
    """The move and what is expected to follow."""
    winrate: float | None = None
    """From 0, lost, to 1, won."""
    lcb: float | None = None
    """Lower confidence bound of the win rate."""
    lead: float | None = None
    """Points, komi counted."""
    utility: float | None = None
    """Win minus loss with shares of the score, as a search weighs it."""
    pv_visits: tuple[int, ...] = ()
    """Visits behind each move of `pv`."""
    ownership: npt.NDArray[np.float32] | None = None
    """(N, N) from -1, White's, to 1, Black's, after this move; None where it was not asked for."""
    deviation: float | None = None
    """Standard deviation of the final score in points."""


@dataclass(frozen=True)
class Snapshot:
    """What an analyst thinks of a position at one moment."""

    candidates: tuple[Candidate, ...]
    """Best first."""
    winrate: float | None = None
    """Of the player to move, from 0 to 1; None where it is unknown."""
    ownership: npt.NDArray[np.float32] | None = None
    """(N, N) from -1, White's, to 1, Black's; None where it is unknown."""
    lead: float | None = None
    """Points of the player to move, komi counted; None where it is unknown."""
    deviation: float | None = None
    """Standard deviation of the final score in points; None where it is unknown."""
    utility: float | None = None
    """Win minus loss with shares of the score; None where nothing weighs it."""
    root_visits: int | None = None
    """Positions that a search looked at from here, this one among them; None without a search."""
    raw_winrate: float | None = None
    """The network's own win rate of the position, before any search; None where it has none."""
    raw_lead: float | None = None
    """The network's own lead in points, likewise."""

    @property
    def visits(self) -> int:
        """Positions looked at behind all candidates."""
        return sum(candidate.visits for candidate in self.candidates)


@dataclass(frozen=True)
class Choice:
    """A move, and why."""

    move: int
    """A point, N*N the pass, or RESIGN."""
    candidates: tuple[Candidate, ...] = ()
    """What else was considered, best first, where the player says so."""
    reason: str = ""
    """A few words for people."""


class Analyst(Protocol):
    """Whoever can say what it thinks of a position."""

    def stream(
        self,
        game: Game,
        *,
        interval: float,
        pause: Callable[[float], bool],
        question: Question = PLAINLY,
    ) -> Iterator[Snapshot]:
        """Yield a snapshot now and then, about every `interval` seconds, until `pause` says stop.

        `pause(seconds)` waits and tells whether to stop; `pause(0)` only asks. The last snapshot
        holds all that was found, also where the question's limits end the analysis.
        """
        ...


class Player(Protocol):
    """Whoever chooses moves."""

    name: str

    @property
    def settings(self) -> Settings:
        """What it plays by."""
        ...

    @property
    def analyst(self) -> Analyst | None:
        """Who says what this player thinks, None where it has no opinion to show."""
        ...

    def with_settings(self, settings: Settings) -> Player:
        """Return this player by other settings of the same kind."""
        ...

    def choose(
        self,
        game: Game,
        budget: Budget = NO_LIMIT,
        *,
        rng: np.random.Generator,
        conditions: Conditions = FREELY,
    ) -> Choice:
        """Return a legal move for the player to move: a point, a pass or RESIGN."""
        ...

    def choose_each(
        self, games: Sequence[Game], budget: Budget = NO_LIMIT, *, rng: np.random.Generator
    ) -> list[Choice]:
        """Return a choice for each of many games, so that a network sees batches."""
        ...

    def ponder(self, game: Game, stop: Callable[[], bool]) -> None:
        """Think about a position on the opponent's time until `stop` says so or memory is full.

        Players that keep nothing from move to move return at once.
        """
        ...
