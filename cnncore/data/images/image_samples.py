"""Image data of any usual kind, and the samples that a network learns from or is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cnncore.data.images.idx_files import idx_files, read_idx
from cnncore.data.images.image_arrays import (
    LABELS,
    cifar_archive,
    cifar_batches,
    read_cifar,
    read_tiles,
)
from cnncore.data.images.image_data import (
    Archive,
    ArrayPictures,
    Folder,
    ImageData,
    Store,
    is_hidden,
)
from cnncore.data.images.image_folders import (
    ALL,
    LIST,
    class_folders,
    find_list,
    read_class_folders,
    read_list,
)
from cnncore.data.images.transforms import (
    evaluation_view,
    frame,
    normalise,
    pca_colour,
    random_crop,
    random_flip,
    random_resized_crop,
    random_shift,
    scale_jitter,
    ten_crop,
)
from cnncore.data.samples import DataError
from cnncore.models.classifier import Preset

Reader = Callable[[], ImageData]
Crop = Literal["none", "random", "jitter", "resized"]
_TARS = (".tar", ".tar.gz", ".tgz")
CROPS: tuple[Crop, ...] = ("none", "random", "jitter", "resized")


def find_images(path: Path | str) -> dict[str, Reader]:
    """Return the readers of the splits at a path: "train", "val", "test", or "all".

    Knows MNIST's idx files and CIFAR-10's batches, as torchvision keeps them too; folders and zips
    of pictures by class, with splits or without, or with a labels.csv; and tile sheets with their
    labels.

    Raises:
        DataError: the path does not hold any of these.
    """
    path = Path(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return _pictures(Archive(path))
    if path.is_file() and path.with_name(path.stem + LABELS).is_file():
        return {ALL: partial(read_tiles, path)}
    if path.is_file() and path.name.lower().endswith(_TARS):
        found = _cifar(path)
        if not found:
            raise DataError(
                f"{path} does not hold CIFAR-10's batches, and other archives are not read; unpack "
                "it, or pack it as a zip"
            )
        return found
    idx = idx_files(path)
    if idx:
        return {split: partial(read_idx, *files) for split, files in idx.items()}
    if not path.is_dir():
        what = "cannot be read as data" if path.exists() else "does not exist"
        raise DataError(
            f"{path} {what}; give a folder of images, a zip, or a tile sheet with its {LABELS}"
        )
    packed = cifar_archive(path)
    cifar = _cifar(path) or (_cifar(packed) if packed else {})
    if cifar:
        return cifar
    sheets = [file for file in sorted(path.glob(f"*{LABELS}")) if not is_hidden(file.name)]
    if len(sheets) == 1:
        return {ALL: partial(read_tiles, sheets[0].with_name(_sheet(sheets[0])))}
    return _pictures(Folder(path))


def _cifar(path: Path) -> dict[str, Reader]:
    """Return the readers of CIFAR-10's splits in a folder or archive; none if it has none."""
    return {split: partial(read_cifar, path, names) for split, names in cifar_batches(path).items()}


def _sheet(labels: Path) -> str:
    """Return the name of the picture that a file of labels belongs to."""
    stem = labels.name.removesuffix(LABELS)
    beside = (f.name for f in sorted(labels.parent.glob(f"{stem}.*")) if f != labels)
    return next(beside, f"{stem}.png")


def _pictures(store: Store) -> dict[str, Reader]:
    list_name = find_list(store)
    if list_name is not None:
        return {ALL: partial(read_list, store, list_name)}
    found = class_folders(store)
    if not found:
        raise DataError(
            f"{store.path} holds no images; expected idx or CIFAR-10 files, {LIST}, or pictures in "
            "CLASS/ or SPLIT/CLASS/"
        )
    classes = tuple(sorted({kind for files in found.values() for _, kind in files}))
    return {
        split: partial(read_class_folders, store, files, classes=classes)
        for split, files in found.items()
    }


def read_images(path: Path | str, split: str | None = None) -> ImageData:
    """Read one split of the data at a path; without `split` the only one.

    Raises:
        DataError: the split is not there, or there is more than one to choose from.
    """
    found = find_images(path)
    if split is None and len(found) == 1:
        split = next(iter(found))
    if split is None or split not in found:
        wanted = "one split" if split is None else f"the split {split!r}"
        raise DataError(f"{path} has {', '.join(found)}; to read {wanted}, choose one of these")
    return found[split]()


@dataclass(frozen=True)
class Augmentation:
    """What is done to pictures in training, at random.

    Raises:
        DataError: a value is out of range.
    """

    crop: Crop = "none"
    """What is cut out: with "none" the middle as in evaluation, with "random" a random place of the
    picture scaled as in evaluation (AlexNet), with "jitter" the same with a shorter side in
    `scales` (VGG), with "resized" a window of random area and aspect (GoogLeNet)."""
    shift: int = 0
    """The largest move, in points."""
    flip: bool = False
    """Mirror half of them."""
    colour: float = 0.0
    """The deviation of AlexNet's PCA colours; 0 leaves the colours."""
    scales: tuple[int, int] = (256, 512)
    """The least and the largest shorter side of "jitter"."""
    area: float = 0.08
    """The least area of "resized", as a share of the picture."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.crop not in CROPS:
            raise DataError(f"crop {self.crop!r} is unknown; give one of {', '.join(CROPS)}")
        if self.shift < 0 or self.colour < 0 or not 0 < self.area <= 1:
            raise DataError(
                f"shift {self.shift}, colour {self.colour} and area {self.area} are out of range; "
                "give shift and colour of at least 0 and an area in 0..1"
            )
        if len(self.scales) != 2 or not 0 < self.scales[0] <= self.scales[1]:
            raise DataError(
                f"scales {self.scales} are not a range; give the least and largest side"
            )


class ImageSamples:
    """Pictures as a model of `preset` wants them; see `cnncore.data.samples.Samples`.

    Raises:
        DataError: colours for a model that reads grey pictures, or jitter below its size.
    """

    def __init__(
        self, data: ImageData, preset: Preset, augmentation: Augmentation | None = None
    ) -> None:
        self.data, self.preset = data, preset
        self.augmentation = augmentation or Augmentation()
        channels = preset.input_size[0]
        if self.augmentation.colour and channels != 3:
            raise DataError(f"colour needs RGB and the model reads {channels} channel; set it to 0")
        least = max(preset.input_size[1:])
        if self.augmentation.crop == "jitter" and self.augmentation.scales[0] < least:
            raise DataError(
                f"scales {self.augmentation.scales} begin below the model's {least}x{least} input; "
                f"give at least {least}"
            )

    @property
    def labels(self) -> Tensor:
        """The class of every picture, int64 (N,)."""
        return self.data.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.data.classes

    @property
    def digest(self) -> str:
        """SHA-256 of the pictures and labels."""
        return self.data.digest

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.data)

    def subset(self, index: Tensor) -> ImageSamples:
        """Return some of the pictures, prepared in the same way."""
        return ImageSamples(self.data.subset(index), self.preset, self.augmentation)

    def batch(self, index: Tensor, *, rng: np.random.Generator | None = None) -> Tensor:
        """Return float32 inputs (B, C, H, W), with `rng` augmented as in training."""
        augmentation = self.augmentation
        if rng is None or augmentation.crop == "none":
            pictures = self._evaluation_views(index)
        else:
            views = [self._random_view(self._picture(i), rng) for i in index.tolist()]
            pictures = torch.stack(views)
        if rng is not None and augmentation.shift:
            pictures = random_shift(pictures, augmentation.shift, rng)
        if rng is not None and augmentation.flip:
            pictures = random_flip(pictures, rng)
        x = normalise(pictures, self.preset.mean, self.preset.std)
        if rng is not None and augmentation.colour:
            std = torch.tensor(self.preset.std)[:, None, None]
            x = pca_colour(x * std, rng, deviation=augmentation.colour) / std
        return x

    def ten_crops(self, index: Tensor) -> Tensor:
        """Return float32 inputs (B, 10, C, H, W): corners, middle, and the five mirrored."""
        size = self.preset.input_size[1:]
        crops = [ten_crop(frame(self._picture(i), self.preset), size) for i in index.tolist()]
        return normalise(torch.stack(crops), self.preset.mean, self.preset.std)

    def _picture(self, number: int) -> Tensor:
        return self.data.pictures.picture(number, channels=self.preset.input_size[0])

    def _evaluation_views(self, index: Tensor) -> Tensor:
        pictures = self.data.pictures
        if isinstance(pictures, ArrayPictures):
            stack = pictures.stack(index, channels=self.preset.input_size[0])
            return evaluation_view(stack, self.preset)
        return torch.stack([evaluation_view(self._picture(i), self.preset) for i in index.tolist()])

    def _random_view(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        size, augmentation = self.preset.input_size[1:], self.augmentation
        interpolation = self.preset.interpolation
        if augmentation.crop == "resized":
            area = (augmentation.area, 1.0)
            return random_resized_crop(picture, size, rng, area=area, interpolation=interpolation)
        if augmentation.crop == "jitter":
            picture = scale_jitter(picture, augmentation.scales, rng, interpolation=interpolation)
        else:
            picture = frame(picture, self.preset)
        return random_crop(picture, size, rng)
