"""The clocks of a table: whose runs, since when, and how they stand in words that a page reads."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from goengine.analysis.requests.json_fields import Query, number, whole, wrong
from goengine.clock import Clock, TimeSettings
from goengine.types import BLACK, WHITE, colour_letter

LONGEST = 1_000_000.0
"""Seconds that nobody's clock exceeds."""


def read_clock(query: Query, field: str) -> TimeSettings | None:
    """Return the time control that a field describes, None where it describes none.

    Raises:
        QueryError: it is something else.
    """
    value = query.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        wrong(
            field, 'Must be null or an object such as {"main": 600, "byo_yomi": 30, "periods": 3}'
        )

    def seconds(name: str) -> float:
        text = f"{name} must be a number of seconds from 0 to {LONGEST:g}"
        return number(value, name, 0.0, LONGEST, text) if value.get(name) is not None else 0.0

    def count(name: str) -> int:
        text = f"{name} must be a whole number from 1 to 1000"
        return whole(value, name, 1, 1000, text) if value.get(name) is not None else 0

    main, period = seconds("main"), seconds("byo_yomi")
    if value.get("fischer") is not None:
        return TimeSettings("fischer", main, increment=seconds("fischer"))
    if period > 0 and value.get("canadian_stones") is not None:
        return TimeSettings("canadian", main, period, stones=count("canadian_stones"))
    if period > 0:
        return TimeSettings("byoyomi", main, period, periods=count("periods") or 1)
    return TimeSettings("absolute", main) if main > 0 else None


class TableClock:
    """Both players' clocks, of which one runs at the most."""

    def __init__(
        self, settings: TimeSettings, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self.clock = Clock(settings, now=now)
        self.running: int | None = None
        self._since = now()

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> TableClock:
        """Return the clocks that `facts` told.

        Raises:
            GoError: they are impossible.
            KeyError: something is missing.
            TypeError: something is of another kind.
        """
        found = cls(TimeSettings(**facts["settings"]))
        for colour, (seconds, count) in zip((BLACK, WHITE), facts["left"], strict=True):
            found.clock.set_left(colour, float(seconds), int(count))
        return found

    def facts(self) -> dict[str, Any]:
        """Return how the clocks stand, without the running turn, as JSON can keep it."""
        left = [
            (self.clock.left(colour) or 0.0, self.clock.count(colour)) for colour in (BLACK, WHITE)
        ]
        return {"settings": asdict(self.clock.settings), "left": left}

    def run_for(self, colour: int | None) -> None:
        """Charge whoever's clock runs, and let another one run, or none; the same one runs on."""
        if colour == self.running:
            return
        if self.running is not None:
            self.clock.stop(self.running)
        self.running = colour
        self._since = self._now()
        if colour is not None:
            self.clock.start()

    def left(self) -> float | None:
        """Return the seconds until whoever's clock runs has lost, None where none runs."""
        if self.running is None:
            return None
        seconds = self.clock.left(self.running)
        if seconds is None:
            return None
        settings = self.clock.settings
        count = self.clock.count(self.running)
        if settings.kind == "byoyomi":
            seconds += (count - 1 if count else settings.periods) * settings.period
        elif settings.kind == "canadian" and not count:
            seconds += settings.period
        return seconds - (self._now() - self._since)

    def copy(self) -> Clock:
        """Return the clocks as they stand, for a player that plans its time."""
        return copy.deepcopy(self.clock)

    def described(self, lost: int | None = None) -> dict[str, Any]:
        """Return the clocks as the page reads them; `lost` has no time left.

        Times are those at the beginning of the running turn, `at` in the server's seconds; `now` is
        the server's time of this description.
        """
        running = None if self.running is None else colour_letter(self.running)
        said: dict[str, Any] = {"running": running, "at": self._since, "now": self._now()}
        settings = self.clock.settings
        for colour in (BLACK, WHITE):
            left, count = self.clock.left(colour) or 0.0, self.clock.count(colour)
            side: dict[str, Any] = {"main": left, "period": 0.0}
            if count:
                side = {"main": 0.0, "period": left}
            if settings.kind == "byoyomi":
                side["periods"] = count or settings.periods
            elif settings.kind == "canadian":
                side["stones"] = count or settings.stones
            if colour == lost:
                side |= {"main": 0.0, "period": 0.0}
                side |= {name: 1 for name in ("periods", "stones") if name in side}
            said[colour_letter(colour)] = side
        said["settings"] = {
            "kind": settings.kind,
            "main": settings.main,
            "period": settings.period,
            "periods": settings.periods,
            "stones": settings.stones,
            "increment": settings.increment,
        }
        return said
