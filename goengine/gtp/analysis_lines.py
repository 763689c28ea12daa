"""Analysis reports: what a client asked for, and the lines that answer it.

Two dialects of one idea. Leela Zero's (`lz-analyze`, `analyze`) has whole numbers from 0 to
10000, KataGo's (`kata-analyze`) floats from 0 to 1. A client decides by the command's name, so
neither may be used in the other. `pv` ends every segment and is never empty, and passes are left
out: Sabaki drops a segment otherwise. A policy network does not read: its fields say what it knows,
and an ownership is there only where it was asked for, from playouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp.protocol import (
    Arguments,
    parse_flag,
    parse_integer,
    parse_vertex,
    shorten,
    syntax_error,
)
from goengine.types import BLACK, GoError, parse_colour

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from goengine.players.player import Candidate

    Floats = npt.NDArray[np.float32]

MOST_MOVES = 20
"""Moves of a report unless `minmoves` or `maxmoves` ask otherwise."""
LEAST_PRIOR = 0.001
"""Moves below this probability are left out unless `minmoves` asks for them."""
USUAL, FASTEST, SLOWEST = 1.0, 0.1, 86_400.0
"""Seconds between reports: where the client names none, at the least and at the most."""

_FLAGS = (
    "rootinfo",
    "ownership",
    "ownershipstdev",
    "movesownership",
    "movesownershipstdev",
    "pvvisits",
    "pvedgevisits",
    "noresultvalue",
)


@dataclass
class Request:
    """What the arguments of an analysis command ask for."""

    colour: int
    interval: float = USUAL
    least_moves: int = 0
    most_moves: int | None = None
    avoid: set[int] = field(default_factory=set)
    allow: set[int] = field(default_factory=set)
    ownership: bool = False
    root_info: bool = False

    def permits(self, move: int) -> bool:
        """Tell whether `avoid` and `allow` leave a move, a pass too."""
        return move not in self.avoid and (not self.allow or move in self.allow)

    def moves(self, size: int) -> set[int] | None:
        """Return the moves that are left to choose from, None where nothing restricts them."""
        if not self.avoid and not self.allow:
            return None
        return {move for move in range(size * size + 1) if self.permits(move)}


def parse_request(arguments: Arguments, *, size: int, to_play: int) -> Request:
    """Return what `[colour] [interval] [key value ...]` asks for.

    Raises:
        GtpError: a word means nothing there.
    """
    words = list(arguments.words)
    request = Request(to_play)
    if words:
        try:
            request.colour = parse_colour(words[0])
            del words[0]
        except GoError:
            pass
    if words and words[0].isascii() and words[0].isdigit():
        words.insert(0, "interval")
    while words:
        _parse_option(request, words, size)
    return request


def _parse_option(request: Request, words: list[str], size: int) -> None:
    """Take one option off the front of the words."""
    key = words.pop(0).lower()
    count = 3 if key in ("avoid", "allow") else 1
    if len(words) < count:
        raise syntax_error(f"{shorten(key)} is no option of an analysis or lacks its value")
    values = words[:count]
    del words[:count]
    if key == "interval":
        seconds = parse_integer(values[0], "the interval") / 100
        request.interval = min(SLOWEST, max(FASTEST, seconds))
    elif key == "minmoves":
        request.least_moves = max(0, parse_integer(values[0], "minmoves"))
    elif key == "maxmoves":
        request.most_moves = max(1, parse_integer(values[0], "maxmoves"))
    elif key in ("avoid", "allow"):
        _parse_restriction(request, key, values, size)
    elif key in _FLAGS:
        wanted = parse_flag(values[0], key)
        request.ownership |= wanted and key == "ownership"
        request.root_info |= wanted and key == "rootinfo"
    else:
        raise syntax_error(f"{shorten(key)} is no option of an analysis")


def _parse_restriction(request: Request, key: str, values: list[str], size: int) -> None:
    """Note the moves that `avoid` or `allow` names, where they are for the analysed colour."""
    try:
        colour = parse_colour(values[0])
    except GoError as error:
        raise syntax_error(str(error)) from None
    moves = {parse_vertex(word, size) for word in values[1].split(",")}
    if parse_integer(values[2], "the depth") >= 1 and colour == request.colour:
        (request.avoid if key == "avoid" else request.allow).update(moves)


def select(request: Request, found: Sequence[Candidate], size: int) -> list[Candidate]:
    """Return the candidates that a report shows: points only, restricted as asked."""
    shown = [
        candidate
        for candidate in found
        if 0 <= candidate.move < size * size and request.permits(candidate.move)
    ]
    likely = sum(candidate.prior >= LEAST_PRIOR for candidate in shown)
    most = MOST_MOVES if request.most_moves is None else request.most_moves
    return shown[: max(1, min(most, likely), request.least_moves)]


def lz_line(shown: Sequence[Candidate], size: int) -> str:
    """Return a report in Leela Zero's whole numbers."""
    return " ".join(
        f"info move {move_to_gtp(candidate.move, size)} visits {candidate.visits} "
        f"winrate {_parts(_winrate(candidate))} prior {_parts(candidate.prior)} "
        f"lcb {_parts(_winrate(candidate))} order {order} pv {_variation(candidate, size)}"
        for order, candidate in enumerate(shown)
    )


def kata_line(
    request: Request, shown: Sequence[Candidate], size: int, ownership: Floats | None = None
) -> str:
    """Return a report in KataGo's floats, with root and ownership where they were asked for."""
    pieces = [
        f"info move {move_to_gtp(candidate.move, size)} visits {candidate.visits} "
        f"winrate {_winrate(candidate):.6f} prior {candidate.prior:.6f} "
        f"lcb {_winrate(candidate):.6f} order {order} pv {_variation(candidate, size)}"
        for order, candidate in enumerate(shown)
    ]
    if request.root_info and shown:
        visits = sum(candidate.visits for candidate in shown)
        pieces.append(f"rootInfo visits {visits} winrate {_winrate(shown[0]):.6f}")
    if ownership is not None:
        values = (f"{_for(request.colour, float(v)):.4f}" for v in ownership.ravel())
        pieces.append("ownership " + " ".join(values))
    return " ".join(pieces)


def _variation(candidate: Candidate, size: int) -> str:
    """Return the moves of a variation up to its first pass, never none."""
    moves = [candidate.move]
    for move in candidate.pv[1:]:
        if not 0 <= move < size * size:
            break
        moves.append(move)
    return " ".join(move_to_gtp(move, size) for move in moves)


def _winrate(candidate: Candidate) -> float:
    """Return a candidate's win rate; a half where nobody knows it, as clients want a number."""
    return 0.5 if candidate.winrate is None else candidate.winrate


def _parts(share: float) -> int:
    """Return a share as parts of 10000."""
    return round(max(0.0, min(1.0, share)) * 10000)


def _for(colour: int, value: float) -> float:
    """Return a value that favours Black as seen by a colour."""
    return value if colour == BLACK else -value
