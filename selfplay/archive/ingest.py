"""SGF files to an archive: read, cut, filter, drop duplicates, count everything.

Pieces of text are parsed in worker processes and come back as blocks in the order of the input, so
that the archive depends on the input alone. A game is cut (its prefix stays) at the first illegal
move, at a second move in a row by one colour, at set-up stones in mid-game and at damaged text. It
is dropped when a filter says so or when too few moves are left. All of it is counted by reason, and
each game that is not kept can be told by name.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from goengine.games.record import GameRecord
from goengine.games.replay import legal_length
from goengine.games.sgf import SgfError, read_collection
from goengine.types import GoError
from selfplay.archive.filters import TOO_SHORT, Filters
from selfplay.archive.game_blocks import Block
from selfplay.archive.ingest_counts import (
    DUPLICATE,
    KEPT,
    NO_GAME,
    NOTED,
    POSITIONS,
    READ,
    SKIPPED,
    UNREADABLE,
    Counts,
    Dropped,
    by_source,
    summary,
)
from selfplay.archive.reader import Archive
from selfplay.archive.sources import Piece, PieceReader, find_files
from selfplay.archive.writer import ArchiveWriter

log = logging.getLogger(__name__)

CHUNK_BYTES = 2**19
"""Bytes of text that a worker process gets at a time."""


class NothingKeptError(GoError):
    """No game is left for an archive; `counts` say why."""

    def __init__(self, message: str, counts: Counts) -> None:
        super().__init__(message)
        self.counts = counts


@dataclass
class Parsed:
    """What a worker makes of a chunk of pieces."""

    block: Block
    """The games that are kept."""
    places: list[tuple[str, int]]
    """File of each game in the block, and its number there."""
    counts: Counts
    """Games by source and reason."""
    dropped: list[Dropped]
    """The games that are not kept."""


def parse_pieces(pieces: Sequence[Piece], filters: Filters) -> Parsed:
    """Read, cut and filter the games of some pieces; duplicates are not looked for."""
    counts: Counts = Counter()
    dropped: list[Dropped] = []
    records: list[GameRecord] = []
    sources: list[str] = []
    learn: list[int] = []
    places: list[tuple[str, int]] = []
    for piece in pieces:
        if piece.review:
            counts[piece.source, SKIPPED] += 1
            dropped.append(Dropped(piece.file, None, SKIPPED))
            continue
        if piece.failure is not None:
            log.warning("unreadable file %s", piece.failure)
            counts[piece.source, UNREADABLE] += 1
            dropped.append(Dropped(piece.file, None, f"{UNREADABLE}: {piece.failure}"))
            continue
        for number, game in enumerate(read_collection(piece.data), start=piece.number):
            counts[piece.source, READ] += 1
            if isinstance(game, SgfError):
                counts[piece.source, NO_GAME] += 1
                dropped.append(Dropped(piece.file, number, f"{NO_GAME}: {game}"))
                continue
            counts.update((piece.source, f"{NOTED}{kind}") for kind in note_kinds(game))
            kept, reasons = judge(game, filters)
            counts.update((piece.source, reason) for reason in reasons)
            if kept is None:
                dropped.append(Dropped(piece.file, number, ", ".join(reasons)))
            else:
                records.append(kept)
                sources.append(piece.source)
                learn.append(filters.colours(kept))
                places.append((piece.file, number))
    return Parsed(Block.from_records(records, sources, learn), places, counts, dropped)


def note_kinds(game: GameRecord) -> set[str]:
    """Return what kinds of notes the reader made on a game: each sentence up to its colon."""
    return {note.partition(":")[0] for note in game.notes}


def judge(game: GameRecord, filters: Filters) -> tuple[GameRecord | None, list[str]]:
    """Return what is kept of a game (None: nothing) and what is to be counted."""
    refused = filters.refuse_header(game)
    if refused is not None:
        return None, [refused]
    prefix, cut = cut_game(game)
    if prefix is None:
        return None, [f"dropped: {cut}"]
    refused = filters.refuse_length(prefix)
    if refused is not None:
        return None, [f"dropped: {cut}" if cut and refused == TOO_SHORT else refused]
    return prefix, [f"cut: {cut}"] if cut else []


def cut_game(game: GameRecord) -> tuple[GameRecord | None, str | None]:
    """Return the legal prefix of a game and why it is shorter than the game (None if it is not).

    The game is None where the set-up stones are not a position.
    """
    legal = legal_length(game)
    if legal < 0:
        return None, "set-up without liberties"
    if legal == len(game.moves):
        return game, game.cut
    previous = game.moves[legal - 1][0] if legal else 0
    reason = "two moves in a row" if game.moves[legal][0] == previous else "illegal move"
    return replace(game, moves=game.moves[:legal]), reason


def ingest(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    filters: Filters | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
    notes: Mapping[str, Any] | None = None,
    tell: Callable[[Dropped], None] | None = None,
) -> tuple[Archive, Counts]:
    """Make an archive of all games in files and folders.

    `workers` processes parse (all cores if None); with 1, or with little input, all happens in
    this process. The archive appears at `out` when it is whole, or not at all. `notes` go into its
    manifest beside the filters and the counts. `tell` is called for each game that is not kept.

    Raises:
        NothingKeptError: no game is left; what is at `out` stays as it is.
        GoError: an input is missing, none holds SGF files, or the archive cannot be written there.
    """
    filters = filters or Filters()
    files = find_files(paths)
    if not files:
        raise GoError(
            f"no SGF files in {', '.join(map(str, paths))}: name SGF files, packed collections, or "
            "folders that hold some"
        )
    reader = PieceReader(files)
    counts: Counts = Counter()
    seen: set[int] = set()
    with ExitStack() as stack:
        writer = stack.enter_context(ArchiveWriter(out, overwrite=overwrite))
        bar = stack.enter_context(
            tqdm(
                total=reader.total,
                unit="B",
                unit_scale=True,
                file=sys.stderr,
                disable=not progress,
                smoothing=0.05,
            )
        )
        for parsed in _parse_all(_chunks(reader), filters, workers or os.cpu_count() or 1):
            counts.update(parsed.counts)
            writer.extend(_without_duplicates(parsed, seen, counts))
            if tell is not None:
                for drop in parsed.dropped:
                    tell(drop)
            bar.update(reader.done - bar.n)
            bar.set_postfix_str(f"{len(seen):,} games", refresh=False)
        bar.update(reader.total - bar.n)
        if not seen:
            raise NothingKeptError(
                f"nothing was written to {out}, because every game was dropped: {summary(counts)}; "
                "name other files or loosen the filters",
                counts,
            )
        made = {**(notes or {}), "filters": asdict(filters), "counts": by_source(counts)}
        return writer.commit(made), counts


def _chunks(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Group pieces into lists of about CHUNK_BYTES."""
    chunk: list[Piece] = []
    size = 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece.data)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _parse_all(chunks: Iterator[list[Piece]], filters: Filters, workers: int) -> Iterator[Parsed]:
    """Parse chunks in their order, a few ahead of the one that is asked for."""
    first = list(islice(chunks, 2))
    chunks = chain(first, chunks)
    if workers == 1 or len(first) < 2:
        for chunk in chunks:
            yield parse_pieces(chunk, filters)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        waiting: deque[Future[Parsed]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(parse_pieces, chunk, filters))
                if len(waiting) > 3 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise GoError(
                "a worker process died (out of memory?): try again with --workers 1"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)


def _without_duplicates(parsed: Parsed, seen: set[int], counts: Counts) -> Block:
    """Keep the first of equal games, and count what is kept by source."""
    block = parsed.block
    keep = np.ones(len(block.games), dtype=bool)
    names = block.tables["sources"]
    columns = (block.games[name].tolist() for name in ("digest", "source", "length"))
    for i, (digest, source, length) in enumerate(zip(*columns, strict=True)):
        if digest in seen:
            keep[i] = False
            counts[names[source], DUPLICATE] += 1
            parsed.dropped.append(Dropped(*parsed.places[i], DUPLICATE))
        else:
            seen.add(digest)
            counts[names[source], KEPT] += 1
            counts[names[source], POSITIONS] += length
    return block.select(keep)
