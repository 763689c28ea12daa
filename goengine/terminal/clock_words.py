"""Time in words: what both players have, and what they have left."""

from __future__ import annotations

import math

from goengine.clock import TimeSettings
from goengine.games.game import Game
from goengine.players.ranked.own_rank import winner_of
from goengine.types import BLACK, WHITE, colour_name, opponent


def settings_words(settings: TimeSettings) -> str:
    """Return main time and byo-yomi as `10 min + 3 x 30 s`, `""` without a clock."""
    parts = [f"{settings.main / 60:g} min"] if settings.main else []
    if settings.periods:
        parts.append(f"{settings.periods} x {settings.period:g} s")
    return " + ".join(parts)


def lost_on_time(game: Game) -> int | None:
    """Return the colour that has lost on time, None where nobody has."""
    result = game.result or ""
    winner = winner_of(result) if result.endswith("+T") else None
    return None if winner is None else opponent(winner)


def time_words(game: Game, colour: int) -> str:
    """Return the time that a colour has left as `9:05` or `3 x 30 s`, `""` without a clock."""
    clock = game.clock
    seconds = clock.left(colour)
    if seconds is None:
        return ""
    count = clock.count(colour)
    if colour == lost_on_time(game):
        seconds, count = 0.0, 0
    elif colour == game.board.to_play:
        seconds, count = clock.standing(colour)
    whole = math.ceil(seconds)
    return f"{count} x {whole} s" if count else f"{whole // 60}:{whole % 60:02d}"


def both_times(game: Game) -> str:
    """Return the time that is left to both at this moment."""
    if game.clock.settings.kind == "none":
        return "no clock: start with --time MINUTES and --byoyomi PERIODSxSECONDS"
    both = ((colour, time_words(game, colour)) for colour in (BLACK, WHITE))
    return ", ".join(f"{colour_name(colour)} {left}" for colour, left in both)
