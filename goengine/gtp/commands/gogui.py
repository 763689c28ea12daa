"""Commands for GoGui's analyse menu: what the player thinks, drawn on its board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError
from goengine.gtp.reports.raw_network import rows
from goengine.types import colour_letter, opponent

if TYPE_CHECKING:
    from goengine.players.player import Candidate

MENU = (
    "gfx/Policy (shaded, per cent)/goengine-policy_gfx",
    "dboard/Policy (numbers)/goengine-policy",
    "gfx/Visits (shaded)/goengine-visits_gfx",
    "pspairs/Visits (numbers)/goengine-visits",
    "gfx/Win rate (shaded, per cent)/goengine-value_gfx",
    "pspairs/Win rate (per cent)/goengine-value",
    "dboard/Ownership/goengine-ownership",
    "var/Best variation/goengine-pv",
    "param/Parameters of the player/goengine-param",
    "plist/Legal moves/goengine-legal %c",
    "hstring/Explain last move/gomill-explain_last_move",
    "string/Final score/final_score",
    "plist/Dead stones/final_status_list dead",
)
"""Lines `type/label/command` of GoGui's analyse commands."""
LABELLED = 0.01
"""Moves of at least this probability, or share of the visits, get a label on the board."""


class GoguiCommands(CommandGroup):
    """Pictures of the present position."""

    @command("gogui-analyze_commands")
    def analyze_commands(self, arguments: Arguments) -> str:
        """Answer the analyse commands that GoGui offers in its menu."""
        return "\n".join(MENU)

    @command("goengine-policy")
    def policy(self, arguments: Arguments) -> str:
        """Answer the probability of every point, row by row from the top."""
        size = self.session.game.size
        values = ["0"] * (size * size)
        for move, prior in self._priors():
            values[move] = f"{prior:.4f}"
        return _board(values, size)

    @command("goengine-policy_gfx")
    def policy_gfx(self, arguments: Arguments) -> str:
        """Answer the probabilities as shades (the best is full) and labels in per cent."""
        priors = self._priors()
        most = max((prior for _, prior in priors), default=0.0)
        shades = [(move, prior / most) for move, prior in priors if prior]
        labels = [(m, f"{100 * prior:.0f}") for m, prior in priors if prior >= LABELLED]
        return self._drawing(shades, labels)

    @command("goengine-visits")
    def visits(self, arguments: Arguments) -> str:
        """Answer how often the search looked at each move, as pairs of point and number."""
        return self._pairs([(one.move, str(one.visits)) for one in self._points()])

    @command("goengine-visits_gfx")
    def visits_gfx(self, arguments: Arguments) -> str:
        """Answer the visits as shades (the most are full) and labels."""
        found = self._points()
        most = max((one.visits for one in found), default=1)
        shades = [(one.move, one.visits / most) for one in found]
        labels = [(one.move, str(one.visits)) for one in found if one.visits >= LABELLED * most]
        return self._drawing(shades, labels)

    @command("goengine-value")
    def value(self, arguments: Arguments) -> str:
        """Answer the win rate of each move looked at, in per cent, for the player to move."""
        return self._pairs(self._winrates())

    @command("goengine-value_gfx")
    def value_gfx(self, arguments: Arguments) -> str:
        """Answer the win rates as shades, 1 for a sure win to -1 for a sure loss, and labels."""
        found = [(one.move, one.winrate) for one in self._points() if one.winrate is not None]
        return self._drawing([(move, 2 * rate - 1) for move, rate in found], self._winrates())

    @command("goengine-pv")
    def variation(self, arguments: Arguments) -> str:
        """Answer the best variation as pairs of colour and point."""
        game = self.session.game
        candidates = self.session.opinion(game).candidates
        moves = candidates[0].pv if candidates else ()
        colour, words = game.board.to_play, []
        for move in moves:
            words += [colour_letter(colour), move_to_gtp(move, game.size)]
            colour = opponent(colour)
        return " ".join(words)

    @command("goengine-ownership")
    def ownership(self, arguments: Arguments) -> str:
        """Answer who owns every point, 1 for Black to -1 for White."""
        session = self.session
        owned = session.opinion(session.game).ownership if session.reads else None
        if owned is None:
            owned = session.status().ownership
        return _board(
            [f"{round(value, 2) + 0.0:.2f}" for value in owned.ravel().tolist()], session.game.size
        )

    @command("goengine-legal")
    def legal(self, arguments: Arguments) -> str:
        """Answer the points where a colour, or the player to move, may play."""
        board = self.session.game.board
        colour = arguments.colour(0) if len(arguments) else board.to_play
        mask = board.legal(colour)[:-1].tolist()
        return " ".join(move_to_gtp(move, board.size) for move, legal in enumerate(mask) if legal)

    def _points(self) -> list[Candidate]:
        """Return what the player thinks of moves that are points, the best first."""
        game = self.session.game
        found = self.session.opinion(game).candidates
        return [one for one in found if 0 <= one.move < game.size**2]

    def _winrates(self) -> list[tuple[int, str]]:
        """Return (move, win rate in per cent) where it is known.

        Raises:
            GtpError: this player does not judge positions.
        """
        found = self._points()
        if found and all(one.winrate is None for one in found):
            raise GtpError(
                "without a search nobody judges moves: start with a network that judges positions, "
                "and without --visits 0"
            )
        return [(m.move, f"{100 * m.winrate:.0f}") for m in found if m.winrate is not None]

    def _priors(self) -> list[tuple[int, float]]:
        """Return (move, probability) of the points that the network proposes, the best first."""
        if not self.session.reads:
            return [(one.move, one.prior) for one in self._points()]
        board = self.session.game.board
        seen = self.session.evaluator().evaluate([board], symmetry="all")
        priors = seen.priors[0, :-1].tolist()
        order = sorted(range(len(priors)), key=lambda move: -priors[move])
        return [(move, priors[move]) for move in order if priors[move] > 0]

    def _pairs(self, found: Sequence[tuple[int, str]]) -> str:
        """Return points and texts as GoGui's pairs."""
        size = self.session.game.size
        return " ".join(f"{move_to_gtp(move, size)} {text}" for move, text in found)

    def _drawing(
        self, shades: Sequence[tuple[int, float]], labels: Sequence[tuple[int, str]]
    ) -> str:
        """Return shades from -1 to 1 and labels as GoGui's drawing."""
        size = self.session.game.size
        words = [f"{move_to_gtp(move, size)} {shade:.3f}" for move, shade in shades]
        influence = [f"INFLUENCE {' '.join(words)}"] if words else []
        lines = [f"LABEL {move_to_gtp(move, size)} {text}" for move, text in labels]
        return "\n".join(["", *influence, *lines])


def _board(values: list[str], size: int) -> str:
    """Return the values of all points as GoGui's boards: a line per row, the top first."""
    return "\n" + "\n".join(rows(values, size))
