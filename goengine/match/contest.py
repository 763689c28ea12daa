"""Games between two entrants: the rules of a match, played in lockstep where both can.

Own players meet in many games at once, so that the network sees batches; a game with an external
engine is played alone. Whoever makes an illegal move, crashes, hangs or oversteps its time loses,
and the result says why. Games that end with two passes, or at the move cap, are counted by a
referee; where it fails, the game has no result and the next one begins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from goengine.board import Board
from goengine.clock import Clock, TimeSettings
from goengine.coords import move_to_gtp
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.handicap import fixed_points
from goengine.match.entrants import Entrant
from goengine.match.external import EngineError, GtpEngine
from goengine.match.openings import Opening, OpeningSource
from goengine.rules import Rules
from goengine.scoring.counting import format_score
from goengine.scoring.status import final_score
from goengine.types import BLACK, RESIGN, WHITE

Referee = Callable[[Board, Sequence[tuple[int, int]]], str]
"""Counts a finished board (and its moves) and returns `B+3.5`, `W+0.5` or `0`; an EngineError
says that it cannot."""

REFEREE_PLAYOUTS = 1000
VOID = "Void"
"""The result of a game that the referee could not count, as SGF writes it."""
_SCORE = re.compile(r"0|draw|jigo|[BW]\+\d+(\.\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """What both entrants of a match agree on."""

    size: int
    rules: Rules
    komi: float
    seed: int
    move_cap: int
    time: TimeSettings
    handicap: int = 0
    """Stones of entrant 0, which then has Black in every game; 0 for even games."""


class MatchGame:
    """One game of a match; `black` is the index (0 or 1) of the entrant that plays Black.

    Its clock runs only by the seconds that `spend` is told, so that games in lockstep do not pay
    for each other.
    """

    def __init__(self, number: int, black: int, terms: Terms, opening: Opening = ()) -> None:
        self.number = number
        self.black = black
        self.opening = opening
        self.seconds = [0.0, 0.0]
        self.chosen = [0, 0]
        self._elapsed = 0.0
        clock = Clock(terms.time, now=lambda: self._elapsed)
        self.game = Game(terms.size, rules=terms.rules, komi=terms.komi, clock=clock)
        if terms.handicap:
            self.game.place_handicap(fixed_points(terms.size, terms.handicap))

    @property
    def turn_of(self) -> int:
        """The index of the entrant to move."""
        return self.black if self.game.board.to_play == BLACK else 1 - self.black

    @property
    def winner(self) -> int | None:
        """The index of the entrant that won, None for a draw and for no result."""
        result = self.game.result
        if not result or result[0] not in "BW":
            return None
        return self.black if result[0] == "B" else 1 - self.black

    def record(self, names: Sequence[str]) -> GameRecord:
        """Return the game for an SGF file."""
        return self.game.record(black=names[self.black], white=names[1 - self.black])

    def spend(self, used: float) -> bool:
        """Charge seconds to the player to move and tell whether its time is over."""
        clock = self.game.clock
        clock.start()
        self._elapsed += used
        clock.stop(self.game.board.to_play)
        return clock.overrun

    def forfeit(self, entrant: int, kind: str, reason: str) -> None:
        """End the game as lost by an entrant; `kind` is SGF's letter: R, T or F."""
        self.game.lose(BLACK if entrant == self.black else WHITE, kind, reason)


def own_referee(seed: int) -> Referee:
    """Return a referee that finds dead stones by playouts."""

    def count(board: Board, moves: Sequence[tuple[int, int]]) -> str:
        rng = np.random.default_rng([seed, len(moves)])
        return format_score(final_score(board, rng=rng, playouts=REFEREE_PLAYOUTS))

    return count


def engine_referee(command: str, *, timeout: float) -> Referee:
    """Return a referee that asks a GTP engine, started anew for each game, for the final score.

    Raises:
        EngineError: the engine does not start.
    """
    GtpEngine(command, timeout=timeout).close()

    def count(board: Board, moves: Sequence[tuple[int, int]]) -> str:
        engine = GtpEngine(command, timeout=timeout)
        try:
            engine.new_game(board.size, board.komi, rules=board.rules.name, time=(0, 0, 0))
            for colour, move in moves:
                engine.play(colour, move)
            answer = engine.final_score()
        finally:
            engine.close()
        if not _SCORE.fullmatch(answer):
            raise EngineError(f"final_score answered {answer!r}, which is not a score")
        return answer.upper()

    return count


class Contest:
    """Play numbered games between two entrants.

    Game n is played with colours swapped in every second game, and games 2k and 2k + 1 share
    opening k, so each entrant has both sides of it; with a handicap entrant 0 has Black and the
    stones in all of them. `batch` games run at once if both entrants
    are parallel.
    """

    def __init__(
        self,
        entrants: tuple[Entrant, Entrant],
        terms: Terms,
        *,
        openings: OpeningSource,
        referee: Referee,
        batch: int = 16,
    ) -> None:
        self.entrants = entrants
        self.terms = terms
        self.openings = openings
        self.referee = referee
        self.batch = batch if all(entrant.parallel for entrant in entrants) else 1

    def games(
        self, numbers: Sequence[int], *, moved: Callable[[int], None] = lambda moves: None
    ) -> Iterator[MatchGame]:
        """Play the games of these numbers and yield each when it is over.

        `moved` is told how many moves were chosen, each time that some were.
        """
        for start in range(0, len(numbers), self.batch):
            games = [self._begin(number) for number in numbers[start : start + self.batch]]
            rng = np.random.default_rng([self.terms.seed, games[0].number])
            running = [game for game in games if not game.game.over]
            yield from (game for game in games if game.game.over)
            while running:
                for entrant in (0, 1):
                    turn = [g for g in running if not g.game.over and g.turn_of == entrant]
                    if turn:
                        self._move(turn, entrant, rng)
                        moved(len(turn))
                yield from (game for game in running if game.game.over)
                running = [game for game in running if not game.game.over]

    def _begin(self, number: int) -> MatchGame:
        """Set up a game and play its opening."""
        black = 0 if self.terms.handicap else number % 2
        match_game = MatchGame(number, black, self.terms, self.openings(number // 2))
        game = match_game.game
        for entrant in (0, 1):
            self._tell(match_game, entrant, lambda one: one.start(game))
        for move in match_game.opening:
            for entrant in (0, 1):
                self._announce(match_game, entrant, game.board.to_play, move)
            game.play(move)
        return match_game

    def _tell(self, game: MatchGame, entrant: int, action: Callable[[Entrant], None]) -> None:
        """Let an entrant hear of something; if it fails, it loses."""
        if not game.game.over:
            try:
                action(self.entrants[entrant])
            except EngineError as error:
                game.forfeit(entrant, "F", f"failure: {error}")

    def _announce(self, game: MatchGame, entrant: int, colour: int, move: int) -> None:
        """Tell an entrant a move that it did not make."""
        self._tell(game, entrant, lambda one: one.played(colour, move))

    def _move(self, games: list[MatchGame], entrant: int, rng: np.random.Generator) -> None:
        """Let an entrant move in all these games, where it is its turn."""
        start = time.perf_counter()
        try:
            moves = self.entrants[entrant].choose([one.game for one in games], rng)
        except EngineError as error:
            for game in games:
                game.forfeit(entrant, "F", f"failure: {error}")
            return
        used = (time.perf_counter() - start) / len(games)
        for game, move in zip(games, moves, strict=True):
            game.seconds[entrant] += used
            game.chosen[entrant] += 1
            self._apply(game, entrant, move, used)

    def _apply(self, game: MatchGame, entrant: int, move: int, used: float) -> None:
        """Make a chosen move and end the game if it is over."""
        board = game.game.board
        colour = board.to_play
        if game.spend(used):
            game.forfeit(entrant, "T", "time")
        elif move == RESIGN:
            game.forfeit(entrant, "R", "resignation")
        elif not board.is_legal(move):
            game.forfeit(entrant, "F", f"illegal move {move_to_gtp(move, board.size)}")
        else:
            self._announce(game, 1 - entrant, colour, move)
            game.game.play(move)
            if not game.game.over and (board.passes >= 2 or board.turn >= self.terms.move_cap):
                self._count(game.game)

    def _count(self, game: Game) -> None:
        """Let the referee count a game that is over."""
        try:
            result = self.referee(game.board, game.moves)
            game.end(result, "score" if game.board.passes >= 2 else "move cap")
        except EngineError as error:
            game.end(VOID, f"no result: {error}")
