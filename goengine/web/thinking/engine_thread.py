"""The thread in which everything computes that takes time: searches, networks, playouts.

It first makes ready what has to be compiled and loaded. Then it does what it is asked, in order,
and lets the positions of all analyses grow in between. While a player thinks about a move, small
questions are answered between two batches of its search, and analyses go on a little.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goengine.analysis.requests.queries import PositionQuery
from goengine.analysis.scheduler import Report, Scheduler
from goengine.analysis.whole_games import analyse
from goengine.clock import Clock
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.inference.evaluator import Evaluator
from goengine.players.effort import time_budget
from goengine.players.player import Choice
from goengine.players.warmup import warm_board, warm_encoder, warm_playouts, warm_search
from goengine.types import GoError
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.tree_positions import Line
from goengine.web.thinking.opponents import EngineOptions, Opponents

log = logging.getLogger(__name__)

SHARE_EVERY = 0.25
"""Seconds of a player's thinking between two steps of the analyses."""
PARTING = 3.0
"""Seconds that the thread has to end."""

Job = Callable[[], None]
Deliver = Callable[[Job], None]
"""Has something called by the thread that owns the table."""
Handler = Callable[[Report], None]
OWN = "table:"
"""What the names of the table's own queries begin with."""


class ThinkingInterruptedError(Exception):
    """Nobody waits for this move any more."""


@dataclass(eq=False)
class Thought:
    """A move that somebody waits for."""

    line: Line
    spec: PlayerSpec
    clock: Clock | None
    done: Callable[[Choice | Exception], None]
    """Called by the thread that owns the table, unless it was cancelled."""
    cancelled: bool = field(default=False)


class EngineThread:
    """The thread, and what may be asked of it from outside.

    `deliver` takes answers to the thread that owns the table. `stage` is told, there, which part is
    being made ready, last `ready`, or `failed` with a sentence. `evaluator` takes the place of the
    network that the options name.
    """

    def __init__(
        self,
        options: EngineOptions,
        *,
        deliver: Deliver,
        stage: Callable[[str, str], None],
        evaluator: Evaluator | None = None,
    ) -> None:
        self.options = options
        self._deliver = deliver
        self._stage = stage
        self._jobs: deque[Job] = deque()
        self._thought: Thought | None = None
        self._thinking: Thought | None = None
        self._change = threading.Condition()
        self._closing = False
        self._loaded = False
        self._thread = threading.Thread(target=self._run, name="web-engine", daemon=True)
        self._handlers: dict[str, Handler] = {}
        self._shared = 0.0
        self._game: tuple[Line, Game] | None = None
        self.opponents = Opponents(options, self._look_up, evaluator=evaluator)
        self.rng = np.random.default_rng(options.seed)
        self.failure: str | None = None
        """Why nothing can be computed, where that is so."""
        self.fallback: Handler = lambda report: None
        """Gets the reports of queries that nobody here has added; called in this thread."""

    def start(self) -> None:
        """Begin to load."""
        self._thread.start()

    def close(self) -> None:
        """End what is going on, and the thread."""
        with self._change:
            self._closing = True
            self._cancel()
            self._change.notify_all()
        if self.running and self._loaded:
            self._thread.join(PARTING)

    @property
    def running(self) -> bool:
        """Whether the thread still runs: nothing stops one that loads a library."""
        return self._thread.is_alive()

    def post(self, job: Job) -> None:
        """Have something small done in the thread, in order."""
        with self._change:
            self._jobs.append(job)
            self._change.notify_all()

    def think(self, thought: Thought) -> None:
        """Have a move chosen; another one that is being thought about is given up."""
        with self._change:
            self._cancel()
            self._thought = thought
            self._change.notify_all()

    def stop_thinking(self) -> None:
        """Give up the move that is being thought about."""
        with self._change:
            self._cancel()

    # What jobs in the thread use

    @property
    def scheduler(self) -> Scheduler:
        """What shares the network among analyses; for jobs in the thread only.

        Raises:
            GoError: nothing can be computed.
        """
        if self.failure is not None:
            raise GoError(self.failure)
        return self._scheduler

    @property
    def evaluator(self) -> Evaluator:
        """The table's own network; for jobs in the thread only.

        Raises:
            GoError: nothing can be computed.
        """
        if self.failure is not None:
            raise GoError(self.failure)
        return self.opponents.evaluator()

    def watch(self, query: PositionQuery, handler: Handler) -> None:
        """Add a query of the table whose reports go to a handler, in the thread, until forgotten.

        Raises:
            GoError: a move is illegal, or nothing can be computed.
        """
        self.scheduler.add(query)
        self._handlers[query.name] = handler

    def forget(self, name: str) -> None:
        """End a query without another report."""
        if self._handlers.pop(name, None) is not None:
            self.scheduler.end(name)

    def deliver(self, job: Job) -> None:
        """Have something called by the thread that owns the table."""
        self._deliver(job)

    # The thread

    def _run(self) -> None:
        """Load, then work until the end."""
        try:
            self._load()
        except Exception as error:  # the table works without an engine
            log.exception("the engine could not be loaded")
            self.failure = f"the engine cannot compute: {_sentence(error)}"
            self._tell_stage("failed", self.failure)
        else:
            self._tell_stage("ready", "")
        self._loaded = True
        while True:
            with self._change:
                self._change.wait_for(self._has_work)
                if self._closing:
                    return
                thought, self._thought = self._thought, None
                self._thinking = thought
            self._work_off()
            if thought is not None:
                self._choose(thought)
            elif self.failure is None and not self._scheduler.idle:
                self._step()

    def _has_work(self) -> bool:
        """Tell whether there is something to do."""
        analyses = self.failure is None and not self._scheduler.idle
        return self._closing or bool(self._jobs) or self._thought is not None or analyses

    def _load(self) -> None:
        """Make everything ready, in an order in which parts may be compiled side by side."""
        parts: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("board", warm_board),
            ("encoder", warm_encoder),
            ("network", self.opponents.evaluator),  # beside a process that compiles the rest
            ("playouts", warm_playouts),
            ("search", warm_search),
        )
        for name, make in parts:
            self._tell_stage(name, "")
            make()
        evaluator = self.opponents.evaluator()
        analyse(GameRecord(size=9), visits=4, evaluator=evaluator)
        self._scheduler = Scheduler(
            evaluator,
            report=self._report,
            megabytes=self.options.megabytes / 2,
            seed=self.options.seed or 0,
        )

    def _tell_stage(self, name: str, text: str) -> None:
        """Say which part is being made ready."""
        self._deliver(lambda: self._stage(name, text))

    def _work_off(self) -> None:
        """Do all small jobs."""
        while True:
            with self._change:
                if not self._jobs or self._closing:
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:  # whoever asked gets its error from the job itself
                log.exception("a job of the engine failed")

    def _step(self) -> None:
        """Let the analyses grow by one batch."""
        self._scheduler.step()

    def _report(self, report: Report) -> None:
        """Give a report to whoever asked; what goes wrong there ends nothing here."""
        name = report.query.name
        try:
            if name in self._handlers:
                self._handlers[name](report)
            elif not name.startswith(OWN):
                self.fallback(report)
        except Exception:
            log.exception("a report could not be given to whoever asked")

    def _choose(self, thought: Thought) -> None:
        """Choose a move and deliver it."""
        found: Choice | Exception
        self._shared = time.monotonic()
        try:
            if self.failure is not None:
                raise GoError(self.failure)
            player = self.opponents.player(thought.spec)
            game = self._game_of(thought)
            budget = time_budget(game).within(thought.spec.seconds)
            found = player.choose(game, budget, rng=self.rng)
        except ThinkingInterruptedError:
            return
        except Exception as error:
            if not isinstance(error, GoError):
                log.exception("a move could not be chosen")
            found = error
        finally:
            self._thinking = None
        self._deliver(lambda: None if thought.cancelled else thought.done(found))

    def _game_of(self, thought: Thought) -> Game:
        """Return the game to think about: the last one played on, where that is how it went on.

        Players remember trees, and how lost a game looked, by the game.
        """
        line = thought.line
        if self._game is not None:
            known, game = self._game
            gone = len(known.moves)
            same = _beginning(known) == _beginning(line) and line.moves[:gone] == known.moves
            if same and game.moves == list(known.moves):
                try:
                    for colour, move in line.moves[gone:]:
                        game.play(move, colour)
                except GoError:
                    same = False
                if same and game.board.to_play == line.to_play:
                    game.clock = thought.clock or Clock()
                    self._game = (line, game)
                    return game
        game = line.game(thought.clock)
        self._game = (line, game)
        return game

    def _look_up(self) -> None:
        """Look up from a search for a move: is it still wanted, is there something small to do?

        Raises:
            ThinkingInterruptedError: nobody waits for the move.
        """
        thought = self._thinking
        if thought is None:
            return
        if thought.cancelled or self._closing:
            raise ThinkingInterruptedError
        if self._jobs:
            self._work_off()
        now = time.monotonic()
        if now - self._shared >= SHARE_EVERY and not self._scheduler.idle:
            self._step()
            self._shared = time.monotonic()

    def _cancel(self) -> None:
        """Mark moves that are or would be thought about as not wanted; the lock is held."""
        for thought in (self._thought, self._thinking):
            if thought is not None:
                thought.cancelled = True
        self._thought = None


def _beginning(line: Line) -> tuple[object, ...]:
    """Return what two lines of one game have in common besides moves."""
    return (line.size, line.rules, line.komi, line.handicap, line.black, line.white)


def _sentence(error: Exception) -> str:
    """Return an error's text on one line, never empty."""
    return " ".join(str(error).split()) or type(error).__name__
