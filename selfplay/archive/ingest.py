"""SGF files to an archive: read, cut, filter, drop duplicates, count everything.

Pieces of text are parsed in worker processes and come back as blocks in the order of the input, so
that the archive depends on the input alone. A game is cut (its prefix stays) at the first illegal
move, at a second move in a row by one colour, at set-up stones in mid-game and at damaged text. It
is dropped when a filter says so or when too few moves are left. All of it is counted by reason.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from goengine.games.record import GameRecord
from goengine.games.replay import legal_length
from goengine.games.sgf import SgfError, read_collection
from goengine.types import GoError
from selfplay.archive.filters import TOO_SHORT, Filters
from selfplay.archive.reader import Archive, Block
from selfplay.archive.sources import Piece, PieceReader, find_files
from selfplay.archive.writer import ArchiveWriter

_log = logging.getLogger(__name__)

CHUNK_BYTES = 2**19
Counts = Counter[tuple[str, str]]
READ = "games read"
KEPT = "games kept"
POSITIONS = "moves kept"
DUPLICATE = "duplicate"


class NothingKeptError(GoError):
    """No game is left for an archive; ``counts`` say why."""

    def __init__(self, message: str, counts: Counts) -> None:
        super().__init__(message)
        self.counts = counts


@dataclass
class Parsed:
    """What a worker makes of a chunk of pieces."""

    block: Block
    counts: Counts


def parse_pieces(pieces: Sequence[Piece], filters: Filters) -> Parsed:
    """Read, cut and filter the games of some pieces; duplicates are not looked for."""
    counts: Counts = Counter()
    records: list[GameRecord] = []
    sources: list[str] = []
    learn: list[int] = []
    for piece in pieces:
        if piece.failure is not None:
            _log.warning("unreadable file %s", piece.failure)
            counts[piece.source, "unreadable file"] += 1
            continue
        for game in read_collection(piece.data):
            counts[piece.source, READ] += 1
            if isinstance(game, SgfError):
                counts[piece.source, "no readable game"] += 1
                continue
            kept, reasons = judge(game, filters)
            counts.update((piece.source, reason) for reason in reasons)
            if kept is not None:
                records.append(kept)
                sources.append(piece.source)
                learn.append(filters.colours(kept))
    return Parsed(Block.from_records(records, sources, learn), counts)


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

    None in place of the game: the set-up stones are no position.
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
) -> tuple[Archive, Counts]:
    """Make an archive of all games in files and folders.

    ``workers`` processes parse (all cores if None); with 1, or with little input, all happens in
    this process. The archive appears at ``out`` when it is whole, or not at all.
    ``notes`` go into its manifest beside the filters and the counts.

    Raises:
        NothingKeptError: no game is left; what is at ``out`` stays as it is.
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
            writer.extend(_without_duplicates(parsed.block, seen, counts))
            bar.update(reader.done - bar.n)
            bar.set_postfix_str(f"{len(seen):,} games", refresh=False)
        bar.update(reader.total - bar.n)
        if not seen:
            raise NothingKeptError(
                f"nothing was written to {out}, for no game was left: {summary(counts)}; "
                "name other files or loosen the filters",
                counts,
            )
        made = {**(notes or {}), "filters": asdict(filters), "counts": _nested(counts)}
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


def _without_duplicates(block: Block, seen: set[int], counts: Counts) -> Block:
    """Keep the first of equal games, and count what is kept by source."""
    keep = np.ones(len(block.games), dtype=bool)
    names = block.tables["sources"]
    for i, (digest, source, length) in enumerate(
        zip(
            block.games["digest"].tolist(),
            block.games["source"].tolist(),
            block.games["length"].tolist(),
            strict=True,
        )
    ):
        if digest in seen:
            keep[i] = False
            counts[names[source], DUPLICATE] += 1
        else:
            seen.add(digest)
            counts[names[source], KEPT] += 1
            counts[names[source], POSITIONS] += length
    return block.select(keep)


def _nested(counts: Counts) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(counts.items()):
        table.setdefault(source, {})[reason] = count
    return table


def summary(counts: Counts) -> str:
    """Return in one line how many games were read and kept, and why the others were not."""
    reasons: Counter[str] = Counter()
    for (_, reason), count in counts.items():
        reasons[reason] += count
    lost = [
        f"{reason} {count:,}"
        for reason, count in sorted(reasons.items())
        if reason.startswith(("filter", "dropped", "duplicate", "no readable", "unreadable"))
    ]
    return ", ".join([f"{reasons[READ]:,} games read", f"{reasons[KEPT]:,} kept", *lost])


def print_counts(counts: Counts, stream: TextIO) -> None:
    """Print games by source, then every reason for a drop or a cut."""
    table = _nested(counts)
    columns = (READ, KEPT, POSITIONS)
    width = max([len("source"), *(len(name) for name in table)])
    print(f"{'source':{width}}" + "".join(f"{name:>14}" for name in columns), file=stream)
    for name, row in table.items():
        cells = "".join(f"{row.get(column, 0):14,}" for column in columns)
        print(f"{name:{width}}{cells}", file=stream)
    totals = [sum(row.get(column, 0) for row in table.values()) for column in columns]
    print(f"{'all':{width}}" + "".join(f"{total:14,}" for total in totals), file=stream)
    reasons = sorted({reason for _, reason in counts} - set(columns))
    if reasons:
        print("\nreason", file=stream)
    for reason in reasons:
        rows = {name: row[reason] for name, row in table.items() if reason in row}
        detail = ", ".join(f"{name} {count:,}" for name, count in rows.items())
        print(f"{reason:32} {sum(rows.values()):12,}   ({detail})", file=stream)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``selfplay ingest``."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="SGF files, folders, .zip, .tar.*, .bz2, .gz, .xz",
    )
    parser.add_argument("--out", required=True, metavar="ARCHIVE", help="folder to make")
    parser.add_argument("--overwrite", action="store_true", help="replace an archive")
    parser.add_argument("--workers", type=int, default=None, help="processes (default: all cores)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    Filters.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run ``selfplay ingest``."""
    if args.workers is not None and args.workers < 1:
        raise GoError(f"--workers {args.workers} is too few: use 1 or more")
    try:
        archive, counts = ingest(
            args.inputs,
            args.out,
            filters=Filters.from_arguments(args),
            workers=args.workers,
            overwrite=args.overwrite,
            progress=not args.quiet,
        )
    except NothingKeptError as error:
        print_counts(error.counts, sys.stdout)
        raise
    print_counts(counts, sys.stdout)
    size = sum(file.stat().st_size for file in archive.path.iterdir())
    print(f"\n{archive.path}: {len(archive):,} games, {size / 2**20:.1f} MiB, {archive.digest}")
    return 0
