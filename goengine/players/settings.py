"""What players play by, as frozen values that people can read, print and change by name."""

from __future__ import annotations

from dataclasses import dataclass, fields

from goengine.types import PLAY_SYMMETRY, GoError

HUMAN_WHILE = (1.0, 4.0)
"""Seconds that an opponent by rank seems to think for a person where nobody says otherwise."""
PLAYOUTS = 200
"""Playouts that judge a late position before a move: about 15 ms on a 19x19 board."""


@dataclass(frozen=True)
class Settings:
    """The settings of a player that has none; those of others extend it."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the settings."""
        return tuple(field.name for field in fields(self))

    @property
    def reads(self) -> bool:
        """Whether the player searches, so that visits and seconds mean something to it."""
        return False

    @property
    def explains(self) -> bool:
        """Whether the player shows what it thinks while it chooses its moves."""
        return True

    def limits(self, seconds: float | None = None) -> tuple[int | None, float | None]:
        """Return the visits and the seconds of a look at a position as long as a move takes.

        `seconds` is what a clock or a person allows; a player that does not read looks once.
        """
        return 1, seconds

    def brief(self) -> str:
        """Return what a description of the player adds to its name."""
        return ""


@dataclass(frozen=True)
class PolicySettings(Settings):
    """What a player by the policy network alone plays by.

    Raises:
        GoError: a value that makes no sense.
    """

    temperature: float = 0.0
    """0 plays the likeliest move, 1 samples from the network's probabilities."""
    symmetry: str = PLAY_SYMMETRY
    """Views of the board that the network is shown: none (one), random or all."""
    resign: float | None = None
    """Points: give up a late game when no playout in fifty is won and the score is behind by at
    least this much. None: never."""
    playouts: int = PLAYOUTS
    """Playouts that judge a late position before a move."""
    cleanup: bool | None = None
    """Capture dead stones before a pass. None: where the rules ask for it, as Tromp-Taylor's do."""
    move_cap: int | None = None
    """From this turn on only pass. None: twice the points of the board."""

    def brief(self) -> str:
        """Return what a description of the player adds to its name."""
        return f"temperature {self.temperature:g}"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.temperature < 0:
            raise GoError(f"temperature {self.temperature} is negative: use 0 (best move) or more")
        if self.playouts < 1:
            raise GoError(f"{self.playouts} playouts cannot judge a position: use 1 or more")


POLICY_DEFAULTS = PolicySettings()


@dataclass(frozen=True)
class SearchSettings(Settings):
    """What a player that searches plays by.

    Raises:
        GoError: a value that makes no sense.
    """

    visits: int | None = None
    """Positions of a search for one move; None leaves that to the time."""
    seconds: float = 1.0
    """Time for a move where neither visits nor a clock say otherwise."""
    temperature: float = 0.0
    """0 plays the best move; more draws by visits, ever less as the game goes on."""
    resign_below: float | None = 0.05
    """Win chance below which, for three turns, a game is given up. None: never."""
    playouts: int = PLAYOUTS
    """Playouts that judge a late position before it is passed."""
    cleanup: bool | None = None
    """Capture dead stones before a pass. None: where the rules ask for it, as Tromp-Taylor's do."""
    move_cap: int | None = None
    """From this turn on only pass. None: twice the points of the board."""
    megabytes: float = 1000.0
    """Bound of the memory of the tree and of remembered evaluations."""
    lcb: bool = True
    """Choose by lower confidence bounds; else by visits."""
    noise: float = 0.0
    """Share of random noise in the priors of the position itself, for games that vary."""
    rollouts: float = 0.0
    """Share of playouts in the value of a position; AlphaGo's lambda."""
    score_utility: float = 1.0
    """How much points count besides winning; 0 counts winning alone."""

    @property
    def reads(self) -> bool:
        """Whether the player searches: it does."""
        return True

    def limits(self, seconds: float | None = None) -> tuple[int | None, float | None]:
        """Return the visits and the seconds of a look at a position as long as a move takes."""
        usual = self.seconds if self.visits is None else None
        return self.visits, usual if seconds is None else seconds

    def of_the_tree(self) -> tuple[float, ...]:
        """Return what cannot change without a new tree."""
        return self.megabytes, self.rollouts, self.score_utility

    def brief(self) -> str:
        """Return what a description of the player adds to its name."""
        return f"{self.seconds:g} s a move" if self.visits is None else f"{self.visits} visits"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.visits is not None and self.visits < 1:
            raise GoError(f"{self.visits} visits cannot search: use 1 or more, or the policy alone")
        if self.seconds <= 0:
            raise GoError(f"{self.seconds:g} seconds are too few for a move: use more than 0")
        if self.temperature < 0:
            raise GoError(f"temperature {self.temperature:g} is negative: use 0 or more")
        if self.megabytes < 1:
            raise GoError(f"{self.megabytes:g} MB cannot hold a tree: use 1 or more")
        for name, share in (("noise", self.noise), ("rollouts", self.rollouts)):
            if not 0 <= share <= 1:
                raise GoError(f"{name} {share:g} is not a share: use 0 to 1")
        if self.score_utility < 0:
            raise GoError(f"score utility {self.score_utility:g} is negative: use 0 or more")


SEARCH_DEFAULTS = SearchSettings()
