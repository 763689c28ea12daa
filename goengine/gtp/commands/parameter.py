"""Commands that change the player while it runs, by GoGui's, KataGo's and Leela Zero's names."""

from __future__ import annotations

import re

from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.parameters import (
    all_parameters,
    lz_options,
    lz_parameters,
    own_parameters,
    unknown,
)
from goengine.gtp.protocol import Arguments, shorten, syntax_error

_OPTION = re.compile(r"name\s+(.+?)\s+value\s+(\S+)", re.IGNORECASE)


class ParameterCommands(CommandGroup):
    """Visits, seconds, temperature, resignation and the like, as far as the player has them."""

    @command("goengine-param", "gogui-param")
    def param(self, arguments: Arguments) -> str:
        """Answer all parameters as GoGui's dialog reads them, or set one."""
        there = own_parameters(self.session)
        if arguments.words:
            name, word = arguments.word(0, "the parameter"), arguments.word(1, "its value")
            if name not in there:
                raise unknown(name, there)
            there[name].set(self.session, word)
            return ""
        return "\n".join(
            f"[{one.kind}] {name} {one.get(self.session)}" for name, one in there.items()
        )

    @command("kata-list-params")
    def list_params(self, arguments: Arguments) -> str:
        """Answer the names of the parameters."""
        return " ".join(all_parameters(self.session))

    @command("kata-get-param")
    def get_param(self, arguments: Arguments) -> str:
        """Answer the value of a parameter."""
        name, there = arguments.word(0, "the parameter"), all_parameters(self.session)
        if name not in there:
            raise unknown(name, there)
        return there[name].get(self.session)

    @command("kata-set-param")
    def set_param(self, arguments: Arguments) -> str:
        """Set a parameter for the moves to come."""
        name, word = arguments.word(0, "the parameter"), arguments.word(1, "its value")
        there = all_parameters(self.session)
        if name not in there:
            raise unknown(name, there)
        there[name].set(self.session, word)
        return ""

    @command("lz-setoption")
    def set_option(self, arguments: Arguments) -> str:
        """Set a parameter as Leela Zero does, by `name N value V`, or list them."""
        if not arguments.words:
            return "\n".join(lz_options(self.session))
        found = _OPTION.fullmatch(" ".join(arguments.words))
        if found is None:
            raise syntax_error(
                f"{shorten(arguments.text)} is not an option: write name NAME value VALUE"
            )
        name, there = found[1].lower(), lz_parameters(self.session)
        if name not in there:
            raise unknown(name, there)
        there[name].set(self.session, found[2])
        return ""
