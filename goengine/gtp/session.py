"""What the commands of one GTP session share: game, player, clock, randomness, settings.

The heavy parts are made when they are first asked for, or ahead of that by `load` in a
background thread; until then a session costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from goengine.clock import Clock
from goengine.gtp.loading import Lazy
from goengine.gtp.protocol import GtpError
from goengine.rules import get_rules
from goengine.types import RESIGN, IllegalMoveError

if TYPE_CHECKING:
    import numpy as np

    from goengine.games.game import Game
    from goengine.players.player import Player, Snapshot
    from goengine.players.settings import Settings as PlayerSettings
    from goengine.scoring.status import Status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SessionSettings:
    """How a session begins."""

    size: int = 19
    rules: str = "chinese"
    komi: float | None = None
    """None takes the komi of the rules."""
    seed: int | None = None
    """None draws a new one, so that games differ."""


class Session:
    """The state behind the commands.

    `pause(seconds)` waits and tells whether new input has come; an analysis ends when it does.
    Without a server it never waits and always says yes, so an analysis is one report long.
    """

    def __init__(
        self,
        player_factory: Callable[[], Player],
        settings: SessionSettings,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.clock = Clock() if clock is None else clock
        self.pause: Callable[[float], bool] = lambda seconds: True
        self.command_names: list[str] = []
        self.closing = False
        self._game = Lazy(self._make_game, what="the board")
        self._judge = Lazy(self._make_judge, what="the playouts")
        self._player = Lazy(partial(self._make_player, player_factory), what="the player")
        self._random = Lazy(self._make_random, what="the random numbers")
        self._adjusted: Player | None = None
        self._status: tuple[tuple[object, ...], Status] | None = None

    def load(self) -> None:
        """Make the heavy parts now; failures are kept for the commands that need them."""
        for part in (self._game, self._random, self._player, self._judge):
            part.attempt()

    @property
    def game(self) -> Game:
        """The game in progress.

        Raises:
            GtpError: the board could not be loaded.
        """
        return self._game.get()

    @property
    def player(self) -> Player:
        """Who chooses the moves.

        Raises:
            GtpError: the player could not be loaded.
        """
        return self._player.get() if self._adjusted is None else self._adjusted

    def adjust(self, settings: PlayerSettings) -> None:
        """Let the player go on by other settings."""
        self._adjusted = self.player.with_settings(settings)

    @property
    def description(self) -> str:
        """What plays, in a few words for people, or why nothing can."""
        try:
            player = self.player
        except GtpError as error:
            return str(error)
        return ", ".join(filter(None, [player.name, player.settings.brief()]))

    @property
    def rng(self) -> np.random.Generator:
        """The session's only source of randomness."""
        return self._random.get()

    def best(self, colour: int) -> int:
        """Return the player's best move, the same every time, without playing it."""
        import numpy as np

        from goengine.players.player import Budget, Conditions

        game = self.game.turned_to(colour)
        rng = np.random.default_rng(0)
        return self.player.choose(game, Budget(), rng=rng, conditions=Conditions(exact=True)).move

    def generate(
        self, colour: int, *, among: Collection[int] | None = None, cleanup: bool = False
    ) -> int:
        """Choose and play a move, charge the clock, and return it.

        `among` names the moves to choose from (None: all). With `cleanup` the opponent's dead
        stones are captured before a pass, and nobody resigns. A move that the rules turn out to
        forbid becomes a pass: `genmove` never fails.
        """
        player, game = self.player, self.game.turned_to(colour)
        from goengine.players.effort import time_budget  # what cannot be loaded was told
        from goengine.players.player import Conditions

        conditions = Conditions(None if among is None else frozenset(among), cleanup=cleanup)
        budget = time_budget(game)
        self.clock.start()
        try:
            move = player.choose(game, budget, rng=self.rng, conditions=conditions).move
        finally:
            self.clock.stop(colour)
        if move == RESIGN:
            return move
        try:
            self.game.play(move, colour)
        except IllegalMoveError as error:
            log.error("the player chose an illegal move and passes instead: %s", error)
            move = self.game.size**2
            self.game.play(move, colour)
        return move

    def analyse(self, game: Game, *, interval: float = 1.0) -> Iterator[Snapshot]:
        """Yield what the player thinks of a game's position until new input comes.

        Raises:
            GtpError: this player has no opinion to show.
        """
        analyst = self.player.analyst
        if analyst is None:
            raise GtpError("this player cannot analyse: start the engine with a network")
        return analyst.stream(game, interval=interval, pause=self.pause)

    def opinion(self, game: Game) -> Snapshot:
        """Return what the player thinks of a game's position at first sight.

        Raises:
            GtpError: this player has no opinion to show.
        """
        return next(self.analyse(game))

    def status(self) -> Status:
        """Return who owns what in the present position; computed once per position."""
        board = self.game.board
        key = (board.size, board.hash, board.turn, board.to_play, board.rules, board.komi)
        if self._status is None or self._status[0] != key:
            self._status = (key, self._judge.get()(board, rng=self.rng))
        return self._status[1]

    def _make_game(self) -> Game:
        """Import the board, compile or load its kernels, and set up the first game."""
        from goengine.games.game import Game
        from goengine.players.warmup import warm_board

        rules = get_rules(self.settings.rules)
        komi = rules.komi if self.settings.komi is None else self.settings.komi
        warm_board()
        return Game(self.settings.size, rules=rules, komi=komi, clock=self.clock)

    def _make_player(self, factory: Callable[[], Player]) -> Player:
        """Make the player, and the playouts that its late moves are judged by."""
        player = factory()
        self._judge.attempt()
        return player

    def _make_judge(self) -> Callable[..., Status]:
        """Import the playouts, compile or load their kernels, and return what judges by them."""
        from goengine.players.warmup import warm_playouts
        from goengine.scoring.status import status

        warm_playouts()
        return status

    def _make_random(self) -> np.random.Generator:
        """Return the generator that the seed asks for."""
        import numpy as np

        return np.random.default_rng(self.settings.seed)
