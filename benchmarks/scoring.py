"""How often the final score names the winner of real games that were played out and counted.

    python benchmarks/scoring.py COLLECTION.sgf[.bz2] [--games 200] [--seed 1] [--verbose]

The collection holds one game a line. Games whose result is a number of points, whose komi is
known and that end in two passes (all that have a result in points with --any-end) are drawn at
random; each is replayed to its last move, scored by its own rules (Japanese when none are named)
and compared with its recorded result.
"""

from __future__ import annotations

import argparse
import bz2
import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from goengine.board import Board
from goengine.games.record import GameRecord
from goengine.games.sgf import SgfError, read_sgf
from goengine.rules import get_rules
from goengine.scoring.counting import format_score, score
from goengine.scoring.status import PLAYOUTS, status
from goengine.statistics import format_share
from goengine.types import GoError

POINTS = re.compile(r"^([BW])\+(\d+(?:\.\d+)?)$")


def counted_points(record: GameRecord) -> float | None:
    """Return the recorded result as Black minus White, or None where it is not a count."""
    match = POINTS.match(record.result or "")
    if not match or record.komi is None or float(match[2]) == 0:
        return None
    return float(match[2]) if match[1] == "B" else -float(match[2])


def games(path: Path, *, any_end: bool) -> Iterator[GameRecord]:
    """Yield the played-out games of a collection."""
    opener = bz2.open if path.suffix == ".bz2" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if "+R]" in line or "+T]" in line:
                continue
            try:
                record = read_sgf(line)
            except SgfError:
                continue
            passes = all(move == record.size**2 for _, move in record.moves[-2:])
            if counted_points(record) is not None and (any_end or passes):
                yield record


def final_position(record: GameRecord) -> Board:
    """Return the last position under the rules that the game names."""
    board = record.final_board()
    try:
        board.rules = get_rules(record.rules or "japanese")
    except GoError:
        board.rules = get_rules("japanese")
    return board


def main() -> int:
    """Draw games, score them and print the share of right winners."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("collection", type=Path, help="SGF file with finished games")
    parser.add_argument("--games", type=int, default=200, help="how many of them; default: 200")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the choice and the playouts; default: 1"
    )
    parser.add_argument(
        "--playouts", type=int, default=PLAYOUTS, help=f"playouts a position; default: {PLAYOUTS}"
    )
    parser.add_argument("--any-end", action="store_true", help="also games without final passes")
    parser.add_argument("--verbose", action="store_true", help="show the games that went wrong")
    args = parser.parse_args()
    if not args.collection.is_file():
        print(f"skipped: there is no collection {args.collection}")
        return 0
    found = list(games(args.collection, any_end=args.any_end))
    rng = np.random.default_rng(args.seed)
    picks = rng.permutation(len(found))[: args.games]
    right, exact, seconds, errors = 0, 0, 0.0, []
    for pick in picks:
        record = found[pick]
        truth = counted_points(record)
        assert truth is not None
        board = final_position(record)
        start = time.perf_counter()
        judged = status(board, rng=rng, playouts=args.playouts)
        ours = score(board, judged.dead, status=judged)
        seconds += time.perf_counter() - start
        errors.append(abs(ours - truth))
        right += (ours > 0) == (truth > 0)
        exact += ours == truth
        if args.verbose and ours != truth:
            mark = " " if (ours > 0) == (truth > 0) else "!"
            print(f"{mark} game {pick}: {format_score(ours)}, recorded {record.result}, "
                  f"{board.rules.name}, {len(judged.dead)} dead", file=sys.stderr)  # fmt: skip
    print(
        f"{len(picks)} of {len(found)} played-out games of {args.collection.name}, seed {args.seed}"
    )
    print(f"winner right: {right}, {format_share(right, len(picks))}")
    print(f"score equal to the record: {exact}, {format_share(exact, len(picks))}")
    print(f"absolute difference in points: median {statistics.median(errors):g}, "
          f"mean {statistics.fmean(errors):.2f}")  # fmt: skip
    print(f"{1000 * seconds / len(picks):.1f} ms a game with {args.playouts} playouts")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
