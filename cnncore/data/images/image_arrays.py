"""Readers of small pictures packed into few files: MNIST's idx, CIFAR-10's batches, tile sheets."""

from __future__ import annotations

import codecs
import gzip
import io
import math
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnncore.data.images.image_data import ImageData, array_data, decode
from cnncore.data.samples import DataError
from cnncore.data.tables import decoded

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
DIGITS = tuple("0123456789")
LABELS = ".labels.txt"

_IDX_IMAGES, _IDX_LABELS = 0x803, 0x801
_RECORD = 3 * 32 * 32
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")


def idx_files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return (images, labels) of the splits "train" and "test" that a folder has as idx files."""
    found = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        images = _first(folder, f"{stem}-images[-.]idx3-ubyte*")
        labels = _first(folder, f"{stem}-labels[-.]idx1-ubyte*")
        if images and labels:
            found[split] = (images, labels)
        elif images or labels:
            raise DataError(
                f"{folder} has {(images or labels or folder).name} but not the other of its two "
                f"files, images and labels; put it beside"
            )
    return found


def _first(folder: Path, pattern: str) -> Path | None:
    return next((file for file in sorted(folder.glob(pattern)) if file.is_file()), None)


def read_idx(images: Path, labels: Path) -> ImageData:
    """Read MNIST or one of its likes: idx files, gzip or not, as in LeCun's description.

    Raises:
        DataError: the file is damaged, cut short or of another kind.
    """
    pixels = _read_idx(images, magic=_IDX_IMAGES)[:, None]  # (N, 1, H, W)
    numbers = _read_idx(labels, magic=_IDX_LABELS)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{images.name} has {len(pixels)} pictures and {labels.name} {len(numbers)} labels; "
            "give files that belong together"
        )
    count = max(len(DIGITS), int(numbers.max()) + 1) if len(numbers) else len(DIGITS)
    return array_data(pixels, numbers, tuple(str(number) for number in range(count)))


def _read_idx(path: Path, *, magic: int) -> Tensor:
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


def cifar_files(folder: Path) -> dict[str, list[Path]]:
    """Return the batches of CIFAR-10's splits in a folder, binary or python, or one below it."""
    for place in (folder, folder / "cifar-10-batches-py", folder / "cifar-10-batches-bin"):
        for end in ("", ".bin"):
            train = sorted(place.glob(f"data_batch_[1-5]{end}"))
            test = sorted(place.glob(f"test_batch{end}"))
            found = {"train": train, "test": test}
            if train or test:
                return {split: files for split, files in found.items() if files}
    return {}


def read_cifar(files: list[Path]) -> ImageData:
    """Read batches of CIFAR-10; those of its python version are unpickled as plain arrays only.

    Raises:
        DataError: the file is damaged or holds anything else.
    """
    parts = [_binary(file) if file.suffix == ".bin" else _pickled(file) for file in files]
    pixels = np.concatenate([pixels for pixels, _ in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in parts])
    return array_data(torch.from_numpy(pixels), torch.from_numpy(labels), CIFAR10_CLASSES)


def _binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    content = np.fromfile(path, np.uint8)
    if not len(content) or len(content) % (1 + _RECORD):
        raise DataError(
            f"{path} has {len(content):,} bytes, no multiple of {1 + _RECORD}; it is cut short or "
            "not CIFAR-10's binary version"
        )
    records = content.reshape(-1, 1 + _RECORD)
    return records[:, 1:], records[:, 0].astype(np.int64)


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that makes numpy arrays of numbers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _NUMPY and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):
            return codecs.encode
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _pickled(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        content = _PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pixels = np.asarray(content[b"data"])
        labels = np.asarray(content[b"labels"], dtype=np.int64)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path} is damaged or holds more than arrays ({error}); nothing of it was run"
        ) from error
    except Exception as error:  # a damaged pickle raises a dozen kinds
        raise DataError(
            f"{path} is not a batch of CIFAR-10's python version ({error!r})"
        ) from error
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), _RECORD):
        raise DataError(
            f"{path} has pictures {pixels.shape} of {pixels.dtype} for {len(labels)} labels; "
            f"expected uint8 ({len(labels)}, {_RECORD})"
        )
    return pixels, labels


def read_tiles(sheet: Path) -> ImageData:
    """Read a sheet of square tiles, row by row, and its labels in SHEET.labels.txt, one a line.

    The number of labels gives the size of the tiles. Labels are names, or numbers from 0; ten
    classes on 32x32 tiles are given CIFAR-10's names.

    Raises:
        DataError: the two do not fit together.
    """
    file = sheet.with_name(sheet.stem + LABELS)
    if not file.is_file():
        raise DataError(f"{sheet} has no labels beside it; write {file.name}, one label a line")
    lines = decoded(file.read_bytes(), str(file)).splitlines()
    words = [line.strip() for line in lines if line.strip()]
    try:
        pixels = decode(sheet.read_bytes(), channels=3)
    except OSError as error:
        raise DataError(f"{sheet} cannot be decoded: {error}") from error
    height, width = pixels.shape[1:]
    side = math.isqrt(height * width // max(1, len(words)))
    if not side or height % side or width % side or height * width != side**2 * len(words):
        raise DataError(
            f"{sheet.name}, {width}x{height}, cannot be cut into {len(words)} square tiles, one "
            f"for each line of {file.name}"
        )
    tiles = pixels.reshape(3, height // side, side, width // side, side)
    tiles = tiles.permute(1, 3, 0, 2, 4).reshape(-1, 3, side, side)
    labels, classes = _numbered(words)
    if side == 32 and classes == DIGITS:
        classes = CIFAR10_CLASSES
    return array_data(tiles, torch.tensor(labels), classes)


def _numbered(words: list[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return labels and classes of words that are numbers from 0, or names."""
    if all(word.isdecimal() for word in words):
        numbers = [int(word) for word in words]
        return numbers, tuple(str(number) for number in range(max(numbers) + 1))
    classes = sorted(set(words))
    return [classes.index(word) for word in words], tuple(classes)
