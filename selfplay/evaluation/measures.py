"""From answers to numbers: shares, losses and calibration with intervals, in groups, in pairs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine.types import BLACK
from selfplay.archive.filters import rank_value
from selfplay.archive.reader import Archive
from selfplay.evaluation.calibration import expected_calibration_error, reliability
from selfplay.evaluation.held_out_answers import TOP, Answers
from selfplay.evaluation.intervals import Mask, Share, half_interval, share_over_games

BIN = 30
"""Moves a bin of the table by move number."""

PHASES = {"opening": (0, 50), "middle game": (50, 150), "endgame": (150, 10_000)}
"""Plies of each phase: moves 1-50, 51-150, and from 151 on."""


@dataclass(frozen=True)
class Measure:
    """How well some positions were answered."""

    top1: Share
    """Share of positions whose move is the network's first."""
    top5: Share
    """Share of positions whose move is among its first five."""
    loss: float
    """Mean of minus the logarithm of the move's probability, in nats."""
    loss_error: float | None
    """Half of the loss's 95 % interval; None where all positions are of one game."""
    ece: float
    """Expected calibration error, see calibration.py."""


@dataclass(frozen=True)
class Difference:
    """What one network has more than another on the same positions.

    An error is half of a 95 % interval, None where all positions are of one game.
    """

    top1: float
    """Difference of the shares of first choices that were played."""
    top1_error: float | None
    """Error of `top1`."""
    top5: float
    """Difference of the shares of moves among the first five choices."""
    top5_error: float | None
    """Error of `top5`."""
    loss: float
    """Difference of the mean losses, in nats."""
    loss_error: float | None
    """Error of `loss`."""
    count: int
    """Number of positions."""


def measure(answers: Answers, where: Mask | None = None) -> Measure:
    """Return what was reached on all positions, or on those that a mask (N,) picks (not none)."""
    mine = np.ones(len(answers), dtype=bool) if where is None else where
    games, better, losses = answers.games[mine], answers.better[mine], answers.losses[mine]
    table = reliability(answers.chances[mine, 0], better == 0, games)
    return Measure(
        top1=share_over_games(better == 0, games),
        top5=share_over_games(better < TOP, games),
        loss=float(losses.mean()),
        loss_error=half_interval(losses, games),
        ece=expected_calibration_error(table),
    )


def difference(one: Answers, other: Answers) -> Difference:
    """Return what `other` has more than `one`; both answered the same positions.

    Raises:
        ValueError: they answered different ones.
    """
    if not (np.array_equal(one.games, other.games) and np.array_equal(one.plies, other.plies)):
        raise ValueError("only answers to the same positions can be compared; ask both about them")

    def gain(mine: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> tuple[float, float | None]:
        more = theirs.astype(np.float64) - mine.astype(np.float64)
        return float(more.mean()), half_interval(more, one.games)

    top1 = gain(one.better == 0, other.better == 0)
    top5 = gain(one.better < TOP, other.better < TOP)
    return Difference(*top1, *top5, *gain(one.losses, other.losses), len(one))


def by_move(answers: Answers, archive: Archive) -> dict[str, Mask]:
    """Return the positions of moves "1-30", "31-60", ..."""
    number = answers.plies // BIN
    return {
        f"{index * BIN + 1}-{(index + 1) * BIN}": number == index
        for index in np.unique(number).tolist()
    }


def by_phase(answers: Answers, archive: Archive) -> dict[str, Mask]:
    """Return the positions of each of PHASES that has any."""
    plies = answers.plies
    masks = {name: (plies >= first) & (plies < end) for name, (first, end) in PHASES.items()}
    return {name: mask for name, mask in masks.items() if mask.any()}


def by_rank(answers: Answers, archive: Archive) -> dict[str, Mask]:
    """Return the positions by the rank of the player who moved, the weakest first."""
    table = archive.games[answers.games]
    first_moves = answers.plies % 2 == 0
    black = np.where(table["first"] == BLACK, first_moves, ~first_moves)
    numbers = np.where(black, table["black_rank"], table["white_rank"])
    names = np.array([rank_name(text) for text in archive.ranks])[numbers]
    return {name: names == name for name in RANKS if (names == name).any()}


def by_source(answers: Answers, archive: Archive) -> dict[str, Mask]:
    """Return the positions of each source."""
    numbers = archive.games["source"][answers.games]
    return {archive.sources[index]: numbers == index for index in np.unique(numbers).tolist()}


Grouping = Callable[[Answers, Archive], dict[str, Mask]]

GROUPINGS: dict[str, Grouping] = {
    "source": by_source,
    "move": by_move,
    "phase": by_phase,
    "rank": by_rank,
}

RANKS = ("kyu", *(f"{n} dan" for n in range(1, 10)), *(f"{n} pro" for n in range(1, 10)), "other")
"""The groups of players by rank; "other" are those whose rank is unknown or not a rank."""


def rank_name(text: str) -> str:
    """Return the one of RANKS that a rank as written belongs to: "7d ama" and "7段" are "7 dan"."""
    value, numbers = rank_value(text), re.findall(r"\d+", text)
    if value is None or len(numbers) != 1:
        return "other"  # no rank, a title, or several ranks
    if value <= 30:
        return "kyu"
    name = f"{int(numbers[0])} {'dan' if value < 40 else 'pro'}"
    return name if name in RANKS else "other"


def measure_groups(answers: Answers, archive: Archive, grouping: str) -> dict[str, Measure]:
    """Return a Measure for each group of one of GROUPINGS."""
    masks = GROUPINGS[grouping](answers, archive)
    return {name: measure(answers, mask) for name, mask in masks.items()}
