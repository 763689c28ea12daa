"""How well a network judged held-out positions: who wins, by how much, and who owns each point.

Only games that teach a value are asked about the winner and the lead (selfplay/batches/labels.py):
others were decided by the clock, or between unequal players, or their komi is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from selfplay.batches.labels import PositionLabels
from selfplay.evaluation.calibration import Bin, expected_calibration_error, reliability
from selfplay.evaluation.intervals import Index, Mask, Share, half_interval, share_over_games

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judgements:
    """What a network said of positions and how their games ended, for the player to move."""

    chance: Doubles
    """float64 (N,): the win chance, 0 ... 1."""
    won: Doubles
    """float64 (N,): 1 won, 0 lost, 0.5 neither; NaN where the game teaches no value."""
    lead_error: Doubles
    """float64 (N,): distance of the lead from the recorded one, in points; NaN where unknown."""
    ownership_error: Doubles
    """float64 (N,): mean over the points of |said - owner|, each -1 ... 1; NaN where unknown."""

    @classmethod
    def of(
        cls,
        value: npt.NDArray[np.float32],
        lead: npt.NDArray[np.float32],
        ownership: npt.NDArray[np.float32],
        labels: PositionLabels,
    ) -> Judgements:
        """Return the judgements of what an evaluator said: value -1 ... 1, lead, ownership."""
        ended = labels.margin.astype(np.float64) - labels.komi
        said = ownership.reshape(len(ownership), -1).astype(np.float64)
        owners = np.abs(said - labels.ownership).mean(axis=1)
        return cls(
            chance=(value.astype(np.float64) + 1) / 2,
            won=np.where(labels.weight > 0, (labels.winner.astype(np.float64) + 1) / 2, np.nan),
            lead_error=np.where(labels.counted, np.abs(lead - ended), np.nan),
            ownership_error=np.where(labels.owned, owners, np.nan),
        )


@dataclass(frozen=True)
class Mean:
    """A mean over positions."""

    value: float
    """The mean."""
    error: float | None
    """Half of its 95 % interval; None where all positions are of one game."""
    count: int
    """Number of positions."""


@dataclass(frozen=True)
class JudgementMeasure:
    """How well some positions were judged; None where no position tells."""

    value: Mean | None
    """Mean squared error of the win chance: 0 perfect, 0.25 a coin."""
    right: Share | None
    """How often the likelier winner won, drawn games left out."""
    calibration: float | None
    """Expected calibration error of the win chance, see calibration.py."""
    lead: Mean | None
    """Mean absolute error of the lead, in points."""
    ownership: Mean | None
    """Mean absolute error of a point's owner, from 0 to 2."""


def joined_judgements(parts: Sequence[Judgements | None]) -> Judgements | None:
    """Return the judgements of several batches as one; None if a batch has none."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    columns = zip(*(vars(part).values() for part in known), strict=True)
    return Judgements(*(np.concatenate(column) for column in columns))


def measure_judgements(
    judged: Judgements, games: Index, where: Mask | None = None
) -> JudgementMeasure:
    """Return how well all positions were judged, or those that a mask (N,) picks."""
    mine = np.ones(len(games), dtype=np.bool_) if where is None else where
    chance, won = judged.chance[mine], judged.won[mine]
    decided = won != 0.5
    decided &= ~np.isnan(won)
    right = None
    if decided.any():
        hits = (chance[decided] > 0.5) == (won[decided] > 0.5)
        right = share_over_games(hits, games[mine][decided])
    table = value_calibration(judged, games, mine)
    return JudgementMeasure(
        value=_mean(np.square(chance - won), games[mine]),
        right=right,
        calibration=expected_calibration_error(table) if table else None,
        lead=_mean(judged.lead_error[mine], games[mine]),
        ownership=_mean(judged.ownership_error[mine], games[mine]),
    )


def value_calibration(judged: Judgements, games: Index, where: Mask | None = None) -> list[Bin]:
    """Return the reliability table of the win chance over games that somebody won."""
    known = ~np.isnan(judged.won) & (judged.won != 0.5)
    if where is not None:
        known &= where
    return reliability(judged.chance[known], judged.won[known] > 0.5, games[known])


def _mean(values: Doubles, games: Index) -> Mean | None:
    """Return the mean of the values (N,) that are known."""
    known = ~np.isnan(values)
    if not known.any():
        return None
    found = values[known]
    return Mean(float(found.mean()), half_interval(found, games[known]), int(known.sum()))
