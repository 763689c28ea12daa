"""One game between a person and a player, driven by lines of text."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from cnncore.system import atomic
from cnncore.system.interruption import interruptible
from goengine.board import Board
from goengine.clock import TimeSettings
from goengine.coords import CoordError, gtp_to_move, move_to_gtp
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.games.sgf import write_sgf
from goengine.players.effort import time_budget
from goengine.players.making import evaluator_of
from goengine.players.player import Player, Question, Snapshot
from goengine.players.ranked.own_rank import RankFollower, winner_of
from goengine.scoring.counting import format_score, score
from goengine.scoring.status import status
from goengine.search.playing_out import verdict_by
from goengine.terminal.board_text import LETTERS, Style
from goengine.terminal.clock_words import both_times, lost_on_time
from goengine.terminal.game_files import open_game
from goengine.terminal.game_screen import AFTERWARDS, game_drawing, state_line
from goengine.terminal.player_words import hint_line, lead_words, weak_words
from goengine.terminal.typed_lines import HELP, read_line, suggestion
from goengine.types import BLACK, RESIGN, WHITE, GoError, IllegalMoveError, colour_name, opponent

NOT_SAVED = "this game is not saved: save FILE.sgf keeps it"
PASSED_OUT = "two passes have ended it, undo goes back into it"
WITHOUT_CLOCK = "the loss on time is taken back, and the game goes on without a clock"
HINTS = 5
THINKING = 60.0
"""Seconds between the snapshots of an analysis of which only the last is shown."""


class Session:
    """One game between a person and a player.

    `answer` takes what the person typed and returns what to show, `screen` puts the board before
    it where the position is new. `left` tells whether the person wants no more. `seconds` bounds
    the player's time for a move besides the clock; `thinking` shows a text while it thinks.

    The first Ctrl+C while a line is carried out stops the player's thinking, a second one acts as
    usual.
    """

    def __init__(
        self,
        game: Game,
        player: Player,
        *,
        human: int,
        rng: np.random.Generator,
        name: str = "human",
        style: Style = LETTERS,
        day: date | None = None,
        seconds: float | None = None,
        thinking: Callable[[str], AbstractContextManager[None]] = lambda text: nullcontext(),
        follower: RankFollower | None = None,
    ) -> None:
        self.game = game
        self.player = player
        self.human = human
        self.left = False
        self._rng = rng
        self._name = name
        self._style = style
        self._day = day
        self._seconds = seconds
        self._thinking = thinking
        self._follower = follower
        self._kept = self._state()
        self._shown: object = None
        self._asked = ""
        self._stopped: Callable[[], bool] = lambda: False
        self._own_files: set[Path] = set()

    @property
    def board(self) -> Board:
        """The position now."""
        return self.game.board

    def answer(self, line: str) -> str:
        """Carry out one line of the person and return the text to show."""
        return self._interruptibly(lambda: self._carried_out(line))

    def _interruptibly(self, work: Callable[[], str]) -> str:
        """Do something that Ctrl+C stops, and return the text to show; once more then leaves."""
        with interruptible(signal.SIGINT) as self._stopped:
            said = [work(), self._followed()]
            if self._stopped():
                self._asked = "quit "
                said.append(f"{NOT_SAVED}, Ctrl+C once more leaves" if self.unsaved else "")
        return "\n".join(filter(None, said))

    def _followed(self) -> str:
        """Let the partner's rank follow the game; return what there is to say about it."""
        if self._follower is None:
            return ""
        game, winner = self.game, winner_of(self.game.result)
        try:
            return self._follower.see(game, winner, over=game.over, person=self.human)
        except (GoError, OSError) as error:  # the game itself goes on, and can be saved
            self._follower = None
            return f"{error}; your partner's rank does not follow this sitting any more"

    def _carried_out(self, line: str) -> str:
        """Carry out one line of the person and return the text to show."""
        typed = read_line(line)
        confirmed = self._asked == (typed.command + " " + typed.rest) and bool(typed.command)
        self._asked = ""
        if typed.command and typed.extra:
            return f"{typed.command} stands alone, without {typed.extra!r}: nothing was done"
        commands: dict[str, Callable[[], str]] = {
            "help": lambda: HELP,
            "undo": self._undo,
            "hint": self._hint,
            "score": self._score,
            "weak": lambda: weak_words(self.player, self.game),
            "go": self._go,
            "clock": lambda: both_times(self.game),
            "board": self._again,
            "resign": lambda: self._play(RESIGN),
            "quit": lambda: self._quit(confirmed),
            "save": lambda: self._save(typed.rest, confirmed),
            "load": lambda: self._load(typed.rest, confirmed),
        }
        if typed.command:
            return commands[typed.command]()
        if not typed.rest:
            return ""
        try:
            move = gtp_to_move(typed.rest.lower(), self.board.size)
            if typed.extra:
                return f"one move at a time, {typed.rest} or {typed.extra}: nothing was played"
            return self._play(move)
        except CoordError as error:
            meant = suggestion(typed.rest)
            if meant:
                return f"{typed.rest!r} is not a command or a point: {meant}"
            return f"{error}; type help for the commands"
        except IllegalMoveError as error:
            return str(error)

    def respond(self) -> str:
        """Let the player move if it is its turn and return the text to show.

        The person's clock runs from here on.
        """
        return self._interruptibly(self._respond)

    def _respond(self) -> str:
        """Let the player move if it is its turn, then let the person's clock run."""
        text = self._reply()
        if not self.game.over and self.board.to_play == self.human:
            self.game.clock.start()
        return text

    def _reply(self) -> str:
        """Let the player move if it is its turn."""
        if self.game.over or self.board.to_play == self.human:
            return ""
        colour = self.board.to_play
        clock = self.game.clock
        budget = replace(time_budget(self.game).within(self._seconds), stop=self._stopped)
        with self._shown_thinking(colour_name(colour)):
            clock.start()
            move = self.player.choose(self.game, budget, rng=self._rng).move
            clock.stop(colour)
        if clock.overrun:
            return self._out_of_time(colour)
        if self._stopped():
            back = ", undo takes your move back" if self.game.moves else ""
            return f"{colour_name(colour)} has stopped thinking: go lets it move{back}"
        text = f"{colour_name(colour).capitalize()}: {move_to_gtp(move, self.board.size)}"
        return "\n".join(filter(None, [text, self._make(move)]))

    def _go(self) -> str:
        """Let the player move where the person has stopped it."""
        if self.game.over:
            return f"the game is over: {AFTERWARDS}"
        if self.board.passes >= 2:
            return PASSED_OUT
        if self.board.to_play == self.human:
            return "it is your turn: hint names good moves"
        return self._respond()

    def _play(self, move: int) -> str:
        """Make the person's move and the player's answer."""
        if self.game.over:
            return f"the game is over: {AFTERWARDS}"
        if self.board.passes >= 2:
            return PASSED_OUT
        colour = self.board.to_play
        if colour != self.human:
            if move == RESIGN:
                self.game.lose(self.human, "R")
                return self._end()
            return f"it is {colour_name(colour)}'s turn: go lets it move"
        if move != RESIGN and not self.board.is_legal(move):
            self.board.copy().play(move)  # says why; the clock runs on
        self.game.clock.stop(colour)
        if self.game.clock.overrun:
            return self._out_of_time(colour)
        return "\n".join(filter(None, [self._make(move), self._respond()]))

    def _out_of_time(self, colour: int) -> str:
        """End the game as lost on time."""
        self.game.lose(colour, "T")
        return f"{colour_name(colour).capitalize()} has run out of time. {self._end()}"

    def _end(self) -> str:
        """Say that the game is over and how."""
        return f"The game is over: {self.game.result}"

    def _make(self, move: int) -> str:
        """Make a move for the player to move; say the result if the game ends."""
        if move == RESIGN:
            self.game.lose(self.board.to_play, "R")
            return self._end()
        self.game.play(move)
        board = self.board
        if board.passes < 2:
            return ""
        lead, dead = self._counted()
        self.game.end(format_score(lead))
        taken = " ".join(move_to_gtp(stone, board.size) for stone in sorted(dead))
        return self._end() + (f"\ntaken as dead: {taken}" if taken else "")

    def _counted(self) -> tuple[float, frozenset[int]]:
        """Return the score of a game that two passes ended, for Black, and its dead stones.

        The player's network, where it judges positions, and playouts judge together.
        """
        judged = status(self.board, rng=self._rng)
        evaluator = evaluator_of(self.player)
        ended = None if evaluator is None else verdict_by(evaluator, self.board, judged)
        if ended is None:
            return score(self.board, judged.dead, status=judged), judged.dead
        return ended.lead, ended.dead

    def _undo(self) -> str:
        """Take back to the person's turn before, or no more than the person's resignation."""
        count = 1 if self.board.to_play != self.human else 2
        lost = lost_on_time(self.game)
        if count == 2 and self.game.over and self.board.passes < 2:
            self.game.reopen()
        elif count > len(self.game.moves):
            return "nothing to undo"
        else:
            self.game.undo(count)
        if lost is not None:
            self.game.clock.configure(TimeSettings())
        self.game.clock.start()
        return "" if lost is None else WITHOUT_CLOCK

    def _shown_thinking(self, who: str) -> AbstractContextManager[None]:
        """Show that somebody thinks, where that takes a while."""
        reads = self.player.settings.reads
        return self._thinking(f"{who} thinks ...") if reads else nullcontext()

    def _opinion(self) -> Snapshot | None:
        """Return what the player thinks of the position, None where it has no opinion."""
        analyst = self.player.analyst
        if analyst is None:
            return None
        visits, seconds = self.player.settings.limits(self._seconds)
        snapshots = analyst.stream(
            self.game,
            interval=THINKING,
            pause=self._pause,
            question=Question(visits=visits, seconds=seconds),
        )
        with self._shown_thinking(self.player.name):
            return deque(snapshots, maxlen=1)[0]

    def _pause(self, seconds: float) -> bool:
        """Wait, and tell whether the person has stopped the analysis."""
        time.sleep(seconds)
        return self._stopped()

    def _hint(self) -> str:
        """List the player's moves: probability, and win rate and points where it judges."""
        seen = self._opinion()
        if seen is None:
            return "this player gives no hints"
        return "\n".join(hint_line(one, self.board.size) for one in seen.candidates[:HINTS])

    def _score(self) -> str:
        """Estimate the score: by playouts once enough is settled, else by what the player sees.

        A game that has ended has a result instead.
        """
        if self.game.over:
            return self._end()
        judged = status(self.board, rng=self._rng)
        settled = f"({100 * judged.settled_share:.0f} % of the points settled)"
        if not judged.is_early:
            lead = score(self.board, judged.dead, status=judged)
            return f"{format_score(lead)} if it ended now {settled}"
        seen = self._opinion()
        return f"{lead_words(seen, self.board.to_play)} {settled}"

    def _again(self) -> str:
        """Draw the board once more."""
        self._shown = None
        return ""

    def _quit(self, confirmed: bool) -> str:
        """Leave the game, after a question where it would be lost."""
        if self.unsaved and not confirmed:
            self._asked = "quit "
            return f"{NOT_SAVED}, quit or Ctrl+C once more leaves"
        self.left = True
        return ""

    @property
    def unsaved(self) -> bool:
        """Whether the person has made a move, or got a result, that no file has."""
        played = any(colour == self.human for colour, _ in self.game.moves)
        return played and self._state() != self._kept

    def _state(self) -> object:
        """Return what a file would keep of the game."""
        return tuple(self.game.moves), self.game.result

    def _save(self, name: str, confirmed: bool) -> str:
        """Write the game as SGF; another file of that name is replaced at the second time only."""
        if not name:
            return "name a file: save FILE.sgf"
        try:
            path = Path(name)
            if path.is_file() and path.resolve() not in self._own_files and not confirmed:
                self._asked = f"save {name}"
                return f"{name} is there already: the same line once more replaces it"
            atomic.write_bytes(name, write_sgf(self.record()))
            self._own_files.add(path.resolve())
        except OSError as error:
            return f"cannot write {name}: {error.strerror}"
        except ValueError:
            return f"cannot write {name!r}: no file can have that name"
        self._kept = self._state()
        return f"saved {name}"

    def _load(self, name: str, confirmed: bool) -> str:
        """Go on with the game of a file, after a question where this one would be lost."""
        if not name:
            return "name a file: load FILE.sgf"
        if self.unsaved and not confirmed:
            self._asked = f"load {name}"
            return f"{NOT_SAVED}, the same line again loads"
        try:
            record, said = open_game(name)
        except GoError as error:
            return str(error)
        try:
            self.game.load(record)
        except GoError as error:
            return f"cannot load {name}: {error}"
        self.game.clock.reset()
        self._kept = self._state()
        self._shown = None
        result = "" if record.result is None or record.cut else f", result {record.result}"
        moves = "1 move" if len(self.game.moves) == 1 else f"{len(self.game.moves)} moves"
        text = "; ".join([f"loaded {name}: {moves}{result}", *said])
        if self.board.passes >= 2:
            return f"{text}; {PASSED_OUT}"
        return "\n".join(filter(None, [text, self._respond()]))

    def record(self) -> GameRecord:
        """Return the game so far, with the players' names and the day."""
        names = self._names()
        record = self.game.record(black=names[BLACK], white=names[WHITE])
        return record if self._day is None else replace(record, date=self._day.isoformat())

    def _names(self) -> dict[int, str]:
        """Return who plays which colour."""
        return {self.human: self._name, opponent(self.human): self.player.name}

    def prompt(self) -> str:
        """Return the board with who is to move, or what to do after the end, and the captures."""
        return f"\n{game_drawing(self.game, self._names(), self._style)}\n{state_line(self.game)}"

    def screen(self, answer: str) -> str:
        """Return what to print: the board where it is new, and last what was asked for."""
        here = (self.board.hash, tuple(self.game.moves), self.board.size)
        parts = [] if here == self._shown else [game_drawing(self.game, self._names(), self._style)]
        self._shown = here
        return "\n".join([*parts, state_line(self.game), *([answer] if answer else [])])
