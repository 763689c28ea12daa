"""The models by name: what `create_model` and `list_models` know.

The table names classes without importing them, so that listing costs nothing. `construction` makes
a model of an entry, and loads torch for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


class UnknownModelError(ValueError):
    """A name that is not a model's."""


@dataclass(frozen=True)
class Entry:
    """A model by name."""

    name: str
    about: str
    """What it is, in a line."""
    home: str
    """The module in `cnncore.models.classics`."""
    kind: str
    """The class in it."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the class is made with."""
    aliases: tuple[str, ...] = ()
    """Other names of the same model."""


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
            f"kim-{variant}", f"Kim's CNN: {about}", "kim_cnn", "KimCNN", {"variant": variant}
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

    Raises:
        UnknownModelError: no model has this name; the text has those that are most alike.
    """
    plain = name.lower().replace("_", "-")
    plain = ALIASES.get(plain, plain)
    if plain not in ENTRIES:
        near = difflib.get_close_matches(plain, [*ENTRIES, *ALIASES], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see list_models()"
        raise UnknownModelError(f"no model is called {name!r}; {hint}")
    return ENTRIES[plain]
