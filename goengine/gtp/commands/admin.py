"""Commands about the engine itself; all but the descriptions answer before anything is loaded."""

from __future__ import annotations

import time

from goengine._version import __version__
from goengine.gtp.command_group import CommandGroup, command
from goengine.gtp.protocol import Arguments

NAME = "goengine"


class AdminCommands(CommandGroup):
    """Identity, the list of commands, the end, and talk."""

    @command("protocol_version")
    def protocol_version(self, arguments: Arguments) -> str:
        """Answer 2; clients also send it to end an analysis."""
        return "2"

    @command("name")
    def name(self, arguments: Arguments) -> str:
        """Answer the name of the engine, without the version."""
        return NAME

    @command("version")
    def version(self, arguments: Arguments) -> str:
        """Answer the version of the engine."""
        return __version__

    @command("known_command")
    def known_command(self, arguments: Arguments) -> str:
        """Answer whether a command is there; never fails."""
        known = len(arguments) > 0 and arguments.words[0] in self.session.command_names
        return "true" if known else "false"

    @command("list_commands")
    def list_commands(self, arguments: Arguments) -> str:
        """Answer all command names, one per line."""
        return "\n".join(self.session.command_names)

    @command("quit")
    def quit(self, arguments: Arguments) -> str:
        """End the session once this is answered."""
        self.session.closing = True
        return ""

    @command("stop", "gogui-interrupt")
    def stop(self, arguments: Arguments) -> str:
        """Answer nothing: any line, this one too, has ended the analysis that was running."""
        return ""

    @command("cputime", "gomill-cpu_time")
    def cputime(self, arguments: Arguments) -> str:
        """Answer the processor seconds that this process has used."""
        return f"{time.process_time():.2f}"

    @command("gomill-describe_engine")
    def describe_engine(self, arguments: Arguments) -> str:
        """Answer a description for people."""
        seed = self.session.settings.seed
        shown = "random" if seed is None else seed
        return f"{NAME} {__version__}\nplayer: {self.session.description}\nseed: {shown}"

    @command("kgs-chat")
    def chat(self, arguments: Arguments) -> str:
        """Answer somebody who talks to the bot on a server."""
        return f"I am {NAME} {__version__}: {self.session.description}. Have a good game!"

    @command("kgs-game_over")
    def game_over(self, arguments: Arguments) -> str:
        """Take note that a server's game is over; nothing has to be saved."""
        return ""
