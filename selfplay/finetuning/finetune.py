"""Fine-tuning from the command line: `selfplay train --from NET --data GAMES`, without a recipe.

Games become an archive beside the run, some of them are held out, the network learns from the
others until held-out ones say that it is enough, and a report compares before and after.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from cnncore.layers.blocks import channels_last
from cnncore.system import atomic
from cnncore.system.parallel import Processes
from cnncore.training.recipe_files import RecipeError, parse_settings
from cnncore.training.run_folder import RunFolder
from goengine.networks.files import default_network, load_network
from selfplay.archive.reader import Archive
from selfplay.archive.sources import source_name
from selfplay.commands.train import network_to_start_from
from selfplay.finetuning.comparison import as_json, compare, table, verdict
from selfplay.finetuning.own_games import hold_out, open_games
from selfplay.finetuning.tuning import Tuning, check_folder, starting_network, tuning_recipe
from selfplay.recipes import load_recipe
from selfplay.training.device_options import take_threads
from selfplay.training.run_network import NETWORK, START
from selfplay.training.runs import Run

GAMES = "games"
REPORT = "report.json"
JUDGED = 8192
"""Most positions of each kind of games that the report asks about."""


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
        raise RecipeError(f"--epochs {args.epochs:g} is no length; give more than 0")
    if processes.count > 1:
        raise RecipeError("fine-tuning needs no more than one process; start it without torchrun")
    take_threads(args)
    folder: Path = args.out or Path(f"{source_name(args.data.resolve().name)}-net")
    check_folder(folder)
    with RunFolder(folder).held():
        return _tune(args, folder, device=device)


def _tune(args: argparse.Namespace, folder: Path, *, device: torch.device) -> tuple[Run, str]:
    archive = open_games(args.data, folder / GAMES, player=args.player, progress=not args.quiet)
    archive.verify()
    archive = hold_out(archive)
    others = Archive.open(args.others) if args.others else None
    name = args.start or default_network()
    recipe = load_recipe("finetune", args.set)
    net = starting_network(folder, network_to_start_from(name, args.widen, recipe))
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
    tuning = Tuning(run, archive, card=card)
    outcome = tuning.fit(minutes=args.minutes, progress=not args.quiet)
    if outcome != "interrupted":
        _report(tuning, archive, others, device=device)
    return run, outcome


def _report(
    tuning: Tuning,
    archive: Archive,
    others: Archive | None,
    *,
    device: torch.device,
) -> None:
    """Compare before and after on stdout and in a file."""
    folder = tuning.run.folder
    nets = [channels_last(load_network(folder / name), device) for name in (START, NETWORK)]
    changes = compare(nets[0], nets[1], archive, others=others, limit=JUDGED)
    history = tuning.history
    text = json.dumps(as_json(changes, history), indent=1)
    atomic.write_text(folder / REPORT, text + "\n")
    said = "\n".join(verdict(changes, history))
    sys.stdout.write(
        f"{table(changes)}\n{said}\n\nThe network: {folder / NETWORK}; these figures: "
        f"{folder / REPORT}. Play against it: goengine gtp --network {folder / NETWORK}\n"
    )
