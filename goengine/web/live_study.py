"""What people study at the table: the live analysis, hints, whole-game reviews, the planes.

Requests come from the thread that owns the table; searches run in the engine's thread, and what
they find comes back through `deliver`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from goengine.analysis.position_analysis import PositionAnalysis
from goengine.analysis.requests.queries import PositionQuery, Wanted
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import Report
from goengine.analysis.whole_games import GameAnalysis
from goengine.coords import move_to_gtp
from goengine.review.game_summary import summarise
from goengine.types import GoError
from goengine.web.table.game_tree import GameTree, Node, main_line
from goengine.web.table.node_properties import setup_of
from goengine.web.table.shared_table import Table
from goengine.web.table.tree_positions import Line
from goengine.web.talk.page_events import (
    Event,
    analysis_event,
    encoded,
    notice_event,
    summary_described,
)
from goengine.web.thinking.engine_thread import OWN, EngineThread

LIVE = 2**62
"""Priority of the live analysis: above what the protocol allows to others."""
REVIEW = -(2**62)
"""Priority of a review: after all else."""
REPORT_EVERY, FIRST_REPORT = 0.25, 0.08
"""Seconds between the reports of a live analysis, and until the first one."""
TELL_EVERY = 0.5
"""Seconds between two changes of the table while a review goes on."""
HINT_VISITS, HINT_SECONDS = 400, 5.0
MOST_REVIEW_VISITS = 10_000


class Surroundings(Protocol):
    """Whoever tells the tabs."""

    def tell_all(self, event: Event, slot: str) -> None:
        """Send an event to all, in place of one of its slot that waits."""
        ...

    def tell_text(self, text: str, slot: str) -> None:
        """Send an encoded event to all, likewise."""
        ...

    def changed(self) -> None:
        """Tell all what has changed of the table."""
        ...


@dataclass
class _Live:
    """The analysis that follows the cursor."""

    query: str
    tree: GameTree
    node: Node
    line: Line


@dataclass
class _Review:
    """A review that goes on."""

    visits: int
    tree: GameTree
    total: int
    done: int = 0
    queries: list[str] = field(default_factory=list)
    parts: list[tuple[Line, list[Node]]] = field(default_factory=list)
    """The lines between set-ups, each with the nodes of its turns."""
    told: float = 0.0


class LiveStudy:
    """The analysis, the hints and the review of one table."""

    def __init__(self, table: Table, thread: EngineThread, around: Surroundings) -> None:
        self._table = table
        self._thread = thread
        self._around = around
        self._names = itertools.count()
        self._live: _Live | None = None
        self._review: _Review | None = None
        self._last_review: tuple[GameTree, Event] | None = None
        self.on = False
        self.visits = thread.options.visits
        self.ownership = True
        self.width = 0.04

    def described(self) -> Event:
        """Return what the table says of the live analysis."""
        return {"on": self.on, "visits": self.visits}

    @property
    def last_review(self) -> Event | None:
        """What the last review of this game said, for tabs that come later."""
        last = self._last_review
        return None if last is None or last[0] is not self._table.tree else last[1]

    # The live analysis

    def follow(self) -> None:
        """Let the live analysis go on where the cursor is; a review of another game ends."""
        table, live = self._table, self._live
        if self._review is not None and self._review.tree is not table.tree:
            self.stop_review()
        line = table.line() if self.on and table.counting is None else None
        if live is not None:
            same = line is not None and live.tree is table.tree and live.node is table.cursor
            if same and live.line == line:
                return
            self.stop_live()
        if line is not None:
            self._begin_live(line)

    def stop_live(self) -> None:
        """End the live analysis."""
        live, self._live = self._live, None
        if live is not None:
            self._thread.post(lambda: self._thread.forget(live.query))
            if live.node.ident in live.tree.nodes and live.tree is self._table.tree:
                self._table.touch(live.node, *live.node.children)

    def set(self, *, on: bool, visits: int, ownership: bool, width: float) -> None:
        """Change how the cursor's position is analysed, and whether it is."""
        settings = (on, visits, ownership, width)
        if settings != (self.on, self.visits, self.ownership, self.width):
            self.stop_live()
            self.on, self.visits, self.ownership, self.width = settings

    def _begin_live(self, line: Line) -> None:
        """Begin a live analysis at the cursor."""
        name = self._name("live")
        live = self._live = _Live(name, self._table.tree, self._table.cursor, line)
        ident = live.node.ident
        settings = AnalysisSettings(visits=self.visits, width=self.width, report_every=REPORT_EVERY)
        query = line.query(
            name,
            settings,
            wanted=Wanted(ownership=self.ownership, policy=True),
            priority=LIVE,
            first_report=FIRST_REPORT,
        )

        def take(report: Report) -> None:
            found = report.analysis
            if found is None:
                return
            text = encoded(analysis_event(ident, found, done=not report.during))
            over = not report.during
            self._thread.deliver(lambda: self._live_found(live, found, text, over=over))

        self._watch(query, take)

    def _live_found(self, live: _Live, found: PositionAnalysis, text: str, *, over: bool) -> None:
        """Take what a live analysis has found."""
        if self._live is not live or live.node.ident not in live.tree.nodes:
            return
        self._keep(live.node, found)
        self._around.tell_text(text, "analysis")
        if over:
            self._table.touch(live.node, *live.node.children)
            self._around.changed()

    # Hints

    def hint(self, answer: Callable[[Event], None]) -> None:
        """Search once for who is to move, and give the answer as an event."""
        node, tree, line = self._table.cursor, self._table.tree, self._table.line()
        settings = AnalysisSettings(visits=HINT_VISITS, seconds=HINT_SECONDS, width=0.0)
        name = self._name("hint")
        query = line.query(name, settings, wanted=Wanted(), priority=LIVE + 1)

        def take(report: Report) -> None:
            found = report.analysis
            self._thread.forget(name)
            if found is not None and found.moves:
                self._thread.deliver(lambda: given(found))

        def given(found: PositionAnalysis) -> None:
            if node.ident not in tree.nodes or tree is not self._table.tree:
                return
            self._keep(node, found)
            self._table.touch(node, *node.children)
            best = found.moves[0]
            answer(
                {
                    "event": "hint",
                    "node": node.ident,
                    "move": move_to_gtp(best.move, found.size),
                    "pv": [move_to_gtp(move, found.size) for move in best.pv],
                    "winrate": round(found.black_winrate, 4),
                    "lead": round(found.black_lead, 4),
                }
            )
            self._around.changed()

        self._watch(query, take)

    # Reviews

    def review(self, visits: int) -> None:
        """Analyse the whole line through the cursor."""
        self.stop_review()
        table = self._table
        line = main_line(table.cursor)
        review = _Review(visits, table.tree, total=len(line))
        self._review = review
        starts = [
            n
            for n, one in enumerate(line)
            if n and setup_of(one.properties, table.size) is not None
        ]
        for start, stop in zip([0, *starts], [*starts, len(line)], strict=True):
            self._review_part(review, line[start:stop])
        self._tell_review()

    def stop_review(self) -> None:
        """End a review that goes on; what it found stays."""
        review, self._review = self._review, None
        if review is None:
            return
        for name in review.queries:
            self._thread.post(partial(self._thread.forget, name))
        self._around.tell_all({**self._progress(review), "running": False}, "review")

    def _review_part(self, review: _Review, nodes: list[Node]) -> None:
        """Ask for the positions of a part of a line that are not known well enough."""
        line = self._table.line(nodes[-1])
        turns: list[Node] = []
        for node in nodes:
            if node.move is None and turns:
                review.done += 1  # a comment between two moves has their position
                continue
            if node.parent is None and node.move is not None:
                review.total += 1
                turns.append(Node("", None, {}))
            turns.append(node)
        review.parts.append((line, turns))
        missing = tuple(
            turn
            for turn, node in enumerate(turns)
            if node.analysis is None or node.analysis.visits < review.visits
        )
        review.done += len(turns) - len(missing)
        again = tuple(turn for turn in missing if self._moves_again(line, turns[turn], turn))
        in_turn = tuple(turn for turn in missing if turn not in again)
        if in_turn:
            self._review_turns(review, line, in_turn, {turn: turns[turn] for turn in in_turn})
        for turn in again:
            node = turns[turn]
            self._review_turns(review, self._table.line(node), None, {0: node, turn: node})

    def _moves_again(self, line: Line, node: Node, turn: int) -> bool:
        """Tell whether the player of a turn's move is to move once more after it."""
        if turn == 0 or node.ident not in self._table.tree.nodes:
            return False
        return line.moves[turn - 1][0] == self._table.positions.to_play(node)

    def _review_turns(
        self, review: _Review, line: Line, turns: tuple[int, ...] | None, nodes: dict[int, Node]
    ) -> None:
        """Ask for turns of a line, or for where it ends; `nodes` are those of the turns."""
        name = self._name("review")
        review.queries.append(name)
        settings = AnalysisSettings(visits=review.visits, width=0.0)
        query = line.query(name, settings, wanted=Wanted(), priority=REVIEW, turns=turns)

        def take(report: Report) -> None:
            found = report.analysis
            node = nodes[report.turn]
            self._thread.deliver(lambda: self._reviewed(review, node, found))

        self._watch(query, take)

    def _reviewed(self, review: _Review, node: Node, found: PositionAnalysis | None) -> None:
        """Take a position of a review."""
        if self._review is not review:
            return
        if review.tree is not self._table.tree:
            self.stop_review()
            return
        review.done += 1
        if found is not None:
            self._keep(node, found)
            if node.ident in review.tree.nodes:
                self._table.touch(node, *node.children)
        self._tell_review()

    def _tell_review(self) -> None:
        """Tell how far a review is, and when it is done what it says."""
        review = self._review
        if review is None:
            return
        event = self._progress(review)
        now = time.monotonic()
        if review.done >= review.total:
            self._review = None
            for name in review.queries:
                self._thread.post(partial(self._thread.forget, name))
            event |= {"running": False, "summary": self._summary(review)}
            self._last_review = (review.tree, event)
            self._around.changed()
        elif now - review.told >= TELL_EVERY:
            review.told = now
            self._around.changed()
        self._around.tell_all(event, "review")

    def _progress(self, review: _Review) -> Event:
        """Return how far a review is."""
        return {
            "event": "review",
            "done": review.done,
            "total": review.total,
            "running": True,
            "visits": review.visits,
        }

    def _summary(self, review: _Review) -> Event:
        """Return what a review says of the part of the line that has the most moves."""
        line, turns = max(review.parts, key=lambda part: len(part[1]))
        positions = tuple(
            replace(node.analysis, turn=turn)
            for turn, node in enumerate(turns)
            if node.analysis is not None
        )
        root = self._table.players
        record = replace(line.record(), black=root[1].title or None, white=root[2].title or None)
        analysis = GameAnalysis(record, review.visits, "", positions)
        nodes = dict(enumerate(turns))
        return summary_described(summarise(analysis), nodes)

    # Both

    def _keep(self, node: Node, found: PositionAnalysis) -> None:
        """Keep an analysis of a node's position, unless a better one is known."""
        if node.analysis is None or node.analysis.visits <= found.visits:
            node.analysis = replace(found, ownership=None, policy=None)

    def _name(self, kind: str) -> str:
        """Return a name that no other query has."""
        return f"{OWN}{kind}:{next(self._names)}"

    def _watch(self, query: PositionQuery, take: Callable[[Report], None]) -> None:
        """Have a query added in the engine's thread; a refusal is told to all."""

        def add() -> None:
            try:
                self._thread.watch(query, take)
            except GoError as error:
                event = notice_event("cannot_analyse", str(error))
                self._thread.deliver(lambda: self._around.tell_all(event, "notice"))

        self._thread.post(add)
