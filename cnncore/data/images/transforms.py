"""Pictures into model inputs: scaling, cutting, the papers' augmentations, normalisation.

A picture is a uint8 tensor (C, H, W); what belongs to one picture works on that, what all pictures
of a batch share on (B, C, H, W). Scaling is pillow's, with its antialiasing. Whatever is random
takes a generator; nothing else is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from cnncore.models.classifier import Preset

# Principal components of the colours of ImageNet's photos, RGB in 0..1 (eigenvalues, and
# eigenvectors as columns): the constants of fb.resnet.torch and most programs since.
PCA_VALUES = (0.2175, 0.0188, 0.0045)
PCA_VECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


# The white of pillow's modes that have more than 8 bits a point; "I" is also how it reads 16 bits.
_WHITE = {"I;16": 65535.0, "I;16L": 65535.0, "I;16B": 65535.0, "I": 65535.0, "F": 1.0}


def from_pillow(image: Image.Image, *, channels: int) -> Tensor:
    """Return a picture of 1 (grey) or 3 (RGB) channels; what is transparent lies on white.

    Raises:
        ValueError: another number of channels, or a type of numbers whose white is unknown.
    """
    if channels not in (1, 3):
        raise ValueError(f"pictures have 1 or 3 channels, not {channels}; give one of these")
    if image.mode in _WHITE:
        image = _with_8_bits(image, _WHITE[image.mode])
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.upper())
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    array = np.array(image.convert("L" if channels == 1 else "RGB"))  # (H, W) or (H, W, 3)
    return torch.from_numpy(array.reshape(*array.shape[:2], channels)).permute(2, 0, 1)


def _with_8_bits(image: Image.Image, white: float) -> Image.Image:
    """Return a grey picture of more than 8 bits, whose points reach from 0 to `white`, with 8."""
    points = np.asarray(image, dtype=np.float64)
    if not (points.min() >= 0.0 and points.max() <= white):
        raise ValueError(
            f"its points reach from {points.min():g} to {points.max():g} and not from 0 to "
            f"{white:g}; save it with 8 or 16 bits"
        )
    return Image.fromarray(np.rint(points * (255.0 / white)).astype(np.uint8))


def to_pillow(picture: Tensor) -> Image.Image:
    """Return a picture (C, H, W) as a grey (C = 1) or RGB (C = 3) pillow image."""
    array = picture.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def scale(picture: Tensor, size: tuple[int, int], *, interpolation: str = "bilinear") -> Tensor:
    """Return pictures (..., C, H, W) scaled to (height, width), with antialiasing, by pillow.

    `interpolation` is pillow's name.

    Raises:
        ValueError: pillow does not have this interpolation.
    """
    name = interpolation.upper()
    if name not in Image.Resampling.__members__:
        known = ", ".join(member.lower() for member in Image.Resampling.__members__)
        raise ValueError(f"interpolation {interpolation!r} is unknown; give one of {known}")
    height, width = size
    if picture.shape[-2:] == (height, width):
        return picture
    if picture.ndim > 3:
        return torch.stack([scale(one, size, interpolation=interpolation) for one in picture])
    image = to_pillow(picture).resize((width, height), Image.Resampling[name])
    return from_pillow(image, channels=picture.shape[0])


def resize(picture: Tensor, side: int, *, interpolation: str = "bilinear") -> Tensor:
    """Return a picture scaled so that its shorter side is `side`; the aspect stays."""
    factor = side / min(picture.shape[-2:])
    height, width = (max(side, round(edge * factor)) for edge in picture.shape[-2:])
    return scale(picture, (height, width), interpolation=interpolation)


def pad_to(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a picture in the middle of black (height, width), if it is smaller than that."""
    height, width = (
        max(0, want - have) for want, have in zip(size, picture.shape[-2:], strict=True)
    )
    left, top = width // 2, height // 2
    return functional.pad(picture, (left, width - left, top, height - top))


def crop(picture: Tensor, top: int, left: int, size: tuple[int, int]) -> Tensor:
    """Return the window of `size` (height, width) at (top, left).

    Raises:
        ValueError: it reaches over the edge.
    """
    height, width = size
    rows, columns = picture.shape[-2:]
    if top < 0 or left < 0 or top + height > rows or left + width > columns:
        raise ValueError(
            f"a window of {height}x{width} at ({top}, {left}) does not lie in a picture of "
            f"{rows}x{columns}; scale the picture up first"
        )
    return picture[..., top : top + height, left : left + width]


def center_crop(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the window of `size` in the middle, rounded up and left (as timm and torchvision)."""
    top, left = (
        round((have - want) / 2.0) for have, want in zip(picture.shape[-2:], size, strict=True)
    )
    return crop(picture, top, left, size)


def random_crop(picture: Tensor, size: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Return a window of `size`, all places alike likely."""
    top, left = (
        int(rng.integers(have - want + 1)) if have >= want else -1
        for have, want in zip(picture.shape[-2:], size, strict=True)
    )
    return crop(picture, top, left, size)


def random_resized_crop(
    picture: Tensor,
    size: tuple[int, int],
    rng: np.random.Generator,
    *,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    interpolation: str = "bilinear",
) -> Tensor:
    """Return a random window of random area and aspect (width over height), scaled to `size`.

    Szegedy et al. 2015, section 6: the area is uniform, the logarithm of the aspect too. A window
    that does not fit is drawn again, ten times; then it is the largest in the middle.
    """
    rows, columns = picture.shape[-2:]
    for _ in range(10):
        points = rng.uniform(*area) * rows * columns
        ratio = math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        height, width = round(math.sqrt(points / ratio)), round(math.sqrt(points * ratio))
        if 0 < height <= rows and 0 < width <= columns:
            window = random_crop(picture, (height, width), rng)
            return scale(window, size, interpolation=interpolation)
    side = min(rows, columns)
    return scale(center_crop(picture, (side, side)), size, interpolation=interpolation)


def scale_jitter(
    picture: Tensor,
    sides: tuple[int, int],
    rng: np.random.Generator,
    *,
    interpolation: str = "bilinear",
) -> Tensor:
    """Return a picture whose shorter side is random in `sides`, both ends included.

    Simonyan & Zisserman 2015, section 3.1: 256 to 512; He et al. 2016: 256 to 480.
    """
    side = int(rng.integers(sides[0], sides[1] + 1))
    return resize(picture, side, interpolation=interpolation)


def ten_crop(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Return four corners and the middle, then the same five mirrored: (10, C, height, width).

    Krizhevsky et al. 2012, section 4.1; the softmax outputs are averaged over the ten.
    """
    rows, columns = picture.shape[-2:]
    height, width = size
    corners = [
        crop(picture, top, left, size)
        for top, left in (
            (0, 0),
            (0, columns - width),
            (rows - height, 0),
            (rows - height, columns - width),
        )
    ]
    five = torch.stack([*corners, center_crop(picture, size)])
    return torch.cat([five, five.flip(-1)])


def frame(picture: Tensor, preset: Preset) -> Tensor:
    """Return a picture scaled (or padded) as a preset says, not yet cut: sides of `resize` or more.

    A preset that pads puts smaller pictures into the middle of black instead of enlarging them.
    """
    size = preset.input_size[1:]
    if preset.place == "pad" and max(picture.shape[-2:]) <= min(size):
        return pad_to(picture, size)
    picture = resize(picture, preset.resize, interpolation=preset.interpolation)
    return pad_to(picture, size)


def evaluation_view(picture: Tensor, preset: Preset) -> Tensor:
    """Return what a model sees of a picture when it is measured: framed, and the middle cut out."""
    return center_crop(frame(picture, preset), preset.input_size[1:])


def normalise(pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return uint8 (..., C, H, W) as float32: mapped to 0..1, less `mean`, over `std`."""
    x = pictures.float().div_(255.0)
    return x.sub_(_column(mean)).div_(_column(std))


def _column(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None]


def random_flip(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Return pictures (B, C, H, W), each mirrored left to right with probability 1/2."""
    chosen = torch.from_numpy(rng.random(len(pictures)) < 0.5)
    return torch.where(chosen[:, None, None, None], pictures.flip(-1), pictures)


def random_shift(pictures: Tensor, points: int, rng: np.random.Generator) -> Tensor:
    """Return pictures (B, C, H, W), each moved by up to `points` either way; black comes in.

    The same as padding by `points` and cutting the old size at random (He et al. 2016, section
    4.2, for CIFAR with 4).
    """
    batch, channels, height, width = pictures.shape
    padded = functional.pad(pictures, (points,) * 4)
    top, left = torch.from_numpy(rng.integers(0, 2 * points + 1, (2, batch)))
    rows = (top[:, None] + torch.arange(height))[:, None, :, None]
    columns = (left[:, None] + torch.arange(width))[:, None, None, :]
    one = torch.arange(batch)[:, None, None, None]
    return padded[one, torch.arange(channels)[None, :, None, None], rows, columns]


def pca_colour(pictures: Tensor, rng: np.random.Generator, *, deviation: float = 0.1) -> Tensor:
    """Return RGB pictures (B, 3, H, W), in 0..1, each with one random colour added to all points.

    The colour is the sum of the principal components, times their eigenvalues, times N(0,
    deviation), drawn once a picture (Krizhevsky et al. 2012, section 4.1).
    """
    amounts = torch.from_numpy(rng.normal(0.0, deviation, (len(pictures), 3))).float()
    colours = (amounts * torch.tensor(PCA_VALUES)) @ torch.tensor(PCA_VECTORS).T  # (B, 3)
    return pictures + colours[:, :, None, None]


def like_mnist(picture: Tensor) -> Tensor:
    """Return a grey picture (1, H, W) of one digit as MNIST has it: 28x28, bright on black.

    LeCun et al. 1998, section III.A: the digit is scaled to fit 20x20 and its centre of mass is
    put into the middle. A picture whose edge is bright is inverted first, and one that is 28x28
    and dark at the edge is taken for one of MNIST's and left alone.
    """
    edge = torch.cat([picture[0, 0], picture[0, -1], picture[0, :, 0], picture[0, :, -1]])
    if float(edge.float().median()) > 127.0:
        picture = 255 - picture
    elif picture.shape[-2:] == (28, 28):
        return picture
    ink = picture[0].float() - float(picture.min())
    ink = ink * (255.0 / float(ink.max())) if float(ink.max()) else ink
    rows, columns = (ink > 64.0).any(dim=1).nonzero()[:, 0], (ink > 64.0).any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return torch.zeros(1, 28, 28, dtype=torch.uint8)
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].round().to(torch.uint8)[None]
    factor = 20.0 / max(box.shape[-2:])
    height, width = (max(1, round(side * factor)) for side in box.shape[-2:])
    box = scale(box, (height, width))
    mass = box[0].double()
    down = float((mass.sum(dim=1) * torch.arange(height)).sum() / mass.sum())
    right = float((mass.sum(dim=0) * torch.arange(width)).sum() / mass.sum())
    top = min(max(0, round(13.5 - down)), 28 - height)
    left = min(max(0, round(13.5 - right)), 28 - width)
    return functional.pad(box, (left, 28 - width - left, top, 28 - height - top))
