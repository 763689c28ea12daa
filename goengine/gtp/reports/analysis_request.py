"""What the arguments of an analysis command ask for.

`[colour] [interval] [key value ...]`, colour and interval in either order. Sources: Leela Zero's
`lz-analyze`, KataGo's docs/GTP_Extensions.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goengine.gtp.protocol import (
    Arguments,
    parse_flag,
    parse_integer,
    parse_vertex,
    shorten,
    syntax_error,
)
from goengine.types import GoError, parse_colour

if TYPE_CHECKING:
    from goengine.players.player import Ban, Candidate, Snapshot

MOST_MOVES = 20
"""Moves of a report unless `minmoves` or `maxmoves` ask otherwise."""
LEAST_PRIOR = 0.001
"""Moves that nobody searched and that are below this probability are left out unless `minmoves`
asks for them."""
USUAL, FASTEST, SLOWEST = 1.0, 0.1, 86_400.0
"""Seconds between reports: where the client names none, at the least and at the most."""

FLAGS = (
    "rootinfo",
    "ownership",
    "ownershipstdev",
    "movesownership",
    "movesownershipstdev",
    "pvvisits",
    "pvedgevisits",
    "noresultvalue",
)
"""Options with `true` or `false`; those that nothing here knows are accepted and change nothing."""

Restriction = dict[tuple[int, int], set[int]]
"""(colour, moves from the root up to which it holds) -> moves."""


@dataclass
class Request:
    """What the arguments of an analysis command ask for."""

    colour: int
    interval: float = USUAL
    least_moves: int = 0
    most_moves: int | None = None
    avoid: Restriction = field(default_factory=dict)
    allow: Restriction = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    """Those of `FLAGS` that are true."""

    def permits(self, move: int) -> bool:
        """Tell whether `avoid` and `allow` leave a move of the analysed colour, a pass too."""
        avoided = any(move in moves for moves in self._own(self.avoid))
        return not avoided and all(move in moves for moves in self._own(self.allow))

    def moves(self, size: int) -> set[int] | None:
        """Return the moves that are left to choose from, None where nothing restricts them."""
        if not self._own(self.avoid) and not self._own(self.allow):
            return None
        return {move for move in range(size * size + 1) if self.permits(move)}

    def bans(self, size: int) -> tuple[Ban, ...]:
        """Return what the search must not look at, for both colours and below the root too."""
        from goengine.players.player import Ban, allowing

        avoided = [Ban(c, frozenset(moves), until) for (c, until), moves in self.avoid.items()]
        allowed = [allowing(c, m, until, size=size) for (c, until), m in self.allow.items()]
        return (*avoided, *allowed)

    def select(self, snapshot: Snapshot, size: int) -> list[Candidate]:
        """Return the candidates that a report shows: points only, restricted as asked."""
        shown = [
            candidate
            for candidate in snapshot.candidates
            if 0 <= candidate.move < size * size and self.permits(candidate.move)
        ]
        worth = len(shown)
        if snapshot.root_visits is None:
            worth = sum(candidate.prior >= LEAST_PRIOR for candidate in shown)
        most = MOST_MOVES if self.most_moves is None else self.most_moves
        return shown[: max(1, min(most, worth), self.least_moves)]

    def _own(self, restriction: Restriction) -> list[set[int]]:
        """Return what a restriction says of the analysed colour's move at the root."""
        return [moves for (colour, _), moves in restriction.items() if colour == self.colour]


def parse_request(arguments: Arguments, *, size: int, to_play: int) -> Request:
    """Return what `[colour] [interval] [key value ...]` asks for.

    Raises:
        GtpError: a word means nothing there.
    """
    words = list(arguments.words)
    request = Request(to_play)
    _parse_opening(request, words)
    while words:
        _parse_option(request, words, size)
    return request


def _parse_opening(request: Request, words: list[str]) -> None:
    """Take the colour and the interval, each at most once, off the front of the words."""
    left = {"colour", "interval"}
    while words and left:
        if "interval" in left and words[0].isascii() and words[0].isdigit():
            request.interval = _interval(words.pop(0))
            left.remove("interval")
            continue
        try:
            colour = parse_colour(words[0])
        except GoError:
            return
        if "colour" not in left:
            return
        request.colour = colour
        left.remove("colour")
        del words[0]


def _interval(word: str) -> float:
    """Return the seconds between reports that a number of centiseconds asks for."""
    return min(SLOWEST, max(FASTEST, parse_integer(word, "the interval") / 100))


def _parse_option(request: Request, words: list[str], size: int) -> None:
    """Take one option off the front of the words."""
    key = words.pop(0).lower()
    count = 3 if key in ("avoid", "allow") else 1
    if len(words) < count:
        raise syntax_error(f"{shorten(key)} is not an option of an analysis or lacks its value")
    values = words[:count]
    del words[:count]
    if key == "interval":
        request.interval = _interval(values[0])
    elif key == "minmoves":
        request.least_moves = max(0, parse_integer(values[0], "minmoves"))
    elif key == "maxmoves":
        request.most_moves = max(1, parse_integer(values[0], "maxmoves"))
    elif key in ("avoid", "allow"):
        _restrict(request.avoid if key == "avoid" else request.allow, values, size)
    elif key in FLAGS:
        wanted = parse_flag(values[0], key)
        request.wanted = request.wanted | {key} if wanted else request.wanted - {key}
    else:
        raise syntax_error(f"{shorten(key)} is not an option of an analysis")


def _restrict(restriction: Restriction, values: Sequence[str], size: int) -> None:
    """Note the moves that `avoid` or `allow` names; a depth below 1 restricts nothing."""
    try:
        colour = parse_colour(values[0])
    except GoError as error:
        raise syntax_error(str(error)) from None
    moves = {parse_vertex(word, size) for word in values[1].split(",")}
    until = parse_integer(values[2], "the depth")
    if until >= 1:
        restriction.setdefault((colour, until), set()).update(moves)
