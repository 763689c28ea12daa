"""Events that the page gets, as JSON objects; win rates and leads are from Black's side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from goengine.analysis.position_analysis import MoveAnalysis, PositionAnalysis
from goengine.coords import move_to_gtp
from goengine.review.annotated_sgf import lead_in
from goengine.review.game_summary import GameSummary
from goengine.types import BLACK, GoError, colour_letter
from goengine.web.table.analysed_sgf import move_review
from goengine.web.table.game_tree import Node
from goengine.web.table.node_properties import marks_of, player_of, setup_of, text_of
from goengine.web.table.shared_table import Table

Event = dict[str, Any]
CANDIDATES = 5
"""Candidates that a node keeps for the page."""
LONGEST_PV = 10
"""Moves of a variation that a node keeps."""


class PageError(GoError):
    """A refusal; `key` names it for translations, `args` are the values in its sentence."""

    def __init__(self, key: str, text: str, **values: object) -> None:
        super().__init__(text)
        self.key = key
        self.values = values


def encoded(event: Mapping[str, Any]) -> str:
    """Return an event as the text of a frame."""
    return json.dumps(event, allow_nan=False, separators=(",", ":"))


def error_event(error: Exception, about: object, seq: object = None) -> Event:
    """Return what a refused request is answered with."""
    event: Event = {"event": "error", "key": "refused", "text": str(error)}
    if isinstance(error, PageError):
        event |= {"key": error.key, "args": error.values}
    if isinstance(about, str):
        event["about"] = about[:40]
    if isinstance(seq, int):
        event["seq"] = seq
    return event


def notice_event(key: str, text: str, /, **values: object) -> Event:
    """Return something that is shown to people when it happens."""
    return {"event": "notice", **notice(key, text, **values)}


def notice(key: str, text: str, /, **values: object) -> Event:
    """Return something to be shown to people."""
    return {"key": key, "text": text, "args": values}


def table_fields(
    table: Table, *, thinking: bool, analysing: Mapping[str, Any], board_ready: bool
) -> Event:
    """Return all of the table but its tree."""
    captures = table.board().captures if board_ready else (0, 0)
    return {
        "cursor": table.cursor.ident,
        "head": table.head.ident,
        "players": {
            colour_letter(colour): spec.described() for colour, spec in table.players.items()
        },
        "to_play": colour_letter(table.to_play),
        "rules": table.rules.name,
        "komi": table.komi,
        "size": table.size,
        "handicap": table.handicap,
        "name": table.name,
        "playing": table.playing,
        "thinking": thinking,
        "analysing": dict(analysing),
        "result": table.result,
        "reason": table.reason,
        "captures": {"B": captures[0], "W": captures[1]},
        "clock": table.clock_described(),
        "counting": None if table.counting is None else table.counting.described(),
        "counted": table.counted,
        "paused": table.paused,
        "notices": [notice(one.key, one.text, **one.values) for one in table.notices],
    }


def changed_fields(before: Event, now: Event) -> Event:
    """Return the fields that are not as they were; a clock that only runs on is."""

    def essence(fields: Event) -> Event:
        clock = fields.get("clock")
        return fields if clock is None else {**fields, "clock": {**clock, "now": None}}

    told, known = essence(now), essence(before)
    return {
        name: value for name, value in now.items() if name not in known or told[name] != known[name]
    }


def nodes_described(table: Table, names: Iterable[str] | None = None) -> dict[str, Event | None]:
    """Return nodes by their names, None for those that are gone; all where none are named."""
    nodes = table.tree.nodes
    wanted = nodes if names is None else names
    return {
        name: node_described(nodes[name], table.size) if name in nodes else None for name in wanted
    }


def node_described(node: Node, size: int) -> Event:
    """Return a node as the page reads it."""
    said: Event = {
        "parent": None if node.parent is None else node.parent.ident,
        "children": [child.ident for child in node.children],
    }
    if node.move is not None:
        colour, move = node.move
        said["move"] = [colour_letter(colour), move_to_gtp(move, size)]
    setup = setup_of(node.properties, size)
    if setup is not None:
        said["setup"] = {
            letter: [move_to_gtp(move, size) for move in moves]
            for letter, moves in (("B", setup.black), ("W", setup.white), ("E", setup.empty))
            if moves
        }
    player = player_of(node.properties)
    if player is not None:
        said["to_play"] = colour_letter(player)
    elif node.parent is None and setup is not None and setup.black and not setup.white:
        said["to_play"] = "W"
    for field, name in (("comment", "C"), ("name", "N")):
        text = text_of(node.properties, name)
        if text:
            said[field] = text
    marks = marks_of(node.properties, size)
    if marks:
        said["marks"] = marks
    if node.analysis is not None:
        said["values"] = _values(node, node.analysis)
    elif "SBKV" in node.properties:
        said |= _values_of_file(node)
    return said


def analysis_event(node: str, found: PositionAnalysis, *, done: bool) -> Event:
    """Return a live analysis of the position at a node."""
    event: Event = {
        "event": "analysis",
        "node": node,
        "visits": found.visits,
        "winrate": _short(found.black_winrate),
        "lead": _short(found.black_lead),
        "deviation": _short(found.deviation),
        "candidates": _candidates(found, len(found.moves), 15),
        "done": done,
    }
    if found.ownership is not None:
        event["ownership"] = found.ownership.ravel().astype(float).round(3).tolist()
    if found.policy is not None:
        event["policy"] = found.policy.astype(float).round(5).tolist()
    return event


def summary_described(summary: GameSummary, nodes: Mapping[int, Node]) -> Event:
    """Return what a review says of the players; `nodes` are those of the moves by number."""
    size = summary.analysis.record.size
    said: Event = {}
    for player in summary.players:
        said[colour_letter(player.colour)] = {
            "name": player.name or "",
            "moves": player.moves,
            "accuracy": _short(player.accuracy),
            "mean_lost": _short(player.points_lost),
            "agreement": _short(player.agreement),
            "marks": {mark.value: count for mark, count in player.marks.items()},
        }
    said["mistakes"] = [
        {
            "node": nodes[move.number].ident,
            "number": move.number,
            "colour": colour_letter(move.colour),
            "move": move_to_gtp(move.move, size),
            "best": None if move.best is None else move_to_gtp(move.best.move, size),
            "lost": _short(move.points_lost),
            "pv": [] if move.best is None else _pv(move.best, size, 15),
        }
        for move in summary.costliest
        if move.number in nodes
    ]
    return said


def _values(node: Node, found: PositionAnalysis) -> Event:
    """Return what is known of the position at a node."""
    said: Event = {
        "winrate": _short(found.black_winrate),
        "lead": _short(found.black_lead),
        "visits": found.visits,
        "candidates": _candidates(found, CANDIDATES, LONGEST_PV),
    }
    if found.moves:
        said["pv"] = _pv(found.moves[0], found.size, LONGEST_PV)
    review = move_review(node)
    if review is not None:
        said["lost"] = _short(review.points_lost)
        if review.best is not None:
            said["best"] = move_to_gtp(review.best.move, found.size)
    return said


def _values_of_file(node: Node) -> Event:
    """Return the `values` that a file tells of a node, nothing where it tells none that fit.

    Visits and candidates are not in a file; the lead is where `goengine` wrote it.
    """
    try:
        percent = float(text_of(node.properties, "SBKV") or "")
    except ValueError:
        return {}
    if not 0.0 <= percent <= 100.0:
        return {}
    lead = lead_in(text_of(node.properties, "C") or "")
    said: Event = {"winrate": _short(percent / 100), "visits": 0, "candidates": []}
    if lead is not None:
        said["lead"] = lead
    return {"values": said}


def _candidates(found: PositionAnalysis, most: int, pv_length: int) -> list[Event]:
    """Return the best moves of a position."""
    black = found.to_play == BLACK
    sign = 1.0 if black else -1.0
    return [
        {
            "move": move_to_gtp(move.move, found.size),
            "order": order,
            "visits": move.visits,
            "winrate": _short(move.winrate if black else 1.0 - move.winrate),
            "lead": _short(sign * move.lead),
            "lost": _short(max(0.0, found.moves[0].lead - move.lead)),
            "prior": _short(move.prior),
            "lcb": _short(np.clip(move.lcb if black else 1.0 - move.lcb, 0.0, 1.0)),
            "pv": _pv(move, found.size, pv_length),
        }
        for order, move in enumerate(found.moves[:most])
    ]


def _pv(move: MoveAnalysis, size: int, most: int) -> list[str]:
    """Return a variation."""
    return [move_to_gtp(step, size) for step in move.pv[:most]]


def _short(value: float) -> float:
    """Return a number without digits that mean nothing."""
    return round(float(value), 4) + 0.0
