"""Lines that the analysis engine writes: answers, errors, warnings and echoes as JSON objects.

Field names, types and ranges are those of KataGo's analysis engine (its docs/Analysis_Engine.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from goengine._version import __version__
from goengine.analysis.human_policy import human_policy
from goengine.analysis.position_analysis import Grid, MoveAnalysis, PositionAnalysis
from goengine.analysis.requests.json_fields import QueryError
from goengine.analysis.requests.queries import Action, PositionQuery, Warning
from goengine.board import Board
from goengine.coords import move_to_gtp
from goengine.types import BLACK, WHITE, colour_letter

Reply = Mapping[str, Any]
"""One line; arrays in it are written as lists."""
Numbers = npt.NDArray[np.float64]
DIGITS = 6
"""Decimals of numbers, and of the numbers of large arrays two fewer."""
NOT_KNOWN = -1.0
"""What stands where a network does not estimate something, as KataGo's older networks have it."""


def encode(reply: Reply) -> bytes:
    """Return a line, its end included."""
    text = json.dumps(reply, default=_listed, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def error_reply(error: QueryError) -> Reply:
    """Return what a query that cannot be carried out is answered with."""
    reply = {"error": str(error)}
    if error.field is not None:
        reply["field"] = error.field
    if error.name is not None:
        reply["id"] = error.name
    return reply


def warning_reply(warning: Warning) -> Reply:
    """Return what is said of a part of a query that does not count."""
    return {"warning": warning.text, "field": warning.field, "id": warning.name}


def action_reply(action: Action, *, network: str) -> Reply:
    """Return the echo of an action, with what it asked for."""
    reply = dict(action.echo)
    if action.name == "query_version":
        reply |= {"version": __version__, "git_hash": "<omitted>", "engine": "goengine"}
    elif action.name == "query_models":
        reply["models"] = [
            {
                "name": network,
                "internalName": network,
                "maxBatchSize": 64,
                "usesHumanSLProfile": False,
                "version": 1,
                "usingFP16": "false",
            }
        ]
    return reply


def nothing_reply(query: PositionQuery, turn: int) -> Reply:
    """Return the final answer for a position whose analysis ended before it began."""
    return {"id": query.name, "turnNumber": turn, "isDuringSearch": False, "noResults": True}


def analysis_reply(
    query: PositionQuery, found: PositionAnalysis, board: Board, *, during: bool
) -> Reply:
    """Return an answer, `during` the search or final, from the side that the query asks for."""
    side = {"BLACK": BLACK, "WHITE": WHITE}.get(query.settings.side, found.to_play)
    mine = side == found.to_play
    human = _human_policy(query, found, board)
    reply: dict[str, Any] = {
        "id": query.name,
        "turnNumber": found.turn,
        "isDuringSearch": during,
        "moveInfos": [
            _move_info(query, found, move, order, side, mine, human)
            for order, move in enumerate(found.moves)
        ],
        "rootInfo": _root_info(query, found, board, mine),
    }
    if query.wanted.ownership:
        reply["ownership"] = _owned(found.ownership, side)
    if query.wanted.ownership_deviation:
        reply["ownershipStdev"] = _rounded(found.ownership_deviation)
    if query.wanted.policy:
        reply["policy"] = _policy(found.policy)
        if human is not None:
            reply["humanPolicy"] = _policy(human)
    return reply


def _human_policy(query: PositionQuery, found: PositionAnalysis, board: Board) -> Grid | None:
    """Return the policy of the profile that a query names; None without one, or without a policy.

    The network's own is only kept where the query wants it.
    """
    profile = query.settings.human_profile
    if profile is None or found.policy is None:
        return None
    return human_policy(profile, found.policy, board)


def position_hashes(board: Board) -> tuple[str, str]:
    """Return 32 hexadecimal digits for the position, and the same for all its mirror images.

    Stones, player to move and ko count.
    """
    marks = board.grid.astype(np.uint8)
    if board.ko is not None:
        marks[divmod(board.ko, board.size)] = 3
    prefix = bytes((board.size, board.to_play))
    views = [np.rot90(view, turns) for view in (marks, marks.T) for turns in range(4)]
    digests = [hashlib.sha256(prefix + view.tobytes()).hexdigest()[:32].upper() for view in views]
    return digests[0], min(digests)


def _move_info(
    query: PositionQuery,
    found: PositionAnalysis,
    move: MoveAnalysis,
    order: int,
    side: int,
    mine: bool,
    human: Grid | None,
) -> Reply:
    """Return what is said of one move."""
    sign = 1.0 if mine else -1.0
    lead = _short(sign * move.lead)
    info: dict[str, Any] = {
        "move": move_to_gtp(move.move, found.size),
        "visits": move.visits,
        "edgeVisits": move.visits,
        "winrate": _short(_for(move.winrate, mine)),
        "scoreMean": lead,
        "scoreStdev": _short(move.deviation),
        "scoreLead": lead,
        "scoreSelfplay": lead,
        "prior": _short(move.prior),
        "utility": _short(sign * move.utility),
        "lcb": _short(_for(move.lcb, mine)),
        "utilityLcb": _short(sign * move.utility_lcb),
        "weight": float(move.visits),
        "edgeWeight": float(move.visits),
        "playSelectionValue": float(_selection(found, order)),
        "order": order,
        "pv": [move_to_gtp(step, found.size) for step in move.pv],
    }
    if query.settings.human_profile is not None:
        info["humanPrior"] = info["prior"] if human is None else _short(float(human[move.move]))
    if query.wanted.no_result:
        info["noResultValue"] = 0.0
    if query.wanted.pv_visits:
        info["pvVisits"] = list(move.pv_visits)
        info["pvEdgeVisits"] = list(move.pv_visits)
    if query.wanted.moves_ownership:
        info["ownership"] = _owned(move.ownership, side)
    if query.wanted.moves_ownership_deviation:
        info["ownershipStdev"] = _rounded(move.ownership_deviation)
    return info


def _root_info(query: PositionQuery, found: PositionAnalysis, board: Board, mine: bool) -> Reply:
    """Return what is said of the position itself."""
    sign = 1.0 if mine else -1.0
    lead, raw_lead = _short(sign * found.lead), _short(sign * found.raw_lead)
    this, symmetric = position_hashes(board)
    info: dict[str, Any] = {
        "currentPlayer": colour_letter(found.to_play),
        "visits": found.visits,
        "weight": float(found.visits),
        "winrate": _short(_for(found.winrate, mine)),
        "scoreLead": lead,
        "scoreSelfplay": lead,
        "scoreStdev": _short(found.deviation),
        "utility": _short(sign * found.utility),
        "thisHash": this,
        "symHash": symmetric,
        "rawWinrate": _short(_for(found.raw_winrate, mine)),
        "rawLead": raw_lead,
        "rawScoreSelfplay": raw_lead,
        "rawScoreSelfplayStdev": _short(found.raw_deviation),
        "rawNoResultProb": 0.0,
        "rawStWrError": NOT_KNOWN,
        "rawStScoreError": NOT_KNOWN,
        "rawVarTimeLeft": NOT_KNOWN,
    }
    if query.wanted.no_result:
        info["noResultValue"] = 0.0
    return info


def _selection(found: PositionAnalysis, order: int) -> int:
    """Return how much speaks for a move: its visits, for the best one at least the most of all."""
    if order:
        return found.moves[order].visits
    return max(move.visits for move in found.moves)


def _for(winrate: float, mine: bool) -> float:
    """Return a win rate as the side that is asked for sees it."""
    return winrate if mine else 1.0 - winrate


def _short(value: float) -> float:
    """Return a number without digits that mean nothing."""
    return round(value, DIGITS) + 0.0


def _owned(ownership: Grid | None, side: int) -> Numbers | None:
    """Return Black's ownership as the side that is asked for sees it, (N*N,)."""
    if ownership is None:
        return None
    return _rounded(ownership if side == BLACK else -ownership)


def _rounded(grid: Grid | None) -> Numbers | None:
    """Return the numbers of a board in a row, (N*N,)."""
    if grid is None:
        return None
    numbers: Numbers = grid.ravel().astype(np.float64)
    return numbers.round(DIGITS - 2) + 0.0  # so that -0.0 becomes 0.0


def _policy(policy: Grid | None) -> Numbers | None:
    """Return probabilities (N*N + 1,) with digits enough to add up to 1."""
    if policy is None:
        return None
    numbers: Numbers = policy.astype(np.float64)
    return numbers.round(DIGITS + 2)


def _listed(value: object) -> object:
    """Return an array as a list.

    Raises:
        TypeError: it is something else that JSON does not have.
    """
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a JSON value")
