"""The images that make a unit most active, and the part of each that the unit looked at.

Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4 and figure
2: for each unit the nine strongest activities among all images, at most one an image, as patches of
the images beside their projections by `cnncore.explain.deconvnet`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn

from cnncore.explain.layer_outputs import (
    Box,
    check_unit,
    last_output,
    seen_box,
    strongest_place,
    watched,
)
from cnncore.models.shapes import ReceptiveField, receptive_fields


@dataclass(frozen=True)
class StrongImage:
    """An image on which a unit is strong."""

    activation: float
    name: str
    image: Tensor
    """The image (C, H, W), as it was given."""
    place: tuple[int, int] | None
    """Row and column of the activity in the layer's map; None for a layer without maps."""
    box: Box
    """The points (top, left, bottom, right) that the unit sees, cut to the image."""

    def crop(self, pixels: Tensor) -> Tensor:
        """Return the part in the box of pixels (C, H, W): of the image, or of a projection."""
        top, left, bottom, right = self.box
        return pixels[:, top:bottom, left:right]


@torch.no_grad()
def strongest_images(
    model: nn.Module,
    images: Iterable[tuple[str, Tensor]],
    layer: str,
    units: Sequence[int],
    *,
    count: int = 9,
    batch: int = 16,
) -> dict[int, list[StrongImage]]:
    """Return for each unit of a layer the images with its strongest activity, the strongest first.

    Images are names and inputs (C, H, W) of one size; they are read once, and of each unit `count`
    are kept. Of each image the strongest place counts.

    Raises:
        LayerError: the model does not have this layer or unit.
        ValueError: there are no images or `count` is not positive.
    """
    if count < 1 or batch < 1:
        raise ValueError(f"count {count} and batch {batch} must be at least 1")
    kept: dict[int, list[StrongImage]] = {unit: [] for unit in units}
    fields: dict[str, ReceptiveField] | None = None
    rest = iter(images)
    while group := list(islice(rest, batch)):
        inputs = torch.stack([image for _, image in group])
        with watched(model, layer) as outputs:
            model(inputs)
        output = last_output(outputs, layer)
        if fields is None:
            fields = receptive_fields(model, tuple(inputs.shape[1:]))
        for unit, found in kept.items():
            check_unit(output, layer, unit)
            for (name, image), activities in zip(group, output[:, unit], strict=True):
                place = strongest_place(activities)
                activation = float(activities if place is None else activities[place])
                box = seen_box(fields.get(layer), place, image)
                found.append(StrongImage(activation, name, image, place, box))
            kept[unit] = sorted(found, key=lambda one: one.activation, reverse=True)[:count]
    if fields is None:
        raise ValueError("there are no images to choose from")
    return kept
