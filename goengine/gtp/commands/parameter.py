"""Commands that change the player while it runs: GoGui's parameter dialog, KataGo's names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, parse_integer, parse_number, shorten

SYMMETRIES = ("none", "random", "all")
NEVER = "never"
PARAMETERS = ("temperature", "symmetry", "resign", "playouts")
"""Settings of players that clients see, in the order in which they are listed."""


class ParameterCommands(CommandGroup):
    """Temperature, symmetry, resignation and playouts, as far as the player has them."""

    @command("goengine-param")
    def param(self, arguments: Arguments) -> str:
        """Answer all parameters as GoGui's dialog reads them, or set one."""
        if arguments.words:
            self._set(arguments.word(0, "the parameter"), arguments.word(1, "its value"))
            return ""
        kinds = {"symmetry": "list/" + "/".join(SYMMETRIES)}
        values = self._values()
        return "\n".join(f"[{kinds.get(n, 'string')}] {n} {value}" for n, value in values.items())

    @command("kata-list-params")
    def list_params(self, arguments: Arguments) -> str:
        """Answer the names of the parameters."""
        return " ".join(self._values())

    @command("kata-get-param")
    def get_param(self, arguments: Arguments) -> str:
        """Answer the value of a parameter."""
        name = arguments.word(0, "the parameter")
        values = self._values()
        if name not in values:
            raise self._unknown(name)
        return values[name]

    @command("kata-set-param")
    def set_param(self, arguments: Arguments) -> str:
        """Set a parameter for the moves to come."""
        self._set(arguments.word(0, "the parameter"), arguments.word(1, "its value"))
        return ""

    def _values(self) -> dict[str, str]:
        """Return the parameters that this player has, as text."""
        settings: Any = self.session.player.settings
        present = settings.names()
        return {name: _shown(vars(settings)[name]) for name in PARAMETERS if name in present}

    def _set(self, name: str, word: str) -> None:
        """Check a value and let the player go on with it."""
        if name not in self._values():
            raise self._unknown(name)
        settings: Any = self.session.player.settings
        self.session.adjust(replace(settings, **{name: _read(name, word)}))

    def _unknown(self, name: str) -> GtpError:
        """Return the error that names the parameters there are."""
        names = ", ".join(self._values()) or "none with this player"
        return GtpError(f"{shorten(name)} is not a parameter: there are {names}")


def _shown(value: object) -> str:
    """Return a value as clients read it."""
    if value is None:
        return NEVER
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(name: str, word: str) -> object:
    """Return the value that a word means for a parameter."""
    if name == "symmetry":
        if word not in SYMMETRIES:
            raise GtpError(f"symmetry cannot be {shorten(word)}: use {', '.join(SYMMETRIES)}")
        return word
    if name == "playouts":
        count = parse_integer(word, "playouts")
        if not 1 <= count <= 100_000:
            raise GtpError(f"playouts cannot be {count}: use 1 to 100000")
        return count
    if name == "resign" and word == NEVER:
        return None
    number = parse_number(word, name)
    if number < 0:
        raise GtpError(f"{name} cannot be {number:g}: use 0 or more")
    return number
