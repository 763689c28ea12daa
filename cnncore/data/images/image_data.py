"""Labelled pictures in memory or in files, before anything is done to them."""

from __future__ import annotations

import hashlib
import lzma
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from cnncore.data.images.pillow_modes import open_image
from cnncore.data.images.transforms import from_pillow
from cnncore.data.samples import DataError

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"),
    *(".tif", ".tiff", ".jpe", ".jfif"),
)


# Folders that systems put beside people's files, and that hold copies of them.
_OF_SYSTEMS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "#recycle", "System Volume Information")


class Store(Protocol):
    """A folder or an archive: `path` names it, files in it have names with "/"."""

    path: Path

    def names(self) -> list[str]:
        """Return the names of all files, sorted; hidden ones and those in hidden folders not."""

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Raises:
            OSError: a folder does not have it.
            KeyError: a zip does not have it.
        """


class Folder:
    """The files below a folder, and below the folders that links in it lead to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the names relative to the folder, sorted."""
        found: list[str] = []
        for folder, below, files in os.walk(self.path, followlinks=True):
            place = Path(folder)
            inside = [place, *place.parents][: len(place.relative_to(self.path).parts) + 1]
            if os.path.realpath(place) in {os.path.realpath(above) for above in inside[1:]}:
                below.clear()  # a link in a circle
                continue
            below[:] = [name for name in below if not is_hidden(name)]
            shown = (file for file in files if not is_hidden(file))
            found += [(place.relative_to(self.path) / file).as_posix() for file in shown]
        return sorted(found)

    def read(self, name: str) -> bytes:
        """Return the content of one file, whose name may have Windows' separators."""
        path = self.path / name
        return (path if path.is_file() else self.path / plain_name(name)).read_bytes()


class Archive:
    """The files in a zip, read without unpacking it.

    Raises:
        DataError: it is not a zip.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = ZipFile(path)
        except BadZipFile as error:
            raise DataError(f"{path} is damaged or not a zip ({error}); get it again") from error
        names = [name for name in self._zip.namelist() if not name.endswith(("/", "\\"))]
        self._members = {plain_name(_as_utf8(self._zip, name)): name for name in names}

    def names(self) -> list[str]:
        """Return the names in the archive, sorted."""
        return sorted(name for name in self._members if not any(map(is_hidden, name.split("/"))))

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Raises:
            OSError: it cannot be unpacked.
        """
        try:
            return self._zip.read(self._members[plain_name(name)])
        except (BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
            raise OSError(str(error) or "it is cut short") from error


def is_hidden(name: str) -> bool:
    """Tell whether a file or folder of this name is hidden, or the system's own."""
    return name.startswith(".") or name in _OF_SYSTEMS


def plain_name(name: str) -> str:
    """Return a file's name with "/" between its parts, whatever separates them."""
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _as_utf8(archive: ZipFile, name: str) -> str:
    """Return the name of a member; one that is UTF-8 without its mark, as macOS writes it, so."""
    if archive.getinfo(name).flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def decode(content: bytes, *, channels: int) -> Tensor:
    """Return the picture (C, H, W) in a file's content, turned as its camera says.

    Where only the camera's notes are damaged it is not turned.

    Raises:
        OSError: pillow cannot decode it; the text is the reason.
    """
    try:
        return from_pillow(_turned(open_image(content)), channels=channels)
    except UnidentifiedImageError:
        raise OSError("no image format that pillow knows") from None
    except Exception as error:  # pillow's readers raise a dozen kinds at damaged bytes
        raise OSError(str(error) or type(error).__name__) from error


def _turned(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # whatever pillow makes of a damaged block
        return image


class Pictures(Protocol):
    """Pictures by number; each is uint8 (C, H, W)."""

    def __len__(self) -> int:
        """Return how many there are."""

    def picture(self, number: int, *, channels: int) -> Tensor:
        """Return one picture in grey (1) or RGB (3)."""

    def subset(self, numbers: Sequence[int]) -> Pictures:
        """Return some of the pictures, in the order of `numbers`."""


@dataclass(frozen=True)
class ArrayPictures:
    """Pictures of one size in memory: uint8 (N, C, H, W)."""

    array: Tensor

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.array)

    def picture(self, number: int, *, channels: int) -> Tensor:
        """Return one picture in grey (1) or RGB (3)."""
        return self.stack(torch.tensor([number]), channels=channels)[0]

    def stack(self, index: Tensor, *, channels: int) -> Tensor:
        """Return pictures (B, C, H, W); grey ones as RGB in three equal channels, RGB as grey.

        Grey is pillow's (ITU-R 601-2): 0.299 R + 0.587 G + 0.114 B.
        """
        chosen = self.array[index]
        if channels == chosen.shape[1]:
            return chosen
        if channels == 1:
            weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
            grey = (chosen.float() * weights).sum(dim=1, keepdim=True)
            return grey.round_().to(torch.uint8)
        return chosen.expand(-1, channels, -1, -1)

    def subset(self, numbers: Sequence[int]) -> ArrayPictures:
        """Return some of the pictures."""
        return ArrayPictures(self.array[torch.as_tensor(numbers)])


@dataclass(frozen=True)
class FilePictures:
    """Pictures in files, decoded each time that they are asked for."""

    store: Store
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.names)

    def picture(self, number: int, *, channels: int) -> Tensor:
        """Return one picture.

        Raises:
            DataError: its file has changed since the start.
        """
        name = self.names[number]
        try:
            return decode(self.store.read(name), channels=channels)
        except (OSError, KeyError) as error:
            raise DataError(
                f"{name} in {self.store.path} cannot be read any more: {error}"
            ) from error

    def subset(self, numbers: Sequence[int]) -> FilePictures:
        """Return some of the pictures."""
        return FilePictures(self.store, tuple(self.names[number] for number in numbers))


@dataclass(frozen=True)
class ImageData:
    """Pictures with labels."""

    pictures: Pictures
    labels: Tensor
    """The class of every picture, int64 (N,)."""
    classes: tuple[str, ...]
    digest: str
    """SHA-256 of the data."""
    skipped: int = 0
    """How many files could not be decoded."""

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self.labels)

    def subset(self, index: Tensor) -> ImageData:
        """Return some of the pictures; the digest says which."""
        sha = hashlib.sha256(self.digest.encode() + index.numpy().tobytes())
        return replace(
            self,
            pictures=self.pictures.subset(index.tolist()),
            labels=self.labels[index],
            digest=sha.hexdigest(),
        )


def array_data(
    pixels: Tensor, labels: Tensor, classes: tuple[str, ...], *, where: str = "the data"
) -> ImageData:
    """Return data in memory: uint8 (N, C, H, W), labels (N,); `where` they are from.

    Raises:
        DataError: a label is not a class's.
    """
    labels = labels.long()
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
        raise DataError(
            f"labels in {where} reach from {int(labels.min())} to {int(labels.max())} and there "
            f"are {len(classes)} classes; check that labels and pictures belong together"
        )
    sha = hashlib.sha256(pixels.contiguous().numpy().tobytes())
    sha.update(labels.numpy().tobytes())
    return ImageData(ArrayPictures(pixels), labels, classes, sha.hexdigest())
