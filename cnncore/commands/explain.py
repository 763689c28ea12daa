"""The command `cnncore explain`: pictures of what a network sees, as PNG."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from cnncore.classification.sentence_run_inputs import check_language, vocabulary_of
from cnncore.classification.trained_models import (
    Trained,
    add_foreign_arguments,
    open_trained,
    read_class_names,
)
from cnncore.data.images.image_data import SUFFIXES, Archive, Folder, decode
from cnncore.data.images.image_samples import read_images
from cnncore.data.images.transforms import evaluation_view, like_mnist, normalise
from cnncore.data.samples import DataError
from cnncore.explain.deconvnet import project
from cnncore.explain.labelled_sheets import UnitPatches, filters_figure, strongest_figure
from cnncore.explain.layer_outputs import seen_box
from cnncore.explain.matplotlib_figures import (
    class_name,
    occlusion_figure,
    projection_figure,
    write_figure,
)
from cnncore.explain.occlusion import grey, occlude, occlude_words
from cnncore.explain.tiled_pictures import as_seen, in_contrast
from cnncore.explain.top_images import StrongImage, strongest_images
from cnncore.models.classics.kim_cnn import KimCNN
from cnncore.models.classifier import Classifier, Preset
from cnncore.models.registry import ALIASES, ENTRIES
from cnncore.models.shapes import receptive_fields
from cnncore.pretrained import shipped_models, shipped_weights
from cnncore.system.command_line import DONE
from cnncore.weights.model_files import create_model

log = logging.getLogger(__name__)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `cnncore explain` and its five kinds of pictures."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    deconvnet = _kind(kinds, "deconvnet", "what in an image made a unit active, in pixels")
    _add_image(deconvnet)
    deconvnet.add_argument("--layer", required=True, help="a layer's name in cnncore info")
    deconvnet.add_argument("--unit", type=int, help="channel or class; default: the strongest")
    deconvnet.add_argument(
        "--place",
        type=int,
        nargs=2,
        metavar=("ROW", "COLUMN"),
        help="row and column in the layer's map; default: where the unit is strongest",
    )
    occlusion = _kind(kinds, "occlusion", "how the answer changes when parts are covered")
    _add_image(occlusion)
    _add_class(occlusion)
    occlusion.add_argument("--layer", help="show a feature map's activity as well")
    occlusion.add_argument("--unit", type=int, help="channel of it; default: the strongest")
    occlusion.add_argument(
        "--square",
        type=int,
        help="side of the grey square, in points; default: a fifth of the image",
    )
    occlusion.add_argument(
        "--stride", type=int, help="points between its places; default: a third of its side"
    )
    occlusion.add_argument("--classes", type=Path, help="names of the classes, text file or CSV")
    filters = _kind(kinds, "filters", "the filters of the first layer")
    filters.add_argument(
        "--zoom", type=int, help="points a weight (default: what makes a filter large enough)"
    )
    strongest = _kind(kinds, "strongest", "the images of a folder on which units are strongest")
    strongest.add_argument("--images", type=Path, required=True, help="folder, zip or data set")
    strongest.add_argument("--split", help="part of a data set, such as test")
    strongest.add_argument("--layer", required=True, help="a layer's name in cnncore info")
    strongest.add_argument("--unit", type=int, nargs="+", required=True, help="channels")
    strongest.add_argument("--count", type=int, default=9, help="images a unit (default 9)")
    words = _kind(kinds, "words", "what each word of a sentence says for the answer", picture=False)
    words.add_argument("--sentence", required=True, help="the sentence, in quotes")
    _add_class(words)


def _kind(kinds: Any, name: str, text: str, *, picture: bool = True) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = kinds.add_parser(name, help=text, description=text)
    parser.add_argument(
        "model",
        metavar="MODEL|FILE",
        help="weights, a run, or a model's name: its shipped weights, else random ones",
    )
    add_foreign_arguments(parser)
    parser.add_argument(
        "--seed", type=int, help="random weights by this seed (default: shipped ones, else 0)"
    )
    if picture:
        parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    return parser


def _add_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--image", type=Path, required=True, help="the picture to look at")


def _add_class(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--class",
        dest="target",
        type=int,
        metavar="NUMBER",
        help="class by its number from 0; default: the answer",
    )


def run(args: argparse.Namespace) -> int:
    """Run `cnncore explain`: write a PNG, and what can be said in numbers to stdout."""
    if args.kind != "words":
        _check_out(args.out)
    trained = _open(args)
    if args.kind == "words":
        return _words(trained, args)
    if isinstance(trained.model, KimCNN):
        raise DataError(f"{args.model} reads sentences; cnncore explain words looks into it")
    if args.kind == "filters":
        if args.zoom is not None and args.zoom < 1:
            raise ValueError(f"--zoom {args.zoom} must be at least 1")
        write_figure(filters_figure(trained.model, args.zoom), args.out)
    else:
        {"deconvnet": _deconvnet, "occlusion": _occlusion, "strongest": _strongest}[args.kind](
            trained, args
        )
    return DONE


def _check_out(path: Path) -> None:
    """Refuse, before the work, a place where a picture cannot be written.

    Raises:
        ValueError: it is a folder, or its folder is not there.
    """
    if path.is_dir():
        raise ValueError(f"--out {path} is a folder; give the PNG file to write in it")
    if not path.parent.is_dir():
        raise ValueError(
            f"--out {path}: there is no folder {path.parent}; make it, or give another"
        )


def _open(args: argparse.Namespace) -> Trained:
    """Open a file, a run or a shipped model, or make one of random weights by its name."""
    path = Path(args.model)
    plain = args.model.lower().replace("_", "-")
    if not path.exists() and args.seed is None and plain in shipped_models():
        return open_trained(shipped_weights(plain), name=args.name, stride_in=args.stride_in)
    if path.exists() or (plain not in ENTRIES and plain not in ALIASES):
        return open_trained(path, name=args.name, stride_in=args.stride_in)
    log.warning("%s has random weights here; give a file of weights to see what it learnt", plain)
    torch.manual_seed(args.seed or 0)
    return Trained(path, create_model(plain).eval(), None, {})


def _input(picture: Tensor, preset: Preset, *, photo: bool) -> Tensor:
    """Return a picture as a model reads it; a photo of a digit is first made like MNIST's."""
    if photo and preset.reads_digits:
        picture = like_mnist(picture)
    return normalise(evaluation_view(picture, preset), preset.mean, preset.std)


def _read(path: Path, preset: Preset) -> Tensor:
    try:
        picture = decode(path.read_bytes(), channels=preset.input_size[0])
    except OSError as error:
        raise DataError(f"{path} cannot be read as a picture: {error.strerror or error}") from error
    return _input(picture, preset, photo=True)


def _deconvnet(trained: Trained, args: argparse.Namespace) -> None:
    """Draw an image and what a unit saw in it."""
    model, preset = trained.model, trained.model.preset
    image = _read(args.image, preset)
    place = None if args.place is None else (args.place[0], args.place[1])
    found = project(model, image, args.layer, args.unit, place=place)
    field = receptive_fields(model, tuple(image.shape)).get(args.layer)
    box = seen_box(field, found.place, image)
    what = f"{args.layer}, unit {found.unit}"
    if found.place is not None:
        what += f" at row {found.place[0]}, column {found.place[1]}"
    title = f"{what}: {found.activation:.4g}"
    write_figure(projection_figure(as_seen(image, preset), found, box, title=title), args.out)
    sys.stdout.write(
        f"{what}: activation {found.activation:.6g}, sees {box[0]},{box[1]} to {box[2]},{box[3]}\n"
    )


def _occlusion(trained: Trained, args: argparse.Namespace) -> None:
    """Draw an image and what happens to the answer when parts of it are covered."""
    model, preset = trained.model, trained.model.preset
    image = _read(args.image, preset)
    names = read_class_names(args.classes) if args.classes else trained.names()
    maps = occlude(
        model,
        image,
        fill=grey(preset),
        target=args.target,
        layer=args.layer,
        unit=args.unit,
        square=args.square,
        stride=args.stride,
    )
    write_figure(occlusion_figure(as_seen(image, preset), maps, names, args.layer), args.out)
    row, column = divmod(int(maps.probability.argmin()), maps.probability.shape[1])
    sys.stdout.write(
        f"{class_name(names, maps.target)}: {maps.plain:.4f} uncovered, least "
        f"{float(maps.probability.min()):.4f} with the {maps.square}-point square at step "
        f"{row},{column} of {maps.stride} points\n"
    )


def _strongest(trained: Trained, args: argparse.Namespace) -> None:
    """Draw for every unit the patches that it likes, and beside them their projections."""
    model = trained.model
    images = tqdm(_images(args.images, args.split, model.preset), unit=" images", disable=None)
    best = strongest_images(model, images, args.layer, args.unit, count=args.count)
    rows = []
    for unit, found in best.items():
        seen = [project(model, one.image, args.layer, unit, place=one.place) for one in found]
        rows.append(
            UnitPatches(
                title=f"{args.layer}, unit {unit}",
                projections=[
                    in_contrast(one.crop(p.pixels)) for one, p in zip(found, seen, strict=True)
                ],
                patches=[one.crop(as_seen(one.image, model.preset)) for one in found],
                activations=[one.activation for one in found],
            )
        )
    write_figure(strongest_figure(rows), args.out)
    for unit, found in best.items():
        sys.stdout.writelines(_line(unit, rank, one) for rank, one in enumerate(found, start=1))


def _line(unit: int, rank: int, one: StrongImage) -> str:
    top, left, bottom, right = one.box
    return (
        f"unit {unit}  {rank}  {one.activation:.4g}  {one.name}  {top},{left} to {bottom},{right}\n"
    )


def _images(path: Path, split: str | None, preset: Preset) -> Iterator[tuple[str, Tensor]]:
    """Yield the names and inputs of the pictures in a folder or zip, or in a data set."""
    channels = preset.input_size[0]
    if split is None and (path.is_dir() or path.suffix.lower() == ".zip"):
        store = Folder(path) if path.is_dir() else Archive(path)
        names = [name for name in store.names() if name.lower().endswith(SUFFIXES)]
        if names:
            for name in names:
                try:
                    picture = decode(store.read(name), channels=channels)
                except OSError as error:
                    log.warning("%s/%s left out: %s", path, name, error)
                    continue
                yield name, _input(picture, preset, photo=True)
            return
    data = read_images(path, split)
    for number in range(len(data)):
        picture = data.pictures.picture(number, channels=channels)
        yield f"image {number}", _input(picture, preset, photo=False)


@torch.no_grad()
def _words(trained: Trained, args: argparse.Namespace) -> int:
    """Write each word of a sentence and the probability that the answer loses without it."""
    model: Classifier = trained.model
    if not isinstance(model, KimCNN):
        raise DataError(f"{args.model} reads pictures; cnncore explain occlusion looks into it")
    vocabulary = vocabulary_of(trained)
    check_language(args.sentence, vocabulary, trained.path.name)
    words = vocabulary.tokeniser(args.sentence)
    numbers = vocabulary.batch([args.sentence])[0, : len(words)]
    shares = model(numbers[None]).softmax(1)[0]
    target = int(shares.argmax()) if args.target is None else args.target
    losses = occlude_words(model, numbers, target=target)
    name = class_name(trained.names(), target)
    sys.stdout.write(f"{name}: {float(shares[target]):.4f}\n")
    for word, loss in zip(words, losses.tolist(), strict=True):
        sys.stdout.write(f"  {loss:+.4f}  {word}\n")
    return DONE
