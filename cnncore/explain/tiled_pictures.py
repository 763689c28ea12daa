"""Pictures of what is inside a network, as uint8 (C, H, W)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnncore.models.classifier import Classifier, Preset

FULL = 0.99
"""The share of the values of a projection that are weaker than full contrast."""

RAISED = 0.7
"""The exponent that makes weak values of a projection visible."""


def around_grey(values: Tensor) -> Tensor:
    """Return signed values (C, H, W) as a picture: zero is grey, the greatest magnitude full."""
    greatest = values.abs().max().clamp(min=torch.finfo(values.dtype).tiny)
    return (127.5 + 127.5 * values / greatest).round().to(torch.uint8)


def in_contrast(values: Tensor) -> Tensor:
    """Return signed values (C, H, W) as a picture in which weak ones are visible too.

    Zero is grey. The strongest hundredth of what is not zero is full, and weaker values are raised:
    a projection has few strong points and many weak ones.
    """
    sizes = values.abs()
    seen = sizes[sizes > 0]
    if not len(seen):
        return around_grey(values)
    full = seen.sort().values[int(FULL * (len(seen) - 1))]
    return around_grey(values.sign() * (sizes / full).clamp(max=1.0) ** RAISED)


def as_seen(image: Tensor, preset: Preset) -> Tensor:
    """Return a model's input (C, H, W) as the picture that it was made of."""
    mean, std = torch.tensor(preset.mean), torch.tensor(preset.std)
    pixels = image * std[:, None, None] + mean[:, None, None]
    return (255.0 * pixels).round().clamp(0, 255).to(torch.uint8)


def enlarged(picture: Tensor, factor: int) -> Tensor:
    """Return a picture whose every point is a square of `factor` points."""
    return picture.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)


def filter_pictures(model: Classifier) -> list[list[Tensor]]:
    """Return the pictures (C, k, k) of each filter of the first convolution.

    One in colour, or one a channel in grey where there are not one or three channels. Each filter
    has its own contrast.

    Raises:
        ValueError: the model does not have two-dimensional filters.
    """
    stem = dict(model.named_modules()).get(model.stem)
    if not isinstance(stem, nn.Conv2d):
        raise ValueError(f"{model.name} has no filters on images; its first layer reads words")
    pictures = [around_grey(one) for one in stem.weight.detach().float()]  # (outputs, C, k, k)
    if stem.in_channels in (1, 3):
        return [[picture] for picture in pictures]
    return [list(picture[:, None]) for picture in pictures]
