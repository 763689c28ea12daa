"""Commands that show what the player thinks: the analyse streams and their genmove forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, parse_integer
from goengine.gtp.reports.analysis_lines import kata_line, lz_line
from goengine.gtp.reports.analysis_request import Request, parse_request
from goengine.gtp.reports.cgos_report import cgos_line
from goengine.gtp.reports.raw_network import one_view, raw_text
from goengine.types import GoError, parse_colour

if TYPE_CHECKING:
    from goengine.players.player import Choice, Question, Snapshot

    Report = Callable[[Request, Snapshot], str]

VIEWS = 8
"""Symmetries under which the network can be shown a position."""


class AnalysisCommands(CommandGroup):
    """Streams end at the next line of input; the genmove forms report while they think."""

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
        return self._report_and_move(self._own_request(arguments), self._lz_report)

    @command("kata-genmove_analyze")
    def kata_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report the candidates in KataGo's format, then play a move and answer it."""
        return self._report_and_move(self._own_request(arguments), self._kata_report)

    @command("kata-search_analyze")
    def kata_search_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Report as kata-genmove_analyze does and answer the move without playing it."""
        request = self._own_request(arguments)
        return self._report_and_move(request, self._kata_report, plays=False)

    @command("cgos-genmove_analyze")
    def cgos_genmove_analyze(self, arguments: Arguments) -> Iterator[str]:
        """Play a move and answer it behind one line of JSON, as the server CGOS keeps it."""
        request = self._own_request(arguments)
        return self._choose_and_report(request, self._cgos_report)

    @command("kata-raw-nn")
    def raw_network(self, arguments: Arguments) -> str:
        """Answer what the network says of the position under one symmetry, 0 to 7, or all."""
        words = list(arguments.words)
        board = self.session.game.board
        if words:
            try:
                board = self.session.game.turned_to(parse_colour(words[0])).board
                del words[0]
            except GoError:
                pass
        views = range(VIEWS) if words[:1] == ["all"] else [_symmetry(words)]
        evaluator = self.session.evaluator()
        return "\n".join(raw_text(one_view(evaluator, board, v), board, v) for v in views)

    def _request(self, arguments: Arguments) -> Request:
        """Return what the arguments ask for."""
        board = self.session.game.board
        return parse_request(arguments, size=board.size, to_play=board.to_play)

    def _own_request(self, arguments: Arguments) -> Request:
        """Return what the arguments of a command that moves ask for: the colour comes first."""
        arguments.colour(0)
        return self._request(arguments)

    def _lz_report(self, request: Request, snapshot: Snapshot) -> str:
        """Return a snapshot in Leela Zero's format."""
        return lz_line(request, snapshot, self.session.game.size)

    def _kata_report(self, request: Request, snapshot: Snapshot) -> str:
        """Return a snapshot in KataGo's format; an ownership that it lacks comes from playouts."""
        ownership = None
        if "ownership" in request.wanted:
            ownership = snapshot.ownership
            if ownership is None:
                ownership = self.session.status().ownership
        return kata_line(request, snapshot, self.session.game.size, ownership)

    def _cgos_report(self, request: Request, snapshot: Snapshot) -> str:
        """Return a snapshot as CGOS keeps it."""
        return cgos_line(request.colour, snapshot, self.session.game.size)

    def _stream(self, request: Request, report: Report) -> Iterator[str]:
        """Yield reports until the next line of input.

        The first is made at once and not in the loop, so that it can still fail with an answer.
        """
        session = self.session
        game = session.game.turned_to(request.colour)
        question = session.question(
            request.bans(game.size),
            moves_ownership="movesownership" in request.wanted,
            least_moves=request.least_moves,
        )
        snapshots = session.analyse(game, interval=request.interval, question=question)
        first = report(request, next(snapshots))

        def lines() -> Iterator[str]:
            yield first
            for snapshot in snapshots:
                yield report(request, snapshot)

        return (line for line in lines() if line)

    def _report_and_move(
        self, request: Request, report: Report, *, plays: bool = True
    ) -> Iterator[str]:
        """Yield what the player thinks while it thinks, and then its move.

        A player that does not read has one report, one that does not explain itself has none.
        """
        session, size = self.session, self.session.game.size
        if not (session.reads and session.player.settings.explains):
            return self._choose_and_report(request, report, plays=plays)
        colour, among = request.colour, request.moves(size)
        game = session.game.turned_to(colour)
        if plays:
            session.clock.start()
        snapshots = session.consider(
            game,
            session.budget(colour),
            interval=request.interval,
            question=self._question(request, among),
        )
        seen = next(snapshots)
        first = report(request, seen)

        def lines() -> Iterator[str]:
            yield first
            last = seen
            for snapshot in snapshots:
                last = snapshot
                yield report(request, snapshot)
            choice = session.choose(colour, session.as_seen(last), among=among)
            if plays:
                session.clock.stop(colour)
            yield self._said(request, choice, plays=plays)

        return (line for line in lines() if line)

    def _choose_and_report(
        self, request: Request, report: Report, *, plays: bool = True
    ) -> Iterator[str]:
        """Return one report and the move, one of those that the request leaves.

        A player that does not explain itself has no report.
        """
        session, colour = self.session, request.colour
        game = session.game.turned_to(colour)
        among = request.moves(game.size)
        with session.charged(colour) if plays else nullcontext():
            choice = session.choose(colour, session.budget(colour), among=among)
        if not session.player.settings.explains:
            return iter([self._said(request, choice, plays=plays)])
        seen = session.hindsight(game, self._question(request, among))
        lines = [report(request, seen), self._said(request, choice, plays=plays)]
        return (line for line in lines if line)

    def _question(self, request: Request, among: set[int] | None) -> Question:
        """Return what is asked of a position where one of some moves is to be played."""
        from goengine.players.player import Question, allowing

        size = self.session.game.size
        bans = () if among is None else (allowing(request.colour, among, 1, size=size),)
        return Question(
            bans,
            moves_ownership="movesownership" in request.wanted,
            least_moves=request.least_moves,
            chooses=True,
        )

    def _said(self, request: Request, choice: Choice, *, plays: bool) -> str:
        """Return the line that ends a report: the move, made if it is to be played."""
        session = self.session
        move = session.make(request.colour, choice.move) if plays else choice.move
        return f"play {move_to_gtp(move, session.game.size)}"


def _symmetry(words: list[str]) -> int:
    """Return the symmetry that the arguments name, the first where they name none."""
    if not words:
        return 0
    symmetry = parse_integer(words[0], "the symmetry")
    if not 0 <= symmetry < VIEWS:
        raise GtpError(f"symmetry cannot be {symmetry}: use 0 to {VIEWS - 1} or all")
    return symmetry
