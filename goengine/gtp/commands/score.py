"""Commands about the end of the game: the score, and which stones are alive.

Random playouts judge. After two passes a network that judges positions is asked too, and dead is
what both together hold for dead.
"""

from __future__ import annotations

from goengine.coords import move_to_gtp
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, shorten, syntax_error

_CONDITIONS = ("alive", "seki", "dead")


class ScoreCommands(CommandGroup):
    """Judgements that hold for finished games."""

    @command("final_score")
    def final_score(self, arguments: Arguments) -> str:
        """Answer the score under the rules and the komi, dead stones taken off if they say so."""
        board = self.session.game.board
        status = self.session.status()
        from goengine.scoring.counting import format_score  # what cannot be loaded was told above
        from goengine.scoring.status import judged_score

        ended = self.session.verdict()
        return format_score(judged_score(board, status) if ended is None else ended.lead)

    @command("final_status_list")
    def final_status_list(self, arguments: Arguments) -> str:
        """Answer the stones of one condition, one chain per line."""
        condition = arguments.word(0, "the condition").lower()
        if condition not in _CONDITIONS:
            raise syntax_error(
                f"{shorten(condition)} is not a condition: use {', '.join(_CONDITIONS)}"
            )
        board = self.session.game.board
        status = self.session.status()
        from goengine.scoring.status import taken_off  # what cannot be loaded was told above

        ended = self.session.verdict()
        dead = taken_off(board, status) if ended is None else ended.dead
        seki = status.seki if ended is None else ended.seki
        lines = []
        done: set[int] = set()
        for move, colour in enumerate(board.grid.ravel().tolist()):
            if not colour or move in done:
                continue
            chain = board.chain(move)
            done.update(chain)
            found = "dead" if move in dead else "seki" if move in seki else "alive"
            if found == condition:
                lines.append(" ".join(move_to_gtp(stone, board.size) for stone in chain))
        return "\n".join(lines)
