"""KataGo's own command lines, as other programs build them: accepted, and said what is ignored.

KaTrain, Ogatak, Sabaki's helpers and LizzieYzy start their engine as `gtp` or `analysis` with
`-model M -human-model H -config C -override-config K=V -quit-without-waiting`. A model that is a
network of this engine is used; the rest changes nothing, or what a command makes of it.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)

OURS = ".safetensors"
"""How the names of this engine's networks end."""


def add_foreign_options(parser: argparse.ArgumentParser) -> None:
    """Declare KataGo's options beside a command's own."""
    group = parser.add_argument_group(
        "KataGo's options", "accepted, so that programs made for KataGo can start this engine"
    )
    for name, what in (
        ("-model", "FILE"),
        ("-human-model", "FILE"),
        ("-config", "FILE"),
        ("-override-config", "NAME=VALUE,..."),
        ("-override-version", "VERSION"),
    ):
        group.add_argument(name, metavar=what, action="append", default=[], dest=_place(name))
    group.add_argument("-analysis-threads", metavar="N", default=None)


def take_foreign_options(args: argparse.Namespace, *, used: Collection[str] = ()) -> None:
    """Take a model that is a network of this engine as `--network`, and warn once of the rest.

    `used`: options that the command itself makes something of.
    """
    ignored = []
    for path in args.model:
        if path.endswith(OURS) and args.network is None:
            args.network = path
        else:
            ignored.append(f"-model {Path(path).name}")
    for name in ("-human-model", "-config", "-override-config", "-override-version"):
        if name not in used:
            values: list[str] = vars(args)[_place(name)]
            ignored += [f"{name} {value}" for value in values]
    if args.analysis_threads is not None:
        ignored.append(f"-analysis-threads {args.analysis_threads}")
    if ignored:
        log.warning(
            "ignored, because this is not KataGo and has its own network: %s", ", ".join(ignored)
        )


def foreign_settings(args: argparse.Namespace) -> dict[str, str]:
    """Return the settings of KataGo's configuration files and overrides; overrides count more.

    A file that cannot be read is warned of and counts as empty.
    """
    found: dict[str, str] = {}
    for path in args.config:
        try:
            found |= read_config(Path(path).read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            log.warning("cannot read -config %s: %s", path, error.strerror or error)
    for text in args.override_config:
        found |= read_config("\n".join(text.split(",")))
    return found


def read_config(text: str) -> dict[str, str]:
    """Return the settings of a configuration: lines `name = value`, # begins a comment."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("#")[0].partition("=")
        if equals and name.strip() and not name.strip().startswith("@"):
            found[name.strip()] = value.strip().strip('"')
    return found


def _place(name: str) -> str:
    """Return the attribute that an option is kept in."""
    return name.lstrip("-").replace("-", "_")
