"""Trained models from files: our own, which say all about themselves, and other people's."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnncore.classification.classifier_run import BEST, LAST
from cnncore.classification.scores import ensemble
from cnncore.classification.stopped_runs import stopped_checkpoint, stopped_model
from cnncore.data.images.image_arrays import CIFAR10_CLASSES
from cnncore.data.samples import DataError
from cnncore.data.tables import class_index, decoded, table_rows
from cnncore.layers.residual import StrideIn
from cnncore.models.classifier import Classifier
from cnncore.models.registry import find_model
from cnncore.training.run_folder import CHECKPOINT
from cnncore.weights.checkpoint import ForeignCheckpointError, read_metadata
from cnncore.weights.model_files import KIND, create_model, load_model, model_in
from cnncore.weights.published import published_model
from cnncore.weights.weight_files import SUFFIXES, WeightsError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A model that has been trained, as its file has it."""

    path: Path
    model: Classifier
    """The model, in eval mode."""
    classes: tuple[str, ...] | None
    """The names of its classes, if the file tells them."""
    facts: Mapping[str, Any]
    """What else the file tells."""

    def names(self) -> tuple[str, ...]:
        """Return the names of the classes: the file's, CIFAR-10's of its nets, else numbers."""
        if self.classes is not None:
            return self.classes
        count = self.model.num_classes
        if count == len(CIFAR10_CLASSES) and "cifar" in self.model.name:
            return CIFAR10_CLASSES
        return tuple(str(number) for number in range(count))


def add_foreign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say of a FILE what `open_trained` cannot read in it."""
    parser.add_argument(
        "--name", metavar="MODEL", help="which model a FILE of weights is of, if it does not tell"
    )
    parser.add_argument(
        "--stride-in",
        choices=("1x1", "3x3"),
        help="in which convolution the bottlenecks of such a FILE have their stride",
    )


def open_trained(
    path: Path | str,
    *,
    name: str | None = None,
    stride_in: StrideIn | None = None,
    best: bool = False,
) -> Trained:
    """Open a model: a file of `save_model`, the folder of a run, or foreign weights of `name`.

    Of a run it is the model at its end, or with `best` the one that did best on validation; of one
    that was stopped the average of its weights so far. Published files of known content need no
    `name`.

    Raises:
        WeightsError: the file is missing or damaged, does not tell its model where `name` is not
            given, or tells another one.
        CheckpointError: a file of our own is damaged.
    """
    given, path = Path(path), model_file(path, best=best)
    if given.is_dir() and path.name == CHECKPOINT:
        return _open_stopped(path, name, stride_in)
    metadata = _own_metadata(path)
    if metadata is None:
        _check_suffix(path)
        name = name or published_model(path)
        if name is None:
            raise WeightsError(
                f"{path.name} does not tell which model its weights are of; add --name MODEL "
                "(cnncore list shows the names)"
            )
        options: dict[str, Any] = {} if stride_in is None else {"stride_in": stride_in}
        model: Classifier = create_model(name, weights=path, **options)
        return Trained(path, model.eval(), None, {})
    _check_told(path, metadata, name, stride_in)
    return _with_facts(path, load_model(path), metadata)


def _open_stopped(path: Path, name: str | None, stride_in: StrideIn | None) -> Trained:
    """Open the average in the checkpoint of a run that has not ended, and say so."""
    checkpoint = stopped_model(path)
    _check_told(path, checkpoint.metadata, name, stride_in)
    trained = _with_facts(path, model_in(checkpoint, path), checkpoint.metadata)
    log.warning(
        "the run in %s has not ended; this is the average of its weights after %.1f epochs",
        *(path.parent, trained.facts.get("epochs", 0.0)),
    )
    return trained


def _with_facts(path: Path, model: Classifier, metadata: Mapping[str, Any]) -> Trained:
    facts: Mapping[str, Any] = metadata.get("facts", {})
    classes = facts.get("classes")
    return Trained(path, model, None if classes is None else tuple(classes), facts)


def _check_suffix(path: Path) -> None:
    """Refuse what is not a file of weights by its name, before anything is asked about it."""
    if path.suffix not in SUFFIXES:
        raise WeightsError(
            f"{path} is not a file of weights ({' '.join(SUFFIXES)}) or the folder of a run; give "
            "one of these"
        )


def open_several(
    paths: Sequence[Path],
    *,
    name: str | None = None,
    stride_in: StrideIn | None = None,
    best: bool = False,
) -> list[Trained]:
    """Open models as `open_trained` does; `name` and `stride_in` are the foreign ones', if any."""
    foreign = [_is_foreign(path, best=best) for path in paths]
    return [
        open_trained(path, name=name, stride_in=stride_in, best=best)
        if untold or not any(foreign)
        else open_trained(path, best=best)
        for path, untold in zip(paths, foreign, strict=True)
    ]


def _is_foreign(path: Path, *, best: bool) -> bool:
    file = model_file(path, best=best)
    return not (path.is_dir() and file.name == CHECKPOINT) and _own_metadata(file) is None


def model_file(path: Path | str, *, best: bool = False) -> Path:
    """Return the file of a model: the one given, or of a run its last or best one.

    Of a run that was stopped it is the checkpoint.

    Raises:
        WeightsError: nothing is there.
        CheckpointError: a file of the run is damaged.
    """
    path = Path(path)
    if path.is_dir():
        name = BEST if best else LAST
        there = [other for other in (LAST, BEST) if (path / other).is_file()]
        stopped = None if best else stopped_checkpoint(path, path / LAST)
        if stopped is not None:
            return stopped
        if name not in there:
            hint = f"there is {there[0]}" if there else "it is not a run, or one that has not ended"
            raise WeightsError(f"{path} has no {name}; {hint}")
        path = path / name
    if not path.is_file():
        raise WeightsError(f"no model at {path}; give a file of weights or the folder of a run")
    return path


def _own_metadata(path: Path) -> Mapping[str, Any] | None:
    """Return the metadata in a file of `save_model`, None for another program's file."""
    if path.suffix != ".safetensors":
        return None
    try:
        kind, metadata = read_metadata(path)
    except ForeignCheckpointError:
        return None
    if kind != KIND:
        raise WeightsError(f"{path} holds a {kind}, not a model; give the folder of the run")
    return metadata


def _check_told(
    path: Path, metadata: Mapping[str, Any], name: str | None, stride_in: StrideIn | None
) -> None:
    """Refuse a name or a stride that contradicts what a file of our own tells."""
    model, stride = metadata.get("model"), metadata.get("stride_in")
    if name is not None and find_model(name).name != model:
        raise WeightsError(f"{path} holds {model}, not {name}; leave --name {name} out")
    if stride_in is not None and stride is not None and stride_in != stride:
        raise WeightsError(
            f"{path} has the stride of its bottlenecks in the {stride} convolution, not in the "
            f"{stride_in}; leave --stride-in {stride_in} out"
        )


def read_class_names(path: Path) -> tuple[str, ...]:
    """Read names of classes: a line each in a text file, or the column class_name of a CSV.

    Raises:
        DataError: the file is missing, is not text, or does not have that column.
    """
    try:
        text = decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}); check the path") from error
    if path.suffix != ".csv":
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    rows = table_rows(text, str(path))
    if not rows or "class_name" not in rows[0]:
        raise DataError(f"{path} has no column class_name; add one, or give a text file")
    if "class_index" in rows[0]:
        rows.sort(key=lambda row: class_index(row["class_index"], f"class_index in {path}"))
    return tuple(row["class_name"] for row in rows)


def match_labels(labels: Tensor, data: tuple[str, ...], trained: Trained) -> Tensor:
    """Return labels of classes `data`, int64 (N,), as indices of a model's classes, by name.

    A model without class names has its classes in the order of the data's; it is warned of if it
    has more of them.

    Raises:
        DataError: the data have a class that the model does not have.
    """
    if trained.classes is None or trained.classes == data:
        known = trained.model.num_classes
        if len(data) > known:
            raise DataError(
                f"{trained.path.name} knows {known} classes and the data has {len(data)}; give the "
                "data that it was made for"
            )
        if len(data) < known:
            log.warning(
                "%s has %d classes without names and the data has %d (%s); they are taken for its "
                "first %d in this order, and the score means nothing if they are not",
                *(trained.path.name, known, len(data), _listed(data), len(data)),
            )
        return labels
    unknown = [name for name in data if name not in trained.classes]
    if unknown:
        raise DataError(
            f"{trained.path.name} does not know the class {unknown[0]!r}; it knows "
            f"{_listed(trained.classes)}"
        )
    return torch.tensor([trained.classes.index(name) for name in data])[labels]


def ensemble_of(models: Sequence[Trained], probabilities: Sequence[Tensor]) -> Tensor:
    """Return the mean of several models' probabilities (N, C), classes in the first one's order.

    Classes are matched by name; models without names are taken to have one order.

    Raises:
        DataError: the models have different classes.
    """
    wanted = models[0].classes
    matched: list[Tensor] = []
    for trained, shares in zip(models, probabilities, strict=True):
        mine = trained.classes
        if mine == wanted:
            matched.append(shares)
        elif mine and wanted and sorted(set(mine)) == sorted(wanted) and len(mine) == len(wanted):
            matched.append(shares[:, [mine.index(name) for name in wanted]])
        else:
            raise DataError(
                f"{trained.path} has {_described(mine)} and {models[0].path} {_described(wanted)}; "
                "an ensemble needs models of the same classes"
            )
    return ensemble(matched)


def _described(classes: Sequence[str] | None) -> str:
    return "classes without names" if classes is None else f"the classes {_listed(classes)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
