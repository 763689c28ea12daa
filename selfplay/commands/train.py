"""The commands `selfplay train` and `selfplay export`: supervised learning of the policy network.

`train` starts a run in a folder, or goes on with the run that is there; without a recipe it
fine-tunes a network (finetune.py). `export` writes the network of a run (trained.py) as a file that
the engine plays with.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from pathlib import Path

import numpy as np
import torch

from cnncore.system.folders import make_folder
from cnncore.system.parallel import ALONE, Processes, joined
from cnncore.training.recipe_files import RecipeError, add_settings
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import default_network, load_network, save_network
from goengine.networks.policy_network import PolicyNet
from goengine.networks.widening import widen
from selfplay.archive.reader import Archive
from selfplay.finetuning.tuning import EPOCHS
from selfplay.recipes import Recipe, from_table, load_recipe
from selfplay.training import device_options
from selfplay.training.failures import fail
from selfplay.training.run_network import trained_network
from selfplay.training.runs import Run

log = logging.getLogger(__name__)


def configure_train(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay train`."""
    parser.add_argument(
        "recipe",
        nargs="?",
        help="name of a shipped recipe, or a .toml file; left out, with --from, the network is "
        "fine-tuned on the games of --data",
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        help="archive made by 'selfplay ingest'; for fine-tuning also an SGF file, folder or "
        "package",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the run; resumed if begun (fine-tuning: DATA-net)"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        help="stop after this long; default: at the end of the plan",
    )
    add_settings(parser)
    parser.add_argument(
        "--from",
        dest="start",
        metavar="NET",
        nargs="?",
        const="",
        help="start from this network, file or folder of a run; without NET from the shipped one",
    )
    parser.add_argument(
        "--widen", type=int, metavar="FILTERS", help="widen the --from network first"
    )
    device_options.add_arguments(parser, workers=1)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument(
        "--other-data", action="store_true", help="go on although the archive is another one"
    )
    tuning = parser.add_argument_group("fine-tuning (--from without a recipe)")
    tuning.add_argument("--player", metavar="NAME", help="learn only this player's moves")
    tuning.add_argument("--others", type=Path, metavar="ARCHIVE", help="measured on as well")
    tuning.add_argument(
        "--epochs",
        type=float,
        default=EPOCHS,
        help=f"longest run, in passes over the games; default: {EPOCHS:g}",
    )


def run_train(args: argparse.Namespace) -> int:
    """Run `selfplay train`: 0 at the end of plan or time, 130 after Ctrl-C, 1 on failure."""
    try:
        with joined(args.device) as (processes, device):
            if args.recipe is None:
                from selfplay.finetuning.finetune import (
                    fine_tune,  # needs an SGF parser, unlike all else here
                )

                run, outcome = fine_tune(args, device=device, processes=processes)
            else:
                folder = _named(args)
                inputs = open_inputs(args)
                with RunFolder(folder, processes).held():
                    run = open_run(args, *inputs, folder=folder, device=device, processes=processes)
                    outcome = run.fit(minutes=args.minutes, progress=not args.quiet)
    except Exception as error:
        return fail("train", error)
    if not processes.leads:
        return 130 if outcome == "interrupted" else 0
    where = f"{run.state.samples:,} positions seen, checkpoint in {run.files.file}"
    if outcome == "interrupted":
        sys.stderr.write(f"selfplay train: stopped; {where}; the same command goes on from there\n")
        return 130
    sys.stderr.write(f"selfplay train: {outcome}; {where}\n")
    return 0


def open_inputs(args: argparse.Namespace) -> tuple[Recipe, Archive]:
    """Return the recipe and the whole archive that the arguments of `train` name."""
    archive = Archive.open(args.data)
    recipe = load_recipe(args.recipe, args.set)
    archive.verify()
    return recipe, archive


def open_run(
    args: argparse.Namespace,
    recipe: Recipe,
    archive: Archive,
    *,
    folder: Path,
    device: torch.device,
    processes: Processes = ALONE,
) -> Run:
    """Return the run in a folder, begun or gone on with, as the arguments of `train` say."""
    device_options.take_threads(args)
    return Run(
        folder,
        recipe,
        archive,
        device=device,
        start_from=None if RunFolder(folder).begun else _starting_network(args, recipe),
        workers=args.workers,
        processes=processes,
        other_data=args.other_data,
    )


def network_to_start_from(name: str, filters: int | None, recipe: Recipe) -> PolicyNet:
    """Return the network of a run, a file or a shipped one, widened to `filters` if given."""
    path = Path(name)
    net = trained_network(path)[0] if RunFolder(path).begun else load_network(name)
    if filters:
        net = widen(net, filters, np.random.default_rng(recipe.seed), noise=recipe.grow_noise)
    return net


def _named(args: argparse.Namespace) -> Path:
    """Return the folder of the run; a recipe's run needs a name, and no option of fine-tuning."""
    for option in ("player", "others"):
        if getattr(args, option) is not None:
            raise RecipeError(f"--{option} is for fine-tuning; leave out the recipe")
    if args.out is None:
        raise RecipeError("a run needs a folder; add --out FOLDER")
    folder: Path = args.out
    return folder


def _starting_network(args: argparse.Namespace, recipe: Recipe) -> PolicyNet | None:
    if args.start is None:
        if args.widen:
            raise RecipeError("--widen needs a network to start from; add --from NET")
        return None
    net = network_to_start_from(args.start or default_network(), args.widen, recipe)
    if net.config.norm != recipe.norm:
        raise RecipeError(
            f"the network to start from has norm = {str(net.config.norm).lower()}; add --set "
            f"norm={str(net.config.norm).lower()}, or start from the folder of its run"
        )
    if (net.config.kind, net.config.layers) != (recipe.network, recipe.layers):
        raise RecipeError(
            f"the network to start from is {net.config.kind} with {net.config.layers} layers and "
            f"the recipe's {recipe.network} with {recipe.layers}; take a recipe of that shape, or "
            f"--set network={net.config.kind} --set layers={net.config.layers}"
        )
    if net.config.filters != recipe.filters:
        raise RecipeError(
            f"the network to start from has {net.config.filters} filters and the recipe "
            f"{recipe.filters}; add --widen {recipe.filters} or --set filters={net.config.filters}"
        )
    return net


def configure_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay export`."""
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("--out", required=True, type=Path, help="file to write, NAME.safetensors")
    parser.add_argument("--float16", action="store_true", help="half the size, for shipping")
    parser.add_argument(
        "--widen", type=int, metavar="FILTERS", help="the same function with more filters"
    )


def run_export(args: argparse.Namespace) -> int:
    """Run `selfplay export`: fold the weights of a run's network and write them; 1 on failure."""
    try:
        net, card = trained_network(args.run)
        card["widened_from"] = net.config.filters if args.widen else None
        if args.widen:
            seed = from_table(card["recipe"]).seed
            net = widen(net, args.widen, np.random.default_rng(seed))
        make_folder(args.out.parent)
        dtype = torch.float16 if args.float16 else torch.float32
        save_network(net, args.out, metadata=card, dtype=dtype)
    except Exception as error:
        return fail("export", error)
    count = sum(p.numel() for p in net.folded().parameters())
    sys.stdout.write(f"{args.out}: {net.config.filters} filters, {count:,} parameters\n")
    return 0
