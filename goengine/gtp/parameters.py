"""What clients may change of the player while it runs, under all the names that they use.

Our own names are those of the settings; KataGo's (`maxVisits`) and Leela Zero's (`visits` of
`lz-setoption`) mean the same ones. A player has the parameters that its settings have; those of the
session are there with every player that reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from goengine.gtp.protocol import GtpError, parse_integer, parse_number, shorten
from goengine.types import GoError

if TYPE_CHECKING:
    from goengine.gtp.session import Session

SYMMETRIES = ("none", "random", "all")
NEVER, NONE = "never", "none"
ENDLESS_VISITS, ENDLESS_SECONDS = 2**50, 1e20
"""What KataGo calls no limit of visits and of seconds."""
MANY_VISITS, MANY_SECONDS = 10**9, 1e6
"""From here on a number sets no limit."""
LEAST_SECONDS = 0.01
USUAL_RESIGNATION = 0.05
"""Win chance below which a game is given up where resigning is only switched on."""


@dataclass(frozen=True)
class Parameter:
    """One thing that can be changed."""

    name: str
    kind: str
    """How GoGui's dialog shows it: bool, string or list/..."""
    get: Callable[[Session], str]
    set: Callable[[Session, str], None]
    needs: str
    """The setting of the player that it is about."""


def own_parameters(session: Session) -> dict[str, Parameter]:
    """Return the parameters that this player has, by our names, in the order of the list."""
    there = session.player.settings.names()
    return {one.name: one for one in _OWN if one.needs in there}


def all_parameters(session: Session) -> dict[str, Parameter]:
    """Return them by our names and by KataGo's."""
    there = session.player.settings.names()
    return {one.name: one for one in (*_OWN, *_KATA) if one.needs in there}


def lz_parameters(session: Session) -> dict[str, Parameter]:
    """Return them by the names of Leela Zero's options, in small letters."""
    there = session.player.settings.names()
    return {one.name.lower(): one for one in _LEELA if one.needs in there}


def unknown(name: str, there: dict[str, Parameter]) -> GtpError:
    """Return the error that names the parameters there are, and says how to have a rank."""
    said = f"{shorten(name)} is not a parameter"
    if name == "rank":
        return GtpError(f"{said} of this player: start the engine with --rank, 8k for example")
    if len(there) == 1:
        return GtpError(f"{said} of this player, which has only {next(iter(there))}")
    return GtpError(f"{said}: there are {', '.join(there) or 'none with this player'}")


def _setting(session: Session, name: str) -> Any:
    """Return the value of one of the player's settings."""
    return vars(session.player.settings)[name]


def _change(session: Session, name: str, value: object) -> None:
    """Let the player go on with another value of one setting."""
    settings: Any = session.player.settings
    session.adjust(replace(settings, **{name: value}))


def _plain(name: str, read: Callable[[str, str], object], *, kind: str = "string") -> Parameter:
    """Return a parameter that is a setting of the player under its own name."""
    return Parameter(
        name,
        kind,
        lambda session: _shown(_setting(session, name), NONE if name == "visits" else NEVER),
        lambda session, word: _change(session, name, read(name, word)),
        name,
    )


def _shown(value: object, nothing: str = NEVER) -> str:
    """Return a value as clients read it; `nothing` is the word for None."""
    if value is None:
        return nothing
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(name: str, word: str) -> float:
    """Return a number of at least 0."""
    number = parse_number(word, name)
    if number < 0:
        raise GtpError(f"{name} cannot be {number:g}: use 0 or more")
    return number


def _number_or_never(name: str, word: str) -> float | None:
    """Return a number of at least 0, or None for `never`."""
    return None if word == NEVER else _number(name, word)


def _share_or_never(name: str, word: str) -> float | None:
    """Return a share from 0 to 1, or None for `never` and for 0."""
    share = _number_or_never(name, word)
    if share is not None and share >= 1:
        raise GtpError(f"{name} cannot be {share:g}: use a share below 1, or {NEVER}")
    return share or None


def _playouts(name: str, word: str) -> int:
    """Return a number of playouts."""
    count = parse_integer(word, name)
    if not 1 <= count <= 100_000:
        raise GtpError(f"{name} cannot be {count}: use 1 to 100000")
    return count


def _symmetry(name: str, word: str) -> str:
    """Return the name of a mode of symmetry."""
    if word not in SYMMETRIES:
        raise GtpError(f"{name} cannot be {shorten(word)}: use {', '.join(SYMMETRIES)}")
    return word


def _visits(name: str, word: str) -> int | None:
    """Return a limit of visits, None for `none` and for more than anybody searches."""
    if word.lower() == NONE:
        return None
    count = int(_number(name, word))
    if count < 1:
        raise GtpError(
            f"{name} cannot be {count}: use 1 or more; for the bare network start the engine "
            "with --visits 0"
        )
    return None if count >= MANY_VISITS else count


def _leela_visits(name: str, word: str) -> int | None:
    """Return a limit of visits as Leela Zero means it: 0 sets none."""
    return None if word == "0" else _visits(name, word)


def _set_seconds(name: str) -> Callable[[Session, str], None]:
    """Return what sets the time of a move; without a limit a move takes what it does by default."""

    def change(session: Session, word: str) -> None:
        from goengine.players.settings import SEARCH_DEFAULTS  # the player is loaded by now

        seconds = MANY_SECONDS if word.lower() == NONE else _number(name, word)
        session.longest = None if seconds >= MANY_SECONDS else max(LEAST_SECONDS, seconds)
        _change(session, "seconds", session.longest or SEARCH_DEFAULTS.seconds)

    return change


def _seconds(session: Session) -> str:
    """Return the time of a move as our own name shows it."""
    return _shown(float(_setting(session, "seconds")))


def _kata_seconds(session: Session) -> str:
    """Return the limit of time as KataGo shows it."""
    limited = session.longest is not None or _setting(session, "visits") is None
    return _seconds(session) if limited else f"{ENDLESS_SECONDS:g}"


def _kata_visits(session: Session) -> str:
    """Return the limit of visits as KataGo shows it."""
    return str(_setting(session, "visits") or ENDLESS_VISITS)


def _kata_resigns(session: Session) -> str:
    """Return whether lost games are given up, as KataGo shows it."""
    return _word(_setting(session, "resign_below") is not None)


def _set_kata_resigns(session: Session, word: str) -> None:
    """Switch resigning on or off."""
    before = _setting(session, "resign_below") or USUAL_RESIGNATION
    wanted = _truth("allowResignation", word)
    _change(session, "resign_below", before if wanted else None)


def _truth(name: str, word: str) -> bool:
    """Return what a word says of something that is on or off."""
    words = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
    if word.lower() not in words:
        raise GtpError(f"{name} cannot be {shorten(word)}: use true or false")
    return words[word.lower()]


def _word(value: bool) -> str:
    return "true" if value else "false"


def _set_pondering(name: str) -> Callable[[Session, str], None]:
    """Return what switches thinking on the opponent's time on or off."""

    def change(session: Session, word: str) -> None:
        session.pondering = _truth(name, word)

    return change


def _set_width(name: str) -> Callable[[Session, str], None]:
    """Return what sets how widely an analysis looks at the root's moves."""

    def change(session: Session, word: str) -> None:
        session.width = min(1.0, _number(name, word))

    return change


def _limit(
    name: str, read: Callable[[str, str], object], get: Callable[[Session], str]
) -> Parameter:
    """Return a limit of visits under a name of another program."""
    return Parameter(
        name,
        "string",
        get,
        lambda session, word: _change(session, "visits", read(name, word)),
        "visits",
    )


def _percent(session: Session) -> str:
    """Return the win chance below which a game is given up, in per cent; 0 is never."""
    return f"{100 * (_setting(session, 'resign_below') or 0.0):g}"


def _set_percent(session: Session, word: str) -> None:
    """Set the win chance, in per cent, below which a game is given up; 0 is never."""
    percent = _number("resign percentage", word)
    if percent >= 100:
        raise GtpError(f"resign percentage cannot be {percent:g}: use 0 to 99")
    _change(session, "resign_below", percent / 100 or None)


def _set_megabytes(name: str) -> Callable[[Session, str], None]:
    """Return what sets the bound of the search's memory."""

    def change(session: Session, word: str) -> None:
        megabytes = _number(name, word)
        if not 1 <= megabytes <= 1_000_000:
            raise GtpError(f"{name} cannot be {megabytes:g}: use 1 to 1000000")
        _change(session, "megabytes", megabytes)

    return change


def _memory(session: Session) -> str:
    """Return the bound of the search's memory in megabytes."""
    return _shown(float(_setting(session, "megabytes")))


def _pondering(name: str, show: Callable[[bool], str]) -> Parameter:
    """Return thinking on the opponent's time under a name."""
    return Parameter(
        name, "bool", lambda session: show(session.pondering), _set_pondering(name), "visits"
    )


def _width(name: str) -> Parameter:
    """Return how widely an analysis looks under a name."""
    return Parameter(name, "string", lambda s: f"{s.width:g}", _set_width(name), "visits")


def _set_rank(session: Session, word: str) -> None:
    """Let an opponent by rank go on at another rank."""
    from goengine.players.ranked.ranks import BEST, parse_rank  # the player is loaded by now

    try:
        rank = parse_rank(word)
    except GoError as error:
        raise GtpError(str(error)) from None
    if rank == BEST:
        raise GtpError(f"rank cannot be {BEST} in a running engine: start it without --rank")
    if session.follower is not None:
        try:
            session.follower.kept.set(rank)
        except (GoError, OSError) as error:
            raise GtpError(str(error)) from None
    session.rank_is(rank)


_OWN = (
    Parameter("rank", "string", lambda session: str(_setting(session, "rank")), _set_rank, "rank"),
    _plain("visits", _visits),
    Parameter("seconds", "string", _seconds, _set_seconds("seconds"), "seconds"),
    _pondering("ponder", lambda on: str(int(on))),
    _plain("temperature", _number),
    _plain("symmetry", _symmetry, kind="list/" + "/".join(SYMMETRIES)),
    _plain("resign", _number_or_never),
    _plain("resign_below", _share_or_never),
    _plain("playouts", _playouts),
    _width("width"),
    Parameter("megabytes", "string", _memory, _set_megabytes("megabytes"), "megabytes"),
)

_KATA = (
    _limit("maxVisits", _visits, _kata_visits),
    _limit("maxPlayouts", _visits, _kata_visits),
    Parameter("maxTime", "string", _kata_seconds, _set_seconds("maxTime"), "seconds"),
    _pondering("ponderingEnabled", _word),
    _width("analysisWideRootNoise"),
    Parameter("allowResignation", "bool", _kata_resigns, _set_kata_resigns, "resign_below"),
)

_LEELA = (
    _limit("Visits", _leela_visits, lambda session: str(_setting(session, "visits") or 0)),
    _limit("Playouts", _leela_visits, lambda session: str(_setting(session, "visits") or 0)),
    _pondering("Pondering", _word),
    Parameter("Resign Percentage", "string", _percent, _set_percent, "resign_below"),
    Parameter(
        "Maximum Memory Use (MiB)",
        "string",
        _memory,
        _set_megabytes("maximum memory use (mib)"),
        "megabytes",
    ),
)


def lz_options(session: Session) -> Iterator[str]:
    """Yield a line for each option, as Leela Zero lists them."""
    for parameter in lz_parameters(session).values():
        kind = "check" if parameter.kind == "bool" else "spin"
        yield f"option name {parameter.name} type {kind} default {parameter.get(session)}"
