"""The command `selfplay export`: the network of a run as a file that the engine plays with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from cnncore.system.folders import make_folder
from cnncore.training.recipe_files import RecipeError
from cnncore.training.run_folder import CHECKPOINT
from goengine.networks.files import save_network
from goengine.options import count
from selfplay.learners.learner import wider
from selfplay.recipes import from_table
from selfplay.training.failures import fail
from selfplay.training.trained_network import trained_network


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay export`."""
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("--out", required=True, type=Path, help="file to write, NAME.safetensors")
    parser.add_argument("--float16", action="store_true", help="half the size, for shipping")
    parser.add_argument(
        "--widen", type=count, metavar="FILTERS", help="the same function with more filters"
    )


def run(args: argparse.Namespace) -> int:
    """Fold the weights of a run's network and write them; return the exit status."""
    try:
        if args.out.name == CHECKPOINT:
            raise RecipeError(
                f"--out {args.out} is the name of a run's checkpoint, which would be lost: name "
                "the file otherwise"
            )
        net, card = trained_network(args.run)
        card["widened_from"] = net.config.filters if args.widen else None
        if args.widen:
            seed = from_table(card["recipe"]).seed
            net = wider(net, args.widen, np.random.default_rng(seed))
        make_folder(args.out.parent)
        dtype = torch.float16 if args.float16 else torch.float32
        save_network(net, args.out, metadata=card, dtype=dtype)
    except Exception as error:
        return fail("export", error)
    weights = sum(p.numel() for p in net.folded().parameters())
    sys.stdout.write(f"{args.out}: {net.config.filters} filters, {weights:,} parameters\n")
    return 0
