"""Time control: main time, byo-yomi, Canadian overtime and Fischer increments for both colours.

A clock never plays and never sleeps. It keeps what the controller announced and what the engine
used, and turns it into a budget for the next move: what a move usually takes, and the most that an
open choice may take. A policy network is always in time; its budget decides how many symmetries and
playouts it may afford.

=========  ===================================  =====================================
kind       after the main time                  `stones` of `time_left` counts
=========  ===================================  =====================================
none       no limit                             nothing
absolute   the game is lost                     nothing (0)
byoyomi    `periods` of `period` seconds    the periods left
canadian   `stones` moves in `period`       the moves left in this period
fischer    the game is lost, but each move      nothing (0)
           adds `increment`
=========  ===================================  =====================================

Only the controller ends a game on time. A player who has overrun a period and is asked for another
move has therefore been forgiven, as by a program without a clock, and gets the next period; of the
last one in byo-yomi, the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from goengine.types import BLACK, WHITE, GoError

Kind = Literal["none", "absolute", "byoyomi", "canadian", "fischer"]

LAG = 0.5
"""Seconds of a move that are left for the network and the controller."""
LEAST = 0.05
"""Seconds that a budget never falls below: a move must be made even without time."""
MOVES_AHEAD = 30
"""Moves that a player still expects to make on main time where nobody says how many."""
STRETCH = 3.0
"""Times its share of the main time that an open choice may take."""
STRETCH_SHARE = 0.25
"""Share of the main time that no single move exceeds by that."""
STRETCH_STONES = 2.0
"""Times its share of a Canadian period that an open choice may take."""


@dataclass(frozen=True)
class TimeSettings:
    """What the players agreed on; times in seconds."""

    kind: Kind = "none"
    main: float = 0.0
    period: float = 0.0
    stones: int = 0
    """Moves per period (canadian)."""
    periods: int = 0
    """Number of periods (byoyomi)."""
    increment: float = 0.0
    """Seconds that a move adds (fischer)."""
    cap: float | None = None
    """The most seconds that a fischer clock may hold."""
    longest: float | None = None
    """The most seconds that one move may take."""

    def __post_init__(self) -> None:
        numbers = (self.main, self.period, self.stones, self.periods, self.increment)
        if min(numbers) < 0:
            raise GoError(f"time settings must not be negative: {numbers}")


def gtp_settings(main: float, period: float, stones: int) -> TimeSettings:
    """Return what the three numbers of GTP `time_settings` mean.

    No stones in a real period mean no limit; no period means absolute time; and as nobody could
    play a game in no time at all, three zeros mean no limit too.
    """
    if (period > 0 and stones == 0) or (main == 0 and period == 0):
        return TimeSettings()
    if period == 0:
        return TimeSettings("absolute", main)
    return TimeSettings("canadian", main, period, stones=stones)


@dataclass
class _Side:
    """The time of one player: in main time until `overtime` is set."""

    left: float
    count: int = 0
    overtime: bool = False


class Clock:
    """The clocks of both players under one setting."""

    def __init__(
        self,
        settings: TimeSettings | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._started: float | None = None
        self.overrun = False
        self.settings = settings if settings is not None else TimeSettings()
        self.reset()

    def reset(self) -> None:
        """Give both players their full time."""
        self._sides = {colour: self._full() for colour in (BLACK, WHITE)}
        self._started = None

    def configure(self, settings: TimeSettings) -> None:
        """Change the agreement; both players get their full time."""
        self.settings = settings
        self.reset()

    def set_left(self, colour: int, seconds: float, count: int) -> None:
        """Believe the controller: GTP `time_left`; `count` 0 means main time.

        A count is about overtime, so it says nothing where the agreement has none.
        """
        side = self._sides[colour]
        side.left = max(0.0, seconds)
        side.count = max(0, count)
        side.overtime = count > 0 and self.settings.kind in ("byoyomi", "canadian")

    def left(self, colour: int) -> float | None:
        """Return the seconds on a player's clock, None without a limit."""
        return None if self.settings.kind == "none" else self._sides[colour].left

    def count(self, colour: int) -> int:
        """Return the periods or stones left in overtime, 0 during main time."""
        side = self._sides[colour]
        return side.count if side.overtime else 0

    def standing(self, colour: int) -> tuple[float, int]:
        """Return what a player has left while the move that is measured is theirs.

        That is the seconds until the main time or the period is over, and the periods or stones
        left in overtime, 0 during main time; nothing of both once the time is over.
        """
        settings, side = self.settings, replace(self._sides[colour])
        used = 0.0 if self._started is None else max(0.0, self._now() - self._started)
        if not side.overtime and used >= side.left:
            used -= side.left
            side.left = 0.0
            self._enter_overtime(side)
        if not side.overtime or settings.kind != "byoyomi" or used < side.left:
            left = max(0.0, side.left - used)
            return left, side.count if side.overtime and left > 0 else 0
        beyond = used - side.left
        if beyond >= (side.count - 1) * settings.period:
            return 0.0, 0
        count = side.count - 1 - int(beyond // settings.period)
        return settings.period - beyond % settings.period, count

    def start(self) -> None:
        """Start to measure a move."""
        self._started = self._now()

    def stop(self, colour: int) -> float:
        """Charge the measured time to a player and return it in seconds.

        `overrun` tells from then on whether it was all that the player had, or more. The clock
        itself forgives that: the controller, who counts too, is the one to end the game.
        """
        if self._started is None:
            return 0.0
        used = max(0.0, self._now() - self._started)
        self._started = None
        self.overrun = self._charge(self._sides[colour], used)
        return used

    def budget(self, colour: int, *, ahead: float = MOVES_AHEAD) -> float | None:
        """Return the seconds that a player should spend on the next move, None without a limit.

        `ahead`: moves that the player still expects to make.
        """
        return self._planned(colour, ahead, 1.0, 1.0)

    def most(self, colour: int, *, ahead: float = MOVES_AHEAD) -> float | None:
        """Return the seconds that the next move may take if its choice is open, None likewise.

        Never less than the budget, and never so much that later moves run short.
        """
        return self._planned(colour, ahead, STRETCH, STRETCH_STONES)

    def _planned(self, colour: int, ahead: float, times: float, stones: float) -> float | None:
        """Return the seconds for a move that takes so many times its share of the time."""
        settings, side = self.settings, self._sides[colour]
        if settings.kind == "none":
            return None
        if side.overtime:
            moves = max(1, side.count) if settings.kind == "canadian" else 1
            seconds = min(side.left, stones * side.left / moves)
        else:
            share = side.left / max(1.0, ahead)
            after = self._after_main()
            if after > 0 or share > 2 * LAG:  # else later moves would run short
                share = max(share, min(times * share, STRETCH_SHARE * side.left))
            seconds = share + after
            if settings.kind == "fischer":
                seconds = min(seconds, side.left)  # what a move adds comes after it
        if settings.longest is not None:
            seconds = min(seconds, settings.longest)
        within = seconds - LAG if seconds > 2 * LAG else seconds / 2
        return max(LEAST, within)

    def _after_main(self) -> float:
        """Return the seconds that a move may use beyond its share of the main time."""
        settings = self.settings
        if settings.kind == "fischer":
            return settings.increment
        if settings.kind == "byoyomi" and settings.periods > 0:
            return settings.period
        if settings.kind == "canadian" and settings.stones > 0:
            return settings.period / settings.stones
        return 0.0

    def _full(self) -> _Side:
        """Return a player's clock before the first move."""
        side = _Side(self.settings.main)
        if side.left <= 0:
            self._enter_overtime(side)
        return side

    def _enter_overtime(self, side: _Side) -> None:
        """Begin the overtime that the settings grant, if any."""
        settings = self.settings
        if settings.kind == "byoyomi" and settings.periods > 0:
            side.left, side.count, side.overtime = settings.period, settings.periods, True
        elif settings.kind == "canadian" and settings.stones > 0:
            side.left, side.count, side.overtime = settings.period, settings.stones, True

    def _charge(self, side: _Side, used: float) -> bool:
        """Take the time of one move from a clock and tell whether nothing was left."""
        settings = self.settings
        if settings.kind == "none":
            return False
        if settings.kind == "fischer":
            over = used >= side.left
            left = max(0.0, side.left - used) + settings.increment
            side.left = left if settings.cap is None else min(left, settings.cap)
            return over
        if not side.overtime:
            if used < side.left or settings.kind == "absolute":
                side.left = max(0.0, side.left - used)
                return side.left <= 0
            used -= side.left
            side.left = 0.0
            self._enter_overtime(side)
        if side.overtime and settings.kind == "byoyomi":
            return self._charge_period(side, used)
        if side.overtime and settings.kind == "canadian":
            return self._charge_canadian(side, used)
        return True

    def _charge_period(self, side: _Side, used: float) -> bool:
        """Take a byo-yomi move: the period starts afresh unless used up, the last one always."""
        over = used >= side.count * self.settings.period
        lost = side.count if over else int(used // self.settings.period)
        side.count = max(1, side.count - lost)
        side.left = self.settings.period
        return over

    def _charge_canadian(self, side: _Side, used: float) -> bool:
        """Take a Canadian move: the last stone or second of a period starts the next one."""
        side.left -= used
        side.count -= 1
        over = side.left <= 0
        if side.count <= 0 or over:
            side.left, side.count = self.settings.period, self.settings.stones
        return over
