"""The data of a fine-tuning run: an archive, or SGF files that become one beside the run.

Players have SGF files of their own games rather than an archive. This module makes one, once, and
holds enough of the games out. It is the only part of training that needs an SGF parser.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections import Counter
from pathlib import Path

from goengine.games.record import GameRecord
from goengine.games.sgf import read_collection
from selfplay.archive.filters import Filters
from selfplay.archive.ingest import NothingKeptError, ingest
from selfplay.archive.ingest_counts import summary
from selfplay.archive.reader import Archive, ArchiveError
from selfplay.archive.sources import PieceReader, SourceFile, find_files

log = logging.getLogger(__name__)

FEWEST = 10
"""Least number of games: with fewer, too little is left to learn from once some are held out."""

SHARE = 0.1
"""Share of the games in each held-out split."""

MOST = 200
"""Games in each held-out split; more would not sharpen the figures much."""


def open_games(
    data: Path, cache: Path, *, player: str | None = None, progress: bool = False
) -> Archive:
    """Open an archive, or make one at `cache` of a folder or file with SGF games.

    What is at `cache` is used again while the files and the player are the same. With `player`,
    only their games are kept and only their moves are to be learnt.

    Raises:
        GoError: nothing is there, every game was dropped, or the archive was not made for this
            player.
    """
    if (data / "manifest.json").exists():
        given = Archive.open(data)
        made_for = given.manifest.get("notes", {}).get("filters", {}).get("player")
        if player is not None and made_for != player:
            raise ArchiveError(
                f"the archive {data} keeps no names, so the moves of {player!r} cannot be told in "
                "it: give the SGF files as --data, or make it with `selfplay ingest --player`"
            )
        return given
    files = find_files([data])
    if not files:
        raise ArchiveError(f"{data} holds neither SGF files nor an archive: name another folder")
    stamp = _stamp(files, player)
    archive = _made_before(cache, stamp)
    if archive is not None:
        return archive
    try:
        archive, counts = ingest(
            [data],
            cache,
            filters=Filters(player=player),
            overwrite=cache.exists(),
            progress=progress,
            notes={"inputs": stamp},
        )
    except NothingKeptError as error:
        names = ", ".join(f"{name} ({count})" for name, count in frequent_players(data)) or "none"
        whose = f" of {player!r}" if player is not None else ""
        raise ArchiveError(
            f"no 19x19 game{whose} can be learnt from {data} ({summary(error.counts)}); "
            f"players who occur most often: {names}"
        ) from None
    log.info(summary(counts))
    return archive


def hold_out(archive: Archive) -> Archive:
    """Return the archive with a tenth of its games in each held-out split, and say how many.

    Raises:
        ArchiveError: there are fewer than FEWEST games.
    """
    if len(archive) < FEWEST:
        raise ArchiveError(
            f"the data has {len(archive)} games to learn from, and fine-tuning needs at least "
            f"{FEWEST}, some of them to judge the result by: add {FEWEST - len(archive)} or more"
        )
    count = min(MOST, max(2, math.ceil(SHARE * len(archive))))
    archive = archive.with_held_out(validation=count, test=count)
    train, stop, judge = (len(archive.split(name)) for name in ("train", "validation", "test"))
    log.info(
        "%s games to learn from, %d held out to stop in time, %d to judge the result by",
        f"{train:,}",
        stop,
        judge,
    )
    return archive


def frequent_players(data: Path, *, limit: int = 5) -> list[tuple[str, int]]:
    """Return the players who occur most often in a folder of SGF games, with their games."""
    seen: Counter[str] = Counter()
    for piece in PieceReader(find_files([data])):
        for game in read_collection(piece.data):
            if isinstance(game, GameRecord):
                seen.update({(game.black or "").strip(), (game.white or "").strip()} - {""})
    return seen.most_common(limit)


def _made_before(cache: Path, stamp: str) -> Archive | None:
    """Return the archive at `cache` if it was made of the same files for the same player."""
    if not (cache / "manifest.json").is_file():
        return None
    archive = Archive.open(cache)
    return archive if archive.manifest["notes"].get("inputs") == stamp else None


def _stamp(files: list[SourceFile], player: str | None) -> str:
    """Return a digest of what the games were made of."""
    state = hashlib.blake2b(repr(player).encode(), digest_size=16)
    for file in files:
        facts = os.stat(file.path)
        state.update(f"{file.path.name} {file.source} {facts.st_size} {facts.st_mtime_ns}".encode())
    return state.hexdigest()
