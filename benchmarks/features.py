"""How fast the planes of positions from the middle of real games are written.

    python benchmarks/features.py [GAMES ...] [--positions 4096] [--seconds 2] [--threads 1]

GAMES are SGF files, folders or packed collections, or one archive folder; the default is data/.
From every game a position between a quarter and three quarters of its moves is taken, from few
games several. Each round copies the records of a batch and encodes them, as a search or a loader
does; every batch counts at its fastest of several rounds. The time splits into the copy, all
planes but the ladders, and the ladders: the difference that leaving them out makes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from goengine._kernels import ladders as ladder_kernels
from goengine._kernels import planes as plane_kernels
from goengine._kernels.state import Records
from goengine.encoding.features import encode_batch
from goengine.feature_table import POLICY_PLANES
from goengine.games.record import GameRecord
from goengine.games.sgf import SgfError, read_sgf
from goengine.types import GoError
from selfplay.archive.reader import Archive
from selfplay.archive.sources import PieceReader, find_files

ROOT = Path(__file__).resolve().parents[1]


def games(paths: list[str], rng: np.random.Generator) -> Iterator[GameRecord]:
    """Yield game records of 19x19 from an archive (at random) or from SGF files (in order)."""
    if len(paths) == 1 and (Path(paths[0]) / "manifest.json").exists():
        archive = Archive.open(paths[0])
        yield from (archive.game(int(i)) for i in rng.permutation(len(archive)))
        return
    for piece in PieceReader(find_files(paths)):
        try:
            yield read_sgf(piece.data)
        except SgfError:
            continue


def middle_positions(
    records: Iterator[GameRecord], count: int, rng: np.random.Generator
) -> tuple[Records, int]:
    """Return up to ``count`` positions of the middle of games, and how many games gave them."""
    usable = (record for record in records if record.size == 19 and len(record.moves) >= 40)
    chosen = list(islice(usable, count))
    if not chosen:
        raise GoError("no 19x19 game of 40 moves or more: name a collection or an archive")
    each = -(-count // len(chosen))
    boards = []
    for record in chosen:
        length = len(record.moves)
        for ply in rng.integers(length // 4, 3 * length // 4, size=each):
            try:
                boards.append(record.board_at(int(ply)).records)
            except GoError:
                continue
    return np.concatenate(boards)[:count], len(chosen)


def fastest(work: Callable[[Records], object], batches: list[Records], seconds: float) -> float:
    """Return what all batches take together, each at the fastest of several rounds."""
    best = [float("inf")] * len(batches)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 5 or time.perf_counter() < end:
        for number, batch in enumerate(batches):
            start = time.perf_counter()
            work(batch)
            best[number] = min(best[number], time.perf_counter() - start)
        rounds += 1
    return sum(best)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "games",
        nargs="*",
        default=[str(ROOT / "data")],
        help="an archive, or SGF files and folders; default: the samples of the project",
    )
    parser.add_argument(
        "--positions",
        type=int,
        default=4096,
        help="positions of these games to encode; default: 4096",
    )
    parser.add_argument("--batch", type=int, default=32, help="positions a call; default: 32")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measured part")
    parser.add_argument("--threads", type=int, default=1, help="threads of the encoder; default: 1")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the choice of positions; default: 1"
    )
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    try:
        positions, number = middle_positions(games(args.games, rng), args.positions, rng)
    except GoError as error:
        print(f"features: {error}", file=sys.stderr)
        return 1
    batches = [positions[i : i + args.batch] for i in range(0, len(positions), args.batch)]
    planes = np.empty((args.batch, POLICY_PLANES, 19, 19), dtype=np.uint8)
    scratch, workspace = plane_kernels.new_scratch(), ladder_kernels.new_workspace()

    def encode(batch: Records) -> None:
        records = batch.copy()
        encode_batch(records, out=planes[: len(records)], threads=args.threads)

    def write(batch: Records, *, ladders: bool = True) -> int:
        out = planes[: len(batch)]
        plane_kernels.write_planes(batch, out, scratch)
        return int(ladder_kernels.mark_ladders(batch, out, workspace)) if ladders else 0

    def measure(work: Callable[[Records], object]) -> float:
        work(batches[0])
        return fastest(work, batches, args.seconds) / len(positions)

    hits = sum(map(write, batches))
    count = len(positions)
    whole = measure(encode)
    moves = measure(lambda batch: write(batch, ladders=False))
    rows = {
        "copy": measure(np.copy),
        "all planes but the ladders": moves,
        "ladders": measure(write) - moves,
    }
    print(f"{count} positions of {number} games from {', '.join(args.games)}")
    print(f"{1 / whole:10,.0f} positions/s, {args.threads} thread(s), copy and encode_batch")
    print(f"{1e6 * whole:10.1f} µs a position; one thread spends")
    for name, value in rows.items():
        print(f"{1e6 * value:10.1f} µs on {name}")
    print(f"{hits:10} ladder readings used up their budget ({hits / count:.3%} of the positions)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
