"""Commands that change the player while it runs: GoGui's parameter dialog, KataGo's names."""

from __future__ import annotations

from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments, GtpError, parse_integer, parse_number, shorten

SYMMETRIES = ("none", "random", "all")
NEVER = "never"


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
        player = self.session.player
        values = {}
        if hasattr(player, "temperature"):
            values["temperature"] = f"{player.temperature:g}"
        if hasattr(player, "evaluator") and hasattr(player.evaluator, "symmetry"):
            values["symmetry"] = str(player.evaluator.symmetry)
        if hasattr(player, "resign"):
            values["resign"] = NEVER if player.resign is None else f"{player.resign:g}"
        if hasattr(player, "playouts"):
            values["playouts"] = str(player.playouts)
        return values

    def _set(self, name: str, word: str) -> None:
        """Check and set a parameter of the player."""
        if name not in self._values():
            raise self._unknown(name)
        player: object = self.session.player
        value: object
        if name == "symmetry":
            player, value = player.evaluator, word  # type: ignore[attr-defined]  # _values checked
            if word not in SYMMETRIES:
                raise GtpError(f"symmetry cannot be {shorten(word)}: use {', '.join(SYMMETRIES)}")
        elif name == "playouts":
            value = parse_integer(word, "playouts")
            if not 1 <= value <= 100_000:
                raise GtpError(f"playouts cannot be {value}: use 1 to 100000")
        elif name == "resign" and word == NEVER:
            value = None
        else:
            value = parse_number(word, name)
            if value < 0:
                raise GtpError(f"{name} cannot be {value:g}: use 0 or more")
        setattr(player, name, value)

    def _unknown(self, name: str) -> GtpError:
        """Return the error that names the parameters there are."""
        names = ", ".join(self._values()) or "none with this player"
        return GtpError(f"{shorten(name)} is not a parameter: there are {names}")
