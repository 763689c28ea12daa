"""Which games go into an archive: size, player, rank, year, length, result and komi."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from goengine.games.record import GameRecord
from goengine.games.sgf_numbers import parse_date, usual_digits
from goengine.types import BLACK, MAX_SIZE, WHITE

MIN_MOVES = 20
TOO_SHORT = "dropped: fewer moves than --min-moves"
SIZE = "filter: size"

RESULTS = ("points", "resign", "time", "forfeit", "draw", "void", "unknown")

_RANK = re.compile(
    r"(?:p|业余|業餘|业|아마)?\s*(\d{1,2})\s*-?\s*(k|kyu|级|級|급|d|dan|段|단|p|pro)?",
    re.IGNORECASE,
)
_FIRST = re.compile("[初초](?=[段단])")
_KYU, _DAN, _PRO = 0, 30, 40
_TITLES = ("honinbo", "meijin", "judan", "oza", "kisei", "gosei", "tengen", "title", "guksu")


def rank_value(text: str | None) -> int | None:
    """Return a rank as a number: 30k is 1, 1k 30, 1d 31, 9d 39, 1p 41, 9p and titles 49.

    None is unknown: an empty text, `ama`, or text that is not a rank. Question marks and stars are
    ignored.
    """
    word = _FIRST.sub("1", usual_digits(text or "").strip().lower())
    if any(word.startswith(title) for title in _TITLES):
        return _PRO + 9
    match = _RANK.match(word)
    if match is None:
        return None
    number = int(match.group(1))
    unit = (match.group(2) or "")[:1]
    professional = word.startswith("p") or unit == "p"
    if professional or unit in ("d", "段", "단"):
        base = _PRO if professional else _DAN
        return base + min(number, 9) if number >= 1 else None
    if unit and 1 <= number <= 30:
        return _DAN + 1 - number
    return None


@dataclass(frozen=True)
class Filters:
    """Bounds that a game must keep; None sets no bound. An unknown value never meets a bound."""

    sizes: tuple[int, ...] | None = (MAX_SIZE,)
    """Board sizes."""
    min_rank: str | None = None
    """The least rank of both players, such as "5k", "6d" or "1p"."""
    years: tuple[int, int] | None = None
    """First and last year of the date."""
    min_moves: int = MIN_MOVES
    """Fewest moves, passes included."""
    max_moves: int | None = None
    """Most moves, passes included."""
    results: tuple[str, ...] | None = None
    """Some of RESULTS."""
    komi: tuple[float, ...] | None = None
    """Komi."""
    player: str | None = None
    """Name of one of the players, whose moves alone are to be learnt."""

    def refuse_header(self, game: GameRecord) -> str | None:
        """Return why the description of a game keeps it out, None if it does not."""
        if self.sizes is not None and game.size not in self.sizes:
            return SIZE
        if self.player is not None and not self.colours(game):
            return "filter: player"
        if self.min_rank is not None:
            least = rank_value(self.min_rank) or 0
            ranks = (rank_value(game.black_rank), rank_value(game.white_rank))
            if any(rank is None or rank < least for rank in ranks):
                return "filter: rank"
        if self.years is not None:
            year = parse_date(game.date) // 10000
            if not year or not self.years[0] <= year <= self.years[1]:
                return "filter: year"
        if self.results is not None and result_kind(game.result) not in self.results:
            return "filter: result"
        if self.komi is not None and game.komi not in self.komi:
            return "filter: komi"
        return None

    def colours(self, game: GameRecord) -> int:
        """Return the bits of the colours whose moves are to be learnt: both, or the player's.

        Names are compared without regard to case, to blanks around them and to the form in which
        Unicode writes their letters: some systems take 이 or é apart.
        """
        if self.player is None:
            return BLACK | WHITE
        wanted = _comparable(self.player)
        sides = ((BLACK, game.black), (WHITE, game.white))
        return sum(bit for bit, name in sides if _comparable(name or "") == wanted)

    def refuse_length(self, game: GameRecord) -> str | None:
        """Return why the number of moves keeps a game out, None if it does not."""
        if len(game.moves) < self.min_moves:
            return TOO_SHORT
        if self.max_moves is not None and len(game.moves) > self.max_moves:
            return "filter: too many moves"
        return None


def _comparable(name: str) -> str:
    """Return a name in the one form in which names are compared."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def result_kind(result: str | None) -> str:
    """Return which of RESULTS a result is."""
    text = result or ""
    if text == "0":
        return "draw"
    if text == "Void":
        return "void"
    if text[:2] not in ("B+", "W+"):
        return "unknown"
    reason = {"R": "resign", "T": "time", "F": "forfeit", "": "unknown"}
    return reason.get(text[2:], "points" if text[2:3].isdigit() else "unknown")
