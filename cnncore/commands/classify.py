"""The command `cnncore classify`: what a picture, a digit or a sentence is."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from cnncore.classification.sentence_run_inputs import check_language, vocabulary_of
from cnncore.classification.trained_models import (
    Trained,
    add_foreign_arguments,
    ensemble_of,
    open_several,
    read_class_names,
)
from cnncore.data.images.image_data import SUFFIXES, decode
from cnncore.data.images.transforms import evaluation_view, like_mnist, normalise
from cnncore.data.samples import DataError
from cnncore.models.classics.kim_cnn import KimCNN
from cnncore.pretrained import shipped_weights
from cnncore.system.command_line import DONE

log = logging.getLogger(__name__)

DIGITS_MODEL = "lenet5"
SENTENCE_MODEL = "kim-sentiment"

_COLOURFUL = 12.0  # mean distance of the channels from grey, of 255; digits stay below

_BLANK = 16  # contrast of a picture that shows nothing, of 255

# One word with a separator of folders in it, or with a short suffix.
_FILE_NAME = re.compile(r"\S*[/\\]\S*|\S*\w\.[A-Za-z]\w{1,4}")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore classify`."""
    parser.add_argument(
        "inputs", nargs="+", metavar="PICTURE|SENTENCE", help="image files, or sentences in quotes"
    )
    parser.add_argument(
        "--model",
        action="append",
        type=Path,
        metavar="FILE|RUN",
        help="weights or a run; several make an ensemble; default: the shipped models, which know "
        "handwritten digits and whether a sentence praises or blames",
    )
    add_foreign_arguments(parser)
    parser.add_argument("--classes", type=Path, help="names of the classes, a text file or CSV")
    parser.add_argument("--top", type=int, default=3, help="how many classes to name (default 3)")
    parser.add_argument("--threads", type=int, help="CPU threads; default: all cores")


def run(args: argparse.Namespace) -> int:
    """Run `cnncore classify`: for each input the likeliest classes with their probabilities."""
    if args.threads:
        torch.set_num_threads(args.threads)
    pictures = [text for text in args.inputs if is_picture(text)]
    sentences = [text for text in args.inputs if not is_picture(text)]
    if pictures and sentences and args.model:
        raise DataError(
            f"{pictures[0]!r} is a picture and {sentences[0]!r} a sentence; a model reads one kind"
        )
    for texts, shipped in ((pictures, DIGITS_MODEL), (sentences, SENTENCE_MODEL)):
        if texts:
            _classify(texts, args, shipped)
    return DONE


def is_picture(text: str) -> bool:
    """Tell a picture from a sentence: a file that exists, or a name that ends as a picture's.

    Raises:
        DataError: it is a folder, or one word that looks like a file which is not there.
    """
    if text.lower().endswith(SUFFIXES) or os.path.isfile(text):
        return True
    if os.path.isdir(text):
        raise DataError(f"{text} is a folder; give the pictures in it, such as {text}/*.jpg")
    if _FILE_NAME.fullmatch(text):
        raise DataError(f"no picture at {text}; check the path, or write a sentence of more words")
    return False


def _classify(texts: Sequence[str], args: argparse.Namespace, shipped: str) -> None:
    """Write the classes of pictures or of sentences to stdout."""
    files = args.model or [shipped_weights(shipped)]
    models = open_several(files, name=args.name, stride_in=args.stride_in)
    names = read_class_names(args.classes) if args.classes else models[0].names()
    for trained in models:
        if len(names) != trained.model.num_classes:
            raise DataError(
                f"there are {len(names)} names of classes and {trained.path} has "
                f"{trained.model.num_classes}; give names and models that fit together"
            )
    if names == tuple(map(str, range(len(names)))) and models[0].classes is None:
        log.warning(
            "%s does not name its classes, so their numbers from 0 stand below; --classes FILE "
            "gives names",
            models[0].path.name,
        )
    for text in texts:
        read = classify_picture if is_picture(text) else classify_sentence
        shares = ensemble_of(models, [read(text, trained)[None] for trained in models])[0]
        sys.stdout.write(f"{text}\n")
        best = shares.topk(min(max(1, args.top), len(names)))
        for share, number in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            sys.stdout.write(f"  {100 * share:6.2f} %  {names[number]}\n")


@torch.inference_mode()
def classify_picture(file: str, trained: Trained) -> Tensor:
    """Return the probabilities (C,) of a picture's classes.

    A model of MNIST's digits sees it as those were made, see `transforms.like_mnist`.

    Raises:
        DataError: the file is not a picture, or the model reads sentences.
    """
    if isinstance(trained.model, KimCNN):
        raise DataError(f"{trained.path.name} reads sentences, not pictures such as {file}")
    preset = trained.model.preset
    try:
        content = Path(file).read_bytes()
        picture = decode(content, channels=preset.input_size[0])
    except OSError as error:
        raise DataError(f"{file} cannot be read as a picture: {error.strerror or error}") from error
    seen = picture
    if preset.reads_digits:
        _warn_of_colour(file, decode(content, channels=3))
        seen = like_mnist(picture)
    view = evaluation_view(seen, preset)
    _warn_of_blank(file, min(_contrast(picture), _contrast(view)))
    x = normalise(view[None], preset.mean, preset.std)
    logits: Tensor = trained.model(x)
    return logits[0].double().softmax(dim=0)


def _contrast(picture: Tensor) -> int:
    return int(picture.max()) - int(picture.min())


def _warn_of_blank(file: str, contrast: int) -> None:
    if contrast < _BLANK:
        log.warning(
            "%s is blank or almost so where the model looks (its points differ by %d of 255): the "
            "answer says nothing about it",
            *(file, contrast),
        )


def _warn_of_colour(file: str, picture: Tensor) -> None:
    rgb = picture.float()
    if float((rgb - rgb.mean(dim=0)).abs().mean()) > _COLOURFUL:
        log.warning(
            "%s is in colour and this model reads handwritten digits; for a photo give --model",
            file,
        )


@torch.inference_mode()
def classify_sentence(text: str, trained: Trained) -> Tensor:
    """Return the probabilities (C,) of a sentence's classes.

    Raises:
        DataError: the model reads pictures, or the sentence does not have words.
    """
    if not isinstance(trained.model, KimCNN):
        raise DataError(
            f"{text!r} is not a file, and {trained.path.name} reads pictures, not sentences"
        )
    vocabulary = vocabulary_of(trained)
    check_language(text, vocabulary, trained.path.name)
    logits: Tensor = trained.model(vocabulary.batch([text]))
    return logits[0].double().softmax(dim=0)
