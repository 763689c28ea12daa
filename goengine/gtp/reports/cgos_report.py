"""The report that CGOS keeps with a move: one JSON object on one line.

Source: the wiki of zakki/cgos, "GTP tournament game expansion". Values are those of the player who
moves; an ownership is one character a point.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from goengine.coords import move_to_gtp
from goengine.gtp.reports.analysis_lines import for_colour, visits_of, winrate_of
from goengine.gtp.reports.analysis_request import MOST_MOVES

if TYPE_CHECKING:
    from goengine.players.player import Candidate, Snapshot

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
"""An ownership of -1 is the first of them, 1 the last but one."""
_STEPS = 62


def cgos_line(colour: int, snapshot: Snapshot, size: int) -> str:
    """Return what a player of `colour` thinks of its position."""
    shown = snapshot.candidates[:MOST_MOVES]
    report: dict[str, Any] = {"winrate": round(winrate_of(snapshot, shown), 6)}
    if snapshot.lead is not None:
        report["score"] = round(snapshot.lead, 3)
    report["visits"] = visits_of(snapshot, shown)
    report["moves"] = [_move(candidate, size) for candidate in shown]
    if snapshot.ownership is not None:
        values = snapshot.ownership.ravel().tolist()
        report["ownership"] = "".join(_letter(for_colour(colour, value)) for value in values)
    return json.dumps(report, separators=(",", ":"))


def _move(candidate: Candidate, size: int) -> dict[str, Any]:
    """Return one candidate; its `pv` is what follows the move."""
    found: dict[str, Any] = {
        "move": move_to_gtp(candidate.move, size),
        "visits": candidate.visits,
        "prior": round(candidate.prior, 6),
        "pv": " ".join(move_to_gtp(move, size) for move in candidate.pv[1:]),
    }
    if candidate.winrate is not None:
        found["winrate"] = round(candidate.winrate, 6)
    if candidate.lead is not None:
        found["score"] = round(candidate.lead, 3)
    return found


def _letter(value: float) -> str:
    """Return the character of an ownership from -1 to 1."""
    return LETTERS[round(max(0.0, min(1.0, (value + 1) / 2)) * _STEPS)]
