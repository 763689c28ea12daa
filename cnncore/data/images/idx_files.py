"""MNIST and its likes: idx files as published, as torchvision keeps them, as EMNIST names them."""

from __future__ import annotations

import gzip
import math
import re
import string
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cnncore.data.images.image_data import ImageData, array_data
from cnncore.data.samples import DataError

_DIGITS = tuple(string.digits)
_NAME = re.compile(r"(.*?)-?(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(?:\.gz)?", re.DOTALL)
_IMAGES, _LABELS = 0x803, 0x801

# EMNIST's labels (Cohen et al. 2017): 47 classes where small letters that look like their capitals
# are merged with them; "letters" counts from 1.
_MERGED = (*_DIGITS, *string.ascii_uppercase, *"abdefghnqrt")
_EMNIST = {
    "emnist-byclass": (*_DIGITS, *string.ascii_uppercase, *string.ascii_lowercase),
    "emnist-bymerge": _MERGED,
    "emnist-balanced": _MERGED,
    "emnist-letters": ("N/A", *string.ascii_lowercase),
}

Splits = Mapping[str, tuple[Path, Path]]


def idx_files(path: Path) -> Splits:
    """Return (images, labels) of the splits "train" and "test" that a path has as idx files.

    The path is their folder, a folder with `raw` or with `NAME/raw` in it (torchvision's), or how
    the names of one of several sets begin (`FOLDER/emnist-letters`). Empty if there are none.

    Raises:
        DataError: there are several sets, or one of two files that belong together.
    """
    if not path.is_dir():
        return _sets(path.parent, only=path.name).get(path.name, {})
    below = sorted(folder / "raw" for folder in path.iterdir() if (folder / "raw").is_dir())
    for places in ([path], [path / "raw", path / "gzip"], below):
        found = [(place, sets) for place in places if (sets := _sets(place))]
        if len(found) > 1:
            names = ", ".join(place.parent.name for place, _ in found)
            raise DataError(
                f"{path} holds several data sets ({names}); give one, such as {found[0][0].parent}"
            )
        if found:
            return _only(*found[0])
    return {}


def _only(place: Path, sets: Mapping[str, Splits]) -> Splits:
    """Return the one set in a folder."""
    if len(sets) > 1:
        raise DataError(
            f"{place} holds several data sets ({', '.join(name or 'MNIST' for name in sets)}); "
            f"give the path up to the name of one, such as {place / next(n for n in sets if n)}"
        )
    return next(iter(sets.values()))


def _sets(folder: Path, *, only: str | None = None) -> dict[str, Splits]:
    """Return the splits of every set in a folder by what stands before "train-images".

    With `only` nothing but the set of this name is looked at.
    """
    files: dict[tuple[str, str], dict[str, Path]] = {}
    for entry in sorted(folder.iterdir() if folder.is_dir() else ()):
        match = _NAME.fullmatch(entry.name)
        file = entry / entry.name if entry.is_dir() else entry  # a site packs a folder of its name
        if match is None or entry.name.startswith(".") or not file.is_file():
            continue
        name, split, what = match.groups()
        if only is not None and name != only:
            continue
        key = (name, "train" if split == "train" else "test")
        files.setdefault(key, {}).setdefault(what, file)
    found: dict[str, dict[str, tuple[Path, Path]]] = {}
    for (name, split), pair in files.items():
        if len(pair) < 2:
            raise DataError(
                f"{folder} has {next(iter(pair.values())).name} but not the other of its two "
                "files, images and labels; put it beside"
            )
        found.setdefault(name, {})[split] = (pair["images"], pair["labels"])
    return {name: dict(sorted(splits.items(), reverse=True)) for name, splits in found.items()}


def read_idx(images: Path, labels: Path) -> ImageData:
    """Read MNIST or one of its likes: idx files, gzip or not, as in LeCun's description.

    EMNIST's pictures lie in their files with rows and columns exchanged; they are set upright.

    Raises:
        DataError: the file is damaged, cut short or of another kind.
    """
    pixels = _read(images, magic=_IMAGES)[:, None]  # (N, 1, H, W)
    numbers = _read(labels, magic=_LABELS)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{images.name} has {len(pixels)} pictures and {labels.name} {len(numbers)} labels; "
            "give files that belong together"
        )
    match = _NAME.fullmatch(images.name)
    name = match.group(1) if match else ""
    if name.startswith("emnist"):
        pixels = pixels.transpose(2, 3).contiguous()
    count = max(len(_DIGITS), int(numbers.max()) + 1) if len(numbers) else len(_DIGITS)
    classes = _EMNIST.get(name, tuple(str(number) for number in range(count)))
    return array_data(pixels, numbers, classes, where=str(labels))


def _read(path: Path, *, magic: int) -> Tensor:
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path} is a damaged gzip file ({error}); get it again") from error
    axes = magic & 0xFF
    if len(content) < 4 + 4 * axes or struct.unpack(">I", content[:4])[0] != magic:
        raise DataError(
            f"{path} is not an idx file of bytes with {axes} axes (it begins {content[:4].hex()}, "
            f"not {magic:08x}); check that images and labels are not exchanged"
        )
    shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    body = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    if len(body) != math.prod(shape):
        raise DataError(
            f"{path} announces {math.prod(shape):,} bytes and has {len(body):,}; get it again"
        )
    return torch.from_numpy(body.reshape(shape).copy())
