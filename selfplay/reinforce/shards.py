"""Where self-play keeps its games: a folder of shards, each complete or marked as a part.

`NETWORK-FIRST-LAST.npz` holds all games of that range of numbers, `NETWORK-FIRST-LAST.part.npz`
those that were over when the run was stopped. A second start reads both, plays what is missing and
nothing else. Files are moved into place whole, so a killed run leaves none in pieces.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from goengine.types import GoError
from selfplay.reinforce.finished_games import FinishedGame, read_games, write_games
from selfplay.reinforce.plan import Plan, check_same, load_plan, save_plan

log = logging.getLogger(__name__)

PLAN = "plan.json"


class Shards:
    """The games of one run on disk.

    Raises:
        GoError: the folder was begun with another plan, or a file in it is damaged.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        begun = load_plan(folder / PLAN)
        if begun is None:
            save_plan(plan, folder / PLAN)
        else:
            check_same(plan, begun, folder)
        self.folder = folder
        self.plan = plan
        self._waiting: dict[int, dict[int, FinishedGame]] = defaultdict(dict)
        self._complete: set[int] = set()
        self._written: dict[int, int] = {}
        self._load()

    def _load(self) -> None:
        for path in sorted(self.folder.glob(f"{self.plan.network[:12]}-*.npz")):
            first = path.name.split("-")[1]
            if not first.isdecimal():
                raise GoError(f"{path} is not a shard: move it elsewhere")
            shard = int(first) // self.plan.shard
            games = read_games(path)
            if len(games) == self.plan.shard:
                self._complete.add(shard)
            else:
                self._waiting[shard].update((game.number, game) for game in games)
                self._written[shard] = len(games)
        for shard in self._complete & self._waiting.keys():  # killed between writing and removing
            del self._waiting[shard]
            self._path(shard, part=True).unlink(missing_ok=True)

    def __len__(self) -> int:
        """Return the number of games that are over."""
        waiting = sum(len(games) for games in self._waiting.values())
        return len(self._complete) * self.plan.shard + waiting

    def __contains__(self, number: int) -> bool:
        """Tell whether a game is over."""
        shard = number // self.plan.shard
        return shard in self._complete or number in self._waiting.get(shard, ())

    def count(self, games: int) -> int:
        """Return how many of the games 0 ... games - 1 are over."""
        return sum(number in self for number in range(games))

    def add(self, game: FinishedGame) -> None:
        """Keep a game, and write its shard if that is complete now."""
        shard = game.number // self.plan.shard
        waiting = self._waiting[shard]
        waiting[game.number] = game
        if len(waiting) == self.plan.shard:
            write_games(self._path(shard), list(waiting.values()))
            self._complete.add(shard)
            self._path(shard, part=True).unlink(missing_ok=True)
            del self._waiting[shard]
            self._written.pop(shard, None)

    def flush(self) -> None:
        """Write what is over of the shards that are not complete."""
        for shard, games in self._waiting.items():
            if len(games) > self._written.get(shard, 0):
                write_games(self._path(shard, part=True), list(games.values()))
                self._written[shard] = len(games)

    def games(self) -> Iterator[FinishedGame]:
        """Yield all games in the order of their numbers.

        Raises:
            GoError: a file is damaged.
        """
        for shard in sorted(self._complete | self._waiting.keys()):
            if shard in self._complete:
                yield from read_games(self._path(shard))
            else:
                waiting = self._waiting[shard]
                yield from (waiting[number] for number in sorted(waiting))

    def _path(self, shard: int, *, part: bool = False) -> Path:
        first = shard * self.plan.shard
        name = f"{self.plan.network[:12]}-{first:08d}-{first + self.plan.shard - 1:08d}"
        return self.folder / f"{name}{'.part' if part else ''}.npz"
