"""The table that all tabs share: a tree, a cursor, a game against the engine, and its end.

Every change is made here and nowhere else, by one thread. What has changed since the last look is
kept for whoever tells the tabs. A refused request changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goengine.board import Board
from goengine.clock import TimeSettings
from goengine.coords import move_to_gtp, pass_move
from goengine.games.sgf_values import komi_text
from goengine.handicap import free_points, most_fixed
from goengine.rules import Rules, get_rules
from goengine.scoring.counting import format_score
from goengine.types import BLACK, WHITE, GoError, IllegalMoveError, colour_letter, opponent
from goengine.web.table.dead_stones import DeadStones, Proposal
from goengine.web.table.game_tree import GameTree, Node, Remark, empty_tree, line_to, weight_of
from goengine.web.table.node_properties import set_marks, set_text
from goengine.web.table.player_spec import HUMAN, PlayerSpec
from goengine.web.table.table_clock import TableClock
from goengine.web.table.tree_positions import Line, Opened, Positions

Players = Mapping[int, PlayerSpec]


class Table:
    """One table; it begins with an empty 19x19 board and two people."""

    def __init__(self) -> None:
        self.version = 0
        """Counts what people were told."""
        self.changed: set[str] = set()
        """Names of nodes that are new, different or gone."""
        self.renewed = True
        """Whether the whole tree is another one."""
        self.clocks_wait = False
        """Whether no clock runs yet, as the engine is not ready."""
        rules = get_rules("chinese")
        tree = empty_tree(19, rules=rules.name, komi=komi_text(rules.komi))
        self._take(tree, rules, rules.komi, 0, {BLACK: HUMAN, WHITE: HUMAN})

    def _take(
        self, tree: GameTree, rules: Rules, komi: float, handicap: int, players: Players
    ) -> None:
        """Lay another tree on the table."""
        self.tree = tree
        self.rules = rules
        self.komi = komi
        self.handicap = handicap
        self.positions = Positions(tree, rules, komi, handicap)
        self.players = dict(players)
        self.cursor = tree.root
        self.head = tree.root
        """Where the game stands, whatever people look at."""
        self.playing = False
        """Whether a game is going on, so that engines answer and clocks run."""
        self.clock: TableClock | None = None
        self.clocks_rest = False
        """Whether clocks that were kept stand still until the next move."""
        self.counting: DeadStones | None = None
        self.counted: dict[str, Any] | None = None
        """The count that ended the game, as the page reads it, and its `node`."""
        self.paused = False
        """Whether engines that play each other wait."""
        self._head_before = tree.root
        self.result: str | None = None
        self.reason = ""
        self.notices: list[Remark] = []
        self.name = ""
        self.renewed = True
        self.changed.clear()

    # Games

    def new_game(
        self,
        *,
        size: int,
        rules: Rules,
        komi: float,
        handicap: int = 0,
        players: Players | None = None,
        clock: TimeSettings | None = None,
    ) -> None:
        """Begin a game on a new tree.

        Raises:
            GoError: the board is too small for the handicap.
        """
        if handicap and handicap > max(most_fixed(size), size * size // 4):
            raise GoError(f"{handicap} handicap stones do not fit a {size}x{size} board: use fewer")
        stones = tuple(sorted(free_points(size, handicap))) if handicap else ()
        tree = empty_tree(size, rules=rules.name, komi=komi_text(komi), handicap=stones)
        self._take(tree, rules, komi, handicap, {BLACK: HUMAN, WHITE: HUMAN})
        if players is not None:
            self.set_players(players)
        self.playing = True
        if clock is not None:
            self.clock = TableClock(clock)
            self._run_clock()

    def load(self, opened: Opened, name: str = "") -> None:
        """Lay a tree that was read on the table."""
        record, positions = opened.record, opened.positions
        people = {
            BLACK: PlayerSpec(name=record.black or ""),
            WHITE: PlayerSpec(name=record.white or ""),
        }
        self._take(opened.tree, positions.rules, positions.komi, positions.handicap, people)
        self.positions = positions
        self.result = record.result
        self.notices = list(opened.notices)
        self.name = name

    # Where things stand

    @property
    def size(self) -> int:
        """Lines of the board."""
        return self.tree.size

    def board(self) -> Board:
        """Return the board at the cursor."""
        return self.positions.at(self.cursor)

    @property
    def to_play(self) -> int:
        """Who moves at the cursor."""
        return self.positions.to_play(self.cursor)

    @property
    def engine_to_move(self) -> bool:
        """Whether the game waits for an engine's move."""
        if not self.playing or self.counting is not None or self.paused:
            return False
        return self.players[self.positions.to_play(self.head)].is_engine

    @property
    def engines_only(self) -> bool:
        """Whether engines play each other."""
        return all(spec.is_engine for spec in self.players.values())

    @property
    def human(self) -> int | None:
        """The colour of the only person, None where there are two or none."""
        people = [colour for colour, spec in self.players.items() if not spec.is_engine]
        return people[0] if len(people) == 1 else None

    def line(self, node: Node | None = None) -> Line:
        """Return what led to a node, the cursor's where none is named."""
        return self.positions.line(self.cursor if node is None else node)

    # Moves

    def play(self, move: int, at: Node | None = None) -> None:
        """Play a move after a node, or visit it where the tree has it already.

        Raises:
            IllegalMoveError: the rules forbid it.
            GoError: the game is being counted, or the tree is full.
        """
        node = self.cursor if at is None else at
        if self.counting is not None:
            raise GoError("the game is being counted: accept the count, or cancel it to play on")
        colour = self.positions.to_play(node)
        known = node.child_with(colour, move)
        if known is None:
            board = self.positions.at(node)
            if not board.is_legal(move):
                board.play(move)
                raise IllegalMoveError(f"{move_to_gtp(move, self.size)} is illegal")
        child = self.tree.play(node, colour, move, first=self.playing)
        if known is None:
            self.touch(node, child)
        self.cursor = child
        if self.playing:
            self.head = child
            self._run_clock()

    def receive(self, node: Node, move: int) -> None:
        """Take an engine's move after a node; the cursor follows where it was there."""
        looked = self.cursor
        self.cursor = node
        self.play(move)
        if looked is not node:
            self.cursor = looked

    def undo(self, count: int = 1) -> None:
        """Go back to the person's last turn; what was played stays as a variation.

        Raises:
            GoError: there is nothing to take back.
        """
        human = self.human
        node = self.head if self.playing else self.cursor
        resumed = self.result is not None and self.reason in ("resign", "time")
        if not (resumed and (human is None or self.positions.to_play(node) == human)):
            for _ in range(count):
                node = self._turn_before(node, human)
        self.cursor = self.head = node
        self.counting = None
        if self.reason == "time":
            self.clock = None  # who takes back a loss by time plays on without one
        if self.reason:
            self._set_result(None, "")
            self.playing = True
        self._run_clock()

    def _turn_before(self, node: Node, human: int | None) -> Node:
        """Return the last node before this one at which the person is to move.

        Raises:
            GoError: there is none.
        """
        here = node.parent
        while here is not None:
            if human is None or self.positions.to_play(here) == human:
                return here
            here = here.parent
        raise GoError("there is nothing to take back")

    def go_to(self, node: Node) -> None:
        """Move the cursor; a count of another position is given up."""
        if self.counting is not None and node is not self.cursor:
            self.cancel_count()
        self.cursor = node

    def resign(self) -> None:
        """Let the person give up, or who is to move.

        Raises:
            GoError: the game is over.
        """
        if self.result is not None:
            raise GoError(f"the game is over ({self.result}): begin a new one, or take it back")
        colour = self.human or self.positions.to_play(self.head if self.playing else self.cursor)
        self.end(f"{colour_letter(opponent(colour))}+R", "resign")

    def end(self, result: str, reason: str) -> None:
        """End the game with a result."""
        self._set_result(result, reason)
        self.playing = False
        self.counting = None
        if self.clock is not None:
            self.clock.run_for(None)

    def flag(self) -> bool:
        """End the game if whoever's clock runs has no time left; tell whether it did."""
        clock = self.clock
        if clock is None or clock.running is None or (clock.left() or 0.0) > 0.0:
            return False
        if clock.clock.settings.kind == "none":
            return False
        self.end(f"{colour_letter(opponent(clock.running))}+T", "time")
        return True

    def pause(self, on: bool) -> None:
        """Let engines that play each other wait, or go on.

        Raises:
            GoError: a person plays.
        """
        if not self.engines_only:
            raise GoError("only a game between two engines can be paused: a person plays here")
        self.paused = on
        self._run_clock()

    def release_clocks(self) -> None:
        """Let clocks run from now on; kept ones from the next move on."""
        self.clocks_wait = False
        if not self.clocks_rest:
            self._run_clock()

    def set_players(self, players: Players) -> None:
        """Change who plays; engines answer from here on."""
        properties = self.tree.root.properties
        for colour, name in ((BLACK, "PB"), (WHITE, "PW")):
            spec = players[colour]
            if spec == HUMAN and not self.players[colour].is_engine:
                spec = self.players[colour]
            self.players[colour] = spec
            set_text(properties, name, spec.title)
        self.touch(self.tree.root)
        if any(spec.is_engine for spec in players.values()) and not self.reason:
            self.playing = True
            self.head = self.cursor
            self.result = None
        self.paused = self.paused and self.engines_only
        self._run_clock()

    # The tree

    def delete(self, node: Node) -> None:
        """Take a node and what follows away; who stood there goes to its parent.

        Raises:
            GoError: it is the root.
        """
        parent = node.parent
        gone = set(self.tree.remove(node))
        assert parent is not None
        self.changed |= gone
        self.touch(parent)
        counted = self.head if self.playing else self.cursor
        if counted.ident in gone:
            self.counting = None
        if self.counted is not None and self.counted["node"] in gone:
            self.counted = None
        if self.cursor.ident in gone:
            self.cursor = parent
        if self.head.ident in gone:
            self.head = parent
            self._run_clock()

    def promote(self, node: Node) -> None:
        """Make the variation of a node the main line."""
        self.touch(*self.tree.promote(node))

    def annotate(
        self,
        node: Node,
        *,
        comment: str | None = None,
        name: str | None = None,
        marks: Mapping[int, str] | None = None,
    ) -> None:
        """Change what is written at a node; None leaves a part as it is.

        Raises:
            GoError: the tree is full.
        """
        before = weight_of(node.properties)
        changed = dict(node.properties)
        if comment is not None:
            set_text(changed, "C", comment)
        if name is not None:
            set_text(changed, "N", name)
        if marks is not None:
            set_marks(changed, marks, self.size)
        self.tree.add_bytes(weight_of(changed) - before)
        node.properties = changed
        self.touch(node)

    # Counting

    def begin_count(self, node: Node, proposal: Proposal) -> None:
        """Begin to count the position at a node."""
        self.cursor = node
        if self.counting is None:
            self._head_before = self.head
        if self.playing:
            self.head = node
        self.counting = DeadStones(self.positions.at(node), proposal)
        if self.clock is not None:
            self.clock.run_for(None)

    def count(self) -> DeadStones:
        """Return the count that is going on.

        Raises:
            GoError: there is none.
        """
        if self.counting is None:
            raise GoError("nothing is being counted: ask for a count first")
        return self.counting

    def accept_count(self) -> None:
        """End the game with the score as it is counted; a game that had ended keeps its result.

        Raises:
            GoError: nothing is being counted.
        """
        count = self.count()
        if self.playing or self.result is None or self.reason == "count":
            self.end(format_score(count.lead), "count")
        self.counted = {**count.described(), "node": self.cursor.ident}
        self.counting = None

    def cancel_count(self) -> None:
        """Play on instead of counting.

        Raises:
            GoError: nothing is being counted.
        """
        self.count()
        self.counting = None
        if self._head_before.ident in self.tree.nodes:
            self.head = self._head_before
        self._run_clock()

    @property
    def passed_out(self) -> bool:
        """Whether the game stands after two passes in a row."""
        moves = [node.move for node in line_to(self.head)[-2:]]
        end = pass_move(self.size)
        return len(moves) == 2 and all(move is not None and move[1] == end for move in moves)

    # What others are told

    def take_changes(self) -> tuple[bool, set[str]]:
        """Return whether all is new, and the names of changed nodes; begin to note anew."""
        renewed, changed = self.renewed, self.changed
        self.renewed, self.changed = False, set()
        return renewed, changed

    def clock_described(self) -> dict[str, Any] | None:
        """Return the clocks as the page reads them, None without."""
        lost = BLACK if (self.result or "").startswith("W") else WHITE
        by_time = self.reason == "time"
        return None if self.clock is None else self.clock.described(lost if by_time else None)

    def touch(self, *nodes: Node) -> None:
        """Note that nodes have changed, here or by what an analysis found."""
        self.changed.update(node.ident for node in nodes)

    def _set_result(self, result: str | None, reason: str) -> None:
        """Set the result, in the file too."""
        self.result, self.reason = result, reason
        self.counted = None
        set_text(self.tree.root.properties, "RE", result or "")

    def _run_clock(self) -> None:
        """Let the clock of whoever is to move run, while a game goes on."""
        if self.clock is None:
            return
        runs = self.playing and self.counting is None and self.result is None
        runs = runs and not self.clocks_wait and not self.paused
        self.clock.run_for(self.positions.to_play(self.head) if runs else None)
