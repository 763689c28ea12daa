"""Commands that begin a game: size, komi, handicap, set-up stones, SGF in and out."""

from __future__ import annotations

import os
from pathlib import Path

from goengine import handicap
from goengine.coords import move_to_gtp
from goengine.gtp import protocol
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, shorten, syntax_error
from goengine.rules import format_points
from goengine.types import BLACK, GoError, IllegalMoveError

BIGGEST_FILE = 10_000_000
"""Bytes of an SGF file that `loadsgf` reads at most; a game has a few thousand."""


class SetupCommands(CommandGroup):
    """What happens before the first move."""

    @command("boardsize")
    def boardsize(self, arguments: Arguments) -> str:
        """Set the size and start a new game; komi, rules and clocks' settings stay."""
        self._resize(arguments.integer(0, "the board size"))
        return ""

    @command("rectangular_boardsize")
    def rectangular_boardsize(self, arguments: Arguments) -> str:
        """Set the size where both sides are equal; other boards are not acceptable."""
        width = arguments.integer(0, "the width")
        height = arguments.integer(1, "the height")
        if width != height:
            raise GtpError(protocol.UNACCEPTABLE_SIZE)
        self._resize(width)
        return ""

    @command("query_boardsize")
    def query_boardsize(self, arguments: Arguments) -> str:
        """Answer the size of the board."""
        return str(self.session.game.size)

    @command("clear_board")
    def clear_board(self, arguments: Arguments) -> str:
        """Start a new game of the same size, komi and rules."""
        self.session.game.clear()
        self.session.clock.reset()
        return ""

    @command("komi")
    def komi(self, arguments: Arguments) -> str:
        """Set the komi, however ridiculous, for this game and the next ones."""
        self.session.game.set_komi(arguments.number(0, "the komi"))
        return ""

    @command("get_komi")
    def get_komi(self, arguments: Arguments) -> str:
        """Answer the komi."""
        return format_points(self.session.game.komi)

    @command("fixed_handicap")
    def fixed_handicap(self, arguments: Arguments) -> str:
        """Place handicap stones on the traditional points and answer where."""
        count = arguments.integer(0, "the number of stones")
        size = self.session.game.size
        if not 2 <= count <= handicap.most_fixed(size):
            raise GtpError("invalid number of stones")
        return self._place(handicap.fixed_points(size, count))

    @command("place_free_handicap")
    def place_free_handicap(self, arguments: Arguments) -> str:
        """Place handicap stones where the engine likes and answer where."""
        count = arguments.integer(0, "the number of stones")
        size = self.session.game.size
        if not 2 <= count < size * size:
            raise GtpError("invalid number of stones")
        return self._place(handicap.free_points(size, count))

    @command("set_free_handicap")
    def set_free_handicap(self, arguments: Arguments) -> str:
        """Place the handicap stones that the controller names."""
        size = self.session.game.size
        points = [protocol.parse_vertex(word, size) for word in arguments.words]
        if len(points) < 2 or len(points) >= size * size:
            raise GtpError("bad vertex list: name at least two points and leave one free")
        if size * size in points or len(set(points)) < len(points):
            raise GtpError("bad vertex list: no pass and no point twice")
        self._place(points)
        return ""

    @command("set_position")
    def set_position(self, arguments: Arguments) -> str:
        """Start from the stones named as `colour vertex` pairs, Black to move."""
        size = self.session.game.size
        stones: dict[int, int] = {}
        if len(arguments) % 2:
            raise syntax_error("name stones as pairs of colour and vertex")
        for index in range(0, len(arguments), 2):
            point = arguments.vertex(index + 1, size)
            if point == size * size or point in stones:
                raise GtpError("bad vertex list: no pass and no point twice")
            stones[point] = arguments.colour(index)
        black = [point for point, colour in stones.items() if colour == BLACK]
        white = [point for point, colour in stones.items() if colour != BLACK]
        try:
            self.session.game.set_position(black, white)
        except GoError as error:
            raise GtpError(str(error)) from None
        return ""

    @command("loadsgf")
    def loadsgf(self, arguments: Arguments) -> str:
        """Load a game up to the position before a move number, or to its end."""
        arguments.word(0, "the file name")
        name, count = arguments.text.strip(), None
        if not os.path.isfile(name) and len(arguments) > 1:
            count = max(0, arguments.integer(len(arguments) - 1, "the move number") - 1)
            name = name.rsplit(None, 1)[0]
        self._load(name, count)
        return ""

    @command("printsgf")
    def printsgf(self, arguments: Arguments) -> str:
        """Answer the game as SGF, or write it to the file that is named."""
        from cnncore.system.atomic import write_bytes
        from goengine.games.sgf import write_sgf

        data = write_sgf(self.session.game.record())
        if not arguments.words:
            return data.decode("utf-8")
        try:
            write_bytes(arguments.text.strip(), data)
        except (OSError, ValueError) as error:
            raise GtpError(f"cannot write file: {_reason(error)}") from None
        return ""

    def _resize(self, size: int) -> None:
        """Start a new game on a board of this size."""
        try:
            self.session.game.resize(size)
        except GoError:
            raise GtpError(protocol.UNACCEPTABLE_SIZE) from None
        self.session.clock.reset()

    def _place(self, points: list[int]) -> str:
        """Place a handicap and return its vertices."""
        game = self.session.game
        if not game.is_empty:
            raise GtpError(protocol.BOARD_NOT_EMPTY)
        game.place_handicap(points)
        return " ".join(move_to_gtp(point, game.size) for point in points)

    def _load(self, name: str, count: int | None) -> None:
        """Take over the game in a file."""
        from goengine.games.sgf import read_sgf

        try:
            if not os.path.isfile(name):
                raise GoError(f"there is no file {shorten(name)}: check its path")
            if os.path.getsize(name) > BIGGEST_FILE:
                raise GoError(
                    f"it is larger than {BIGGEST_FILE:,} bytes: name the file of one game"
                )
            record = read_sgf(Path(name).read_bytes())
            length = len(record.moves)
            if record.cut and (count is None or count > length):
                raise GoError(
                    f"only its first {length} moves can be read ({record.cut}): name a move number "
                    f"up to {length + 1}"
                )
            self.session.game.load(record, count=count)
        except IllegalMoveError as error:
            raise GtpError(
                f"{protocol.CANNOT_LOAD_FILE}: {error}: name an earlier move number, or set rules "
                "that allow it"
            ) from None
        except (OSError, ValueError) as error:
            raise GtpError(f"{protocol.CANNOT_LOAD_FILE}: {_reason(error)}") from None
        self.session.clock.reset()


def _reason(error: Exception) -> str:
    """Return why a file could not be used, without the long name that the client sent."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
