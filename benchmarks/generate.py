"""How much of the evaluator's own rate self-play reaches: moves a second beside ready batches.

The evaluator first computes ready batches of planes of the same size, positions encoded each time,
for some seconds; then it plays games, of which the first seconds do not count, for then no game is
late; then it computes ready batches again. Seconds of the process's own threads are given beside
those of the clock, for they hardly change when another program runs.

    python benchmarks/generate.py --sizes 9 --threads 1
    python benchmarks/generate.py --sizes 19 --handicap 9 --device cuda --threads 16
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from goengine.board import Board
from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluation import Evaluation
from goengine.inference.evaluator import Evaluator
from goengine.networks.files import open_network
from selfplay.reinforce.game_loop import play_games
from selfplay.reinforce.plan import Plan
from selfplay.reinforce.shards import Shards


@dataclass
class Rate:
    """Positions and the seconds that they took."""

    positions: int = 0
    clock: float = 0.0
    """Seconds of the clock."""
    processor: float = 0.0
    """Seconds of this process's threads together."""

    def text(self) -> str:
        """Return positions a second, by both."""
        return (
            f"{self.positions / self.clock:9,.0f}/s of the clock"
            f"{self.positions / self.processor:11,.0f}/s of processor time"
        )


@dataclass
class Watch(Evaluator):
    """An evaluator that notes when it was asked."""

    inner: Evaluator
    asked: list[tuple[float, float, int]] = field(default_factory=list)
    """Clock, processor time and positions of every batch, when it was asked."""

    def __post_init__(self) -> None:
        """Be the inner evaluator besides."""
        super().__init__(self.inner.backend)

    def evaluate_planes(
        self,
        planes: npt.NDArray[np.uint8],
        *,
        komi: npt.NDArray[np.float32] | None = None,
        symmetry: str | None = None,
    ) -> Evaluation:
        """Note the time and evaluate."""
        self.asked.append((time.perf_counter(), time.process_time(), len(planes)))
        return self.inner.evaluate_planes(planes, komi=komi, symmetry=symmetry)

    def rate(self, warm: float) -> Rate:
        """Return the rate since `warm` seconds after the first batch."""
        first = self.asked[0][0] + warm
        counted = [batch for batch in self.asked if batch[0] >= first]
        start, end = counted[0], counted[-1]
        positions = sum(batch[2] for batch in counted[:-1])
        return Rate(positions, end[0] - start[0], end[1] - start[1])


def ready_batches(evaluator: Evaluator, sizes: Sequence[int], batch: int, seconds: float) -> Rate:
    """Return the evaluator's rate on ready positions, batches of all sizes in turn."""
    rng = np.random.default_rng(0)
    batches = []
    for size in sizes:
        records = []
        for _ in range(batch):
            board = Board(size)
            for _ in range(int(rng.integers(1, size * size // 2))):
                board.play(int(rng.choice(np.flatnonzero(board.sensible()))))
            records.append(board.records)
        batches.append(np.concatenate(records))
    for records in batches:
        evaluator.evaluate_records(records)
    total = Rate()
    clock, processor = time.perf_counter(), time.process_time()
    while total.clock < seconds:
        for records in batches:
            evaluator.evaluate_records(records)
            total.positions += len(records)
        total.clock = time.perf_counter() - clock
        total.processor = time.process_time() - processor
    return total


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print three rates and the share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--net", default="policy-residual-64", help="shipped name or file")
    parser.add_argument("--sizes", default="9", help="default: 9")
    parser.add_argument("--handicap", type=int, default=0, help="most handicap stones; default: 0")
    parser.add_argument("--backend", help="onnx or torch; default: the fastest here")
    parser.add_argument("--device", help="cuda, mps or cpu; default: the best here")
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    parser.add_argument("--batch", type=int, help="default: the backend's largest")
    parser.add_argument("--seconds", type=float, default=60.0, help="of self-play; default: 60")
    parser.add_argument("--warm", type=float, default=15.0, help="of them not counted; default: 15")
    args = parser.parse_args(argv)
    evaluator = make_evaluator(
        args.net, backend=args.backend, device=args.device, threads=args.threads
    )
    sizes = tuple(int(size) for size in args.sizes.split(","))
    plan = Plan(
        open_network(args.net).digest,
        sizes=sizes,
        handicap=args.handicap,
        batch=args.batch or evaluator.backend.chunk,
    )
    before = ready_batches(evaluator, sizes, plan.batch, args.seconds / 4)
    watch = Watch(evaluator)
    with tempfile.TemporaryDirectory() as folder:
        shards = Shards(Path(folder), plan)
        play_games(watch, shards, 10**6, threads=args.threads, seconds=args.seconds)
        games = len(shards)
    playing = watch.rate(args.warm)
    after = ready_batches(evaluator, sizes, plan.batch, args.seconds / 4)
    for name, rate in (("ready batches", before), ("self-play", playing), ("again", after)):
        sys.stdout.write(f"{name:14}{rate.text()}\n")
    shares = [
        statistics.mean([vars(own)[by] / own.positions for own in (before, after)])
        / (vars(playing)[by] / playing.positions)
        for by in ("clock", "processor")
    ]
    sys.stdout.write(
        f"{games:,} games; self-play makes {shares[0]:.1%} of the rate of ready batches by the "
        f"clock, {shares[1]:.1%} by processor time\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
