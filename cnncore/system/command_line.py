"""One command line for all programs of this tree: the chosen command, its errors, its status.

A command is a module with `configure(parser)` and `run(args) -> int`. Only the chosen one is
imported, and here only the standard library, so that `goengine gtp` answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from io import FileIO, TextIOWrapper
from typing import NoReturn, TextIO

DONE = 0
"""The command did what it was asked for."""
FAILED = 1
"""It could not: the disk, the network, the memory or a run failed."""
MISUSED = 2
"""It was used wrongly: words or files that it does not take."""
INTERRUPTED = 130
"""Ctrl-C ended it."""
READER_GONE = 141
"""Who read its output went away, as in `goengine policy game.sgf | head -3`."""


@dataclass(frozen=True)
class Program:
    """A program with commands."""

    name: str
    description: str
    version: str
    commands: Mapping[str, tuple[str, str]]
    """Name -> the module of the command, and a line of help."""
    errors: tuple[type[Exception], ...]
    """Errors whose text is a sentence for the user; a ValueError is a wrong use."""
    informative: Collection[str] | None = None
    """Commands whose INFO lines reach stderr, others' warnings do; None leaves logging alone."""
    own_stdout: Collection[str] = ()
    """Commands that see themselves to a standard output that is closed."""


def run_program(program: Program, argv: Sequence[str] | None = None) -> int:
    """Run the command that the words name and return the exit status.

    Raises:
        SystemExit: after help or the version (0), or one sentence about wrong words (2).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    named = words[:1] if words and words[0] in program.commands else []
    name = " ".join([program.name, *named])
    _open_closed_streams(stdout=not named or named[0] not in program.own_stdout)
    _tolerate_characters()
    try:
        try:
            return _run(program, words)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    except program.errors as error:
        sys.stderr.write(f"{name}: {error}\n")
        return MISUSED if isinstance(error, ValueError) else FAILED
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: interrupted\n")
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """A parser that answers wrong words in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read more."""
        self.exit(MISUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


class _Overview(argparse.HelpFormatter):
    """Help with every command and what it does on one line."""

    def add_argument(self, action: argparse.Action) -> None:
        """Leave room for the names of commands, which stand further in than argparse counts."""
        super().add_argument(action)
        self._action_max_length = max(self._action_max_length, 14)


def _run(program: Program, words: list[str]) -> int:
    """Run the command that the first word names, or answer for the program as a whole."""
    if not words or words[0] not in program.commands:
        return _answer(program, words)
    module_name, text = program.commands[words[0]]
    module = import_module(module_name)
    parser = _Parser(prog=f"{program.name} {words[0]}", description=text)
    parser.add_argument("--version", action="version", version=_version(program))
    module.configure(parser)
    args = parser.parse_args(words[1:])
    if program.informative is not None:
        import logging

        level = logging.INFO if words[0] in program.informative else logging.WARNING
        logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(message)s")
    return int(module.run(args))


def _answer(program: Program, words: list[str]) -> int:
    """Print the help or the version, or refuse words that do not begin with a command."""
    epilog = f"{program.name} COMMAND --help says what a command takes."
    parser = _Parser(
        prog=program.name,
        description=program.description,
        epilog=epilog,
        formatter_class=_Overview,
    )
    parser.add_argument("--version", action="version", version=_version(program))
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, (_, text) in program.commands.items():
        commands.add_parser(name, help=text)
    if not words:
        parser.print_help()
        return DONE
    if not words[0].startswith("-"):
        parser.error(f"{words[0]!r} is not a command: use {', '.join(program.commands)}")
    parser.parse_args(words[:1])
    parser.error(f"{words[0]!r} is not followed by a command")


def _version(program: Program) -> str:
    return f"{program.name} {program.version}"


def _open_closed_streams(*, stdout: bool) -> None:
    """Put the null device where whoever started the program has closed a standard stream.

    Otherwise the next file opened would get its descriptor, and writing to it would fail.
    """
    if sys.stdin is None:
        sys.stdin = _null_device(0, "r")
    if sys.stdout is None and stdout:
        sys.stdout = _null_device(1, "w")
    if sys.stderr is None:
        sys.stderr = _null_device(2, "w")


def _null_device(descriptor: int, mode: str) -> TextIO:
    """Return the null device opened at a descriptor."""
    found = os.open(os.devnull, os.O_RDWR)
    if found != descriptor:
        os.dup2(found, descriptor)
        os.close(found)
    return TextIOWrapper(FileIO(descriptor, mode), encoding="utf-8")


def _tolerate_characters() -> None:
    """Let no character that the terminal or a file of its encoding lacks end a command.

    Windows writes to files in cp1252; Python in most locales stops at input that is not UTF-8.
    """
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _reader_gone() -> int:
    """Send the rest of stdout nowhere; what was asked for has been read."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE
