"""The command `selfplay train`: a policy network learns the moves of recorded games.

It starts a run in a folder, or goes on with the run that is there. Without a recipe it fine-tunes a
network, see finetune.py.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from pathlib import Path

import torch

from cnncore.system.parallel import Processes, joined
from cnncore.training.recipe_files import RecipeError, add_settings
from goengine.options import count, not_negative
from selfplay.archive.reader import Archive
from selfplay.finetuning.early_stopping import EPOCHS
from selfplay.recipes import load_recipe
from selfplay.training import device_options
from selfplay.training.failures import fail
from selfplay.training.policy_run import Run
from selfplay.training.run_claim import claimed
from selfplay.training.starting_network import open_run

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `selfplay train`."""
    parser.add_argument(
        "recipe",
        nargs="?",
        help="name of a shipped recipe, or a .toml file; left out, with --from, the network is "
        "fine-tuned on the games of --data; `selfplay recipes` lists the shipped ones",
    )
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        action="append",
        help="archive made by 'selfplay ingest' or 'selfplay generate', several times for networks "
        "that judge; for fine-tuning also an SGF file, folder or package",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the run; resumed if begun (fine-tuning: DATA-net)"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        help="stop after this long; a recipe with clock = true, dual-96 for instance, is stretched "
        "over this time of training, earlier calls included; of fine-tuning, measuring before and "
        "after is part of it; default: the end of the plan",
    )
    parser.add_argument(
        "--stop-after",
        type=not_negative,
        metavar="MINUTES",
        help="stop this call after so long and leave the plan as it is",
    )
    add_settings(parser)
    parser.add_argument(
        "--from",
        dest="start",
        metavar="NET",
        nargs="?",
        const="",
        help="start from this network, file or folder of a run; without NET from "
        "policy-residual-64, which is quick to train",
    )
    parser.add_argument(
        "--widen", type=count, metavar="FILTERS", help="widen the --from network first"
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


def run(args: argparse.Namespace) -> int:
    """Train; returns 0 at the end of plan or time, 130 after Ctrl-C, 1 on failure."""
    try:
        with joined(args.device) as (processes, device):
            if args.recipe is None:
                from selfplay.finetuning.finetune import fine_tune  # needs an SGF parser

                training, outcome = fine_tune(args, device=device, processes=processes)
            else:
                training, outcome = _train(args, device=device, processes=processes)
    except Exception as error:
        return fail("train", error)
    if not processes.leads:
        return 130 if outcome == "interrupted" else 0
    sys.stderr.write(f"selfplay train: {_ending(training, outcome)}\n")
    return 130 if outcome == "interrupted" else 0


def _ending(training: Run, outcome: str) -> str:
    """Return the sentence that ends a call: why it is over, how far it came, where that is."""
    seen, where = f"{training.state.samples:,} positions", f"checkpoint in {training.files.file}"
    if outcome == "finished":
        return f"finished; {seen} seen, {where}"
    if outcome == "time":
        return f"stopped by its time limit after {seen}; {where}"
    if outcome == "interrupted":
        return f"stopped; {seen} seen, {where}; the same command goes on from there"
    return f"stopped after {seen}, as held-out games no longer gained; {where}"


def _train(
    args: argparse.Namespace, *, device: torch.device, processes: Processes
) -> tuple[Run, str]:
    """Begin or go on with the run of a recipe; return the run and how it ended."""
    folder = _named(args)
    archives = [Archive.open(path) for path in args.data]
    recipe = load_recipe(args.recipe, args.set)
    for archive in archives:
        log.info("reading %s: %s games", archive.path, f"{len(archive):,}")
        archive.verify()
    device_options.take_threads(args)
    with claimed(folder, processes):
        training = open_run(
            folder,
            recipe,
            archives[0],
            device=device,
            start=args.start,
            filters=args.widen,
            workers=args.workers,
            processes=processes,
            other_data=args.other_data,
            more_archives=archives[1:],
        )
        return training, _fit(training, args)


def _fit(training: Run, args: argparse.Namespace) -> str:
    """Train as long as the plan and the command line say; return how it ended."""
    stop = math.inf if args.stop_after is None else args.stop_after
    if not training.recipe.clock or math.isinf(args.minutes):
        minutes = min(args.minutes, stop)
        return training.fit(minutes=minutes, progress=not args.quiet)
    if args.minutes == 0:
        raise RecipeError("--minutes 0 leaves a plan no time to be stretched over; give more")
    return training.fit(minutes=stop, stretch=args.minutes, progress=not args.quiet)


def _named(args: argparse.Namespace) -> Path:
    """Return the folder of the run; a recipe's run needs a name, and no option of fine-tuning."""
    if not args.minutes >= 0:
        raise RecipeError(f"--minutes {args.minutes} is not a time; give 0 or more")
    for option, value in (("player", args.player), ("others", args.others)):
        if value is not None:
            raise RecipeError(f"--{option} is for fine-tuning; leave out the recipe")
    if args.out is None:
        raise RecipeError("a run needs a folder; add --out FOLDER")
    folder: Path = args.out
    return folder
