"""Games of self-play as an archive to learn from and as SGF to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cnncore.system import atomic
from goengine.games.record import GameRecord
from goengine.games.sgf import write_sgf
from goengine.types import GoError
from selfplay.archive.game_blocks import Block
from selfplay.archive.reader import Archive
from selfplay.archive.writer import ArchiveWriter
from selfplay.reinforce.finished_games import as_record
from selfplay.reinforce.shards import Shards

SOURCE = "self-play"
"""The source of these games in the archive."""

_CHUNK = 4096


def records(shards: Shards, network: str) -> Iterator[GameRecord]:
    """Yield the games of a run in the order of their numbers; `network` names the players."""
    return (as_record(game, shards.plan, network) for game in shards.games())


def write_archive(path: Path, shards: Shards, network: str) -> Archive:
    """Write the games of a run as an archive in place of what is at `path`, and open it.

    Raises:
        GoError: the archive cannot be written there, or a shard is damaged.
    """
    with ArchiveWriter(path, overwrite=True) as writer:
        games = records(shards, network)
        while some := list(islice(games, _CHUNK)):
            writer.extend(Block.from_records(some, [SOURCE] * len(some)))
        plan = dataclasses.asdict(shards.plan)
        return writer.commit({"network": network, "plan": plan})


def write_sgf_file(path: Path, shards: Shards, network: str) -> None:
    """Write the games of a run as an SGF collection, one game a line.

    Raises:
        GoError: the file cannot be written, or a shard is damaged.
    """
    try:
        with atomic.replacing(path) as temporary, temporary.open("wb") as file:
            for record in records(shards, network):
                file.write(write_sgf(record).replace(b"\n", b"") + b"\n")
    except OSError as error:
        raise GoError(f"--sgf {path} cannot be written ({error}): name another file") from error
