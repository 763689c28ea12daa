"""Which games go into an archive: size, player, rank, year, length, result and komi."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TypeVar

from goengine.games.record import GameRecord
from goengine.types import BLACK, MAX_SIZE, WHITE, GoError
from selfplay.archive.format import parse_date

MIN_MOVES = 20
TOO_SHORT = "dropped: fewer moves than --min-moves"
T = TypeVar("T", int, float)

RESULTS = ("points", "resign", "time", "forfeit", "draw", "void", "unknown")

_RANK = re.compile(r"[p业]?(\d{1,2})\s*(k|kyu|级|級|d|dan|段|p|pro)?", re.IGNORECASE)
_KYU, _DAN, _PRO = 0, 30, 40
_TITLES = ("honinbo", "meijin", "judan", "oza", "kisei", "gosei", "tengen", "title", "guksu")


def rank_value(text: str | None) -> int | None:
    """Return a rank as a number: 30k is 1, 1k 30, 1d 31, 9d 39, 1p 41, 9p and titles 49.

    None is unknown: no rank, ``ama``, or text that is none. Question marks and stars are ignored.
    """
    word = (text or "").strip().lower()
    if any(word.startswith(title) for title in _TITLES):
        return _PRO + 9
    match = _RANK.match(word)
    if match is None:
        return None
    number = int(match.group(1))
    unit = (match.group(2) or "")[:1]
    professional = word.startswith("p") or unit == "p"
    if professional or unit in ("d", "段"):
        base = _PRO if professional else _DAN
        return base + min(number, 9) if number >= 1 else None
    if unit and 1 <= number <= 30:
        return _DAN + 1 - number
    return None


@dataclass(frozen=True)
class Filters:
    """Bounds that a game must keep; None asks nothing. An unknown value never meets a bound."""

    sizes: tuple[int, ...] | None = (MAX_SIZE,)
    min_rank: str | None = None
    years: tuple[int, int] | None = None
    min_moves: int = MIN_MOVES
    max_moves: int | None = None
    results: tuple[str, ...] | None = None
    komi: tuple[float, ...] | None = None
    player: str | None = None

    def refuse_header(self, game: GameRecord) -> str | None:
        """Return why the description of a game keeps it out, None if it does not."""
        if self.sizes is not None and game.size not in self.sizes:
            return "filter: size"
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

        Names are compared without regard to case and to blanks around them.
        """
        if self.player is None:
            return BLACK | WHITE
        wanted = self.player.strip().casefold()
        sides = ((BLACK, game.black), (WHITE, game.white))
        return sum(bit for bit, name in sides if (name or "").strip().casefold() == wanted)

    def refuse_length(self, game: GameRecord) -> str | None:
        """Return why the number of moves keeps a game out, None if it does not."""
        if len(game.moves) < self.min_moves:
            return TOO_SHORT
        if self.max_moves is not None and len(game.moves) > self.max_moves:
            return "filter: too many moves"
        return None

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """Add one option a filter."""
        group = parser.add_argument_group("filters")
        group.add_argument(
            "--size", default=str(MAX_SIZE), help="board sizes: 19, or 9,13,19, or any (default 19)"
        )
        group.add_argument(
            "--player", metavar="NAME", help="only games of this player, to learn only his moves"
        )
        group.add_argument("--min-rank", metavar="RANK", help="both players at least: 5k, 6d, 1p")
        group.add_argument(
            "--years", metavar="A-B", help="only these years: 2005-2016, 2015- or 2019"
        )
        group.add_argument(
            "--min-moves",
            type=int,
            default=MIN_MOVES,
            metavar="N",
            help=f"drop games with fewer moves (default {MIN_MOVES})",
        )
        group.add_argument("--max-moves", type=int, metavar="N", help="drop games with more moves")
        group.add_argument("--result", metavar="KINDS", help=f"some of {','.join(RESULTS)}")
        group.add_argument("--komi", metavar="VALUES", help="only these komi, such as 6.5,7.5")

    @classmethod
    def from_arguments(cls, args: argparse.Namespace) -> Filters:
        """Read the options.

        Raises:
            GoError: a value that means nothing.
        """
        if args.min_rank is not None and rank_value(args.min_rank) is None:
            raise GoError(f"--min-rank {args.min_rank} is no rank: write 5k, 6d or 1p")
        results = tuple(args.result.split(",")) if args.result else None
        for kind in results or ():
            if kind not in RESULTS:
                raise GoError(f"--result {kind} is unknown: use {', '.join(RESULTS)}")
        return cls(
            sizes=None if args.size == "any" else tuple(_numbers(int, "--size", args.size)),
            player=args.player,
            min_rank=args.min_rank,
            years=_years(args.years),
            min_moves=args.min_moves,
            max_moves=args.max_moves,
            results=results,
            komi=None if args.komi is None else tuple(_numbers(float, "--komi", args.komi)),
        )


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


def _numbers(kind: type[T], option: str, text: str) -> list[T]:
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise GoError(f"{option} {text} is no list of numbers such as 9,19") from None


def _years(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})(-(\d{4})?)?", text)
    if match is None:
        raise GoError(f"--years {text} is no range: write 2005-2016, 2015- or 2019")
    first = int(match.group(1))
    if match.group(2) is None:
        return first, first
    return first, int(match.group(3)) if match.group(3) else 9999
