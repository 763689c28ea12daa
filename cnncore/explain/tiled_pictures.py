"""Pictures of what is inside a network, as uint8 (C, H, W), and PNG files of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from cnncore.data.images.transforms import to_pillow
from cnncore.models.classifier import Classifier, Preset
from cnncore.system.atomic import replacing

WHITE = 255


def around_grey(values: Tensor) -> Tensor:
    """Return signed values (C, H, W) as a picture: zero is grey, the greatest magnitude full."""
    greatest = values.abs().max().clamp(min=torch.finfo(values.dtype).tiny)
    return (127.5 + 127.5 * values / greatest).round().to(torch.uint8)


def as_seen(image: Tensor, preset: Preset) -> Tensor:
    """Return a model's input (C, H, W) as the picture that it was made of."""
    mean, std = torch.tensor(preset.mean), torch.tensor(preset.std)
    pixels = image * std[:, None, None] + mean[:, None, None]
    return (255.0 * pixels).round().clamp(0, 255).to(torch.uint8)


def tiled(pictures: Sequence[Tensor], *, columns: int | None = None, gap: int = 1) -> Tensor:
    """Return pictures (C, h, w) side by side on white, row by row.

    Smaller ones stand in the middle of the place of the largest. `columns` is by default what
    makes a square of them.

    Raises:
        ValueError: there are no pictures.
    """
    if not pictures:
        raise ValueError("there are no pictures to put side by side")
    across = math.ceil(math.sqrt(len(pictures))) if columns is None else columns
    height, width = (max(p.shape[axis] for p in pictures) + gap for axis in (1, 2))
    rows = -(-len(pictures) // across)
    shape = (pictures[0].shape[0], rows * height + gap, across * width + gap)
    sheet = torch.full(shape, WHITE, dtype=torch.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, across)
        top = row * height + gap + (height - gap - picture.shape[1]) // 2
        left = column * width + gap + (width - gap - picture.shape[2]) // 2
        sheet[:, top : top + picture.shape[1], left : left + picture.shape[2]] = picture
    return sheet


def enlarged(picture: Tensor, factor: int) -> Tensor:
    """Return a picture whose every point is a square of `factor` points."""
    return picture.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)


def first_filters(model: Classifier) -> Tensor:
    """Return the filters of the first convolution as a sheet, each with its own contrast.

    Filters on three channels are in colour; on other numbers of channels every filter is a row of
    grey pictures, one a channel.

    Raises:
        ValueError: the model does not have two-dimensional filters.
    """
    stem = dict(model.named_modules()).get(model.stem)
    if not isinstance(stem, nn.Conv2d):
        raise ValueError(f"{model.name} has no filters on images; its first layer reads words")
    filters = stem.weight.detach().float()  # (outputs, C, k, k)
    channels = filters.shape[1]
    pictures = [around_grey(one) for one in filters]
    if channels in (1, 3):
        return tiled(pictures)
    slices = [one[None] for picture in pictures for one in picture]
    return tiled(slices, columns=channels)


def write_picture(picture: Tensor, path: Path | str) -> None:
    """Write a picture (C, H, W) as PNG; `path` holds the old file or the complete new one."""
    with replacing(path) as temporary:
        to_pillow(picture).save(temporary, format="png")
