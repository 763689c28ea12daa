"""Readers of small pictures packed into few files: CIFAR-10's batches and sheets of tiles."""

from __future__ import annotations

import codecs
import io
import lzma
import math
import pickle
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnncore.data.images.image_data import ImageData, array_data, decode
from cnncore.data.samples import DataError
from cnncore.data.tables import decoded

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
DIGITS = tuple("0123456789")
LABELS = ".labels.txt"

_RECORD = 3 * 32 * 32
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


def cifar_batches(path: Path) -> dict[str, list[str]]:
    """Return the batches of CIFAR-10's splits in a folder or a packed archive, by name.

    Of a folder they may lie one below it, as they are unpacked, binary or python.

    Raises:
        DataError: the archive is damaged.
    """
    if path.is_file():
        return _splits(list(_packed(path, keep=lambda name: False)))
    for place in ("", "cifar-10-batches-py", "cifar-10-batches-bin"):
        folder = path / place
        files = [file for file in folder.glob("*_batch*") if file.is_file()]
        found = _splits([file.relative_to(path).as_posix() for file in files])
        if found:
            return found
    return {}


def cifar_archive(folder: Path) -> Path | None:
    """Return CIFAR-10 as it is downloaded, packed, if a folder has it."""
    files = (folder / f"cifar-10-{version}.tar.gz" for version in ("python", "binary"))
    return next((file for file in files if file.is_file()), None)


def _splits(names: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for end in (r"", r"\.bin"):
        for split, stem in (("train", "data_batch_[1-5]"), ("test", "test_batch")):
            fitting = [n for n in names if re.fullmatch(stem + end, n.rsplit("/", 1)[-1])]
            if fitting:
                found[split] = sorted(fitting)
        if found:
            break
    return found


def _packed(path: Path, *, keep: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the files of an archive by name, with their content where `keep` says so."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    file = archive.extractfile(member) if keep(member.name) else None
                    found[member.name] = file.read() if file is not None else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is damaged or not a tar ({error}); get it again") from error
    return found


def read_cifar(path: Path, names: list[str]) -> ImageData:
    """Read batches of CIFAR-10; those of its python version are unpickled as plain arrays only.

    `path` is the folder or the archive that has files of these names.

    Raises:
        DataError: the file is damaged or holds anything else.
    """
    if path.is_file():
        contents = _packed(path, keep=lambda name: name in names)
    else:
        contents = {name: (path / name).read_bytes() for name in names}
    parts = []
    for name in names:
        read = _binary if name.endswith(".bin") else _pickled
        parts.append(read(contents[name], f"{path / name}"))
    pixels = np.concatenate([pixels for pixels, _ in parts]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in parts])
    where = f"{path / names[0]}"
    return array_data(
        torch.from_numpy(pixels), torch.from_numpy(labels), CIFAR10_CLASSES, where=where
    )


def _binary(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    if not content or len(content) % (1 + _RECORD):
        raise DataError(
            f"{where} has {len(content):,} bytes, no multiple of {1 + _RECORD}; it is cut short or "
            "not CIFAR-10's binary version"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + _RECORD)
    return records[:, 1:], records[:, 0].astype(np.int64)


class _PlainUnpickler(pickle.Unpickler):
    """An unpickler that makes numpy arrays of numbers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if module in _NUMPY and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        if module in _NUMPY and name == "scalar":
            return np.float64().__reduce__()[0]
        if module in _NUMERIC and name == "_frombuffer":
            return np.zeros(1).__reduce_ex__(5)[0]
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if (module, name) == ("_codecs", "encode"):
            return codecs.encode
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _pickled(content: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a batch; its keys are bytes as Python 2 wrote them, or text in a file written anew."""
    try:
        table = _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
        table = {key.decode() if isinstance(key, bytes) else key: table[key] for key in table}
        pixels = np.asarray(table["data"])
        labels = np.asarray(table["labels"], dtype=np.int64)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{where} is damaged or holds more than arrays ({error}); nothing of it was run"
        ) from error
    except Exception as error:  # a damaged pickle raises a dozen kinds
        raise DataError(
            f"{where} is not a batch of CIFAR-10's python version ({error!r})"
        ) from error
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), _RECORD):
        raise DataError(
            f"{where} has pictures {pixels.shape} of {pixels.dtype} for {len(labels)} labels; "
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
    return array_data(tiles, torch.tensor(labels), classes, where=str(file))


def _numbered(words: list[str]) -> tuple[list[int], tuple[str, ...]]:
    """Return labels and classes of words that are numbers from 0, or names."""
    if all(word.isdecimal() for word in words):
        numbers = [int(word) for word in words]
        return numbers, tuple(str(number) for number in range(max(numbers) + 1))
    classes = sorted(set(words))
    return [classes.index(word) for word in words], tuple(classes)
