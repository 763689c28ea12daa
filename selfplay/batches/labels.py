"""What the ends of games teach about their positions, for the player to move.

A game teaches a value if its winner and its komi are known and the position decided it: not the
clock, and not a forfeit. Among people, handicap stones and an odd komi mean that one player is
weaker, which a network would learn to expect; so such games teach a value only where both sides are
equally strong, as in self-play. What is not known has weight 0 or is marked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from goengine.types import BLACK, WHITE
from selfplay.archive.reader import Archive, ArchiveError
from selfplay.labelling.owners_file import Ownership
from selfplay.labelling.results import points_for_white, recorded_margins, result_kinds

EVEN_KOMI = (4.5, 8.5)
"""Least and most komi of an even game between people."""
EQUAL_SOURCES = ("self-play",)
"""Sources of whose games both sides are equally strong, whatever handicap and komi say."""
NOT_PLAYED_OUT = ("time", "forfeit", "void", "unknown")
"""Kinds of results that say nothing about the board."""

Index = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PositionLabels:
    """What is known of B positions of one board size, for the player to move."""

    winner: npt.NDArray[np.int8]
    """int8 (B,): 1 if the mover won the game, -1 if the opponent did, 0 for neither or unknown."""
    weight: Floats
    """float32 (B,): 1 where the outcome teaches a value, else 0."""
    komi: Floats
    """float32 (B,): points that the mover gives, handicap bonus among them; 0 where unknown."""
    margin: Floats
    """float32 (B,): points on the board before komi at the end; 0 where unknown."""
    counted: npt.NDArray[np.bool_]
    """bool (B,): whether the margin is known of a game that teaches a value."""
    ownership: npt.NDArray[np.int8]
    """int8 (B, N*N): 1 the mover's at the end, -1 the opponent's, 0 nobody's or unknown."""
    owned: npt.NDArray[np.bool_]
    """bool (B,): whether the ownership is known."""


class Labels:
    """The labels of an archive's positions; `owners` are those of the same archive, or None.

    Raises:
        ArchiveError: the owners are another archive's.
    """

    def __init__(
        self,
        archive: Archive,
        owners: Ownership | None = None,
        *,
        equal_sources: Collection[str] = EQUAL_SOURCES,
    ) -> None:
        if owners is not None and owners.archive != archive.digest:
            raise ArchiveError(
                f"the labels are of the archive {owners.archive}, not of {archive.path} "
                f"({archive.digest}): run `selfplay label {archive.path}`"
            )
        self.archive = archive
        self._owners = owners
        games = archive.games
        komi = points_for_white(archive)
        black_margin = recorded_margins(archive) + komi
        played_out = ~np.isin(result_kinds(archive), NOT_PLAYED_OUT)
        sign = {BLACK: 1, WHITE: -1}
        self._winner = np.array([sign.get(c, 0) for c in range(3)], dtype=np.int8)[games["winner"]]
        equal = np.isin(
            games["source"], [i for i, s in enumerate(archive.sources) if s in equal_sources]
        )
        even = (games["komi"] >= EVEN_KOMI[0]) & (games["komi"] <= EVEN_KOMI[1])
        even &= (
            (games["handicap"] < 2) & (games["black_stones"] == 0) & (games["white_stones"] == 0)
        )
        self.teaches: npt.NDArray[np.bool_] = played_out & np.isfinite(komi) & (equal | even)
        """bool (G,): which games teach a value."""
        self._komi = np.nan_to_num(komi)
        self._margin = np.nan_to_num(black_margin).astype(np.float32)
        self._counted = self.teaches & np.isfinite(black_margin)

    def of(self, games: Index, plies: Index) -> PositionLabels:
        """Return the labels of the positions before move `plies` of `games`, all of one size.

        Raises:
            ArchiveError: the boards have different sizes.
        """
        sizes = self.archive.games["size"][games]
        size = int(sizes[0]) if len(sizes) else 0
        if (sizes != size).any():
            raise ArchiveError(f"one batch has boards of sizes {np.unique(sizes).tolist()}")
        begins = self.archive.games["first"][games] == BLACK
        sign = np.where(begins == (plies % 2 == 0), 1, -1).astype(np.int8)
        owners = self._owners
        known = np.zeros(len(games), dtype=np.bool_) if owners is None else owners.rows(games) >= 0
        owned = (
            np.zeros((len(games), size * size), dtype=np.int8)
            if owners is None
            else owners.of_games(games, size * size)
        )
        return PositionLabels(
            winner=self._winner[games] * sign,
            weight=self.teaches[games].astype(np.float32),
            komi=self._komi[games] * sign,
            margin=self._margin[games] * sign,
            counted=self._counted[games],
            ownership=owned * sign[:, None],
            owned=known,
        )
