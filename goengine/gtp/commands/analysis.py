"""Commands that show what the network thinks: the analyse streams and their genmove forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp.analysis_lines import Request, kata_line, lz_line, parse_request, select
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments

if TYPE_CHECKING:
    from goengine.players.player import Snapshot

    Report = Callable[[Request, Snapshot], str]


class AnalysisCommands(CommandGroup):
    """Streams end at the next line of input; the genmove forms report once and play."""

    @command("lz-analyze", "analyze")
    def lz_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in Leela Zero's format until the next line of input."""
        return self._stream(self._request(arguments), self._lz_report)

    @command("kata-analyze")
    def kata_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in KataGo's format until the next line of input."""
        return self._stream(self._request(arguments), self._kata_report)

    @command("lz-genmove_analyze", "genmove_analyze")
    def lz_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in Leela Zero's format, then play a move and answer it."""
        arguments.colour(0)
        return self._report_and_play(self._request(arguments), self._lz_report)

    @command("kata-genmove_analyze")
    def kata_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in KataGo's format, then play a move and answer it."""
        arguments.colour(0)
        return self._report_and_play(self._request(arguments), self._kata_report)

    def _request(self, arguments: Arguments) -> Request:
        """Return what the arguments ask for."""
        board = self.session.game.board
        return parse_request(arguments, size=board.size, to_play=board.to_play)

    def _lz_report(self, request: Request, snapshot: Snapshot) -> str:
        """Return a snapshot in Leela Zero's format."""
        size = self.session.game.size
        return lz_line(select(request, snapshot.candidates, size), size)

    def _kata_report(self, request: Request, snapshot: Snapshot) -> str:
        """Return a snapshot in KataGo's format; an ownership that it lacks comes from playouts."""
        ownership = snapshot.ownership
        if request.ownership and ownership is None:
            ownership = self.session.status().ownership
        size = self.session.game.size
        shown = select(request, snapshot.candidates, size)
        return kata_line(request, shown, size, ownership if request.ownership else None)

    def _stream(self, request: Request, report: Report) -> Iterator[str]:
        """Yield reports until the next line of input.

        The first is made at once and not in the loop, so that it can still fail with an answer.
        """
        game = self.session.game.turned_to(request.colour)
        snapshots = self.session.analyse(game, interval=request.interval)
        first = report(request, next(snapshots))

        def lines() -> Iterator[str]:
            yield first
            for snapshot in snapshots:
                yield report(request, snapshot)

        return (line for line in lines() if line)

    def _report_and_play(self, request: Request, report: Report) -> Iterator[str]:
        """Yield the report and the move played, one of those that the request leaves."""
        game = self.session.game
        line = report(request, self.session.opinion(game.turned_to(request.colour)))
        move = self.session.generate(request.colour, among=request.moves(game.size))
        lines = [line, f"play {move_to_gtp(move, game.size)}"]
        return (line for line in lines if line)
