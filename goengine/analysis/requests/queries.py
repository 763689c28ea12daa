"""One line of the protocol, checked: a query about positions, or an action on others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from goengine.analysis.requests.asked_rules import asked_komi, asked_rules
from goengine.analysis.requests.json_fields import (
    Query,
    QueryError,
    entries,
    flag,
    number,
    pairs,
    player,
    points,
    shorten,
    whole,
    wholes,
    wrong,
)
from goengine.analysis.requests.query_settings import MOST_VISITS, AnalysisSettings, with_settings
from goengine.players.player import Ban, allowing
from goengine.rules import Rules
from goengine.types import MAX_SIZE, MIN_SIZE, GoError

ActionName = Literal["query_version", "query_models", "clear_cache", "terminate", "terminate_all"]
FIELDS = frozenset(
    {
        "id",
        "moves",
        "initialStones",
        "initialPlayer",
        "rules",
        "komi",
        "whiteHandicapBonus",
        "boardXSize",
        "boardYSize",
        "analyzeTurns",
        "maxVisits",
        "rootPolicyTemperature",
        "rootFpuReductionMax",
        "analysisPVLen",
        "includeOwnership",
        "includeOwnershipStdev",
        "includeMovesOwnership",
        "includeMovesOwnershipStdev",
        "includePolicy",
        "includePVVisits",
        "includeNoResultValue",
        "avoidMoves",
        "allowMoves",
        "overrideSettings",
        "reportDuringSearchEvery",
        "firstReportDuringSearchAfter",
        "priority",
        "priorities",
    }
)
"""The fields of a query that are known."""
MOST_PRIORITY = 2**62
LONGEST_WAIT = 1_000_000.0
_SIZES = f"Must provide an integer from {MIN_SIZE} to {MAX_SIZE}"
_SECONDS = f"Must be number of seconds from 0.001 to {LONGEST_WAIT}"


@dataclass(frozen=True)
class Wanted:
    """What an answer holds besides moves and root."""

    ownership: bool = False
    ownership_deviation: bool = False
    moves_ownership: bool = False
    moves_ownership_deviation: bool = False
    policy: bool = False
    pv_visits: bool = False
    no_result: bool = False


@dataclass(frozen=True)
class PositionQuery:
    """A query about the positions of one game."""

    name: str
    """Its `id`."""
    size: int
    rules: Rules
    komi: float
    black: tuple[int, ...]
    """Black's stones before the first move."""
    white: tuple[int, ...]
    first_player: int | None
    """Who moves first; None where the first move, or the handicap, says it."""
    moves: tuple[tuple[int, int], ...]
    """(colour, move) pairs, N*N the pass."""
    turns: tuple[int, ...]
    """The positions that are asked for, each by the number of moves before it."""
    priorities: tuple[int, ...]
    """One a turn; the higher ones are analysed first."""
    settings: AnalysisSettings
    wanted: Wanted = field(default_factory=Wanted)
    bans: tuple[Ban, ...] = ()
    first_report: float | None = None
    """Seconds until the first partial report; None gives none."""


@dataclass(frozen=True)
class Action:
    """A query that asks for something else than an analysis."""

    name: ActionName
    echo: Mapping[str, Any]
    """The query itself, which its answer repeats."""
    target: str | None = None
    """The `id` of the queries to end; None means all."""
    turns: frozenset[int] | None = None
    """Only these turns; None means all."""


@dataclass(frozen=True)
class Warning:
    """What of a query does not count; the query goes on."""

    name: str
    field: str
    text: str


def read_query(
    query: Query, defaults: AnalysisSettings
) -> tuple[PositionQuery | Action, list[Warning]]:
    """Return what a JSON object asks for, and what of it does not count.

    Raises:
        QueryError: it cannot be carried out; the error names the query and the field.
    """
    name = query.get("id")
    if not isinstance(name, str):
        raise QueryError('Request must have a string "id" field')
    try:
        if "action" in query:
            return _action(query), []
        return _positions(query, name, defaults)
    except QueryError as error:
        raise QueryError(str(error), field=error.field, name=name) from None


def _action(query: Query) -> Action:
    """Return the action that a query names."""
    for action in get_args(ActionName):
        if query["action"] == action:
            break
    else:
        quoted = " or ".join(f"'{known}'" for known in get_args(ActionName))
        wrong("action", f"'action' field must be {quoted}")
    target = query.get("terminateId")
    if action == "terminate" and not isinstance(target, str):
        wrong(
            "terminateId", 'Requests for a terminate action must have a string "terminateId" field'
        )
    turns = None
    if action.startswith("terminate") and "turnNumbers" in query:
        text = "If provided, must be an array of integers indicating turns to terminate"
        turns = frozenset(wholes(query, "turnNumbers", text))
    return Action(action, query, target if action == "terminate" else None, turns)


def _positions(
    query: Query, name: str, defaults: AnalysisSettings
) -> tuple[PositionQuery, list[Warning]]:
    """Return what a query about positions asks for."""
    size = _size(query)
    stones = pairs(query, "initialStones", size, passes=False) if "initialStones" in query else []
    moves = pairs(query, "moves", size, passes=True)
    board = {move: colour for colour, move in stones}
    turns, priorities = _turns(query, len(moves))
    rules, rules_warning = asked_rules(query)
    settings, said = _settings(query, defaults)
    every, first = _report_times(query, settings)
    found = PositionQuery(
        name=name,
        size=size,
        rules=rules,
        komi=asked_komi(query, rules),
        black=tuple(move for move, colour in board.items() if colour == 1),
        white=tuple(move for move, colour in board.items() if colour == 2),
        first_player=player(query, "initialPlayer") if "initialPlayer" in query else None,
        moves=tuple(moves),
        turns=turns,
        priorities=priorities,
        settings=replace(settings, report_every=every),
        wanted=_wanted(query),
        bans=_bans(query, size),
        first_report=first,
    )
    warnings = [Warning(name, "overrideSettings", text) for text in said]
    if rules_warning is not None:
        warnings.append(Warning(name, "rules", rules_warning))
    for idle in ("rootPolicyTemperature", "rootFpuReductionMax"):
        if idle in query:
            warnings.append(Warning(name, idle, "Is read but has no effect in this engine"))
    warnings += [
        Warning(name, shorten(unknown), "Unexpected or unused field")
        for unknown in query
        if unknown not in FIELDS
    ]
    return found, warnings


def _size(query: Query) -> int:
    """Return the size of the board, which is square."""
    width = whole(query, "boardXSize", MIN_SIZE, MAX_SIZE, _SIZES)
    height = whole(query, "boardYSize", MIN_SIZE, MAX_SIZE, _SIZES)
    if width != height:
        wrong("boardYSize", f"Must equal boardXSize, {width}: only square boards are supported")
    return width


def _turns(query: Query, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the turns to analyse, the first mention of each, and their priorities."""
    turns = [count]
    if "analyzeTurns" in query:
        text = "Must specify an array of integers indicating turns to analyze"
        turns = wholes(query, "analyzeTurns", text)
        if not turns:
            wrong("analyzeTurns", "Must name at least one turn: nothing would be answered")
        for turn in turns:
            if not 0 <= turn <= count:
                wrong("analyzeTurns", f"Invalid turn number: {shorten(turn)}")
    common = 0
    if "priority" in query:
        if "priorities" in query:
            wrong("priority", "Cannot specify both priority and priorities")
        text = "Must be a number between -2^62 and 2^62"
        common = whole(query, "priority", 1 - MOST_PRIORITY, MOST_PRIORITY - 1, text)
    levels = [common] * len(turns)
    if "priorities" in query:
        levels = wholes(
            query, "priorities", "Must specify an array of integers indicating priorities"
        )
        if "analyzeTurns" not in query:
            wrong("priorities", "Can only specify when also specifying analyzeTurns")
        if len(levels) != len(turns):
            wrong("priorities", "Must be of matching length to analyzeTurns")
        for level in levels:
            if abs(level) >= MOST_PRIORITY:
                wrong("priorities", f"Invalid priority: {shorten(level)}")
    chosen = dict(zip(turns, levels, strict=True))
    return tuple(chosen), tuple(chosen.values())


def _settings(query: Query, defaults: AnalysisSettings) -> tuple[AnalysisSettings, list[str]]:
    """Return the settings of a query, and what of them does not count."""
    settings, said = defaults, list[str]()
    if "overrideSettings" in query:
        changes = query["overrideSettings"]
        if not isinstance(changes, dict):
            wrong("overrideSettings", "Must be an object")
        try:
            settings, said = with_settings(defaults, changes)
        except GoError as error:
            wrong("overrideSettings", f"Could not set settings: {error}")
    if "maxVisits" in query:
        text = "Must be an integer from 1 to 2^50"
        settings = replace(settings, visits=whole(query, "maxVisits", 1, MOST_VISITS, text))
    if "analysisPVLen" in query:
        text = "Must be an integer from 1 to 1000"
        settings = replace(settings, pv_length=whole(query, "analysisPVLen", 1, 1000, text))
    if "rootFpuReductionMax" in query:
        number(query, "rootFpuReductionMax", 0.0, 2.0, "Must be a number from 0.0 to 2.0")
    if "rootPolicyTemperature" in query:
        number(query, "rootPolicyTemperature", 0.01, 100.0, "Must be a number from 0.01 to 100.0")
    return settings, said


def _report_times(query: Query, settings: AnalysisSettings) -> tuple[float | None, float | None]:
    """Return the seconds between partial reports, and those until the first one."""
    every = first = settings.report_every
    if "reportDuringSearchEvery" in query:
        every = first = number(query, "reportDuringSearchEvery", 0.001, LONGEST_WAIT, _SECONDS)
    if "firstReportDuringSearchAfter" in query:
        first = number(query, "firstReportDuringSearchAfter", 0.001, LONGEST_WAIT, _SECONDS)
    return every, first


def _wanted(query: Query) -> Wanted:
    """Return what the answers to a query hold."""
    return Wanted(
        ownership=flag(query, "includeOwnership"),
        ownership_deviation=flag(query, "includeOwnershipStdev"),
        moves_ownership=flag(query, "includeMovesOwnership"),
        moves_ownership_deviation=flag(query, "includeMovesOwnershipStdev"),
        policy=flag(query, "includePolicy"),
        pv_visits=flag(query, "includePVVisits"),
        no_result=flag(query, "includeNoResultValue"),
    )


def _bans(query: Query, size: int) -> tuple[Ban, ...]:
    """Return the moves that the search leaves out."""
    if "allowMoves" in query and "avoidMoves" in query:
        wrong("allowMoves", "Cannot specify both allowMoves and avoidMoves")
    name = "allowMoves" if "allowMoves" in query else "avoidMoves"
    if name not in query:
        return ()
    listed = entries(query, name, ("player", "moves", "untilDepth"))
    if name == "allowMoves" and len(listed) > 1:
        wrong(name, "Currently allowMoves only allows one entry")
    bans = []
    for entry in listed:
        try:
            colour = player(entry, "player")
            until = whole(entry, "untilDepth", 1, 1_000_000_000, "Must be a positive integer")
        except QueryError as error:
            wrong(name, f"{error.field}: {error}")
        moves = points(entry, "moves", size, within=name)
        if name == "allowMoves":
            bans.append(allowing(colour, moves, until, size=size))
        else:
            bans.append(Ban(colour, frozenset(moves), until))
    return tuple(bans)
