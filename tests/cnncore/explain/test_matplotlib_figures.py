"""Figures of projections and occlusion: what is boxed, what is written, and in which letters."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnncore.explain.deconvnet import Projection
from cnncore.explain.matplotlib_figures import (
    LISTED,
    occlusion_figure,
    projection_figure,
    shown_name,
    write_figure,
)
from cnncore.explain.occlusion import OcclusionMaps

PHOTO = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(7)).byte()

MAPS = OcclusionMaps(
    probability=torch.tensor([[0.9, 0.9, 0.8], [0.9, 0.1, 0.7], [0.9, 0.9, 0.9]]),
    answer=torch.tensor([[2, 2, 2], [2, 0, 1], [2, 2, 2]]),
    activity=torch.arange(9.0).reshape(3, 3),
    target=2,
    unit=5,
    plain=0.93,
    plain_activity=11.0,
    square=16,
    stride=8,
)


def boxes(axes: object) -> set[tuple[float, ...]]:
    """Return the boxes on axes: left, top, width and height."""
    patches = [p for p in axes.patches if isinstance(p, Rectangle)]  # type: ignore[attr-defined]
    return {(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in patches}


def check_words_are_apart(figure: Figure) -> None:
    """Check that titles, notes and names lie in the figure and do not touch each other."""
    FigureCanvasAgg(figure).draw()
    words = [axes.title for axes in figure.axes] + [t for axes in figure.axes for t in axes.texts]
    words += [t for axes in figure.axes if axes.get_legend() for t in axes.get_legend().get_texts()]
    words += [tick.label1 for axes in figure.axes[-3:] for tick in axes.xaxis.get_major_ticks()]
    areas = [word.get_window_extent() for word in words if word.get_text() and word.get_visible()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(areas, 2))
    assert min(min(area.x0, area.y0) for area in areas) >= 0
    assert max(area.x1 for area in areas) <= figure.bbox.x1
    assert max(area.y1 for area in areas) <= figure.bbox.y1


def test_the_receptive_field_is_boxed_on_the_photo_and_the_projection() -> None:
    found = Projection(torch.randn(3, 32, 32), 4, 1.5, (1, 2))
    figure = projection_figure(PHOTO, found, (4, 10, 20, 32), title="layer2.0, unit 4: 1.5")
    assert [boxes(axes) for axes in figure.axes] == [
        {(10, 4, 22, 16)},
        {(10, 4, 22, 16)},
        set(),
        set(),
    ]
    assert figure.get_suptitle() == "layer2.0, unit 4: 1.5"


def test_the_photo_is_seen_beside_the_map_and_the_worst_square_boxed_on_it() -> None:
    figure = occlusion_figure(PHOTO, MAPS, ("cat", "dog", "horse"), "layer2")
    photo, probability, activity, answers = figure.axes[:4]
    assert [axes.get_title() for axes in figure.axes[:4]] == [
        "horse: 93.0%",
        "probability of horse",
        "layer2, unit 5",
        "most probable class",
    ]
    assert boxes(photo) == {(8, 8, 16, 16)}
    assert photo.texts[0].get_text() == "boxed: covering this leaves 10.0%"
    assert len(photo.images) == 1 and photo.images[0].get_alpha() == 1.0
    for axes in (probability, activity, answers):
        assert axes.images[-1].get_alpha() is None
        assert axes.images[-1].get_extent() == [4, 28, 28, 4]
        assert axes.get_window_extent().y0 == photo.get_window_extent().y0
    names = [text.get_text() for text in answers.get_legend().get_texts()]
    assert names[0] == "horse" and sorted(names) == ["cat", "dog", "horse"]
    check_words_are_apart(figure)


@pytest.mark.parametrize("name", ["class {}", "a class whose name is long, number {}"])
def test_more_classes_than_colours_are_others(name: str) -> None:
    maps = replace(MAPS, answer=torch.arange(9).reshape(3, 3), activity=None, unit=None)
    figure = occlusion_figure(PHOTO, maps, [name.format(number) for number in range(9)], None)
    answers = figure.axes[2]
    names = [text.get_text() for text in answers.get_legend().get_texts()]
    assert len(names) == LISTED + 1 and names[-1] == "others"
    check_words_are_apart(figure)


def test_classes_without_names_are_numbers() -> None:
    assert shown_name(("0", "1", "2"), 2).text == "class 2"
    assert shown_name((), 7).text == "class 7"
    assert shown_name(("cat", "dog"), 1).text == "dog"


@pytest.mark.parametrize("name", ["고양이", "猫", "ねこ", "$cat_{", "\udcff"])
def test_class_names_of_any_letters_bring_no_warning(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = occlusion_figure(PHOTO, MAPS, (name, "dog", name), "layer2")
        write_figure(figure, tmp_path / "occlusion.png")
    assert shown_name((name,), 0).text in (name, "class 0")
