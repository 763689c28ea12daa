"""The streams of a command line, made to take every character."""

from __future__ import annotations

import io
import sys


def tolerate_characters() -> None:
    """Let no character that the terminal or a file of its encoding lacks end a command.

    Windows writes to files in cp1252; Python in most locales stops at input that is no UTF-8.
    """
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
