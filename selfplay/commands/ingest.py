"""The command `selfplay ingest`: make an archive of SGF files, and say why games were dropped."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from goengine.types import MAX_SIZE, GoError
from selfplay.archive.filters import MIN_MOVES, RESULTS, SIZE, Filters, rank_value
from selfplay.archive.ingest import NothingKeptError, ingest
from selfplay.archive.ingest_counts import Dropped, print_counts

T = TypeVar("T", int, float)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay ingest`."""
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
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write one JSON line for each dropped game: file, number in the file, reason",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="name each dropped game on stderr"
    )
    _configure_filters(parser)


def run(args: argparse.Namespace) -> int:
    """Make the archive and print what became of the games; returns 0.

    Raises:
        GoError: an option means nothing, an input is missing, or every game was dropped.
    """
    if args.workers is not None and args.workers < 1:
        raise GoError(f"--workers {args.workers} is too few: use 1 or more")
    filters = read_filters(args)
    try:
        with ExitStack() as stack:
            archive, counts = ingest(
                args.inputs,
                args.out,
                filters=filters,
                workers=args.workers,
                overwrite=args.overwrite,
                progress=not args.quiet,
                tell=_teller(args, stack),
            )
    except NothingKeptError as error:
        print_counts(error.counts, sys.stdout)
        if any(reason == SIZE for _, reason in error.counts):
            raise GoError(
                f"{error}; games of other board sizes than {args.size} were left out: add "
                "--size any to take them"
            ) from error
        raise
    print_counts(counts, sys.stdout)
    print(f"\n{archive.path}: {len(archive):,} games, {archive.disk_size}, {archive.digest}")
    return 0


def _teller(args: argparse.Namespace, stack: ExitStack) -> Callable[[Dropped], None]:
    """Return what tells of a dropped game where the options ask for it.

    Raises:
        GoError: the file of `--report` cannot be written.
    """
    report = None
    if args.report is not None:
        try:
            report = stack.enter_context(args.report.open("w", encoding="utf-8"))
        except OSError as error:
            raise GoError(
                f"--report {args.report} cannot be written ({error.strerror}): name another file"
            ) from error

    def tell(drop: Dropped) -> None:
        if report is not None:
            report.write(json.dumps(asdict(drop), ensure_ascii=False) + "\n")
        if args.verbose:
            number = "" if drop.game is None else f", game {drop.game}"
            tqdm.write(f"{drop.file}{number}: {drop.reason}", file=sys.stderr)

    return tell


def _configure_filters(parser: argparse.ArgumentParser) -> None:
    """Add one option for each filter."""
    group = parser.add_argument_group("filters")
    group.add_argument(
        "--size", default=str(MAX_SIZE), help="board sizes: 19, or 9,13,19, or any (default 19)"
    )
    group.add_argument(
        "--player", metavar="NAME", help="only games of this player, to learn only their moves"
    )
    group.add_argument("--min-rank", metavar="RANK", help="both players at least: 5k, 6d, 1p")
    group.add_argument("--years", metavar="A-B", help="only these years: 2005-2016, 2015- or 2019")
    group.add_argument(
        "--min-moves",
        type=int,
        default=MIN_MOVES,
        metavar="N",
        help=f"drop games with fewer moves (default {MIN_MOVES})",
    )
    group.add_argument("--max-moves", type=int, metavar="N", help="drop games with more moves")
    group.add_argument("--result", metavar="KINDS", help=f"some of {','.join(RESULTS)}")
    group.add_argument("--komi", metavar="VALUES", help="only these komi, such as 6.5,7.5")


def read_filters(args: argparse.Namespace) -> Filters:
    """Return the filters that the options ask for.

    Raises:
        GoError: a value means nothing.
    """
    if args.min_rank is not None and rank_value(args.min_rank) is None:
        raise GoError(f"--min-rank {args.min_rank} is not a rank: write 5k, 6d or 1p")
    results = tuple(args.result.split(",")) if args.result else None
    for kind in results or ():
        if kind not in RESULTS:
            raise GoError(f"--result {kind} is unknown: use {', '.join(RESULTS)}")
    return Filters(
        sizes=None if args.size == "any" else tuple(_numbers(int, "--size", args.size)),
        player=args.player,
        min_rank=args.min_rank,
        years=_years(args.years),
        min_moves=args.min_moves,
        max_moves=args.max_moves,
        results=results,
        komi=None if args.komi is None else tuple(_numbers(float, "--komi", args.komi)),
    )


def _numbers(kind: type[T], option: str, text: str) -> list[T]:
    """Return the numbers of a list such as 9,19."""
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise GoError(f"{option} {text} is not a list of numbers such as 9,19") from None


def _years(text: str | None) -> tuple[int, int] | None:
    """Return the first and the last year of a range such as 2005-2016."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})(-(\d{4})?)?", text)
    if match is None:
        raise GoError(f"--years {text} is not a range: write 2005-2016, 2015- or 2019")
    first = int(match.group(1))
    if match.group(2) is None:
        return first, first
    return first, int(match.group(3)) if match.group(3) else 9999
