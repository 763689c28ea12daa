"""The models by name: what `create_model` and `list_models` know.

The table names classes without importing them, so that listing costs nothing and torch is loaded
when a model is made.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from cnncore.layers.residual import StrideIn
    from cnncore.models.classifier import Classifier, FeatureMaps
    from cnncore.weights.weight_files import WeightFile


class UnknownModelError(ValueError):
    """A name that is no model's."""


@dataclass(frozen=True)
class Entry:
    """A model by name: the class `kind` of module `home` made with `options`."""

    name: str
    about: str
    home: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()


_VGG = {
    "a": ("A", "11", "8 convolutions"),
    "a-lrn": ("A-LRN", None, "8 convolutions, LRN behind the first"),
    "b": ("B", "13", "10 convolutions"),
    "c": ("C", None, "13 convolutions, three of them 1x1"),
    "d": ("D", "16", "13 convolutions"),
    "e": ("E", "19", "16 convolutions"),
}
_KIM = {
    "rand": "word vectors random and trained",
    "static": "word vectors given and fixed",
    "non-static": "word vectors given and trained",
    "multichannel": "a fixed and a trained copy of the word vectors",
}


def _entries() -> Iterator[Entry]:
    """Yield every model, paper by paper."""
    yield Entry("lenet5", "LeNet-5 as taught: ReLU, max pooling", "lenet", "LeNet5", {}, ("lenet",))
    yield Entry(
        "lenet5-1998",
        "LeNet-5 as published: partial C3",
        "lenet",
        "LeNet5Of1998",
        {"squash": "all"},
    )
    yield Entry("alexnet", "AlexNet in one tower, 227x227", "alexnet", "AlexNet", {"towers": 1})
    yield Entry(
        "alexnet-two-tower",
        "AlexNet as published, grouped",
        "alexnet",
        "AlexNet",
        {"towers": 2, "order": "norm-pool"},
        ("alexnet-grouped",),
    )
    yield Entry(
        "alexnet-caffe",
        "AlexNet as Caffe's bvlc_alexnet has it, grouped",
        "alexnet",
        "AlexNet",
        {"towers": 2, "order": "norm-pool", "convention": "caffe"},
        ("bvlc-alexnet",),
    )
    yield Entry(
        "alexnet-owt",
        'torchvision\'s alexnet ("one weird trick")',
        "alexnet",
        "AlexNetOneWeirdTrick",
        {},
        ("alexnet-torchvision",),
    )
    yield Entry("zfnet", "ZFNet, figure 3", "zfnet", "ZFNet")
    yield from _vgg_entries()
    for layout in ("imagenet", "cifar10"):
        about = f"Network in network for {layout}"
        yield Entry(f"nin-{layout}", about, "nin", "NIN", {"layout": layout})
    yield Entry(
        "googlenet", "GoogLeNet as published", "googlenet", "GoogLeNet", {}, ("inception-v1",)
    )
    yield Entry(
        "googlenet-torchvision",
        "torchvision's googlenet: batch normalisation, 3x3 for 5x5",
        "googlenet",
        "GoogLeNet",
        {"variant": "torchvision"},
    )
    yield from _residual_entries()
    yield from _cifar_entries()
    for variant, about in _KIM.items():
        yield Entry(
            f"kim-{variant}", f"Kim's CNN: {about}", "sentence", "KimCNN", {"variant": variant}
        )


def _vgg_entries() -> Iterator[Entry]:
    for letter, (configuration, layers, about) in _VGG.items():
        for norm in (False, True) if letter != "a-lrn" else (False,):
            end = "-bn" if norm else ""
            yield Entry(
                f"vgg-{letter}{end}",
                f"VGG {configuration}: {about}{', batch normalisation' if norm else ''}",
                "vgg",
                "VGG",
                {"configuration": configuration, "norm": norm},
                (f"vgg{layers}{end}",) if layers else (),
            )


def _residual_entries() -> Iterator[Entry]:
    for depth in (18, 34, 50, 101, 152):
        deep = depth >= 50
        yield Entry(
            f"resnet{depth}",
            f"ResNet-{depth}{', stride in the 3x3 (v1.5, as torchvision)' if deep else ''}",
            "resnet",
            "ResNet",
            {"depth": depth, "stride_in": "3x3"},
            (f"resnet{depth}-v1.5",) if deep else (),
        )
        if deep:
            yield Entry(
                f"resnet{depth}-v1",
                f"ResNet-{depth} as published, stride in the first 1x1",
                "resnet",
                "ResNet",
                {"depth": depth, "stride_in": "1x1"},
            )
    for depth in (18, 34, 50, 101, 152):
        yield Entry(
            f"preact-resnet{depth}",
            f"ResNet-{depth}, normalisation and ReLU before the convolutions",
            "resnet",
            "ResNet",
            {"depth": depth, "pre_activation": True, "stride_in": "1x1"},
        )


def _cifar_entries() -> Iterator[Entry]:
    for depth in (20, 32, 44, 56, 110):
        yield Entry(
            f"resnet{depth}-cifar",
            f"ResNet-{depth} for CIFAR-10, shortcut A",
            "resnet",
            "CifarResNet",
            {"depth": depth},
        )
    yield Entry(
        "preact-resnet110-cifar",
        "ResNet-110 for CIFAR-10, normalisation before",
        "resnet",
        "CifarResNet",
        {"depth": 110, "pre_activation": True},
    )
    for depth in (164, 1001):
        yield Entry(
            f"preact-resnet{depth}-cifar",
            f"ResNet-{depth} for CIFAR-10, bottlenecks, normalisation before",
            "resnet",
            "CifarResNet",
            {"depth": depth, "pre_activation": True, "bottleneck": True, "shortcut": "B"},
        )


ENTRIES: Mapping[str, Entry] = {entry.name: entry for entry in _entries()}
ALIASES: Mapping[str, str] = {
    alias: entry.name for entry in ENTRIES.values() for alias in entry.aliases
}


def list_models(pattern: str = "*", *, aliases: bool = False) -> list[str]:
    """Return the names that a shell pattern such as "*resnet*" matches, in the papers' order."""
    names = [*ENTRIES, *ALIASES] if aliases else list(ENTRIES)
    return [name for name in names if fnmatchcase(name, pattern)]


def find_model(name: str) -> Entry:
    """Return the entry of a name or alias; case and "_" for "-" do not matter.

    Raises UnknownModelError with the names that are most alike.
    """
    plain = name.lower().replace("_", "-")
    plain = ALIASES.get(plain, plain)
    if plain not in ENTRIES:
        near = difflib.get_close_matches(plain, [*ENTRIES, *ALIASES], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see list_models()"
        raise UnknownModelError(f"no model is called {name!r}; {hint}")
    return ENTRIES[plain]


@overload
def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: Literal[False] = False,
    **options: Any,
) -> Classifier: ...


@overload
def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: Literal[True],
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> FeatureMaps: ...


def create_model(
    name: str,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: Path | str | WeightFile | None = None,
    unsafe_pickle: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> Classifier | FeatureMaps:
    """Return a model by name, newly initialised or with the weights of a file.

    `options` are those of the model's class (`create_model("resnet34", shortcut="A")`). Without
    `num_classes` and `in_channels` the model has those of the file, or the paper's. Where they
    differ from the file's, the layer is made anew or adapted and the log says so. `stride_in`
    beside `weights` declares where the file's bottlenecks have their stride; `unsafe_pickle` is
    that of `cnncore.read_weights`. With `features_only` the model gives the list of its stages'
    feature maps, or of those in `out_indices`, 0 being the largest map and -1 the last.

    Raises UnknownModelError, ValueError for options and stages that the model does not have, and
    cnncore.weights.weight_files.WeightsError for a file that does not fit.
    """
    if out_indices is not None and not features_only:
        raise ValueError("out_indices choose among feature maps; give features_only=True as well")
    entry = find_model(name)
    given = {**entry.options, **options}
    if num_classes is not None:
        given["num_classes"] = num_classes
    if in_channels is not None:
        given["in_channels"] = in_channels
    _check_options(entry, given)
    if weights is None:
        model = _make(entry, given)
    else:
        from cnncore.weights.weight_files import WeightFile, read_weights

        if not isinstance(weights, WeightFile):
            weights = read_weights(weights, unsafe_pickle=unsafe_pickle)
        model = _load(entry, given, weights, stride_in=options.get("stride_in"))
    return _features(model, out_indices) if features_only else model


def remake_model(name: str, options: Mapping[str, Any]) -> Classifier:
    """Return a newly initialised model of all the `options` that a model of this name once had.

    What the name stands for today does not matter. Raises what `create_model` raises.
    """
    entry = find_model(name)
    _check_options(entry, options)
    return _make(entry, options)


def _load(
    entry: Entry,
    given: dict[str, Any],
    file: WeightFile,
    *,
    stride_in: StrideIn | None,
) -> Classifier:
    """Make a model of the sizes in a file, but for those that are given, and load it."""
    from cnncore.weights.matching import load_weights, sizes_in

    for key, value in sizes_in(file, _make(entry, given, meta=True)).items():
        if key not in given:
            given[key] = value
    model = _make(entry, given)
    load_weights(model, file, stride_in=stride_in)
    return model


def _features(model: Classifier, out_indices: Sequence[int] | None) -> FeatureMaps:
    """Return a model without its head, that gives the chosen stages' feature maps."""
    from cnncore.models.classifier import FeatureMaps
    from cnncore.models.shapes import stage_shapes

    shapes = stage_shapes(model)
    chosen = range(len(shapes)) if out_indices is None else out_indices
    wrong = [index for index in chosen if not -len(shapes) <= index < len(shapes)]
    if wrong:
        raise ValueError(f"{model.name} has stages 0 to {len(shapes) - 1}, not {wrong[0]}")
    return FeatureMaps(model, shapes, tuple(sorted({index % len(shapes) for index in chosen})))


def _check_options(entry: Entry, options: Mapping[str, Any]) -> None:
    known = set(inspect.signature(_kind(entry)).parameters)
    unknown = sorted(set(options) - known)
    if unknown:
        raise ValueError(
            f"{entry.name} has no option {unknown[0]!r}; it takes {', '.join(sorted(known))}"
        )


def _kind(entry: Entry) -> type[Classifier]:
    kind: type[Classifier] = getattr(
        import_module(f"cnncore.models.classics.{entry.home}"), entry.kind
    )
    return kind


def _make(entry: Entry, options: Mapping[str, Any], *, meta: bool = False) -> Classifier:
    import torch

    with torch.device("meta" if meta else torch.get_default_device()):
        model = _kind(entry)(**options)
    model.name = entry.name
    model.options = dict(options)
    return model
