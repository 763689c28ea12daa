"""What the analysis engine adds to the network: share of the evaluator's rate, and latency.

The evaluator alone and whole queries take turns, so that other load on the machine hits both alike.
Rates are positions that went through the network per second of processor time of this process
(`user`) and per second on the wall. Latency: one query of 1 visit after the other, warm, from the
line that is sent to the line that comes back, through pipes.

    python -m benchmarks.analysis --network dual-96 --threads 1 --rounds 5
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable

import numpy as np

from goengine.analysis.evaluators import make_analysis_evaluator
from goengine.analysis.line_server import AnalysisServer
from goengine.analysis.requests.query_settings import AnalysisSettings
from goengine.analysis.scheduler import BATCH, Report, Scheduler
from goengine.analysis.whole_games import record_query
from goengine.board import Board
from goengine.games.record import GameRecord
from goengine.inference.backends.backend import Backend, Planes, RawOutputs
from goengine.inference.evaluator import Evaluator
from goengine.inference.machine import Machine


class CountingBackend:
    """A backend that counts the positions it computes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name, self.device, self.precision = backend.name, backend.device, backend.precision
        self.planes, self.forgetful = backend.planes, backend.forgetful
        self.threads, self.chunk = backend.threads, backend.chunk
        self.count = 0

    def run(self, planes: Planes) -> RawOutputs:
        """Compute, and count."""
        self.count += len(planes)
        return self._backend.run(planes)


def random_game(moves: int, rng: np.random.Generator) -> GameRecord:
    """Return a game of random sensible moves on 19x19."""
    board = Board(19)
    played = []
    for _ in range(moves):
        options = np.flatnonzero(board.sensible()[:-1])
        move = int(rng.choice(options)) if len(options) else 361
        played.append((board.to_play, move))
        board.play(move)
    return GameRecord(size=19, moves=tuple(played))


def rates(backend: CountingBackend, work: Callable[[], None]) -> tuple[float, float]:
    """Return positions per second of processor time and per second on the wall."""
    backend.count = 0
    user, wall = time.process_time(), time.perf_counter()
    work()
    return (
        backend.count / (time.process_time() - user),
        backend.count / (time.perf_counter() - wall),
    )


def evaluate_alone(evaluator: Evaluator, record: GameRecord, positions: int) -> None:
    """Evaluate positions in batches, each under a random symmetry, as a search does."""
    rng = np.random.default_rng(0)
    records = np.concatenate([board.records for board, _ in record.positions()])
    for start in range(0, positions, BATCH):
        places = np.arange(start, start + BATCH) % len(records)
        evaluator.evaluate_records(records[places], symmetry="random", rng=rng)


def analyse_queries(evaluator: Evaluator, record: GameRecord, visits: int, count: int) -> None:
    """Analyse positions of a game, so many visits each."""

    def ignore(report: Report) -> None:
        """Keep nothing."""

    scheduler = Scheduler(evaluator, report=ignore)
    turns = np.linspace(20, len(record.moves), count).astype(int).tolist()
    scheduler.add(record_query(record, visits=visits, turns=turns))
    while not scheduler.idle:
        scheduler.step()


def latencies(evaluator: Evaluator, network: str, count: int) -> list[float]:
    """Return the milliseconds of queries of 1 visit on an idle engine."""
    input_fd, send_fd = os.pipe()
    receive_fd, output_fd = os.pipe()
    server = AnalysisServer(
        evaluator, AnalysisSettings(), network=network, input_fd=input_fd, output_fd=output_fd
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    found = []
    with os.fdopen(send_fd, "wb", buffering=0) as send, os.fdopen(receive_fd, "rb") as receive:
        for number in range(count + 3):
            line = json.dumps(
                {
                    "id": str(number),
                    "moves": [["B", "Q16"], ["W", "D4"]],
                    "rules": "chinese",
                    "komi": 7.5,
                    "boardXSize": 19,
                    "boardYSize": 19,
                    "maxVisits": 1,
                }
            )
            clear = json.dumps({"id": "c", "action": "clear_cache"})
            send.write(clear.encode() + b"\n")
            receive.readline()
            began = time.perf_counter()
            send.write(line.encode() + b"\n")
            receive.readline()
            found.append(1000 * (time.perf_counter() - began))
        send.close()
        thread.join()
    os.close(input_fd)
    os.close(output_fd)
    return found[3:]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default=None)
    parser.add_argument("--backend", default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--visits", type=int, nargs="+", default=[1, 25, 100, 500])
    parser.add_argument("--positions", type=int, default=400, help="evaluations a round")
    args = parser.parse_args()
    name, plain = make_analysis_evaluator(
        args.network, machine=Machine(args.backend, threads=args.threads)
    )
    backend = CountingBackend(plain.backend)
    evaluator = Evaluator(backend)
    record = random_game(200, np.random.default_rng(1))
    analyse_queries(evaluator, record, 60, 2)  # compile
    print(f"{name}, {backend.name} {backend.precision}, {args.threads} threads")
    for visits in args.visits:
        count = max(2, args.positions // visits)
        shares = []
        for _ in range(args.rounds):
            alone, wall_alone = rates(
                backend, lambda: evaluate_alone(evaluator, record, args.positions)
            )
            both, wall_both = rates(
                backend, lambda v=visits, c=count: analyse_queries(evaluator, record, v, c)
            )
            shares.append((both / alone, wall_both / wall_alone, alone, both))
        user, wall, alone, both = (
            statistics.median(column) for column in zip(*shares, strict=True)
        )
        low, high = min(s[0] for s in shares), max(s[0] for s in shares)
        print(
            f"{visits:5} visits, {count:3} positions: {100 * user:.0f} % of the evaluator's rate "
            f"({100 * low:.0f} to {100 * high:.0f}; wall {100 * wall:.0f} %), "
            f"{both:.0f} of {alone:.0f} positions per second of processor time"
        )
    found = sorted(latencies(evaluator, name, 100))
    print(
        f"1 visit: median {statistics.median(found):.1f} ms, 90th percentile "
        f"{found[int(0.9 * len(found))]:.1f} ms, fastest {found[0]:.1f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
