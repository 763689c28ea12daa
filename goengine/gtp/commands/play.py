"""Commands that make moves and look at them: play, genmove, undo, showboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp import protocol
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError
from goengine.rules import format_points
from goengine.types import GoError, IllegalMoveError, colour_letter, colour_name

if TYPE_CHECKING:
    from goengine.board import Board
    from goengine.players.player import Candidate


class PlayCommands(CommandGroup):
    """The game itself."""

    @command("play")
    def play(self, arguments: Arguments) -> str:
        """Play a move of either colour; the same colour may play twice."""
        game = self.session.game
        colour = arguments.colour(0)
        move = arguments.vertex(1, game.size)
        try:
            game.play(move, colour)
        except IllegalMoveError:
            raise GtpError(protocol.ILLEGAL_MOVE) from None
        return ""

    @command("genmove")
    def genmove(self, arguments: Arguments) -> str:
        """Choose a move, play it and answer it."""
        move = self.session.generate(arguments.colour(0))
        return move_to_gtp(move, self.session.game.size)

    @command("reg_genmove", "kata-search")
    def reg_genmove(self, arguments: Arguments) -> str:
        """Answer the best move without chance and without playing it."""
        move = self.session.best(arguments.colour(0))
        return move_to_gtp(move, self.session.game.size)

    @command("kgs-genmove_cleanup")
    def genmove_cleanup(self, arguments: Arguments) -> str:
        """As genmove, but capture the opponent's dead stones before passing."""
        move = self.session.generate(arguments.colour(0), cleanup=True)
        return move_to_gtp(move, self.session.game.size)

    @command("undo")
    def undo(self, arguments: Arguments) -> str:
        """Take back the last move, or as many as the argument says; never a handicap.

        `undo 0` takes one move back, as in GNU Go: qGo sends it for that.
        """
        return self._take_back(self._count(arguments) or 1)

    @command("gg-undo")
    def gg_undo(self, arguments: Arguments) -> str:
        """Take back as many moves as GoGui says."""
        return self._take_back(self._count(arguments))

    def _count(self, arguments: Arguments) -> int:
        """Return the number of moves to take back, 1 unless told otherwise."""
        return arguments.integer(0, "the number of moves") if len(arguments) else 1

    def _take_back(self, count: int) -> str:
        """Take moves back."""
        game = self.session.game
        if not 1 <= count <= len(game.moves):
            raise GtpError(protocol.CANNOT_UNDO)
        game.undo(count)
        return ""

    @command("showboard")
    def showboard(self, arguments: Arguments) -> str:
        """Answer a diagram for people."""
        board = self.session.game.board
        return f"\n{board}\n{_caption(board)}"

    @command("last_move")
    def last_move(self, arguments: Arguments) -> str:
        """Answer the colour and vertex of the last move."""
        game = self.session.game
        if not game.moves:
            raise GtpError("no previous move known")
        colour, move = game.moves[-1]
        return f"{colour_name(colour)} {move_to_gtp(move, game.size)}"

    @command("move_history")
    def move_history(self, arguments: Arguments) -> str:
        """Answer all moves, the last one first."""
        game = self.session.game
        return "\n".join(
            f"{colour_name(colour)} {move_to_gtp(move, game.size)}"
            for colour, move in reversed(game.moves)
        )

    @command("goengine-weak_moves")
    def weak_moves(self, arguments: Arguments) -> str:
        """Answer where an opponent by rank was weak on purpose in this game."""
        player = self.session.player
        from goengine.players.ranked.ranked_player import RankedPlayer  # heavy, but loaded by now
        from goengine.players.ranked.weak_moves import described

        if not isinstance(player, RankedPlayer):
            raise GtpError("this player is never weak on purpose: start the engine with --rank")
        game = self.session.game
        return described(player.weak_moves.of(game), game.size) or "none by a point or more"

    @command("gomill-explain_last_move")
    def explain_last_move(self, arguments: Arguments) -> str:
        """Answer what the player thinks of the last move."""
        game = self.session.game
        from goengine.games.game import Game  # what cannot be loaded was told above

        try:
            before = Game.at(game.before_last())
        except GoError as error:
            raise GtpError(str(error)) from None
        colour, move = game.moves[-1]
        vertex = move_to_gtp(move, game.size)
        ranked = self.session.opinion(before).candidates
        best = ", ".join(
            f"{move_to_gtp(candidate.move, game.size)} {_judgement(candidate)}"
            for candidate in ranked[:5]
        )
        for rank, candidate in enumerate(ranked, start=1):
            if candidate.move == move:
                known = "probability " if candidate.winrate is None else ""
                share = f"{known}{_judgement(candidate)}, number {rank} of {len(ranked)}"
                break
        else:
            share = "not a move that the network proposes"
            if self.session.reads:
                share = "not a move that the search looked at"
        return f"{colour_letter(colour)} {vertex}: {share}; first choices: {best or 'none'}"


def _judgement(candidate: Candidate) -> str:
    """Return what is known of a move: win rate and points, or how likely it is."""
    if candidate.winrate is None or candidate.lead is None:
        return f"{candidate.prior:.1%}"
    return f"wins {candidate.winrate:.0%} ({candidate.lead:+.1f} points)"


def _caption(board: Board) -> str:
    """Return what a diagram does not show."""
    black, white = board.captures
    return (
        f"{colour_name(board.to_play).capitalize()} to play, move {board.turn + 1}. "
        f"Captured by Black: {black}, by White: {white}. "
        f"Komi {format_points(board.komi)}, {board.rules.name} rules."
    )
