"""The command `cnncore list`: the names of the models."""

from __future__ import annotations

import argparse
import sys

from cnncore.models.registry import ENTRIES, UnknownModelError, list_models
from cnncore.system.command_line import DONE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore list`."""
    parser.add_argument(
        "pattern",
        nargs="?",
        default="*",
        help='part of a name such as resnet, or a pattern such as "resnet*-cifar"; default: all',
    )


def run(args: argparse.Namespace) -> int:
    """Write the models that a pattern matches to stdout."""
    sys.stdout.write(catalogue(args.pattern))
    return DONE


def catalogue(pattern: str) -> str:
    """Return the models that match a pattern, one a line with its aliases; at least one.

    Without one of the signs `*?[` it is part of a name or an alias; case and "_" for "-" do not
    matter.

    Raises:
        UnknownModelError: no model matches.
    """
    plain = pattern.lower().replace("_", "-")
    names = list_models(plain if set(plain) & set("*?[") else f"*{plain}*", aliases=True)
    entries = [e for e in ENTRIES.values() if e.name in names or any(a in names for a in e.aliases)]
    if not entries:
        raise UnknownModelError(f"no model matches {pattern!r}; run cnncore list to see all")
    width = max(len(entry.name) for entry in entries)
    lines = []
    for entry in entries:
        aliases = f" (also {', '.join(entry.aliases)})" if entry.aliases else ""
        lines.append(f"{entry.name.ljust(width)}  {entry.about}{aliases}")
    return "\n".join(lines) + "\n"
