"""The command `cnncore evaluate`: how well models do on labelled data, alone and together."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from cnncore.classification import image_run_inputs, sentence_run_inputs
from cnncore.classification.scores import Score, predict, score
from cnncore.classification.trained_models import (
    Trained,
    add_foreign_arguments,
    ensemble_of,
    match_labels,
    open_several,
)
from cnncore.data.images.image_samples import find_images
from cnncore.data.samples import DataError, Samples
from cnncore.models.classics.kim_cnn import KimCNN
from cnncore.system.command_line import DONE
from cnncore.system.devices import default_device

_WIDEST = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore evaluate`."""
    parser.add_argument(
        "models",
        nargs="+",
        type=Path,
        metavar="FILE|RUN",
        help="files of weights or folders of runs; several are measured as an ensemble as well",
    )
    parser.add_argument("--data", required=True, type=Path, help="labelled images or sentences")
    parser.add_argument(
        "--split", help="train, val, test or all; default: test, else val, else all"
    )
    add_foreign_arguments(parser)
    parser.add_argument(
        "--best", action="store_true", help="of a run the best model on validation, not the last"
    )
    parser.add_argument("--ten-crop", action="store_true", help="mean over ten crops of a picture")
    parser.add_argument("--confusion", action="store_true", help="count the mistakes by class")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: cuda if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; default: all cores")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args: argparse.Namespace) -> int:
    """Run `cnncore evaluate`: a line for each model, and one for all of them together."""
    if args.threads:
        torch.set_num_threads(args.threads)
    device = default_device(args.device)
    opened = open_several(args.models, name=args.name, stride_in=args.stride_in, best=args.best)
    read = open_data(args, opened)
    predictions: list[Tensor] = []
    labels: list[Tensor] = []  # in the order of each model's classes
    for trained in opened:
        samples = read(trained)
        labels.append(match_labels(samples.labels, samples.classes, trained))
        trained.model.to(device)
        shares = predict(trained.model, samples, ten_crop=args.ten_crop, progress=not args.quiet)
        predictions.append(shares)
        result = score(shares, labels[-1])
        sys.stdout.write(f"{trained.path}: {score_text(result)}\n")
    if len(opened) > 1:
        result = score(ensemble_of(opened, predictions), labels[0])
        sys.stdout.write(f"ensemble of {len(opened)}: {score_text(result)}\n")
    if args.confusion:
        classes = opened[0].classes or samples.classes
        numbers = range(len(classes), len(result.confusion))  # of classes that nothing names
        names = (*classes, *(str(number) for number in numbers))
        sys.stdout.write(confusion_text(result.confusion, names))
    return DONE


def open_data(args: argparse.Namespace, opened: Sequence[Trained]) -> Callable[[Trained], Samples]:
    """Read the data, say which split, and return what makes a model's samples of them.

    Raises:
        DataError: some of the models read pictures and some sentences.
    """
    kinds = {isinstance(trained.model, KimCNN) for trained in opened}
    if len(kinds) > 1:
        raise DataError("some of the models read pictures and some sentences; give one kind")
    if kinds == {True}:
        split, sentences = sentence_run_inputs.read_part(args.data, args.split)
        count = len(sentences)
        read: Callable[[Trained], Samples] = partial(
            sentence_run_inputs.evaluation_samples, sentences
        )
    else:
        split, images = image_run_inputs.read_split(find_images(args.data), args.split, args.data)
        count = len(images)
        read = partial(image_run_inputs.evaluation_samples, images)
    sys.stderr.write(f"cnncore evaluate: {count:,} samples ({split}) of {args.data}\n")
    return read


def score_text(result: Score) -> str:
    """Return a score in words; the uncertainty is the standard error of a share."""
    text = f"top-1 {100 * result.top1:.2f} ± {100 * result.error:.2f} %"
    if len(result.confusion) > 5:
        text += f", top-5 {100 * result.top5:.2f} %"
    return f"{text}, loss {result.loss:.4f}, {result.count:,} samples"


def confusion_text(confusion: Tensor, classes: tuple[str, ...]) -> str:
    """Return counts of true classes (rows) and predictions (columns); of many, the mistakes."""
    if len(classes) > _WIDEST:
        wrong = confusion - confusion.diag().diag()
        pairs = [(int(wrong[t, p]), t, p) for t, p in wrong.nonzero().tolist()]
        lines = [
            f"{count:>7}  {classes[true]} taken for {classes[taken]}"
            for count, true, taken in sorted(pairs, key=lambda pair: -pair[0])[:_WIDEST]
        ]
        return "\n".join(lines or ["no mistakes"]) + "\n"
    width = max(7, *(len(name) + 2 for name in classes))
    left = max(len(name) for name in classes)
    lines = [" " * left + "".join(name.rjust(width) for name in classes)]
    for name, row in zip(classes, confusion.tolist(), strict=True):
        lines.append(name.ljust(left) + "".join(str(count).rjust(width) for count in row))
    return "\n".join(lines) + "\n"
