"""Which network learns most from the same number of multiplications? Train each and compare.

    python -m benchmarks.equal_compute policy-128 policy-residual --data ARCHIVE --out FOLDER

The first recipe sees `--positions` positions, every other one as many as cost as much, counted in
multiply-adds of a forward pass. Runs lie in FOLDER and go on where they were stopped; at the end
FOLDER/report.html compares them on the same held-out positions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from torch import nn

from goengine.networks.files import Network
from selfplay.__main__ import main as selfplay
from selfplay.recipes import load_recipe
from selfplay.training.policy_run import network_config
from selfplay.training.trained_network import network_of

POINTS = 361


def multiply_adds(net: Network) -> int:
    """Return the multiply-adds of one forward pass on a 19x19 board; biases do not count."""
    kernels = (module.weight for module in net.modules() if isinstance(module, nn.Conv2d))
    return POINTS * sum(kernel.numel() for kernel in kernels)


def main() -> int:
    """Train every recipe, then evaluate all runs; the status of the first command that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="+", metavar="RECIPE", help="the first sets the compute")
    parser.add_argument("--data", required=True, help="archive made by 'selfplay ingest'")
    parser.add_argument("--out", required=True, type=Path, help="folder of the runs and the report")
    parser.add_argument("--positions", type=int, default=200_000, help="of the first recipe")
    parser.add_argument("--limit", type=int, default=10_000, help="held-out positions a source")
    parser.add_argument("--sources", help="comma-separated sources to evaluate on; default: all")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for all")
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads of the network; default: 1"
    )
    args = parser.parse_args()
    common = ["--data", args.data, "--threads", str(args.threads)]
    costs = [
        multiply_adds(network_of(network_config(load_recipe(name, args.set))))
        for name in args.recipes
    ]
    runs = []
    for name, cost in zip(args.recipes, costs, strict=True):
        run = args.out / Path(name).stem
        positions = round(args.positions * costs[0] / cost)
        sys.stdout.write(f"{run.name}: {cost / 1e6:,.0f} million multiply-adds a position, ")
        sys.stdout.write(f"{positions:,} positions\n")
        settings = [f"--set={setting}" for setting in [*args.set, f"positions={positions}"]]
        status = selfplay(["train", name, "--out", str(run), *common, *settings])
        if status:
            return status
        runs.append(str(run))
    sources = [f"--sources={args.sources}"] if args.sources else []
    report = ["--report", str(args.out / "report.html"), "--limit", str(args.limit)]
    return selfplay(["evaluate", *runs, *common, *sources, *report])


if __name__ == "__main__":
    sys.exit(main())
