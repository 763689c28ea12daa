"""What decides a run of self-play: every game is a pure function of the plan and its number."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnncore.system import atomic
from goengine.handicap import fixed_points, most_fixed
from goengine.rules import Rules, get_rules
from goengine.types import BLACK, MAX_SIZE, MIN_SIZE, WHITE, GoError

PLAN_VERSION = 1
"""Changes with anything that makes another game of the same plan and number."""

RULES = "chinese"
"""Area scoring, positional superko, no suicide, and White gets a point for each handicap stone."""

EVEN = 7.0
"""Points by which Black is ahead on an empty board."""
STONE = 14.0
"""Points that a handicap stone is worth; the first is half a stone, for White moves next."""
ROOM = 0.5
"""Share of the board's points that a komi may reach."""
MOST_SPREAD = 100.0
"""Points of komi's spread; games are decided by komi alone long before."""
MOST_BATCH = 16_384
"""Positions at once, and so games side by side, whose boards all lie in memory."""


@dataclass(frozen=True)
class Plan:
    """Everything that a game depends on besides its number."""

    network: str
    """Digest of the network's file."""
    seed: int = 0
    """Seed of the whole run."""
    sizes: tuple[int, ...] = (9, 13)
    """Board sizes, each with the same share of the games."""
    handicap: int = 0
    """Most handicap stones; a game has 0 or 2 to so many, all equally often."""
    komi_spread: float = 5.0
    """Standard deviation of komi around an even game, in points."""
    temperature: float = 1.0
    """Temperature of the first move."""
    late_temperature: float = 0.25
    """Temperature that later moves approach; the difference halves every `size` moves."""
    move_cap: float = 2.0
    """Most moves of a game, in moves a point of the board."""
    playouts: int = 32
    """Playouts of a look at what is open."""
    final_playouts: int = 64
    """Playouts of the judgement that ends and scores a game."""
    batch: int = 64
    """Positions that the network is given at once; it may round other batches differently."""
    shard: int = 256
    """Games a shard."""
    version: int = PLAN_VERSION

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            GoError: one of them makes no sense.
        """
        for size in self.sizes:
            if not MIN_SIZE + 1 <= size <= MAX_SIZE:
                raise GoError(f"board size {size} is outside {MIN_SIZE + 1} to {MAX_SIZE}")
            most = most_fixed(size)
            if self.handicap and not 2 <= self.handicap <= most:
                use = f"use 0, or 2 to {most}" if most >= 2 else "use 0, or a larger board"
                raise GoError(f"{self.handicap} handicap stones do not go on {size}x{size}: {use}")
        if not self.sizes or len(set(self.sizes)) != len(self.sizes):
            raise GoError(f"sizes {list(self.sizes)}: name at least one, and each once")
        if min(self.batch, self.shard, self.playouts, self.final_playouts) < 1:
            raise GoError("batch, shard and playouts must be at least 1")
        if self.batch > MOST_BATCH:
            raise GoError(f"a batch of {self.batch} is too large: use at most {MOST_BATCH}")
        if self.komi_spread > MOST_SPREAD:
            raise GoError(
                f"a komi spread of {self.komi_spread:g} points is too large: use at most "
                f"{MOST_SPREAD:g}"
            )
        if min(self.komi_spread, self.temperature, self.late_temperature) < 0 or self.move_cap <= 0:
            raise GoError("komi spread, temperatures and move cap must not be negative")

    @property
    def rules(self) -> Rules:
        """The rules of every game."""
        return get_rules(RULES)

    def cap(self, size: int) -> int:
        """Return the most moves of a game on a board."""
        return max(2, int(self.move_cap * size * size))

    def setup(self, number: int) -> Setup:
        """Return how game `number` begins."""
        rng = np.random.default_rng([self.seed, number])
        size = self.sizes[int(rng.integers(len(self.sizes)))]
        stones = 0
        if self.handicap:
            stones = int(rng.integers(1, self.handicap + 1))
            stones = stones if stones > 1 else 0
        even = min(STONE * stones - EVEN, ROOM * size * size) if stones else EVEN
        komi = np.floor(even - stones + self.komi_spread * rng.standard_normal()) + 0.5
        return Setup(
            number,
            size,
            float(komi),
            tuple(sorted(fixed_points(size, stones))) if stones else (),
            int(rng.integers(1, 2**63)),
        )


@dataclass(frozen=True)
class Setup:
    """How one game begins."""

    number: int
    """Its number in the run."""
    size: int
    """Lines of the board."""
    komi: float
    """Komi, always half a point beside a whole number."""
    handicap: tuple[int, ...]
    """Black's handicap stones."""
    seed: int
    """Decides its moves."""

    @property
    def first(self) -> int:
        """The colour that moves first."""
        return WHITE if self.handicap else BLACK


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan as JSON."""
    atomic.write_text(path, json.dumps(dataclasses.asdict(plan), indent=1) + "\n")


def load_plan(path: Path) -> Plan | None:
    """Read a plan; None where there is none.

    Raises:
        GoError: the file is damaged, or another version wrote it.
    """
    try:
        facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not isinstance(facts, dict):
            raise ValueError("it does not name settings")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise GoError(f"{path} is damaged ({error}): choose another --out") from error
    if facts.get("version") != PLAN_VERSION:
        raise GoError(
            f"{path} has version {facts.get('version')}, this program plays version "
            f"{PLAN_VERSION}: choose another --out"
        )
    try:
        return Plan(**{**facts, "sizes": tuple(facts["sizes"])})
    except (TypeError, KeyError) as error:
        raise GoError(f"{path} is damaged ({error}): choose another --out") from error


def check_same(asked: Plan, begun: Plan, folder: Path) -> None:
    """Refuse to go on with other settings.

    Raises:
        GoError: it names the first setting that differs.
    """
    for field in dataclasses.fields(Plan):
        was, now = (vars(plan)[field.name] for plan in (begun, asked))
        if was != now:
            raise GoError(
                f"the games of {folder} were begun with {field.name} {was}, not {now}: ask for "
                "that again, or choose another --out"
            )
