"""How much of the evaluator's own rate a search reaches, what the tree costs, and what it holds.

Middle games are read for so many visits each, one after the other, cache and tree empty at first;
the tree's arrays are there already, as they are in a game after its first move.
In turns with that, in the same process, the evaluator computes ready batches of the same sizes
under random symmetries, planes and all. Where other programs run, the processor time of this
process says more than the clock: `--threads 1` makes both comparable.

    python benchmarks/search.py --visits 800 --rounds 5 --threads 1
    python benchmarks/search.py --size 9 --visits 400
    python benchmarks/search.py --nodes 200000
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from goengine._kernels.state import Records
from goengine.encoding.features import encode_batch
from goengine.games.game import Game
from goengine.inference.choosing import make_evaluator
from goengine.inference.evaluation import Evaluation
from goengine.inference.evaluator import Evaluator, Symmetry
from goengine.search.leaf_evaluation import LeafEvaluator
from goengine.search.tree_search import Limits, TreeSearch


@dataclass
class Watched(Evaluator):
    """An evaluator that notes what it was asked and what it took."""

    inner: Evaluator
    sizes: list[int] = field(default_factory=list)
    """Positions of every batch."""
    processor: float = 0.0
    """Processor seconds of this process inside the evaluator."""

    def __post_init__(self) -> None:
        super().__init__(self.inner.backend)

    def evaluate_records(  # noqa: D102  # as of Evaluator
        self,
        records: Records,
        *,
        komi: np.ndarray | None = None,
        allowed: np.ndarray | None = None,
        symmetry: Symmetry | str | None = None,
        rng: np.random.Generator | None = None,
    ) -> Evaluation:
        processor = time.process_time()
        found = self.inner.evaluate_records(
            records, komi=komi, allowed=allowed, symmetry=symmetry, rng=rng
        )
        self.processor += time.process_time() - processor
        self.sizes.append(len(records) * (8 if symmetry == "all" else 1))
        return found


def middle_game(size: int, seed: int) -> Game:
    """Return a game after as many sensible random moves as a third of its points."""
    rng = np.random.default_rng(seed)
    game = Game(size)
    for _ in range(size * size // 3):
        game.play(int(rng.choice(np.flatnonzero(game.board.sensible()[:-1]))))
    return game


def rates(arguments: argparse.Namespace) -> None:
    """Print simulations a second beside the evaluator's rate on ready batches."""
    inner = make_evaluator(
        arguments.net, backend=arguments.backend, device="cpu", threads=arguments.threads
    )
    backend = inner.backend
    print(f"{arguments.net} on {backend.name}, {backend.precision}, {backend.threads} threads")
    shares, tree_shares, plane_shares = [], [], []
    watched = Watched(inner)
    tree = TreeSearch(LeafEvaluator(watched), rng=np.random.default_rng(1), megabytes=300.0)
    for number in range(arguments.rounds + 1):
        rng = np.random.default_rng(number)
        watched.sizes.clear()
        watched.processor = 0.0
        tree.leaves.forget()
        game = middle_game(arguments.size, number)
        clock, processor = time.perf_counter(), time.process_time()
        tree.begin(game)
        tree.run(Limits(visits=arguments.visits))
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        ready = np.repeat(game.board.records, max(watched.sizes))
        began, began_processor = time.perf_counter(), time.process_time()
        for size in watched.sizes:
            inner.evaluate_records(ready[:size], symmetry="random", rng=rng)
        alone = time.perf_counter() - began
        alone_processor = time.process_time() - began_processor
        began_processor = time.process_time()
        for size in watched.sizes:
            encode_batch(ready[:size], planes=backend.planes, threads=backend.threads)
        planes = time.process_time() - began_processor
        if number == 0:
            continue  # whatever is compiled or allocated at first
        asked = sum(watched.sizes)
        shares.append(alone_processor / processor * tree.visits / asked)
        tree_shares.append(1 - watched.processor / processor)
        plane_shares.append(planes / processor)
        print(
            f"{tree.visits / clock:8.1f} simulations/s, ready batches {asked / alone:8.1f}/s by "
            f"the clock; of processor time {tree.visits / processor:8.1f} and "
            f"{asked / alone_processor:8.1f}/s; {asked / len(watched.sizes):.1f} a batch"
        )
    print(
        f"share of the evaluator's rate {statistics.median(shares):.1%}, the tree "
        f"{statistics.median(tree_shares):.1%} of the time, planes "
        f"{statistics.median(plane_shares):.1%} (medians, processor time)"
    )


class Chance(Evaluator):
    """Judges by chance, at once."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)

    def evaluate_records(  # noqa: D102  # as of Evaluator
        self,
        records: Records,
        *,
        komi: np.ndarray | None = None,
        allowed: np.ndarray | None = None,
        symmetry: Symmetry | str | None = None,
        rng: np.random.Generator | None = None,
    ) -> Evaluation:
        batch, size = len(records), int(records["size"][0])
        priors = self.rng.random((batch, size * size + 1), dtype=np.float32) ** 4
        for i, record in enumerate(records):
            rows = record["colour"][20 : (size + 1) * 20].reshape(size, 20)[:, 1 : size + 1]
            priors[i, :-1] *= rows.ravel() == 0
        priors[:, -1] = 0
        priors /= priors.sum(axis=1, keepdims=True)
        lead = self.rng.normal(0, 5, batch).astype(np.float32)
        owners = self.rng.random((batch, size, size), dtype=np.float32) - 0.5
        return Evaluation(priors, np.tanh(lead / 10), lead, owners, np.full(batch, 5, np.float32))


def memory(arguments: argparse.Namespace) -> None:
    """Print what so many nodes take."""
    leaves = LeafEvaluator(Chance(), megabytes=20.0)
    tree = TreeSearch(leaves, rng=np.random.default_rng(1), megabytes=1000.0)
    tree.begin(Game(arguments.size))
    tree.run(Limits(visits=100))
    before = resident()
    began = time.process_time()
    tree.run(Limits(), settled=lambda: int(tree.pool.used[0]) >= arguments.nodes)
    nodes = int(tree.pool.used[0])
    print(
        f"{nodes:,} nodes in {(resident() - before):.0f} MB more than before, "
        f"{len(tree.leaves):,} remembered evaluations among them; "
        f"{time.process_time() - began:.0f} s"
    )


def resident() -> float:
    """Return the megabytes that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def main() -> int:
    """Run the benchmark that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--net", default="dual-96")
    parser.add_argument("--backend")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", type=int, default=19)
    parser.add_argument("--visits", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, help="measure memory at so many nodes instead")
    arguments = parser.parse_args()
    if arguments.nodes:
        memory(arguments)
    else:
        rates(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
