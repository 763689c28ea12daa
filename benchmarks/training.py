"""How fast a recipe trains, and how much of that the loader costs.

Three rates in positions/s, each over the same number of steps and interleaved in rounds, so that
other load on the machine hits all alike: the loader alone (games replayed, planes encoded), the
bare network (the same step on one batch that is ready in memory), and the real thing. The share
real / bare is the loader's cost.

    python -m benchmarks.training --data ARCHIVE --filters 64 --threads 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from cnncore.blocks import channels_last
from cnncore.training import TrainingState, best_precision, fit
from goengine.networks import PolicyNet
from selfplay.archive import Archive
from selfplay.learner import Learner, make_optimizers, policy_loss
from selfplay.packing import StagedBatch, stage
from selfplay.positions import Positions
from selfplay.recipes import load_recipe
from selfplay.runs import network_config, training_plan


def macs(filters: int, layers: int = 13) -> int:
    """Return the multiply-adds of one forward pass at 361 points; backward costs twice that."""
    return 361 * (25 * 48 * filters + (layers - 2) * 9 * filters * filters + filters)


def main() -> int:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="policy-64")
    parser.add_argument("--filters", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=10, help="steps of each kind a round")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    settings = [f"{k}={getattr(args, k)}" for k in ("filters", "batch") if getattr(args, k)]
    recipe = load_recipe(
        args.recipe, [*settings, "sources={}", "grow=[]", "positions=1_000_000_000"]
    )
    device = torch.device(args.device)
    positions = Positions(Archive.open(args.data), "train", future=recipe.future_moves)
    learner = Learner(PolicyNet(network_config(recipe)), future_moves=recipe.future_moves)
    learner = channels_last(learner, device)
    state = TrainingState.start(learner, make_optimizers(learner, recipe))
    plan = training_plan(recipe, best_precision(device))
    loss = policy_loss(recipe, device)
    ready = stage(positions.random_batch(recipe.batch, seed=0, number=0))

    def bare(step: int) -> Iterator[StagedBatch]:
        while True:
            yield ready

    stream = positions.stream(recipe.batch, seed=1, prepare=stage, workers=args.workers)
    kinds = {"bare": bare, "real": lambda step: stream}
    seconds: dict[str, list[float]] = {name: [] for name in ("loader", *kinds)}
    for number in range(args.rounds + 1):
        for name in seconds:
            began = time.perf_counter()
            if name == "loader":
                for i in range(args.steps):
                    positions.random_batch(recipe.batch, seed=2, number=number * args.steps + i)
            else:
                until = state.samples + args.steps * recipe.batch
                fit(
                    state,
                    kinds[name],
                    loss,
                    plan,
                    until=until,
                    report=lambda line: None,
                    checkpoint=lambda: None,
                )
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - began)
    count = args.steps * recipe.batch
    rates = {name: count / float(np.median(values)) for name, values in seconds.items()}
    work = 6 * macs(recipe.filters) * rates["bare"] / 1e9
    sys.stdout.write(
        f"{recipe.filters} filters, batch {recipe.batch}, {args.device}, {args.threads} threads, "
        f"{plan.precision}, medians of {args.rounds} rounds of {args.steps} steps\n"
        f"loader alone {rates['loader']:10,.0f} positions/s\n"
        f"bare network {rates['bare']:10,.0f} positions/s ({work:,.0f} GFLOP/s: 6 x "
        f"{macs(recipe.filters):,} multiply-adds a position)\n"
        f"training     {rates['real']:10,.0f} positions/s, "
        f"{rates['real'] / rates['bare']:.1%} of bare\n"
    )
    stream.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
