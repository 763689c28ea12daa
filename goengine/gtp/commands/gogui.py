"""Commands for GoGui's analyse menu: the policy and the ownership drawn on its board."""

from __future__ import annotations

from goengine.coords import move_to_gtp
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments

MENU = (
    "gfx/Policy (shaded, per cent)/goengine-policy_gfx",
    "dboard/Policy (numbers)/goengine-policy",
    "dboard/Ownership by playouts/goengine-ownership",
    "param/Parameters of the player/goengine-param",
    "plist/Legal moves/goengine-legal %c",
    "hstring/Explain last move/gomill-explain_last_move",
    "string/Final score/final_score",
    "plist/Dead stones/final_status_list dead",
)
"""Lines `type/label/command` of GoGui's analyse commands."""
LABELLED = 0.01
"""Moves of at least this probability get their per cent written on the board."""


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
        return _rows(values, size)

    @command("goengine-policy_gfx")
    def policy_gfx(self, arguments: Arguments) -> str:
        """Answer the probabilities as shades (the best is full) and labels in per cent."""
        size = self.session.game.size
        priors = self._priors()
        most = max((prior for _, prior in priors), default=0.0)
        shades = [
            f"{move_to_gtp(move, size)} {prior / most:.3f}" for move, prior in priors if prior
        ]
        labels = [
            f"LABEL {move_to_gtp(move, size)} {100 * prior:.0f}"
            for move, prior in priors
            if prior >= LABELLED
        ]
        influence = [f"INFLUENCE {' '.join(shades)}"] if shades else []
        return "\n".join(["", *influence, *labels])

    @command("goengine-ownership")
    def ownership(self, arguments: Arguments) -> str:
        """Answer who owns every point, 1 for Black to -1 for White."""
        values = [f"{float(value):.2f}" for value in self.session.status().ownership.ravel()]
        return _rows(values, self.session.game.size)

    @command("goengine-legal")
    def legal(self, arguments: Arguments) -> str:
        """Answer the points where a colour, or the player to move, may play."""
        board = self.session.game.board
        colour = arguments.colour(0) if len(arguments) else board.to_play
        mask = board.legal(colour)[:-1].tolist()
        return " ".join(move_to_gtp(move, board.size) for move, legal in enumerate(mask) if legal)

    def _priors(self) -> list[tuple[int, float]]:
        """Return (move, probability) of the points that the network proposes."""
        game = self.session.game
        found = self.session.opinion(game).candidates
        return [(each.move, each.prior) for each in found if 0 <= each.move < game.size**2]


def _rows(values: list[str], size: int) -> str:
    """Return the values of all points as GoGui's boards: a line per row, the top first."""
    rows = (values[start : start + size] for start in range(0, size * size, size))
    return "\n" + "\n".join(" ".join(row) for row in rows)
