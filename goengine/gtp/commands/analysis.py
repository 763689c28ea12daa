"""Commands that show what the network thinks: the analyse streams and their genmove forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp import analysis_lines
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments

if TYPE_CHECKING:
    from goengine.players.player import Candidate


class AnalysisCommands(CommandGroup):
    """Streams end at the next line of input; the genmove forms report once and play."""

    @command("lz-analyze", "analyze")
    def lz_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in Leela Zero's format until the next line of input."""
        request = self._request(arguments)
        return self._repeat(self._lz_report(request), request.interval)

    @command("kata-analyze")
    def kata_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in KataGo's format until the next line of input."""
        request = self._request(arguments)
        return self._repeat(self._kata_report(request), request.interval)

    @command("lz-genmove_analyze", "genmove_analyze")
    def lz_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in Leela Zero's format, then play a move and answer it."""
        arguments.colour(0)
        request = self._request(arguments)
        return self._report_and_play(request, self._lz_report(request))

    @command("kata-genmove_analyze")
    def kata_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in KataGo's format, then play a move and answer it."""
        arguments.colour(0)
        request = self._request(arguments)
        return self._report_and_play(request, self._kata_report(request))

    def _request(self, arguments: Arguments) -> analysis_lines.Request:
        """Return what the arguments ask for."""
        board = self.session.game.board
        return analysis_lines.parse_request(arguments, size=board.size, to_play=board.to_play)

    def _lz_report(self, request: analysis_lines.Request) -> str:
        """Return the present report in Leela Zero's format."""
        return analysis_lines.lz_line(self._shown(request), self.session.game.size)

    def _kata_report(self, request: analysis_lines.Request) -> str:
        """Return the present report in KataGo's format."""
        status = self.session.status() if request.ownership else None
        return analysis_lines.kata_line(
            request, self._shown(request), self.session.game.size, status
        )

    def _shown(self, request: analysis_lines.Request) -> list[Candidate]:
        """Return the candidates that the request wants to see."""
        game = self.session.game
        found = analysis_lines.candidates(
            self.session.player, game.position(request.colour), limit=game.size**2
        )
        return analysis_lines.select(request, found, game.size)

    def _repeat(self, report: str, interval: float) -> Iterator[str]:
        """Yield the report now and after each interval: a network without search has one opinion.

        Made at once and not in the loop, it can still fail with an answer.
        """

        def lines() -> Iterator[str]:
            yield report
            while not self.session.pause(interval):
                yield report

        return (line for line in lines() if line)

    def _report_and_play(self, request: analysis_lines.Request, report: str) -> Iterator[str]:
        """Yield the report and the move played, one of those that the request leaves."""
        size = self.session.game.size
        move = self.session.generate(request.colour, among=request.moves(size))
        lines = [report, f"play {move_to_gtp(move, size)}"]
        return (line for line in lines if line)
