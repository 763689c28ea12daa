"""What engines do at the table: move in their turn, choose a move when asked, count the game.

Everything here runs in the thread that owns the table. Moves and counts come from the engine's
thread and are taken only where people still wait for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from goengine.players.player import Choice
from goengine.types import RESIGN, GoError, IllegalMoveError, colour_letter, opponent
from goengine.web.table.dead_stones import Proposal, proposed
from goengine.web.table.game_tree import GameTree, Node
from goengine.web.table.player_spec import PlayerSpec
from goengine.web.table.shared_table import Table
from goengine.web.talk.page_events import Event, notice_event
from goengine.web.thinking.engine_thread import EngineThread, Thought

log = logging.getLogger(__name__)

PACE = 1.0
"""Seconds between two moves of engines that play each other, so that people can follow."""
HURRY = 10.0
"""Seconds on a clock below which no engine waits for people."""


class Surroundings(Protocol):
    """Whoever tells the tabs, and knows the time."""

    def tell_all(self, event: Event, slot: str) -> None:
        """Send an event to all, in place of one of its slot that waits."""
        ...

    def changed(self) -> None:
        """Tell all what has changed of the table."""
        ...

    def later(self, name: str, seconds: float, job: Callable[[], None]) -> None:
        """Have something called after a while, in place of what was to be called by that name."""
        ...


class EngineTurns:
    """The turns of engines at a table."""

    def __init__(self, table: Table, thread: EngineThread, around: Surroundings) -> None:
        self._table = table
        self._thread = thread
        self._around = around
        self._thought: tuple[GameTree, Node, bool] | None = None
        self._thought_head: Node | None = None
        self._moved_at = -PACE
        self._count: tuple[GameTree, Node] | None = None

    @property
    def thinking(self) -> bool:
        """Whether somebody waits for a move."""
        return self._thought is not None

    def follow(self) -> None:
        """Give up a move that nobody waits for any more, as the table has changed."""
        if self._thought is None:
            return
        tree, node, forced = self._thought
        there = tree is self._table.tree and node.ident in tree.nodes
        wanted = self._table.head is self._thought_head
        if not there or not wanted or not (forced or self._table.engine_to_move):
            self.stop_thinking()

    def go_on(self) -> None:
        """Let the game go on: count it after two passes, else let an engine move in its turn."""
        if self._table.playing and self._table.counting is None and self._table.passed_out:
            self.count(self._table.head)
        else:
            self.play_on()

    def play_on(self) -> None:
        """Let an engine move in its turn, without counting again what people would not count."""
        table, head = self._table, self._table.head
        if table.engine_to_move:
            self.think(head, table.players[table.positions.to_play(head)], forced=False)

    def think(self, node: Node, spec: PlayerSpec, *, forced: bool) -> None:
        """Have an engine choose a move after a node; `forced` where it is nobody's turn to."""
        table = self._table
        tree = table.tree
        thought = (tree, node, forced)
        self._thought, self._thought_head = thought, table.head
        clock = None if table.clock is None or forced else table.clock.copy()

        def done(found: Choice | Exception) -> None:
            if self._thought is not thought:
                return
            early = 0.0 if forced else self._early()
            if early > 0:
                self._around.later("pace", early, lambda: done(found))
                return
            self._thought = None
            self._moved(node, found, forced=forced)

        self._thread.think(Thought(table.line(node), spec, clock, done))

    def _early(self) -> float:
        """Return for how long the next move of engines that play each other has to wait."""
        left = None if self._table.clock is None else self._table.clock.left()
        if not self._table.engines_only or (left is not None and left < HURRY):
            return 0.0
        return self._moved_at + PACE - time.monotonic()

    def thinking_at(self, node: Node) -> bool:
        """Tell whether it is an engine's turn at a node, in the game that is going on."""
        if self._thought is None:
            return False
        return self._thought[1] is node and not self._thought[2]

    def stop_thinking(self) -> None:
        """Give up the move that an engine thinks about."""
        self._thought = None
        self._thread.stop_thinking()

    def _moved(self, node: Node, found: Choice | Exception, *, forced: bool) -> None:
        """Take an engine's move; one that was asked for does not give a game up."""
        table = self._table
        if table.flag():
            self._around.changed()
            return
        if isinstance(found, Exception):
            said = notice_event("engine_failed", str(found) or type(found).__name__)
            self._around.tell_all(said, "notice")
        elif found.move == RESIGN and forced:
            text = "The engine sees no move that could still win, and would resign"
            self._around.tell_all(notice_event("would_resign", text), "notice")
        elif found.move == RESIGN:
            winner = opponent(table.positions.to_play(node))
            table.end(f"{colour_letter(winner)}+R", "resign")
        else:
            self._receive(node, found.move)
        self._around.changed()

    def _receive(self, node: Node, move: int) -> None:
        """Play an engine's move, and let the game go on."""
        table = self._table
        self._moved_at = time.monotonic()
        try:
            try:
                table.receive(node, move)
            except IllegalMoveError as error:
                log.error("the engine chose an illegal move and passes instead: %s", error)
                table.receive(node, table.size**2)
        except GoError as error:
            self._around.tell_all(notice_event("engine_failed", str(error)), "notice")
        else:
            self.go_on()

    # Counting

    def count(self, node: Node) -> None:
        """Have dead stones proposed for the position at a node."""
        self.stop_thinking()
        table = self._table
        tree, board = table.tree, table.positions.at(node)
        self._count = (tree, node)

        def job() -> None:
            thread = self._thread
            judge = None if thread.failure else thread.evaluator
            found = proposed(board, judge, thread.rng)
            self._thread.deliver(lambda: self._proposed(tree, node, found))

        self._thread.post(job)

    def _proposed(self, tree: GameTree, node: Node, proposal: Proposal) -> None:
        """Take a proposal, where people still stand where they asked for it."""
        table = self._table
        asked, self._count = self._count, None
        if asked != (tree, node) or table.tree is not tree or node.ident not in tree.nodes:
            return
        if table.cursor is not node and table.head is not node:
            return
        table.begin_count(node, proposal)
        if table.engines_only:
            table.accept_count()
        self._around.changed()
