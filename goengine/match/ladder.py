"""The ladder that ranks are measured by: who plays whom, game by game, kept in a folder.

Every rung plays its neighbours, even games with balanced colours and varied openings; handicap
pairs play with as many stones as there are ranks between them; anchors tie the ranks to players
that are known. Each pair is a match in a folder of its own, which goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from goengine.clock import TimeSettings
from goengine.inference.evaluator import Evaluator
from goengine.match.contest import Contest, Terms, own_referee
from goengine.match.entrants import Entrant, OwnEntrant, make_entrant
from goengine.match.folder import MatchFolder, Result
from goengine.match.openings import OpeningSource, corner_openings
from goengine.players.making import ranked_opponent
from goengine.players.ranked.rank_table import RankTable
from goengine.players.ranked.ranks import RANKS, rank_name, rank_number
from goengine.players.ranked.styles import RankedSettings, style_at
from goengine.rules import get_rules
from goengine.types import GoError

RUNG = 3
"""Ranks between two rungs."""
RULES = "chinese"
SMALL_KOMI, HANDICAP_KOMI = 7.0, 0.5
"""Komi of even games on 9x9, and of all games with a handicap."""
OPENING_MOVES = {9: 2}
"""Moves of an opening where the board is too small for four corners."""
MEGABYTES = 100.0


@dataclass(frozen=True)
class Pairing:
    """Two players who meet."""

    a: str
    """A rank, the weaker one in a handicap game."""
    b: str
    """A rank, or an entrant's text for an anchor."""
    handicap: int = 0

    @property
    def name(self) -> str:
        """What the pair's folder is called."""
        b = self.b if self.b in RANKS else "".join(c if c.isalnum() else "-" for c in self.b)[:40]
        return f"{self.a}-{b}" + (f"-handicap-{self.handicap}" if self.handicap else "")


@dataclass(frozen=True)
class Meeting:
    """What came of a pairing so far."""

    pairing: Pairing
    results: tuple[Result, ...]

    @property
    def games(self) -> int:
        """Games that were won, lost or drawn."""
        return sum(result.counts for result in self.results)

    @property
    def points(self) -> float:
        """Games that A won, a draw as half."""
        worth = {0: 1.0, None: 0.5}
        return sum(worth.get(result.winner, 0.0) for result in self.results if result.counts)


def rungs(lowest: str = RANKS[0], highest: str = RANKS[-1]) -> list[str]:
    """Return the ranks three apart, from the lowest one on."""
    return [rank_name(n) for n in range(rank_number(lowest), rank_number(highest) + 1, RUNG)]


def neighbours_of(ranks: Sequence[str]) -> list[Pairing]:
    """Return each rank with the next one."""
    return [Pairing(a, b) for a, b in pairwise(ranks)]


def handicap_pairs(ranks: Sequence[str]) -> list[Pairing]:
    """Return each rank with the next one, which gives it a stone for every rank between them."""
    return [Pairing(a, b, rank_number(b) - rank_number(a)) for a, b in pairwise(ranks)]


class Ladder:
    """Matches between opponents by rank on one size of board.

    `evaluator` runs the network of all of them. `batch` games are played at once.
    """

    def __init__(
        self,
        table: RankTable,
        evaluator: Evaluator,
        folder: Path,
        *,
        size: int = 19,
        seed: int = 1,
        batch: int = 20,
        timeout: float = 120.0,
    ) -> None:
        self.table = table
        self.size = size
        self._evaluator = evaluator
        self._folder = folder / f"{size}x{size}"
        self._seed = seed
        self._batch = batch
        self._timeout = timeout

    def meeting(self, pairing: Pairing) -> Meeting:
        """Return what was played so far."""
        return Meeting(pairing, tuple(self._kept(pairing).results()))

    def play(
        self,
        pairing: Pairing,
        games: int,
        *,
        moved: Callable[[int], None] = lambda moves: None,
    ) -> Iterator[Meeting]:
        """Play the games that are missing; yield how it stands after each.

        Raises:
            GoError: the folder holds games by other levels, or a player cannot be made.
        """
        kept = self._kept(pairing)
        results = kept.results()
        done = {result.game for result in results}
        missing = [number for number in range(games) if number not in done]
        if not missing:
            return
        entrants = (self._entrant(pairing.a), self._entrant(pairing.b))
        names = [entrant.name for entrant in entrants]
        contest = Contest(
            entrants,
            self._terms(pairing),
            openings=self._openings(pairing),
            referee=own_referee(self._seed),
            batch=self._batch,
        )
        try:
            for game in contest.games(missing, moved=moved):
                results.append(kept.add(game, names))
                yield Meeting(pairing, tuple(results))
        finally:
            for entrant in entrants:
                entrant.close()

    def _kept(self, pairing: Pairing) -> MatchFolder:
        """Return the folder of a pair."""
        terms = self._terms(pairing)
        players = [
            asdict(style_at(self.table.level(name, self.size))) if name in RANKS else name
            for name in (pairing.a, pairing.b)
        ]
        return MatchFolder(
            self._folder / pairing.name,
            {
                "a": pairing.a,
                "b": pairing.b,
                "players": players,
                "network": self.table.network,
                "size": self.size,
                "rules": RULES,
                "komi": terms.komi,
                "handicap": pairing.handicap,
                "seed": self._seed,
            },
        )

    def _entrant(self, name: str) -> Entrant:
        """Return a player: of a rank, with a tree of its own, or as an entrant's text says."""
        if name not in RANKS:
            return make_entrant(name, timeout=self._timeout)
        player = ranked_opponent(
            self._evaluator,
            RankedSettings(name, style=style_at(self.table.level(name, self.size))),
            network=self.table.network,
            rng=np.random.default_rng([self._seed, rank_number(name)]),
            megabytes=MEGABYTES,
        )
        return OwnEntrant(player, name=name)

    def _openings(self, pairing: Pairing) -> OpeningSource:
        """Return the openings of a pair: none with a handicap, where the stones are enough."""
        if pairing.handicap:
            return lambda number: ()
        return corner_openings(self.size, OPENING_MOVES.get(self.size, 4), seed=self._seed)

    def _terms(self, pairing: Pairing) -> Terms:
        """Return what both players agree on."""
        rules = get_rules(RULES)
        komi = SMALL_KOMI if self.size == min(OPENING_MOVES) else rules.komi
        if pairing.handicap:
            if pairing.b not in RANKS:
                raise GoError(f"a handicap against {pairing.b} is not possible: name two ranks")
            komi = HANDICAP_KOMI
        cap = 2 * self.size**2
        return Terms(self.size, rules, komi, self._seed, cap, TimeSettings(), pairing.handicap)
