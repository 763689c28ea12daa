"""Analysis reports as lines: what clients of `lz-analyze` and of `kata-analyze` read.

Two dialects of one idea. Leela Zero's (`lz-analyze`, `analyze`) has whole numbers from 0 to
10000, KataGo's (`kata-analyze`) floats from 0 to 1. A client decides by the command's name, so
neither may be used in the other; points are floats in both. `pv` ends every segment, unless more
was asked for, and is never empty, and passes are left out: Sabaki drops a segment otherwise.
LizzieYzy reads `scoreMean`, Sabaki `scoreLead`, q5Go wants `scoreStdev` beside it: all are there as
soon as somebody knows the score. All values are those of the player asked for. A bare network does
not judge: its fields say what it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goengine.coords import move_to_gtp
from goengine.gtp.reports.analysis_request import Request
from goengine.types import BLACK

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from goengine.players.player import Candidate, Snapshot

    Floats = npt.NDArray[np.float32]


def lz_line(request: Request, snapshot: Snapshot, size: int) -> str:
    """Return a report in Leela Zero's whole numbers."""
    return " ".join(
        f"info move {move_to_gtp(one.move, size)} visits {one.visits} "
        f"winrate {_parts(_winrate(one, snapshot))} {_points(*_score(one, snapshot))}"
        f"prior {_parts(one.prior)} lcb {_parts(_bound(one, snapshot))} order {order} "
        f"pv {' '.join(_variation(one, size))}"
        for order, one in enumerate(request.select(snapshot, size))
    )


def kata_line(
    request: Request, snapshot: Snapshot, size: int, ownership: Floats | None = None
) -> str:
    """Return a report in KataGo's floats, with root and ownership where they were asked for."""
    shown = request.select(snapshot, size)
    pieces = [_kata_segment(request, one, snapshot, order, size) for order, one in enumerate(shown)]
    if "rootinfo" in request.wanted and shown:
        pieces.append(_root(shown, snapshot))
    if ownership is not None:
        pieces.append(f"ownership {_owners(request.colour, ownership)}")
    return " ".join(pieces)


def winrate_of(snapshot: Snapshot, shown: Sequence[Candidate]) -> float:
    """Return the win rate of a position, that of its best move where nothing else is known."""
    if snapshot.winrate is not None:
        return snapshot.winrate
    return _winrate(shown[0], snapshot) if shown else 0.5


def visits_of(snapshot: Snapshot, shown: Sequence[Candidate]) -> int:
    """Return the visits of a position, those of the moves shown where nobody searched."""
    if snapshot.root_visits is not None:
        return snapshot.root_visits
    return sum(candidate.visits for candidate in shown)


def for_colour(colour: int, value: float) -> float:
    """Return a value that favours Black as seen by a colour."""
    return value if colour == BLACK else -value


def _kata_segment(
    request: Request, one: Candidate, snapshot: Snapshot, order: int, size: int
) -> str:
    """Return what KataGo's dialect says of one move."""
    variation = _variation(one, size)
    utility = "" if one.utility is None else f"utility {one.utility:.6f} "
    pieces = [
        f"info move {move_to_gtp(one.move, size)} visits {one.visits} {utility}"
        f"winrate {_winrate(one, snapshot):.6f} {_points(*_score(one, snapshot))}"
        f"prior {one.prior:.6f} lcb {_bound(one, snapshot):.6f} order {order} "
        f"pv {' '.join(variation)}"
    ]
    if "pvvisits" in request.wanted and one.pv_visits:
        visits = one.pv_visits[: len(variation)]
        pieces.append(f"pvVisits {' '.join(map(str, visits))}")
    if "movesownership" in request.wanted and one.ownership is not None:
        pieces.append(f"movesOwnership {_owners(request.colour, one.ownership)}")
    return " ".join(pieces)


def _root(shown: Sequence[Candidate], snapshot: Snapshot) -> str:
    """Return what KataGo's dialect says of the position itself."""
    utility = "" if snapshot.utility is None else f"utility {snapshot.utility:.6f} "
    text = (
        f"rootInfo visits {visits_of(snapshot, shown)} {utility}"
        f"winrate {winrate_of(snapshot, shown):.6f} {_points(snapshot.lead, snapshot.deviation)}"
    )
    if snapshot.raw_winrate is not None and snapshot.raw_lead is not None:
        text += f"rawWinrate {snapshot.raw_winrate:.6f} rawLead {snapshot.raw_lead:.3f}"
    return text.rstrip()


def _points(lead: float | None, deviation: float | None) -> str:
    """Return the score fields with a blank behind, `""` where nobody knows the score."""
    if lead is None:
        return ""
    spread = 0.0 if deviation is None else deviation
    return f"scoreMean {lead:.3f} scoreStdev {spread:.3f} scoreLead {lead:.3f} "


def _score(one: Candidate, snapshot: Snapshot) -> tuple[float | None, float | None]:
    """Return lead and deviation after a move, each that of the position where it is unknown."""
    lead = snapshot.lead if one.lead is None else one.lead
    return lead, snapshot.deviation if one.deviation is None else one.deviation


def _owners(colour: int, ownership: Floats) -> str:
    """Return N*N numbers, row by row from the top, for a colour."""
    sign = for_colour(colour, 1.0)
    return " ".join(f"{round(sign * value, 4) + 0.0:.4f}" for value in ownership.ravel().tolist())


def _variation(candidate: Candidate, size: int) -> list[str]:
    """Return the moves of a variation up to its first pass, never none."""
    moves = [candidate.move]
    for move in candidate.pv[1:]:
        if not 0 <= move < size * size:
            break
        moves.append(move)
    return [move_to_gtp(move, size) for move in moves]


def _winrate(candidate: Candidate, snapshot: Snapshot) -> float:
    """Return a candidate's win rate, that of the position where it is unknown.

    A half where nobody knows either, as clients want a number.
    """
    if candidate.winrate is not None:
        return candidate.winrate
    return 0.5 if snapshot.winrate is None else snapshot.winrate


def _bound(candidate: Candidate, snapshot: Snapshot) -> float:
    """Return the lower bound of a candidate's win rate."""
    return _winrate(candidate, snapshot) if candidate.lcb is None else candidate.lcb


def _parts(share: float) -> int:
    """Return a share as parts of 10000."""
    return round(max(0.0, min(1.0, share)) * 10000)
