"""Sheets of small pictures with words on them: numbered filters, and what units like best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.transforms import IdentityTransform
from torch import Tensor

from cnncore.explain.tiled_pictures import enlarged, filter_pictures
from cnncore.models.classifier import Classifier

WHITE = 255

DPI = 120
"""Points of an inch, in which figures are written: a point of a sheet is one of the file."""

SMALLEST = 56
"""Points that a filter is wide at least, unless its enlargement is given."""

PATCH = 96
"""Points that a patch of an image is wide, about, if the patch itself is smaller."""

_LETTER = 10
"""Points that a letter of the usual size is wide at the most."""
_LINE = 20
"""Points from one line of words to the next."""
_GAP, _EDGE = 8, 14


@dataclass(frozen=True)
class _Words:
    text: str
    x: int
    """Points from the left, of the words' middle if centred."""
    y: int
    """Points from above to the foot of the letters."""
    centred: bool = False
    bold: bool = False


class _Sheet:
    """A white sheet on which pictures and words are laid; it grows to the right and below."""

    def __init__(self) -> None:
        self.pictures: list[tuple[Tensor, int, int]] = []
        self.words: list[_Words] = []
        self.width = self.height = 0

    def lay(self, picture: Tensor, left: int, top: int) -> None:
        """Put a picture (C, h, w) at points from the left and from above."""
        self.pictures.append((picture, left, top))
        self.width = max(self.width, left + picture.shape[2])
        self.height = max(self.height, top + picture.shape[1])

    def write(
        self, text: str, x: int, y: int, *, centred: bool = False, bold: bool = False
    ) -> None:
        """Put words at points from the left and, to the foot of the letters, from above."""
        self.words.append(_Words(text, x, y, centred, bold))
        length = len(text) * _LETTER
        self.width = max(self.width, x + (length // 2 if centred else length))
        self.height = max(self.height, y)

    def figure(self) -> Figure:
        """Return all of it as a figure of DPI points an inch."""
        height, width = self.height + _EDGE, self.width + _EDGE
        canvas = torch.full((height, width, 3), WHITE, dtype=torch.uint8)
        for picture, left, top in self.pictures:
            points = picture.permute(1, 2, 0).expand(-1, -1, 3)
            canvas[top : top + points.shape[0], left : left + points.shape[1]] = points
        figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
        figure.figimage(canvas.numpy())
        for words in self.words:
            figure.text(
                words.x,
                height - words.y,
                words.text,
                transform=IdentityTransform(),
                fontsize=9,
                ha="center" if words.centred else "left",
                weight="bold" if words.bold else "normal",
            )
        return figure


def filters_figure(model: Classifier, zoom: int | None = None) -> Figure:
    """Return the filters of the first convolution, each below its number and in its own contrast.

    A weight is `zoom` points wide, by default at least 8 and as many as a filter needs to be seen.
    Filters on one or three channels fill a square; on others each is a row, a column a channel.

    Raises:
        ValueError: the model does not have two-dimensional filters, or zoom is not positive.
    """
    if zoom is not None and zoom < 1:
        raise ValueError(f"zoom {zoom} must be at least 1")
    filters = filter_pictures(model)
    side = filters[0][0].shape[1]
    factor = zoom or max(8, -(-SMALLEST // side))
    cell = max(side * factor, _LETTER * len(str(len(filters) - 1)))
    sheet = _Sheet()
    head = f"{model.stem}: {len(filters)} filters of {side}x{side}"
    sheet.write(head, _EDGE, _EDGE + 12, bold=True)
    sheet.write("zero is grey", _EDGE, _EDGE + 12 + _LINE)
    top = _EDGE + 2 * _LINE
    across = math.ceil(math.sqrt(len(filters)))
    for number, channels in enumerate(filters):
        if len(channels) == 1:
            row, column = divmod(number, across)
            _lay_filter(sheet, channels[0], factor, (row, column, cell), top, str(number))
        else:
            for channel, picture in enumerate(channels):
                name = f"{number}, {channel}"
                wide = max(cell, _LETTER * len(f"{len(filters) - 1}, {len(channels) - 1}"))
                _lay_filter(sheet, picture, factor, (number, channel, wide), top, name)
    return sheet.figure()


def _lay_filter(
    sheet: _Sheet, picture: Tensor, factor: int, place: tuple[int, int, int], top: int, name: str
) -> None:
    """Lay a filter in its row and column of a width, its name above it."""
    row, column, width = place
    large = enlarged(picture, factor)
    left = _EDGE + column * (width + _GAP)
    above = top + row * (large.shape[1] + _LINE + _GAP)
    sheet.write(name, left + width // 2, above + _LINE - 4, centred=True)
    sheet.lay(large, left + (width - large.shape[2]) // 2, above + _LINE)


@dataclass(frozen=True)
class UnitPatches:
    """What a unit likes best, the strongest first."""

    title: str
    """Which unit it is."""
    projections: Sequence[Tensor]
    """What it saw in each image, as pictures (C, h, w)."""
    patches: Sequence[Tensor]
    """The parts of the images that it sees, of the same sizes."""
    activations: Sequence[float]
    """How strong it is on each."""


def strongest_figure(units: Sequence[UnitPatches]) -> Figure:
    """Return for each unit a block of projections, and beside it one of the patches of images.

    Every picture has its place and the unit's activation above it, the strongest first.
    """
    sheet = _Sheet()
    top = _EDGE
    for unit in units:
        side = max(max(patch.shape[1:]) for patch in unit.patches)
        factor = max(1, round(PATCH / side))
        cell = max(side * factor, 10 * _LETTER)
        across = math.ceil(math.sqrt(len(unit.patches)))
        sheet.write(unit.title, _EDGE, top + 14, bold=True)
        blocks = (("projections", unit.projections), ("patches of the images", unit.patches))
        for number, (name, pictures) in enumerate(blocks):
            left = _EDGE + number * (across * (cell + _GAP) + 3 * _GAP)
            sheet.write(name, left, top + 14 + _LINE)
            for rank, picture in enumerate(pictures):
                row, column = divmod(rank, across)
                _lay_patch(
                    sheet,
                    enlarged(picture, factor),
                    left + column * (cell + _GAP),
                    top + 2 * _LINE + row * (side * factor + _LINE + _GAP),
                    (cell, side * factor),
                    f"{rank + 1}: {unit.activations[rank]:.3g}",
                )
        top = sheet.height + 4 * _GAP
    return sheet.figure()


def _lay_patch(
    sheet: _Sheet, picture: Tensor, left: int, top: int, room: tuple[int, int], name: str
) -> None:
    """Lay a picture in the middle of its room (width, height), a name above it."""
    width, height = room
    sheet.write(name, left + width // 2, top + _LINE - 4, centred=True)
    x = left + (width - picture.shape[2]) // 2
    sheet.lay(picture, x, top + _LINE + (height - picture.shape[1]) // 2)
    sheet.height = max(sheet.height, top + _LINE + height)
