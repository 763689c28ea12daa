"""How many problems of life and death the network solves at a glance, and how many it reads out.

Of each problem the first move counts: is the best one among the good ones? It may be anywhere up to
two lines beyond the stones, for the rest of the board is empty and larger than most problems. One
visit is the network's policy, all eight views. Komi makes the position even in the eyes of the
network, so that the stones of the problem decide the game. A line of JSON a problem: `id`, `size`,
`to_play` (B or W), `B`, `W` and `good` with points in SGF's letters; .bz2 is read too. With --out a
stopped run goes on.

    python -m benchmarks.problems tsumego.jsonl.bz2 --visits 1 100 800 --out right.jsonl
"""

from __future__ import annotations

import argparse
import bz2
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from goengine.analysis.evaluators import make_analysis_evaluator
from goengine.analysis.whole_games import analyse, analyse_query, record_query
from goengine.coords import sgf_to_move
from goengine.games.record import GameRecord
from goengine.inference.evaluator import Evaluator
from goengine.inference.machine import Machine
from goengine.players.player import allowing
from goengine.statistics import format_share
from goengine.types import BLACK, WHITE

MOST_KOMI = 150.0
ROOM = 2
"""Lines beyond the stones of a problem on which the first move may be."""


def problems(path: Path, count: int, seed: int) -> list[dict[str, Any]]:
    """Return `count` problems of a file, the same ones for the same seed."""
    opened = bz2.open(path, "rt") if path.suffix == ".bz2" else path.open()
    with opened as file:
        lines = file.read().splitlines()
    chosen = np.random.default_rng(seed).permutation(len(lines))[:count]
    return [json.loads(lines[number]) for number in chosen]


def points_of(problem: dict[str, Any], key: str) -> tuple[int, ...]:
    """Return the points that a problem names in SGF's letters."""
    return tuple(sgf_to_move(letters, int(problem["size"])) for letters in problem[key])


def record_of(problem: dict[str, Any]) -> GameRecord:
    """Return a problem as a position."""
    return GameRecord(
        size=int(problem["size"]),
        komi=0.0,
        setup_black=points_of(problem, "B"),
        setup_white=points_of(problem, "W"),
        to_play=BLACK if problem["to_play"] == "B" else WHITE,
    )


def region_of(record: GameRecord) -> frozenset[int]:
    """Return the empty points at most `ROOM` lines beyond the box around all stones."""
    size = record.size
    stones = {*record.setup_black, *record.setup_white}
    rows = [stone // size for stone in stones]
    columns = [stone % size for stone in stones]
    down = range(max(0, min(rows) - ROOM), min(size, max(rows) + ROOM + 1))
    across = range(max(0, min(columns) - ROOM), min(size, max(columns) + ROOM + 1))
    return frozenset(row * size + column for row in down for column in across) - stones


def solved(problem: dict[str, Any], visits: list[int], evaluator: Evaluator) -> dict[str, bool]:
    """Tell for each number of visits whether the best move is a good one."""
    record = record_of(problem)
    good = frozenset(points_of(problem, "good"))
    region = region_of(record) | good
    first = analyse(record, visits=1, evaluator=evaluator).positions[0]
    lead = round(2 * min(MOST_KOMI, max(-MOST_KOMI, first.black_lead))) / 2
    even = replace(record, komi=lead)
    found = {}
    for count in visits:
        if count == 1:
            said = evaluator.evaluate([even.initial_board()], symmetry="all").priors[0]
            best = max(region, key=lambda point: float(said[point]))
        else:
            query = replace(
                record_query(even, visits=count),
                bans=(allowing(record.to_play, region, 1, size=record.size),),
            )
            best = analyse_query(query, evaluator)[0].moves[0].move
        found[str(count)] = best in good
    return found


def main() -> int:
    """Solve, and print how many were right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="problems, .jsonl or .jsonl.bz2")
    parser.add_argument("--problems", type=int, default=300, help="how many of them (300)")
    parser.add_argument("--visits", type=int, nargs="+", default=[1, 100, 800])
    parser.add_argument("--network", default="dual-96", help="a network that judges (dual-96)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (1)")
    parser.add_argument("--seed", type=int, default=1, help="which problems (1)")
    parser.add_argument("--out", type=Path, help="keeps a line a problem; a stopped run goes on")
    args = parser.parse_args()
    done: dict[str, dict[str, bool]] = {}
    if args.out is not None and args.out.exists():
        done = {line["id"]: line["right"] for line in map(json.loads, args.out.open())}
    _, evaluator = make_analysis_evaluator(args.network, machine=Machine(threads=args.threads))
    chosen = problems(args.file, args.problems, args.seed)
    for problem in tqdm(chosen, unit="problem", file=sys.stderr):
        if problem["id"] in done:
            continue
        done[problem["id"]] = solved(problem, args.visits, evaluator)
        if args.out is not None:
            with args.out.open("a") as file:
                file.write(json.dumps({"id": problem["id"], "right": done[problem["id"]]}) + "\n")
    mine = [done[problem["id"]] for problem in chosen]
    for count in args.visits:
        right = sum(each[str(count)] for each in mine)
        print(f"{count:5} visits: {right} of {len(mine)}, {format_share(right, len(mine))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
