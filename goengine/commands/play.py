"""`goengine play`: a game against the network in the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from cnncore.system import atomic
from goengine.board import Board
from goengine.coords import CoordError, gtp_to_move, move_to_gtp
from goengine.games.game import Game
from goengine.games.record import GameRecord
from goengine.games.sgf import write_sgf
from goengine.handicap import fixed_points, most_fixed
from goengine.options import board_size, finite, not_negative, rule_set, seed
from goengine.players.making import make_policy_player
from goengine.players.player import Player
from goengine.players.settings import PolicySettings
from goengine.rules import RULES, format_points
from goengine.scoring.counting import format_score, score
from goengine.scoring.status import status
from goengine.types import (
    BLACK,
    PLAY_SYMMETRY,
    RESIGN,
    WHITE,
    GoError,
    IllegalMoveError,
    colour_name,
    opponent,
    parse_colour,
)

HELP = """\
  D4, Q16 ...       play there
  pass              pass; two passes end the game
  undo              take back your last move and the answer, or your resignation
  hint              what the network would play here
  score             who is ahead, by random playouts
  save FILE.sgf     write the game to a file
  resign            give up
  quit              leave without a result"""

AFTERWARDS = "use save FILE.sgf, undo or quit"
"""What is left to do when a game has ended."""
HINTS = 5


class Session:
    """One game between a person and a player, driven by lines of text.

    `answer` takes what the person typed and returns what to show; `result` is there when the
    game has ended, which undo may take back, and `left` tells whether the person wants no more.
    """

    def __init__(self, game: Game, player: Player, *, human: int, rng: np.random.Generator) -> None:
        self.game = game
        self.player = player
        self.human = human
        self.left = False
        self._rng = rng

    @property
    def board(self) -> Board:
        """The position now."""
        return self.game.board

    def answer(self, line: str) -> str:
        """Carry out one line of the person and return the text to show."""
        words = line.split()
        if not words:
            return ""
        commands: dict[str, Callable[[], str]] = {
            "help": lambda: HELP,
            "undo": self._undo,
            "hint": self._hint,
            "score": self._score,
            "resign": lambda: self._play(RESIGN),
            "quit": self._quit,
            "exit": self._quit,
        }
        word = words[0].lower()
        if word == "save":
            return self._save(" ".join(words[1:]))
        if word in commands:
            return commands[word]()
        try:
            return self._play(gtp_to_move(word, self.board.size))
        except CoordError as error:
            return f"{error}; type help for the commands"
        except IllegalMoveError as error:
            return str(error)

    def respond(self) -> str:
        """Let the player move if it is its turn and return the text to show."""
        if self.game.over or self.board.to_play == self.human:
            return ""
        move = self.player.choose(self.game, rng=self._rng).move
        colour = self.board.to_play
        text = f"{colour_name(colour).capitalize()}: {move_to_gtp(move, self.board.size)}"
        return "\n".join(filter(None, [text, self._make(move)]))

    def _play(self, move: int) -> str:
        """Make the person's move and the player's answer."""
        if self.game.over:
            return f"the game is over: {AFTERWARDS}"
        return "\n".join(filter(None, [self._make(move), self.respond()]))

    def _make(self, move: int) -> str:
        """Make a move for the player to move; say the result if the game ends."""
        if move == RESIGN:
            self.game.lose(self.board.to_play, "R")
            return f"The game is over: {self.game.result}"
        self.game.play(move)
        board = self.board
        if board.passes < 2:
            return ""
        judged = status(board, rng=self._rng)
        self.game.end(format_score(score(board, judged.dead, status=judged)))
        taken = " ".join(move_to_gtp(stone, board.size) for stone in sorted(judged.dead))
        over = f"The game is over: {self.game.result}"
        return over + (f"\ntaken as dead: {taken}" if taken else "")

    def _undo(self) -> str:
        """Take back to the person's turn before, or no more than the person's resignation."""
        count = 1 if self.board.to_play != self.human else 2
        if count == 2 and self.game.over and self.board.passes < 2:
            self.game.reopen()
            return ""
        if count > len(self.game.moves):
            return "nothing to undo"
        self.game.undo(count)
        return ""

    def _hint(self) -> str:
        """List the network's moves."""
        analyst = self.player.analyst
        if analyst is None:
            return "this player gives no hints"
        size = self.board.size
        opinion = next(analyst.stream(self.game, interval=0.0, pause=lambda seconds: True))
        found = opinion.candidates[:HINTS]
        return "\n".join(f"  {move_to_gtp(c.move, size):5}{100 * c.prior:5.1f} %" for c in found)

    def _score(self) -> str:
        """Estimate the score."""
        judged = status(self.board, rng=self._rng)
        lead = score(self.board, judged.dead, status=judged)
        share = judged.settled.mean()
        return f"{format_score(lead)} if it ended now ({100 * share:.0f} % of the points settled)"

    def _quit(self) -> str:
        """Leave the game."""
        self.left = True
        return ""

    def _save(self, name: str) -> str:
        """Write the game as SGF."""
        if not name:
            return "name a file: save FILE.sgf"
        try:
            atomic.write_bytes(name, write_sgf(self.record()))
        except OSError as error:
            return f"cannot write {name}: {error.strerror}"
        except ValueError:
            return f"cannot write {name!r}: no file can have that name"
        return f"saved {name}"

    def record(self) -> GameRecord:
        """Return the game so far."""
        names = {self.human: "human", opponent(self.human): self.player.name}
        return self.game.record(black=names[BLACK], white=names[WHITE])

    def prompt(self) -> str:
        """Return the board with who is to move, or what to do after the end, and the captures."""
        board = self.board
        by_black, by_white = board.captures
        state = f"move {board.turn + 1}, {colour_name(board.to_play)} to play"
        if self.game.over:
            state = f"{self.game.result}, {AFTERWARDS}"
        captures = f"captures: black {by_black}, white {by_white}; komi {format_points(board.komi)}"
        return f"\n{board}\n{state}; {captures}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `goengine play`."""
    parser.add_argument("--size", type=board_size, default=19, help="board size (19)")
    parser.add_argument(
        "--rules", type=rule_set, default="chinese", help=f"{', '.join(RULES)} (chinese)"
    )
    parser.add_argument("--komi", type=finite, help="komi (the rules' own; 0.5 with handicap)")
    parser.add_argument("--handicap", type=int, default=0, help="black handicap stones (0)")
    parser.add_argument("--colour", "--color", default="black", help="your colour (black)")
    parser.add_argument(
        "--network", default="", help="shipped name or file (the shipped one that plays best)"
    )
    parser.add_argument(
        "--temperature", type=not_negative, default=0.0, help="0 plays its best move (0)"
    )
    parser.add_argument(
        "--symmetry", default=PLAY_SYMMETRY, help=f"none, random or all ({PLAY_SYMMETRY})"
    )
    parser.add_argument("--seed", type=seed, help="seed of its random choices (another each time)")


def start_game(size: int, rules: str, komi: float | None, handicap: int) -> Game:
    """Return the game before the first move.

    Raises:
        GoError: the size, the rules or the number of stones is not possible.
    """
    if handicap and komi is None:
        komi = 0.5
    game = Game(size, rules=rules, komi=komi)
    if handicap:
        most = most_fixed(size)
        if most == 0:
            raise GoError(f"{size}x{size} has no handicap points: use 7x7 or larger, or handicap 0")
        if not 2 <= handicap <= most:
            raise GoError(f"{handicap} handicap stones do not fit {size}x{size}: use 2 to {most}")
        game.place_handicap(fixed_points(size, handicap))
    return game


def run(args: argparse.Namespace) -> int:
    """Play one game."""
    game = start_game(args.size, args.rules, args.komi, args.handicap)
    human = parse_colour(args.colour)
    player = make_policy_player(
        args.network,
        PolicySettings(temperature=args.temperature, symmetry=args.symmetry),
        size=args.size,
    )
    session = Session(game, player, human=human, rng=np.random.default_rng(args.seed))
    print(f"You play {colour_name(human)} against {player.name}. Type help for the commands.")
    show(session.respond())
    while not session.left:
        print(session.prompt())
        try:
            line = input("> ")
        except EOFError:
            break
        show(session.answer(line))
    return 0


def show(text: str) -> None:
    """Print an answer that is not empty."""
    if text:
        print(text)
