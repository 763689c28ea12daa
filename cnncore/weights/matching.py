"""Weights into models: torchvision's, timm's, Caffe ports', training scripts', our own.

A file is checked as a whole before the model is touched. What lies beside a model that fits, such
as a counter or the weight of a loss, is left out and named. Some things no shape shows. Where the
bottleneck ResNets have their stride (see `Bottleneck`), files of known content and those that this
package wrote say; for others the caller must. Of activations, poolings and the like (`unseen` of
each class) only our own files tell; from others they are taken to be the model's.
"""

from __future__ import annotations

import inspect
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from cnncore.layers.residual import StrideIn
from cnncore.models.classifier import Classifier
from cnncore.models.registry import ENTRIES
from cnncore.weights.published import PUBLISHED, content_key
from cnncore.weights.tensor_names import TwoModelsError, find_prefix
from cnncore.weights.weight_files import WeightFile, WeightsError, read_weights

log = logging.getLogger(__name__)

_STRIDES: dict[str, StrideIn] = {
    key: ENTRIES[name].options["stride_in"]
    for key, name in PUBLISHED.items()
    if "stride_in" in ENTRIES[name].options
}

_COUNTER = "num_batches_tracked"

# Parts of a training program that have convolutions of their own.
_BESIDE = ("loss", "criterion", "metric", "teacher", "ema", "average", "momentum")


@dataclass(frozen=True)
class LoadReport:
    """What loading did."""

    path: Path
    loaded: int
    """How many tensors the model took over."""
    remade: tuple[str, ...]
    """A sentence for each layer that is new or adapted."""
    left: tuple[str, ...]
    """The names of the tensors in the file that the model does not use."""

    def __str__(self) -> str:
        """Say it in one line."""
        text = f"{self.path.name}: {self.loaded} tensors loaded"
        if self.remade:
            text += f"; {'; '.join(self.remade)}"
        if self.left:
            parts = Counter(name.split(".")[0] for name in self.left)
            single = {name.split(".")[0]: name for name in self.left}
            text += f"; not used: {', '.join(single[p] if parts[p] == 1 else p for p in parts)}"
        return text


def load_weights(
    model: Classifier,
    source: Path | str | WeightFile,
    *,
    stride_in: StrideIn | None = None,
    unsafe_pickle: bool = False,
) -> LoadReport:
    """Put the weights of a file into a model; all that fits or nothing.

    A classifier for another number of classes stays as it is in the model, a first convolution
    for another number of channels is adapted (one channel: the sum over RGB; others: repeated and
    scaled); the report and the log say so. `stride_in` declares where the file's bottlenecks have
    their stride, for files that do not tell.

    Raises:
        WeightsError: something does not fit (the text lists it), a file of our own has a model of
            other options (`Classifier.unseen`), or a number is not finite.
    """
    file = (
        source
        if isinstance(source, WeightFile)
        else read_weights(source, unsafe_pickle=unsafe_pickle)
    )
    own = model.state_dict()
    tensors, strangers = _renamed(file, model, own)
    left = [n for n in tensors if n not in own and n.split(".")[0] in _optional(model)]
    for name in left:
        del tensors[name]
    if all(name in tensors or name.endswith(_COUNTER) for name in own):
        parts = {name.split(".")[0] for name in (*own, *model.present_classifiers())}
        beside = [n for n, t in tensors.items() if n not in own and _is_stranger(n, t, parts)]
        tensors = {name: tensor for name, tensor in tensors.items() if name not in beside}
        strangers += beside
    adaption = _adapt(tensors, model, own)
    _check_fit(file, tensors, model, own, adaption.kept)
    _check_stride(file, model, stride_in)
    _check_options(file, model)
    _check_numbers(file, tensors)
    model.load_state_dict({**own, **tensors})
    unused = tuple(sorted([*left, *strangers]))
    report = LoadReport(file.path, len(tensors), tuple(adaption.said), unused)
    told = adaption.said or strangers
    log.log(logging.WARNING if told else logging.INFO, "%s", report)
    return report


def sizes_in(file: WeightFile, model: Classifier) -> dict[str, int]:
    """Return `num_classes` and `in_channels` of a file that holds this kind of model."""
    tensors, _ = _renamed(file, model, model.state_dict())
    found: dict[str, int] = {}
    classifier = [t for n, t in tensors.items() if n.startswith(f"{model.classifiers[0]}.")]
    if classifier and classifier[0].ndim > 0:
        found["num_classes"] = classifier[0].shape[0]
    stem = tensors.get(f"{model.stem}.weight")
    if stem is not None and stem.ndim == 4:
        found["in_channels"] = stem.shape[1]
    return found


def _renamed(
    file: WeightFile, model: Classifier, own: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """Return tensors by the model's names, and the names of those outside it in the file.

    Convolutions that stand for linear layers get 2 axes.

    Raises:
        WeightsError: the file has the model more than once.
    """
    try:
        prefix = find_prefix(
            file.tensors, lambda name: _own_name(name, model, own) in own, len(own)
        )
    except TwoModelsError as error:
        raise WeightsError(
            f"{file.path.name} has {model.name} more than once, {error}; save the tensors of one"
        ) from None
    found: dict[str, Tensor] = {}
    outside: list[str] = []
    for full, tensor in file.tensors.items():
        if not full.startswith(prefix):
            outside.append(full)
            continue
        name = _own_name(full.removeprefix(prefix), model, own)
        if name in own and tensor.ndim == 4 and own[name].ndim == 2:
            tensor = tensor.flatten(1)
        if name in own and own[name].ndim == 0 and tensor.numel() == 1:
            tensor = tensor.reshape(())  # some writers make a list of one number
        found[name] = tensor
    return found, outside


def _own_name(name: str, model: Classifier, own: Mapping[str, Tensor]) -> str:
    """Return what the model calls a tensor that other people call `name`."""
    if name not in own:
        for theirs, ours in model.renames.items():
            if name.startswith(theirs) or (theirs.startswith(".") and theirs in name):
                name = name.replace(theirs, ours)
    return name


def _is_stranger(name: str, tensor: Tensor, parts: set[str]) -> bool:
    """Tell whether a tensor lies beside a model of these parts: a counter, or part of a loss.

    A further tensor in one of the parts belongs to a deeper or another net, and so does a
    convolution, unless its name says what else it is for.
    """
    part = name.split(".")[0]
    if part in parts:
        return False
    return tensor.ndim < 4 or any(word in part.lower() for word in _BESIDE)


def _optional(model: Classifier) -> set[str]:
    """Return the parts that a file may have and the model not."""
    return {path.split(".")[0] for path in type(model).classifiers[1:]}


@dataclass
class _Adaption:
    """What is not copied as it stands: sentences about it, and the model's tensors that stay."""

    said: list[str]
    kept: set[str]


def _adapt(tensors: dict[str, Tensor], model: Classifier, own: Mapping[str, Tensor]) -> _Adaption:
    """Take classifiers of another size out of `tensors` and adapt the stem to the channels."""
    done = _Adaption([], set())
    for path in model.present_classifiers():
        ours = [name for name in own if name.startswith(f"{path}.")]
        theirs = [name for name in tensors if name.startswith(f"{path}.")]
        if theirs and not ours:
            done.said.append(f"{path} not used, as the model has no classifier")
        elif ours and set(ours) == set(theirs) and _differ_in_classes(ours, tensors, own):
            count = tensors[ours[0]].shape[0]
            done.said.append(
                f"{path} is new, as the file has {count} classes and not {model.num_classes}"
            )
            done.kept.update(ours)
        else:
            continue
        for name in theirs:
            del tensors[name]
    stem = f"{model.stem}.weight"
    if stem in tensors and stem in own and tensors[stem].ndim == 4:
        wanted, got = own[stem].shape, tensors[stem].shape
        if got[1] != wanted[1] and (got[0], *got[2:]) == (wanted[0], *wanted[2:]):
            tensors[stem] = adapt_channels(tensors[stem], wanted[1])
            done.said.append(f"{model.stem} adapted from {got[1]} to {wanted[1]} channels")
    return done


def _differ_in_classes(
    names: Iterable[str], tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]
) -> bool:
    """Tell whether tensors of these names differ in their first axis and in no other."""
    pairs = [(tensors[name].shape, own[name].shape) for name in names]
    return any(a != b for a, b in pairs) and all(a[1:] == b[1:] for a, b in pairs)


def adapt_channels(weight: Tensor, channels: int) -> Tensor:
    """Return a first convolution's weight (O, I, F, F) for images of another number of channels.

    One channel: the sum over the old ones, as if a grey image were shown in all of them; more: the
    old ones over and over, scaled so that the sum over equal channels stays (timm's rule).
    """
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    old = weight.shape[1]
    repeated = weight.repeat(1, -(-channels // old), 1, 1)[:, :channels]
    return repeated * (old / channels)


def _check_fit(
    file: WeightFile,
    tensors: Mapping[str, Tensor],
    model: Classifier,
    own: Mapping[str, Tensor],
    kept: set[str],
) -> None:
    """Refuse a file that lacks, exceeds or reshapes anything; counters of batches may lack."""
    missing = [
        name
        for name in own
        if name not in tensors and name not in kept and not name.endswith(_COUNTER)
    ]
    unknown = [name for name in tensors if name not in own]
    shapes = [
        f"{name} {tuple(tensor.shape)} for {tuple(own[name].shape)}"
        for name, tensor in tensors.items()
        if name in own and tensor.shape != own[name].shape
    ]
    parts = [
        f"{len(names)} {what} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
        for what, names in (
            ("missing in the file", missing),
            ("unknown to the model", unknown),
            ("of another shape", shapes),
        )
        if names
    ]
    if parts:
        raise WeightsError(
            f"{file.path.name} does not fit {model.name}: of {len(own)} tensors "
            f"{', '.join(parts)}; nothing was loaded"
        )


def stride_of(file: WeightFile) -> StrideIn | None:
    """Return where a file's bottlenecks have their stride, None if nothing tells."""
    told = file.metadata.get("stride_in")
    if told in ("1x1", "3x3"):
        return "1x1" if told == "1x1" else "3x3"
    return _STRIDES.get(content_key(file.path))


def _check_stride(file: WeightFile, model: Classifier, declared: StrideIn | None) -> None:
    """Refuse weights that were trained with the stride elsewhere, and those that do not tell."""
    wanted = model.stride_in
    if wanted is None:
        return
    known = stride_of(file) or declared
    if known is None:
        raise WeightsError(
            f"{file.path.name} does not tell where its bottlenecks have their stride, and in the "
            f"wrong place its results would be worse without any error; pass stride_in='3x3' for "
            f"weights of torchvision or timm (v1.5), stride_in='1x1' for the paper's, Caffe's or "
            f"Keras' (v1); on the command line --stride-in"
        )
    if known != wanted:
        raise WeightsError(
            f"{file.path.name} has the stride of its bottlenecks in the {known} convolution and "
            f"{model.name} in the {wanted}; create the model with stride_in={known!r} "
            f"(--stride-in {known})"
        )


def _check_options(file: WeightFile, model: Classifier) -> None:
    """Refuse weights of our own that were trained with other options, where no shape shows it."""
    told, known = file.metadata.get("options"), ENTRIES.get(file.metadata.get("model", ""))
    mine = ENTRIES.get(model.name)
    if told is None or known is None or mine is None:
        return
    if (known.home, known.kind) != (mine.home, mine.kind):
        return
    defaults = inspect.signature(type(model)).parameters
    for key in model.unseen:
        theirs, ours = (made.get(key, defaults[key].default) for made in (told, model.options))
        if theirs != ours:
            raise WeightsError(
                f"{file.path.name} was trained with {key}={theirs!r} and {model.name} is made with "
                f"{key}={ours!r}; create the model with {key}={theirs!r}"
            )


def _check_numbers(file: WeightFile, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that are infinite or NaN."""
    broken = next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)
    if broken is not None:
        raise WeightsError(
            f"{file.path.name} has numbers in {broken} that are not finite; the training went "
            "wrong or the file is damaged: give another one"
        )
