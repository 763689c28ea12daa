"""What the commands of one GTP session share: game, player, clock, randomness, settings.

The heavy parts are made when they are first asked for, or ahead of that by `load` in a
background thread; until then a session costs nothing.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from goengine.clock import Clock
from goengine.gtp.loading import Lazy
from goengine.gtp.protocol import GtpError
from goengine.rules import get_rules
from goengine.types import RESIGN, IllegalMoveError

if TYPE_CHECKING:
    import numpy as np

    from goengine.games.game import Game, Move
    from goengine.inference.evaluator import Evaluator
    from goengine.players.player import Ban, Budget, Choice, Player, Question, Snapshot
    from goengine.players.ranked.own_rank import RankFollower
    from goengine.players.settings import Settings as PlayerSettings
    from goengine.scoring.status import Status
    from goengine.search.playing_out import Verdict

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
    ponder: bool = False
    """Think on the opponent's time."""
    seconds: float | None = None
    """The most that a move may take, whatever visits or clock allow; None sets no limit."""


WIDTH = 0.04
"""How much more widely than play an analysis looks at the root's moves."""
SLOWEST = 86_400.0
"""Seconds between the reports of somebody who wants only the last."""
INSTANT = 1
"""Visits of a choice that adds nothing to what the tree holds already."""


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
        self.pondering = settings.ponder
        """Whether the player thinks on the opponent's time."""
        self.longest = settings.seconds
        """Seconds that a move may take at the most; None sets no limit."""
        self.width = WIDTH
        """How much more widely than play an analysis looks at the root's moves."""
        self.clock = Clock() if clock is None else clock
        self.pause: Callable[[float], bool] = lambda seconds: True
        self.follower: RankFollower | None = None
        """What lets the rank of the person's partner follow the games; None where it stays."""
        self.command_names: list[str] = []
        self.closing = False
        self._game = Lazy(self._make_game, what="the board")
        self._judge = Lazy(self._make_judge, what="the playouts")
        self._player = Lazy(partial(self._make_player, player_factory), what="the player")
        self._random = Lazy(self._make_random, what="the random numbers")
        self._status: tuple[tuple[object, ...], Status] | None = None
        self._answered: object = None
        self.own_moves: dict[int, Move] = {}
        """The moves that the player chose, by the moves before them; undone ones may be there."""
        self._resigned: object = None

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
        return self._player.get()

    def adjust(self, settings: PlayerSettings) -> None:
        """Let the player go on by other settings."""
        self._player.put(self.player.with_settings(settings))

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

    @property
    def reads(self) -> bool:
        """Whether the player searches."""
        return self.player.settings.reads

    def budget(self, colour: int) -> Budget:
        """Return what the next move of a colour may cost by the clock and by what was set."""
        game = self.game.turned_to(colour)
        from goengine.players.effort import time_budget  # what cannot be loaded was told

        return time_budget(game).within(self.longest)

    def best(self, colour: int) -> int:
        """Return the player's best move, the same every time, without playing it."""
        import numpy as np

        from goengine.players.player import Budget, Conditions

        game = self.game.turned_to(colour)
        rng = np.random.default_rng(0)
        budget = Budget(seconds=self.longest)
        return self.player.choose(game, budget, rng=rng, conditions=Conditions(exact=True)).move

    def generate(
        self, colour: int, *, among: Collection[int] | None = None, cleanup: bool = False
    ) -> int:
        """Choose and play a move, charge the clock, and return it.

        `among` names the moves to choose from (None: all). With `cleanup` the opponent's dead
        stones are captured before a pass, and nobody resigns.
        """
        with self.charged(colour):
            choice = self.choose(colour, self.budget(colour), among=among, cleanup=cleanup)
        return self.make(colour, choice.move)

    @contextmanager
    def charged(self, colour: int) -> Iterator[None]:
        """Charge a colour's clock for what is done meanwhile, not for loading the player.

        Raises:
            GtpError: the player could not be loaded.
        """
        self._player.get()
        self.clock.start()
        try:
            yield
        finally:
            self.clock.stop(colour)

    def choose(
        self,
        colour: int,
        budget: Budget,
        *,
        among: Collection[int] | None = None,
        cleanup: bool = False,
    ) -> Choice:
        """Return the player's choice for a colour, without playing it."""
        player, game = self.player, self.game.turned_to(colour)
        from goengine.players.player import Conditions  # what cannot be loaded was told

        conditions = Conditions(None if among is None else frozenset(among), cleanup=cleanup)
        return player.choose(game, budget, rng=self.rng, conditions=conditions)

    def make(self, colour: int, move: int) -> int:
        """Play the player's own move and return it; a resignation is not played.

        A move that the rules turn out to forbid becomes a pass: `genmove` never fails.
        """
        if move == RESIGN:
            self._resigned = self._here()
            return move
        try:
            self.game.play(move, colour)
        except IllegalMoveError as error:
            log.error("the player chose an illegal move and passes instead: %s", error)
            move = self.game.size**2
            self.game.play(move, colour)
        self.own_moves[len(self.game.moves) - 1] = (colour, move)
        self._answered = self._here()
        return move

    @property
    def resigned(self) -> bool:
        """Whether the player gave up the present position."""
        return self._resigned is not None and self._resigned == self._here()

    def rank_is(self, rank: str) -> None:
        """Let an opponent by rank go on at another rank; other players stay as they are."""
        from goengine.players.ranked.styles import RankedSettings

        settings = self.player.settings
        if isinstance(settings, RankedSettings) and settings.rank != rank:
            self.adjust(replace(settings, rank=rank))

    def ponder(self, stop: Callable[[], bool]) -> None:
        """Think on the opponent's time, if that is wanted and the last move was the player's.

        It ends as soon as `stop` says so, when memory is full, or at once.
        """
        if not self.pondering or self._answered is None or self._answered != self._here():
            return
        if self.game.board.passes < 2:
            self.player.ponder(self.game, stop)

    def question(
        self, bans: Sequence[Ban] = (), *, moves_ownership: bool = False, least_moves: int = 0
    ) -> Question:
        """Return what an analysis without end is asked."""
        from goengine.players.player import Question

        return Question(tuple(bans), moves_ownership, self.width, least_moves=least_moves)

    def as_seen(self, snapshot: Snapshot) -> Budget:
        """Return the budget of a choice that adds nothing to what a search has seen."""
        from goengine.players.player import Budget

        return Budget(visits=max(INSTANT, snapshot.root_visits or 0))

    def analyse(
        self,
        game: Game,
        *,
        interval: float = 1.0,
        question: Question | None = None,
        pause: Callable[[float], bool] | None = None,
    ) -> Iterator[Snapshot]:
        """Yield what the player thinks of a game's position until new input comes.

        `pause` takes the place of the session's own, `question` says what else is asked.

        Raises:
            GtpError: this player has no opinion to show.
        """
        analyst = self.player.analyst
        if analyst is None:
            raise GtpError("this player cannot analyse: start the engine with a network")
        from goengine.players.player import PLAINLY

        return analyst.stream(
            game,
            interval=interval,
            pause=self.pause if pause is None else pause,
            question=PLAINLY if question is None else question,
        )

    def consider(
        self, game: Game, budget: Budget, *, interval: float, question: Question | None = None
    ) -> Iterator[Snapshot]:
        """Yield what the player thinks while it considers a move, as long as a move may take.

        Input does not end this. A player that does not read thinks once.

        Raises:
            GtpError: this player has no opinion to show.
        """
        from goengine.players.player import PLAINLY

        visits, seconds = self.player.settings.limits(budget.seconds)
        asked = PLAINLY if question is None else question
        asked = replace(asked, visits=visits, seconds=seconds, most=budget.most)
        return self.analyse(game, interval=interval, question=asked, pause=_sleep)

    def hindsight(self, game: Game, question: Question) -> Snapshot:
        """Return what the player thought when it chose a move, without thinking again."""
        asked = replace(question, visits=INSTANT)
        return next(self.analyse(game, question=asked, pause=_sleep))

    def opinion(self, game: Game) -> Snapshot:
        """Return what the player thinks of a game's position after as long as a move takes.

        Raises:
            GtpError: this player has no opinion to show.
        """
        from goengine.players.player import Budget

        snapshots = self.consider(game, Budget(seconds=self.longest), interval=SLOWEST)
        return deque(snapshots, maxlen=1)[0]

    def evaluator(self) -> Evaluator:
        """Return what runs the player's network.

        Raises:
            GtpError: the player does not have a network.
        """
        player = self.player
        from goengine.players.making import evaluator_of  # what cannot be loaded was told

        found = evaluator_of(player)
        if found is None:
            raise GtpError("this player does not have a network: start the engine with one")
        return found

    def status(self) -> Status:
        """Return who owns what in the present position; computed once per position."""
        board = self.game.board
        key = (board.size, board.hash, board.turn, board.to_play, board.rules, board.komi)
        if self._status is None or self._status[0] != key:
            self._status = (key, self._judge.get()(board, rng=self.rng))
        return self._status[1]

    def verdict(self) -> Verdict | None:
        """Return how a game that two passes ended is counted, by playouts and network together.

        None where the game goes on, or where the player's network does not judge positions or
        could not be loaded: then the playouts count alone.
        """
        board = self.game.board
        if board.passes < 2:
            return None
        status = self.status()
        from goengine.search.playing_out import verdict_by

        try:
            return verdict_by(self.evaluator(), board, status)
        except GtpError:
            return None

    def _here(self) -> object:
        """Return what tells the present position from all others."""
        game = self.game
        return (game.size, game.board.hash, len(game.moves), game.board.to_play)

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


def _sleep(seconds: float) -> bool:
    """Wait, and say that nothing has come: the pause of whoever must not be interrupted."""
    time.sleep(seconds)
    return False
