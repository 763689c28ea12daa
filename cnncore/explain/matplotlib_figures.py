"""Figures of what is inside a network: an image beside what a unit or a class saw in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from cnncore.explain.deconvnet import Projection
from cnncore.explain.layer_outputs import Box
from cnncore.explain.occlusion import OcclusionMaps
from cnncore.explain.tiled_pictures import in_contrast
from cnncore.system.atomic import replacing
from cnncore.system.fonts import Lettering, lettering

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Colours that are told apart by people who do not see red and green (Okabe and Ito 2008)."""

OTHER = "#bbbbbb"
"""The colour of all further classes."""

LISTED = len(COLOURS)
"""Classes in the legend of a figure."""

NAME_LIMIT = 24
"""Letters that a class's name has room for."""

FAINT = 0.45
"""How strong a picture is drawn under a map."""

PANEL = 4.2
"""Inches that a panel of occlusion is wide."""

HEAD, FOOT, ROW = 0.44, 0.8, 0.24
"""Inches for the titles above, for a scale below, and for a row of a legend."""

USUAL = ("sans-serif",)


def class_name(names: Sequence[str], number: int) -> str:
    """Return the name of a class, or its number where it does not have one."""
    return names[number] if number < len(names) else str(number)


def shown_name(names: Sequence[str], number: int) -> Lettering:
    """Return the name of a class as a figure can write it; its number where that cannot be."""
    name, plain = class_name(names, number), f"class {number}"
    return lettering(plain if name == str(number) else name, plain, limit=NAME_LIMIT)


def projection_figure(picture: Tensor, found: Projection, box: Box, *, title: str) -> Figure:
    """Return a picture (C, H, W), the projection on it, and both within the receptive field.

    The receptive field is boxed in the two upper panels.
    """
    top, left, bottom, right = box
    crop = (slice(None), slice(top, bottom), slice(left, right))
    panels = (
        (picture, "image, receptive field boxed"),
        (in_contrast(found.pixels), "projection"),
        (picture[crop], "receptive field"),
        (in_contrast(found.pixels[crop]), "projection there"),
    )
    figure = Figure(figsize=(8, 8))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1)
    for number, (panel, name) in enumerate(panels):
        axes = figure.add_subplot(2, 2, number + 1)
        _draw_picture(axes, panel, Lettering(name, USUAL))
        if number < 2:
            _draw_box(axes, box)
    words = lettering(title, "projection")
    figure.suptitle(words.text, fontsize=15, **words.style())
    return figure


def occlusion_figure(
    picture: Tensor, maps: OcclusionMaps, names: Sequence[str], layer: str | None
) -> Figure:
    """Return a picture, its class's probability, the feature map if any, and the answers.

    On the picture the square is boxed that takes most of the probability. Each value of a map lies
    where the middle of its square was.
    """
    panels = 3 if maps.activity is None else 4
    listed = min(len(set(maps.answer.flatten().tolist())), LISTED + 1)
    foot = max(FOOT, 0.2 + ROW * listed)
    figure = Figure(figsize=(PANEL * panels, HEAD + PANEL - 0.24 + foot))
    axes = [
        figure.add_axes(_part(figure, number, 0.12, foot, PANEL - 0.24)) for number in range(panels)
    ]
    for one in axes:
        one.set_anchor("N")
    name = shown_name(names, maps.target)
    _draw_picture(axes[0], picture, replace(name, text=f"{name.text}: {maps.plain:.1%}"))
    _draw_box(axes[0], _worst_square(maps, picture))
    note = f"boxed: covering this leaves {float(maps.probability.min()):.1%}"
    axes[0].text(0.5, -0.05, note, transform=axes[0].transAxes, ha="center", va="top", fontsize=12)
    title = replace(name, text=f"probability of {name.text}")
    _draw_map(axes[1], picture, maps, maps.probability, title=title, limits=(0.0, 1.0))
    if maps.activity is not None:
        title = lettering(f"{layer}, unit {maps.unit}", f"unit {maps.unit}", limit=NAME_LIMIT)
        _draw_map(axes[2], picture, maps, maps.activity, title=title)
    _draw_answers(axes[-1], picture, maps, names)
    return figure


def write_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG; `path` holds the old file or the complete new one."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _part(
    figure: Figure, number: int, x: float, y: float, side: float
) -> tuple[float, float, float, float]:
    """Return a square in a panel, in inches from its left and from below, as parts of a figure."""
    width, height = figure.get_size_inches()
    return (PANEL * number + x) / width, y / height, side / width, side / height


def _draw_picture(axes: Any, picture: Tensor, title: Lettering, *, faint: float = 1.0) -> None:
    points = picture.permute(1, 2, 0).numpy()
    height, width = picture.shape[1:]
    axes.imshow(
        points if points.shape[2] == 3 else points[:, :, 0],
        cmap="gray",
        vmin=0,
        vmax=255,
        alpha=faint,
        extent=(0, width, height, 0),
    )
    axes.set_title(title.text, fontsize=13, **title.style())
    axes.set_axis_off()


def _draw_box(axes: Any, box: Box) -> None:
    """Draw a box that is seen on light and on dark ground; its edge stays in the picture."""
    top, left, bottom, right = box
    for colour, width in (("black", 4.0), ("#f0e442", 2.0)):
        axes.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                fill=False,
                edgecolor=colour,
                linewidth=width,
                clip_on=False,
            )
        )


def _worst_square(maps: OcclusionMaps, picture: Tensor) -> Box:
    """Return the square that takes most of the probability of the class."""
    row, column = divmod(int(maps.probability.argmin()), maps.probability.shape[1])
    height, width = picture.shape[1:]
    top = min(row * maps.stride, height - maps.square)
    left = min(column * maps.stride, width - maps.square)
    return top, left, top + maps.square, left + maps.square


def _extent(maps: OcclusionMaps, picture: Tensor) -> tuple[float, float, float, float]:
    """Return where a map lies on the image: each value in the middle of its square."""
    edge = (maps.square - maps.stride) / 2
    height, width = picture.shape[1:]
    return edge, width - edge, height - edge, edge


def _draw_map(
    axes: Any,
    picture: Tensor,
    maps: OcclusionMaps,
    values: Tensor,
    *,
    title: Lettering,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw a map of occlusion on the faint picture, with its scale below."""
    _draw_picture(axes, picture, title, faint=FAINT)
    low, high = limits or (float(values.min()), float(values.max()))
    image = axes.imshow(
        values.numpy(), cmap="cividis", vmin=low, vmax=high, extent=_extent(maps, picture)
    )
    _cut_to(axes, picture)
    scale = axes.inset_axes((0.05, -0.09, 0.9, 0.035))
    bar = axes.figure.colorbar(image, cax=scale, orientation="horizontal")
    bar.ax.tick_params(labelsize=11)
    if limits:
        bar.ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _draw_answers(axes: Any, picture: Tensor, maps: OcclusionMaps, names: Sequence[str]) -> None:
    """Draw which class is the most probable with the square at each place, its names below."""
    _draw_picture(axes, picture, Lettering("most probable class", USUAL), faint=FAINT)
    answers = Counter(maps.answer.flatten().tolist()).most_common()
    found = [answer for answer, _ in answers[:LISTED]]
    index = torch.full_like(maps.answer, len(found))
    for number, answer in enumerate(found):
        index[maps.answer == answer] = number
    colours = ListedColormap([*COLOURS, OTHER])
    limits = {"vmin": -0.5, "vmax": len(COLOURS) + 0.5}
    index[index == len(found)] = len(COLOURS)
    axes.imshow(index.numpy(), cmap=colours, extent=_extent(maps, picture), **limits)
    _cut_to(axes, picture)
    labels = [shown_name(names, answer) for answer in found]
    patches = [Patch(facecolor=colour) for colour in COLOURS[: len(found)]]
    if len(answers) > len(found):
        labels.append(Lettering("others", USUAL))
        patches.append(Patch(facecolor=OTHER))
    legend = axes.legend(
        patches,
        [label.text for label in labels],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        fontsize=11,
        frameon=False,
        handlelength=1.0,
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set(**label.style())


def _cut_to(axes: Any, picture: Tensor) -> None:
    axes.set_xlim(0, picture.shape[2])
    axes.set_ylim(picture.shape[1], 0)
