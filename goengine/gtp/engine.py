"""One GTP engine: lines in, responses out, no I/O.

Several engines live side by side in one process; nothing is shared between them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from goengine.gtp import protocol
from goengine.gtp.command_group import Handler, collect
from goengine.gtp.commands.admin import AdminCommands
from goengine.gtp.commands.analysis import AnalysisCommands
from goengine.gtp.commands.gogui import GoguiCommands
from goengine.gtp.commands.parameter import ParameterCommands
from goengine.gtp.commands.play import PlayCommands
from goengine.gtp.commands.rules import RulesCommands
from goengine.gtp.commands.score import ScoreCommands
from goengine.gtp.commands.setup import SetupCommands
from goengine.gtp.commands.time import TimeCommands
from goengine.gtp.protocol import GtpError
from goengine.gtp.session import Session, SessionSettings
from goengine.types import BLACK, WHITE, GoError, opponent

if TYPE_CHECKING:
    from goengine.clock import Clock
    from goengine.players.player import Player

log = logging.getLogger(__name__)

GROUPS = (
    AdminCommands,
    SetupCommands,
    PlayCommands,
    TimeCommands,
    RulesCommands,
    ScoreCommands,
    AnalysisCommands,
    ParameterCommands,
    GoguiCommands,
)


class Engine:
    """Answers GTP lines with the moves of a player.

    `player_factory` makes the player when it is first needed, or in `session.load`.
    """

    def __init__(
        self,
        player_factory: Callable[[], Player],
        settings: SessionSettings | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.session = Session(player_factory, settings or SessionSettings(), clock=clock)
        self._handlers: dict[str, Handler] = collect([group(self.session) for group in GROUPS])
        self.session.command_names = list(self._handlers)

    @property
    def closing(self) -> bool:
        """Whether `quit` was answered."""
        return self.session.closing

    def handle_line(self, line: str) -> Iterator[str]:
        """Yield the pieces of the response to a line, each to be sent at once.

        Blank lines yield nothing. Joined, the pieces of one command are one GTP response; only an
        analysis has more than one piece. No input whatever raises.
        """
        command = protocol.parse_line(line)
        if command is None:
            return
        try:
            handler = self._handlers.get(command.name)
            if handler is None:
                raise GtpError(protocol.UNKNOWN_COMMAND)
            result = handler(command.arguments)
        except GtpError as error:
            yield protocol.format_failure(command.id, str(error))
        except Exception:  # the one place that may: an engine must survive its own faults
            log.exception("internal error in %r", command.name)
            yield protocol.format_failure(command.id, protocol.INTERNAL_ERROR)
        else:
            if isinstance(result, str):
                yield protocol.format_success(command.id, result)
            else:
                yield from _stream(command.id, result)

    def idle(self, stop: Callable[[], bool]) -> None:
        """Do what there is to do between two lines, until `stop` says that the next one is there.

        Nothing whatever raises.
        """
        try:
            _follow(self.session)
        except (GoError, OSError) as error:
            log.error("%s; the rank does not follow this sitting any more", error)
            self.session.follower = None
        except Exception:  # nothing that is kept about games may end one
            log.exception("internal error: the rank does not follow this sitting any more")
            self.session.follower = None
        if self.closing or stop():
            return
        try:
            self.session.ponder(stop)
        except Exception:  # the next line must find an engine
            log.exception("internal error while pondering, which ends here")
            self.session.pondering = False

    def answer(self, line: str) -> str:
        """Return the whole response to a line, `""` for a blank one."""
        return "".join(self.handle_line(line))


def _follow(session: Session) -> None:
    """Let the rank of the person's partner follow the game, as it is between two commands.

    A game that the person gave up is not known to be over: GTP does not tell an engine that.
    """
    follower = session.follower
    if follower is None or not session.own_moves:
        return
    game, own = session.game, _own_colour(session)
    if not game.moves:
        follower.see(game, None, over=False, person=0)
        session.own_moves.clear()
        follower.kept.refresh()  # a person may have set it since
        session.rank_is(follower.kept.rank)
    elif own:
        over = session.resigned or game.board.passes >= 2
        winner = opponent(own) if session.resigned else _winner(session) if over else None
        said = follower.see(game, winner, over=over, person=opponent(own))
        if said:
            log.warning("%s", said)


def _own_colour(session: Session) -> int:
    """Return the colour that the player alone has in this game, 0 where it has none or both."""
    played = session.game.moves
    made = session.own_moves.items()
    own = {move[0] for turn, move in made if turn < len(played) and played[turn] == move}
    return own.pop() if len(own) == 1 else 0


def _winner(session: Session) -> int | None:
    """Return who won the game that two passes ended, None for nobody."""
    board = session.game.board
    judged, ended = session.status(), session.verdict()
    from goengine.scoring.counting import score  # what cannot be loaded was told above

    lead = score(board, judged.dead, status=judged) if ended is None else ended.lead
    return None if lead == 0 else BLACK if lead > 0 else WHITE


def _stream(identifier: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield an analysis: the opening, a piece per report, and the blank line that closes it."""
    yield f"={identifier}\n"
    try:
        for line in lines:
            yield protocol.clean_result(line) + "\n"
    except Exception:  # the response is open: all that can be done is to close it
        log.exception("internal error in an analysis")
    yield "\n"
