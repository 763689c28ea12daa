"""The command `cnncore train`: begin a run in a folder, or go on with the run that is there."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from pathlib import Path

import torch

from cnncore.classification import image_run_inputs, sentence_run_inputs
from cnncore.classification.classifier_run import LAST, ClassifierRun
from cnncore.classification.run_inputs import RunInputs
from cnncore.models.registry import Entry, find_model
from cnncore.recipes import DEFAULT, Recipe, list_recipes, load_recipe
from cnncore.system.command_line import DONE, INTERRUPTED
from cnncore.system.devices import default_device
from cnncore.training.recipe_files import RecipeError, add_settings
from cnncore.training.run_folder import RunFolder

log = logging.getLogger(__name__)

CIFAR_RECIPE = "resnet20-cifar"
"""The recipe of all nets for CIFAR-10 that do not have their own."""
_USE = "cnncore evaluate {} and the like take it as it is"
_CIFAR = ("-cifar", "-cifar10")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore train`."""
    parser.add_argument("model", help="name of a model, as cnncore list shows them")
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        help="folder or file of images, or of sentences for the kim models",
    )
    parser.add_argument(
        "--out", required=True, type=_folder, help="folder of the run; gone on with if begun"
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE",
        help=f"one of {', '.join(list_recipes())}, or a .toml file; default: the model's own, else "
        f"{DEFAULT}",
    )
    add_settings(parser)
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        help="stop after this long, to go on later; default: at the end of the recipe",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="start from these weights")
    parser.add_argument(
        "--stride-in",
        choices=("1x1", "3x3"),
        help="in which convolution the bottlenecks of FILE have their stride, if it does not tell",
    )
    parser.add_argument(
        "--freeze",
        nargs="+",
        metavar="PART",
        help="layers that do not learn; 'backbone' is all but the classifier",
    )
    parser.add_argument("--vectors", type=Path, metavar="FILE", help="word vectors, for sentences")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: cuda if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; default: all cores")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument(
        "--other-data",
        action="store_true",
        help="go on with a run although the data are not those that it began with",
    )


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("it is empty; give the folder of the run")
    return Path(text)


def run(args: argparse.Namespace) -> int:
    """Run `cnncore train`: 0 at the end of plan or time, 130 after Ctrl-C."""
    if args.threads:
        torch.set_num_threads(args.threads)
    device = default_device(args.device)
    entry = find_model(args.model)
    recipe = choose_recipe(args, entry)
    inputs = open_inputs(args, entry, recipe)
    with RunFolder(args.out).held():
        training = ClassifierRun(
            args.out,
            recipe,
            inputs.train,
            inputs.validation,
            inputs.model,
            device=device,
            facts=inputs.facts,
            other_data=args.other_data,
        )
        outcome = training.fit(minutes=args.minutes, progress=not args.quiet)
    epochs = training.state.samples / training.epoch
    where = f"{epochs:.1f} epochs in {training.state.seconds:.0f} s"
    if outcome == "interrupted":
        sys.stderr.write(
            f"cnncore train: stopped after {where}; the same command goes on from there, and "
            f"{_USE.format(args.out)}\n"
        )
        return INTERRUPTED
    if outcome == "time":
        sys.stderr.write(
            f"cnncore train: time is up after {where}; go on with the same command, or "
            f"{_USE.format(args.out)}\n"
        )
        return DONE
    line = f"{args.out / LAST}: {entry.name}, {len(training.train.classes)} classes, {where}"
    measured = [x for x in training.files.metrics.read() if x["event"] == "validation"]
    if measured:
        line += f", validation top-1 {100 * measured[-1]['top1']:.2f} %"
        line += f" (best {100 * training.best:.2f} %)"
    sys.stdout.write(f"{line}\n")
    return DONE


def choose_recipe(args: argparse.Namespace, entry: Entry) -> Recipe:
    """Return the recipe that is asked for, else the model's own, else the default."""
    families = [entry.name.split("-")[0]]
    if entry.name.endswith(_CIFAR):
        families.append(CIFAR_RECIPE)
    own = [name for name in (entry.name, *families) if name in list_recipes()]
    settings = list(args.set)
    if args.freeze:
        settings.append(f"freeze={[str(part) for part in args.freeze]}")
    return load_recipe(args.recipe or (own[0] if own else DEFAULT), settings)


def open_inputs(args: argparse.Namespace, entry: Entry, recipe: Recipe) -> RunInputs:
    """Return data and model of the kind that the model reads, images or sentences."""
    if entry.home == "kim_cnn":
        if args.weights:
            raise RecipeError("--weights is for images; a sentence model starts from --vectors")
        return sentence_run_inputs.open_training(
            entry.name, args.data, recipe, vectors=args.vectors
        )
    if args.vectors:
        raise RecipeError(f"--vectors is for sentences and {entry.name} reads images; leave it out")
    if recipe.freeze and not args.weights:
        log.warning(
            "%s does not learn and is random without --weights", " ".join(map(str, recipe.freeze))
        )
    return image_run_inputs.open_training(
        entry.name, args.data, recipe, weights=args.weights, stride_in=args.stride_in
    )
