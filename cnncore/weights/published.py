"""Published files of weights that are known by their content, whatever they are called."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

# Names of models by the first 8 figures of a file's SHA-256. Torchvision's files and akamaster's
# (pytorch_resnet_cifar10) carry these figures in their names.
PUBLISHED: Mapping[str, str] = {
    **dict.fromkeys(("4df8aa71", "7be5be79"), "alexnet-owt"),
    **{"8a719046": "vgg-a", "19584684": "vgg-b", "397923af": "vgg-d", "dcbb9e9d": "vgg-e"},
    **{"6002323d": "vgg-a-bn", "abd245e5": "vgg-b-bn"},
    **{"6c64b313": "vgg-d-bn", "c79401a0": "vgg-e-bn"},
    **dict.fromkeys(("5c106cde", "f37072fd"), "resnet18"),
    **dict.fromkeys(("333f7ec4", "b627a593"), "resnet34"),
    **dict.fromkeys(("0676ba61", "19c8e357", "11ad3fa6"), "resnet50"),
    **dict.fromkeys(("63fe2227", "5d3b4d8f", "cd907fc2"), "resnet101"),
    **dict.fromkeys(("394f9c45", "b121ed2d", "f82ba261"), "resnet152"),
    "4f3d3b86": "resnet50-v1",  # Keras' ResNet50 (He et al.'s Caffe weights) as 8-bit npz
    **{"12fca82f": "resnet20-cifar", "d509ac18": "resnet32-cifar", "014dd654": "resnet44-cifar"},
    **{"4bfd9763": "resnet56-cifar", "1d1ed7c2": "resnet110-cifar"},
}


def content_key(path: Path) -> str:
    """Return the figures by which `PUBLISHED` knows a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:8]


def published_model(path: Path) -> str | None:
    """Return the name of the model whose weights a file is known to have, None for others."""
    return PUBLISHED.get(content_key(path))
