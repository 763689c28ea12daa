"""Positions of a tree: boards at nodes, and the line that led there for searches and players.

Recorded moves may break the rules of the table, as people's games do; then they are made all the
same, as far as any rules could allow them. New moves obey the rules.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from goengine.analysis.replayed_games import ReplayedGames
from goengine.analysis.requests.queries import PositionQuery, Wanted
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.whole_games import record_rules
from goengine.board import Board
from goengine.clock import Clock
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.rules import RULES, Rules
from goengine.types import BLACK, WHITE, GoError, IllegalMoveError, opponent
from goengine.web.table.game_tree import (
    GameTree,
    Node,
    Remark,
    line_to,
    read_tree,
    without_unplayable,
)
from goengine.web.table.node_properties import player_of, setup_of

KEPT = 512
"""Boards that are remembered."""


@dataclass(frozen=True)
class Line:
    """A position by what led to it: plain values that any thread may hold."""

    size: int
    rules: Rules
    komi: float
    handicap: int
    black: tuple[int, ...]
    """Black's stones before the first move."""
    white: tuple[int, ...]
    first_player: int
    moves: tuple[tuple[int, int], ...]
    to_play: int
    """Who moves after the last move."""

    def query(
        self,
        name: str,
        settings: AnalysisSettings,
        *,
        wanted: Wanted,
        priority: int = 0,
        turns: tuple[int, ...] | None = None,
        first_report: float | None = None,
    ) -> PositionQuery:
        """Return the question about the position after the last move, or about some turns.

        Moves alternate for the analysis: where the same player moves again, as in a problem or
        after free handicap stones, it is asked about the stones alone.
        """
        if turns is None and self.moves and self.moves[-1][0] == self.to_play:
            grid = self.game().board.grid.ravel()
            black, white = (tuple(np.flatnonzero(grid == c).tolist()) for c in (BLACK, WHITE))
            alone = replace(self, black=black, white=white, first_player=self.to_play, moves=())
            return alone.query(
                name, settings, wanted=wanted, priority=priority, first_report=first_report
            )
        asked = (len(self.moves),) if turns is None else turns
        return PositionQuery(
            name=name,
            size=self.size,
            rules=self.rules,
            komi=self.komi,
            black=self.black,
            white=self.white,
            first_player=self.first_player,
            moves=self.moves,
            turns=asked,
            priorities=(priority,) * len(asked),
            settings=settings,
            wanted=wanted,
            first_report=first_report,
        )

    def record(self) -> GameRecord:
        """Return the line as a record."""
        return GameRecord(
            size=self.size,
            komi=self.komi,
            rules=self.rules.name,
            handicap=self.handicap,
            setup_black=self.black,
            setup_white=self.white,
            to_play=self.first_player,
            moves=self.moves,
        )

    def game(self, clock: Clock | None = None) -> Game:
        """Return the game, with whoever is to move to play.

        Moves that the rules forbid were played all the same.
        """
        game = Game(self.size, rules=self.rules, komi=self.komi, clock=clock)
        try:
            game.load(self.record())
        except GoError:
            query = self.query("", AnalysisSettings(), wanted=Wanted())
            game = Game.at(ReplayedGames().at(query, len(self.moves)).board, clock=clock)
        return game.turned_to(self.to_play)


class Positions:
    """The boards of a tree under the rules of its table."""

    def __init__(self, tree: GameTree, rules: Rules, komi: float, handicap: int) -> None:
        self.tree = tree
        self.rules = rules
        self.komi = komi
        self.handicap = handicap
        self._boards: OrderedDict[str, Board] = OrderedDict()

    def at(self, node: Node) -> Board:
        """Return the board at a node, whoever is to move there to play; it is the caller's own.

        Raises:
            GoError: a move or a set-up on the way cannot be played.
        """
        board = self._reached(node).copy()
        board.to_play = self.to_play(node)
        return board

    def to_play(self, node: Node) -> int:
        """Return who moves at a node: whom it names, who did in its main line, or whose turn it is.

        A node without a move leaves the turn to whom the one before it gives it.
        """
        following = next((child.move for child in node.children if child.move), None)
        if following is not None and player_of(node.properties) is None:
            return following[0]
        while True:
            named = player_of(node.properties)
            if named is not None:
                return named
            if node.move is not None:
                return opponent(node.move[0])
            if node.parent is None:
                setup = setup_of(node.properties, self.tree.size)
                return WHITE if setup is not None and setup.black and not setup.white else BLACK
            node = node.parent

    def playable(self, node: Node) -> bool:
        """Tell whether a node can be played where it stands."""
        try:
            self._reached(node)
        except GoError:
            return False
        return True

    def line(self, node: Node) -> Line:
        """Return what led to a node, from the last set-up on.

        Raises:
            GoError: as for `at`.
        """
        size = self.tree.size
        path = line_to(node)
        starts = [n for n, one in enumerate(path) if setup_of(one.properties, size) is not None]
        start = starts[-1] if starts else 0
        after = path[start + 1 :]
        begin = path[start]
        moves = tuple(one.move for one in after if one.move is not None)
        if begin.parent is None and begin.move is not None:
            moves = (begin.move, *moves)
            stones = _setup_stones(begin, size)
        elif begin.parent is None:
            stones = _setup_stones(begin, size)
        else:
            grid = self._reached(begin).grid.ravel()
            black, white = (tuple(np.flatnonzero(grid == c).tolist()) for c in (BLACK, WHITE))
            stones = (black, white)
        first = moves[0][0] if moves else self.to_play(node)
        return Line(
            size=size,
            rules=self.rules,
            komi=self.komi,
            handicap=self.handicap,
            black=stones[0],
            white=stones[1],
            first_player=first,
            moves=moves,
            to_play=self.to_play(node),
        )

    def _reached(self, node: Node) -> Board:
        """Return the board at a node, which stays this object's."""
        path = []
        here: Node | None = node
        while here is not None and here.ident not in self._boards:
            path.append(here)
            here = here.parent
        if here is None:
            board = Board(self.tree.size, rules=self.rules, komi=self.komi)
            board.handicap = self.handicap
        else:
            self._boards.move_to_end(here.ident)
            board = self._boards[here.ident]
        for one in reversed(path):
            board = self._after(board, one)
            self._boards[one.ident] = board
        while len(self._boards) > KEPT:
            self._boards.popitem(last=False)
        return board

    def _after(self, before: Board, node: Node) -> Board:
        """Return the board after what a node does."""
        board = before.copy()
        setup = setup_of(node.properties, self.tree.size)
        if setup is not None:
            board.setup(setup.black, setup.white, setup.empty)
        if node.move is not None:
            colour, move = node.move
            board.to_play = colour
            _make(board, colour, move)
        return board


def _make(board: Board, colour: int, move: int) -> None:
    """Play a recorded move, whatever the rules of the table say of it.

    Raises:
        IllegalMoveError: no rules allow it.
    """
    try:
        board.play(move, colour)
    except IllegalMoveError:
        loose = board.under(replace(RULES["replay"], komi=board.komi))
        loose.play(move, colour)
        board.remember(board.hash, colour)
        board.records = loose.records
        board.last_move = move


def _setup_stones(node: Node, size: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return Black's and White's stones that a node sets up."""
    setup = setup_of(node.properties, size)
    return ((), ()) if setup is None else (setup.black, setup.white)


@dataclass(frozen=True)
class Opened:
    """A game that was read, ready to be laid on a table."""

    tree: GameTree
    record: GameRecord
    """Its main line."""
    positions: Positions
    notices: tuple[Remark, ...]
    """What was guessed or left out."""


def opened(data: bytes | str) -> Opened:
    """Return the game of SGF data; lines end before what nobody can play.

    Raises:
        GoError: the data holds no usable game, or more than a tree can have.
    """
    tree, record, said = read_tree(data)
    rules = record_rules(record)
    komi = rules.komi if record.komi is None else record.komi
    positions = Positions(tree, rules, komi, record.handicap_stones)
    positions.at(tree.root)  # a diagram that no board can show is refused as a whole
    gone = without_unplayable(tree, positions.playable)
    if gone:
        text = f"lines cut: {gone} nodes follow moves that cannot be played"
        said.append(Remark("lines_cut", text, {"nodes": gone}))
    return Opened(tree, record, positions, tuple(said))
