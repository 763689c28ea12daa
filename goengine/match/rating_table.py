"""What the matches of a ladder say: ratings with intervals, better levels, a printed table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from goengine.match.ladder import Meeting
from goengine.players.ranked.rank_table import RankTable
from goengine.players.ranked.ranks import RANKS, rank_name, rank_number
from goengine.players.ranked.styles import MOST_LEVEL
from goengine.statistics import Z95, fit_ratings, format_elo, format_share
from goengine.types import GoError

ELO_A_RANK = {9: 56.0, 13: 60.0, 19: 64.3}
"""What one rank is meant to be worth in even games, by the lines of the board: on 19x19 KaTrain's
measure of its calibrated bot, and less on boards where a game has fewer decisions."""
ANCHOR = "8k"
"""The rank from which ratings are counted, and which GNU Go 3.8 at level 10 is thought to have."""


def entry(table: RankTable, size: int, meetings: Sequence[Meeting], command: str) -> dict[str, Any]:
    """Return what the table of ranks says of a size of board after these matches."""
    played = [meeting for meeting in meetings if meeting.games]
    return {
        "levels": table.sizes[size]["levels"],
        "command": command,
        "matches": [
            {
                "a": meeting.pairing.a,
                "b": meeting.pairing.b,
                "handicap": meeting.pairing.handicap,
                "games": meeting.games,
                "won": meeting.points,
            }
            for meeting in played
        ],
        "ratings": ratings(played),
    }


def ratings(meetings: Sequence[Meeting]) -> dict[str, list[float]]:
    """Return Elo above the anchor and the half width of its 95 % interval, by rank.

    Even games between ranks count. The rank nearest to 8k is the anchor where 8k did not play.
    """
    even = [
        (one.pairing.a, one.pairing.b, one.points, one.games)
        for one in meetings
        if not one.pairing.handicap and one.pairing.b in RANKS and one.games
    ]
    names = sorted({name for a, b, _, _ in even for name in (a, b)}, key=rank_number)
    if not names:
        return {}
    anchor = _anchor(names)
    try:
        found = fit_ratings(even, anchor=anchor)
    except ValueError as error:
        raise GoError(f"the ladder has a gap: {error}") from None
    return {name: [round(found[name][0], 1), round(Z95 * found[name][1], 1)] for name in names}


def with_entry(table: RankTable, size: int, found: dict[str, Any]) -> RankTable:
    """Return the table with another entry for a size."""
    return replace(table, sizes={**table.sizes, size: found})


def adjusted(table: RankTable, size: int) -> RankTable:
    """Return the table with levels at which ranks would be ELO_A_RANK apart.

    The ratings that were measured are joined by lines; beyond their ends the last ones go on. The
    anchor keeps its level. What was measured by the old levels is left out.

    Raises:
        GoError: fewer than two ranks of that size have ratings, or they do not rise.
    """
    old = table.sizes[size]
    names = sorted(old["ratings"], key=rank_number)
    measured = np.array([old["ratings"][name][0] for name in names])
    if len(names) < 2 or (np.diff(measured) <= 0).any():
        raise GoError(
            f"the ratings on {size}x{size} do not rise from rank to rank: play more games first"
        )
    levels = np.array([table.level(name, size) for name in names])
    base = _anchor(names)
    new = {}
    for name in sorted({*old["levels"], *names}, key=rank_number):
        wanted = measured[names.index(base)]
        wanted += ELO_A_RANK[size] * (rank_number(name) - rank_number(base))
        new[name] = round(float(np.clip(_line(wanted, measured, levels), 0, MOST_LEVEL)), 2)
    return with_entry(table, size, {"levels": new, "command": "", "matches": [], "ratings": {}})


def printed(table: RankTable, size: int) -> str:
    """Return what the table says of a size, for people.

    Raises:
        GoError: the table does not have that size.
    """
    if size not in table.sizes:
        known = ", ".join(map(str, sorted(table.sizes)))
        raise GoError(f"the table of ranks has boards of {known} lines, not {size}: name one")
    found = table.sizes[size]
    above = _anchor(list(found["ratings"])) if found["ratings"] else ANCHOR
    lines = [f"{size}x{size}, {table.network}", f"rank  level   Elo above {above}"]
    for number in range(rank_number(RANKS[0]), rank_number(RANKS[-1]) + 1):
        name = rank_name(number)
        rating = found["ratings"].get(name)
        known = "" if rating is None else f"{rating[0]:+6.0f} ± {rating[1]:.0f}"
        lines.append(f"{name:>4}  {table.level(name, size):5.2f}   {known}".rstrip())
    for match in found["matches"]:
        won, games = match["games"] - match["won"], match["games"]
        stones = f", {match['handicap']} stones" if match["handicap"] else ""
        lines.append(
            f"{match['b']} against {match['a']}{stones}: won {won:g} of {games}, "
            f"{format_share(won, games)}, Elo {format_elo(won, games)}"
        )
    return "\n".join(lines)


def _anchor(names: Sequence[str]) -> str:
    """Return the rank that ratings are counted from: the one nearest to ANCHOR."""
    return min(names, key=lambda name: abs(rank_number(name) - rank_number(ANCHOR)))


def _line(wanted: float, measured: np.ndarray, levels: np.ndarray) -> float:
    """Return the level for a rating, on the lines through the measured ones and beyond."""
    place = int(np.clip(np.searchsorted(measured, wanted), 1, len(measured) - 1))
    low, high = measured[place - 1], measured[place]
    share = (wanted - low) / (high - low)
    return float(levels[place - 1] + share * (levels[place] - levels[place - 1]))
