"""Figures of what is inside a network: an image beside what a unit or a class saw in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnncore.explain.deconvnet import Projection
from cnncore.explain.layer_outputs import Box
from cnncore.explain.occlusion import OcclusionMaps
from cnncore.explain.tiled_pictures import around_grey
from cnncore.system.atomic import replacing

LISTED = 10  # classes in the legend of a figure


def class_name(names: Sequence[str], number: int) -> str:
    """Return the name of a class, or its number where it does not have one."""
    return names[number] if number < len(names) else str(number)


def projection_figure(picture: Tensor, found: Projection, box: Box, *, title: str) -> Figure:
    """Return a picture (C, H, W), the projection on it, and both within the receptive field."""
    top, left, bottom, right = box
    crop = (slice(None), slice(top, bottom), slice(left, right))
    panels = (
        (picture, "image"),
        (around_grey(found.pixels), "projection"),
        (picture[crop], "receptive field"),
        (around_grey(found.pixels[crop]), "projection there"),
    )
    figure = Figure(figsize=(8, 8), layout="constrained")
    for axes, (panel, name) in zip(figure.subplots(2, 2).flat, panels, strict=True):
        _draw_picture(axes, panel, name)
    figure.suptitle(title)
    return figure


def occlusion_figure(
    picture: Tensor, maps: OcclusionMaps, names: Sequence[str], layer: str | None
) -> Figure:
    """Return a picture, its class's probability, the feature map if any, and the answers."""
    panels = 3 if maps.activity is None else 4
    figure = Figure(figsize=(4.2 * panels, 4.4), layout="constrained")
    axes = figure.subplots(1, panels)
    name = class_name(names, maps.target)
    _draw_picture(axes[0], picture, f"{name}: {maps.plain:.1%}")
    title = f"probability of {name}"
    _draw_map(axes[1], picture, maps, maps.probability, title=title, limits=(0.0, 1.0))
    if maps.activity is not None:
        _draw_map(axes[2], picture, maps, maps.activity, title=f"{layer}, unit {maps.unit}")
    _draw_answers(axes[-1], picture, maps, names)
    return figure


def write_figure(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG; `path` holds the old file or the complete new one."""
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _draw_picture(axes: Any, picture: Tensor, title: str) -> None:
    points = picture.permute(1, 2, 0).numpy()
    axes.imshow(points if points.shape[2] == 3 else points[:, :, 0], cmap="gray", vmin=0, vmax=255)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


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
    title: str,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw a map of occlusion over the picture, each value in the middle of its square."""
    _draw_picture(axes, picture, title)
    low, high = limits or (float(values.min()), float(values.max()))
    image = axes.imshow(
        values.numpy(), cmap="jet", vmin=low, vmax=high, alpha=0.6, extent=_extent(maps, picture)
    )
    axes.set_xlim(0, picture.shape[2])
    axes.set_ylim(picture.shape[1], 0)
    axes.figure.colorbar(image, ax=axes, shrink=0.8)


def _draw_answers(axes: Any, picture: Tensor, maps: OcclusionMaps, names: Sequence[str]) -> None:
    """Draw which class is the most probable with the square at each place."""
    _draw_picture(axes, picture, "most probable class")
    answers = Counter(maps.answer.flatten().tolist())
    found = [answer for answer, _ in answers.most_common(LISTED)]
    index = torch.full_like(maps.answer, len(found))
    for number, answer in enumerate(found):
        index[maps.answer == answer] = number
    colours = axes.imshow(
        index.numpy(), cmap="tab20", vmin=0, vmax=19, alpha=0.7, extent=_extent(maps, picture)
    )
    axes.set_xlim(0, picture.shape[2])
    axes.set_ylim(picture.shape[1], 0)
    for number, answer in enumerate(found):
        axes.plot(
            [], [], "s", color=colours.cmap(colours.norm(number)), label=class_name(names, answer)
        )
    axes.legend(loc="lower left", fontsize=7, framealpha=0.8)
