"""Commands about time: the three dialects of settings, and what is left."""

from __future__ import annotations

from goengine.clock import TimeSettings, gtp_settings
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, shorten, syntax_error
from goengine.types import GoError


class TimeCommands(CommandGroup):
    """What the clock is told."""

    @command("time_settings")
    def time_settings(self, arguments: Arguments) -> str:
        """Set main time, period and stones per period, in seconds."""
        main, period = arguments.number(0, "the main time"), arguments.number(1, "the period")
        stones = arguments.integer(2, "the number of stones")
        if min(main, period, stones) < 0:
            raise syntax_error("times must not be negative")
        self.session.clock.configure(gtp_settings(main, period, stones))
        return ""

    @command("kgs-time_settings", "kata-time_settings")
    def named_time_settings(self, arguments: Arguments) -> str:
        """Set the time by the name of a system: see kata-list_time_settings."""
        system = arguments.word(0, "the time system").lower()
        reader = _SYSTEMS.get(system)
        if reader is None:
            raise syntax_error(
                f"{shorten(system)} is not a time system: use one of {', '.join(_SYSTEMS)}"
            )
        try:
            self.session.clock.configure(reader(arguments))
        except GtpError:
            raise
        except GoError as error:
            raise syntax_error(str(error)) from None
        return ""

    @command("kata-list_time_settings")
    def list_time_settings(self, arguments: Arguments) -> str:
        """Answer the time systems that can be set."""
        return " ".join(_SYSTEMS)

    @command("time_left")
    def time_left(self, arguments: Arguments) -> str:
        """Note a player's time, and stones or periods in overtime."""
        colour = arguments.colour(0)
        seconds = arguments.number(1, "the time")
        count = arguments.integer(2, "the number of stones")
        self.session.clock.set_left(colour, seconds, count)
        return ""


def _main(arguments: Arguments) -> float:
    """Return the main time, the first number of every system."""
    return arguments.number(1, "the main time")


def _none(arguments: Arguments) -> TimeSettings:
    return TimeSettings()


def _absolute(arguments: Arguments) -> TimeSettings:
    return TimeSettings("absolute", _main(arguments))


def _byoyomi(arguments: Arguments) -> TimeSettings:
    period = arguments.number(2, "the period")
    periods = arguments.integer(3, "the number of periods")
    return TimeSettings("byoyomi", _main(arguments), period, periods=periods)


def _canadian(arguments: Arguments) -> TimeSettings:
    period = arguments.number(2, "the period")
    stones = arguments.integer(3, "the number of stones")
    return TimeSettings("canadian", _main(arguments), period, stones=stones)


def _fischer(arguments: Arguments) -> TimeSettings:
    increment = arguments.number(2, "the increment")
    return TimeSettings("fischer", _main(arguments), increment=increment)


def _fischer_capped(arguments: Arguments) -> TimeSettings:
    cap = arguments.number(3, "the most time on the clock")
    longest = arguments.number(4, "the most time for a move")
    return TimeSettings(
        "fischer",
        _main(arguments),
        increment=arguments.number(2, "the increment"),
        cap=cap if cap >= 0 else None,
        longest=longest if longest >= 0 else None,
    )


_SYSTEMS = {
    "none": _none,
    "absolute": _absolute,
    "byoyomi": _byoyomi,
    "canadian": _canadian,
    "fischer": _fischer,
    "fischer-capped": _fischer_capped,
}
