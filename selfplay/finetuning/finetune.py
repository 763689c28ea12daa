"""Fine-tuning from the command line: `selfplay train --from NET --data GAMES`, without a recipe.

Games become an archive beside the run, and some of them are held out. The network learns from the
others until it no longer improves on held-out ones, and a report compares before and after.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from cnncore.layers.blocks import channels_last
from cnncore.system import atomic
from cnncore.system.parallel import Processes
from cnncore.training.recipe_files import RecipeError, parse_settings
from goengine.networks.files import NETWORK, START, load_network
from selfplay.archive.reader import Archive
from selfplay.archive.sources import source_name
from selfplay.batches.fixed_samples import Sample
from selfplay.finetuning.comparison import compare, judged_samples, table
from selfplay.finetuning.early_stopping import Tuning, check_folder, keep_start, tuning_recipe
from selfplay.finetuning.own_games import hold_out, open_games
from selfplay.finetuning.verdict import as_json, verdict
from selfplay.recipes import load_recipe
from selfplay.training.device_options import take_threads
from selfplay.training.policy_run import Run
from selfplay.training.run_claim import claimed
from selfplay.training.starting_network import TUNED, network_to_start_from

GAMES = "games"
REPORT = "report.json"
JUDGED = 8192
"""Most positions of each kind of games that the report asks about."""
LEAST = 256
"""Positions of each kind that it asks about however short the time is."""
SHARE = 0.3
"""Share of the time left after the first measurement that the report may take."""
SLACK = 1.1
"""How much longer than estimated the report may take."""


def fine_tune(
    args: argparse.Namespace, *, device: torch.device, processes: Processes
) -> tuple[Run, str]:
    """Begin or go on with a fine-tuning run and report on it; return the run and how it ended.

    Raises:
        GoError, RecipeError, DataError, CheckpointError, TrainingError, OSError: see failures.py.
    """
    if args.start is None:
        raise RecipeError(
            "a recipe is missing: name one, or add --from NET to fine-tune that network on --data"
        )
    if args.epochs <= 0:
        raise RecipeError(f"--epochs {args.epochs:g} is not a length; give more than 0")
    if processes.count > 1:
        raise RecipeError("fine-tuning needs no more than one process; start it without torchrun")
    if args.stop_after is not None:
        raise RecipeError("--stop-after is for recipes; fine-tuning stops after its --minutes")
    if len(args.data) > 1:
        raise RecipeError(
            f"fine-tuning learns from one --data, not from {len(args.data)}; put all games into one"
        )
    take_threads(args)
    folder: Path = args.out or Path(f"{source_name(args.data[0].resolve().name)}-net")
    check_folder(folder)
    deadline = time.monotonic() + 60.0 * args.minutes
    with claimed(folder):
        return _tune(args, folder, device=device, deadline=deadline)


def _tune(
    args: argparse.Namespace, folder: Path, *, device: torch.device, deadline: float
) -> tuple[Run, str]:
    archive = open_games(args.data[0], folder / GAMES, player=args.player, progress=not args.quiet)
    archive.verify()
    archive = hold_out(archive)
    others = Archive.open(args.others) if args.others else None
    name = args.start or TUNED
    recipe = load_recipe("finetune", args.set)
    net = keep_start(folder, network_to_start_from(name, args.widen, recipe))
    length = None if "positions" in parse_settings(args.set) else args.epochs
    recipe = tuning_recipe(recipe, net, archive, epochs=length)
    run = Run(
        folder,
        recipe,
        archive,
        device=device,
        start_from=net,
        workers=args.workers,
        other_data=args.other_data,
    )
    card = {
        "fine_tuned_from": name,
        "player": args.player,
        "recipe": recipe.table(),
        "archive": archive.digest,
        "torch": torch.__version__,
    }
    progress = not args.quiet
    seconds = deadline - time.monotonic()
    tuning = Tuning(run, archive, card=card, seconds=seconds, progress=progress)
    tuning.measure_start()
    kinds = 2 if others is None else 3
    limit = judged_positions(deadline - time.monotonic(), tuning.pace, kinds)
    samples = judged_samples(archive, others, limit)
    reserve = SLACK * 2 * tuning.pace * sum(map(len, samples.values()))
    outcome = tuning.fit(deadline=deadline - reserve)
    if outcome != "interrupted":
        _report(tuning, samples, limit, device=device, progress=progress)
    return run, outcome


def judged_positions(seconds: float, pace: float, kinds: int) -> int:
    """Return how many positions of each kind of games the report asks about.

    `seconds` are left for training and report, and a network answers a position in `pace` seconds;
    two networks answer all of them.
    """
    if pace <= 0:
        return JUDGED
    affordable = SHARE * seconds / (SLACK * 2 * kinds * pace)
    return round(min(JUDGED, max(LEAST, affordable)))


def cut_short(limit: int, samples: dict[str, Sample]) -> str:
    """Return a sentence where the time left allowed fewer positions than usual, else nothing."""
    if limit >= JUDGED or all(len(sample) < limit for sample in samples.values()):
        return ""
    return (
        f"\nThe time left allowed {limit:,} positions of each kind. With other --minutes other "
        "positions are asked about, so that the figures before differ, too.\n"
    )


def _report(
    tuning: Tuning,
    samples: dict[str, Sample],
    limit: int,
    *,
    device: torch.device,
    progress: bool,
) -> None:
    """Compare before and after on stdout and in a file; `limit` positions were asked for."""
    folder = tuning.run.folder
    nets = [channels_last(load_network(folder / name), device) for name in (START, NETWORK)]
    changes = compare(nets[0], nets[1], samples, precision=tuning.run.precision, progress=progress)
    history = tuning.history
    text = json.dumps(as_json(changes, history), indent=1)
    atomic.write_text(folder / REPORT, text + "\n")
    said = "\n".join(verdict(changes, history))
    sys.stdout.write(
        f"{said}\n\n{table(changes)}{cut_short(limit, samples)}\n\n"
        f"The network: {folder / NETWORK}; these figures: {folder / REPORT}.\n"
        f"Play against it: goengine play --network {folder / NETWORK}\n"
        f"In Sabaki and the like: goengine gtp --network {folder / NETWORK}\n"
    )
