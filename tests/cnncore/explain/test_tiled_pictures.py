"""Pictures of values and filters, and sheets of them with words."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from cnncore import create_model
from cnncore.explain.labelled_sheets import UnitPatches, filters_figure, strongest_figure
from cnncore.explain.tiled_pictures import around_grey, enlarged, filter_pictures, in_contrast
from tests.helpers.small_models import small


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


def drawn(figure: Figure) -> np.ndarray:
    """Return the points of the file that a figure makes, (height, width, 3)."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return np.asarray(Image.open(file).convert("RGB"))


def check_words_are_apart(figure: Figure) -> None:
    """Check that the words of a figure lie in it and do not touch each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert min(min(box.x0, box.y0) for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert max(box.y1 for box in boxes) <= figure.bbox.y1


def test_signed_values_become_pictures() -> None:
    dot = torch.arange(6, dtype=torch.uint8).reshape(1, 2, 3)
    assert enlarged(dot, 3).shape == (1, 6, 9)
    assert enlarged(dot, 3)[0, 3:6, 3:6].unique().tolist() == [4]
    assert around_grey(torch.tensor([[[-2.0, 0.0, 2.0]]])).flatten().tolist() == [0, 128, 255]
    assert around_grey(torch.zeros(1, 1, 1)).item() == 128


def test_weak_values_are_seen_beside_one_strong_point() -> None:
    values = torch.zeros(1, 30, 30)
    values[0, :10, :15] = torch.linspace(-1, 1, 150).reshape(10, 15)
    values[0, 20, 20] = 100.0
    plain, seen = around_grey(values), in_contrast(values)
    assert plain[0, :10, :15].float().std() < 1 < 50 < seen[0, :10, :15].float().std()
    assert seen[0, 20, 20] == 255 and (seen[0, 25:] == 128).all()
    assert (in_contrast(torch.zeros(3, 2, 2)) == 128).all()
    order = seen[0, :10, :15].flatten().tolist()
    assert order == sorted(order)


def test_filters_of_one_three_and_other_numbers_of_channels() -> None:
    for name, count, shape in (("lenet5", 6, (1, 5, 5)), ("resnet20-cifar", 16, (3, 3, 3))):
        filters = filter_pictures(small(name)[0])
        assert len(filters) == count and [one.shape for one in filters[0]] == [shape]
    four = filter_pictures(create_model("resnet20-cifar", in_channels=4))
    assert len(four) == 16 and [one.shape for one in four[5]] == [(1, 3, 3)] * 4
    with pytest.raises(ValueError, match="reads words"):
        filter_pictures(small("kim-rand")[0])


@pytest.mark.parametrize("zoom", [None, 1, 2, 8, 30])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_filter_has_its_number(zoom: int | None, channels: int) -> None:
    model = create_model("resnet20-cifar", in_channels=channels)
    figure = filters_figure(model, zoom)
    words = [text.get_text() for text in figure.texts]
    assert words[0] == f"{model.stem}: 16 filters of 3x3"
    if channels == 4:
        assert words[2:] == [f"{f}, {c}" for f in range(16) for c in range(4)]
    else:
        assert words[2:] == [str(number) for number in range(16)]
    check_words_are_apart(figure)


def test_filters_are_drawn_point_by_point_below_their_numbers() -> None:
    model = create_model("resnet20-cifar")
    figure = filters_figure(model, 8)
    page = drawn(figure)
    assert page.shape[:2] == (int(figure.bbox.height), int(figure.bbox.width))
    for number in (0, 5, 15):
        large = enlarged(filter_pictures(model)[number][0], 8).permute(1, 2, 0).numpy()
        label = next(text for text in figure.texts[2:] if text.get_text() == str(number))
        left, top = int(label.get_position()[0]) - 12, page.shape[0] - int(label.get_position()[1])
        np.testing.assert_array_equal(page[top + 4 : top + 28, left : left + 24], large)


def test_a_zoom_must_be_possible() -> None:
    with pytest.raises(ValueError, match="zoom 0 must be at least 1"):
        filters_figure(create_model("resnet20-cifar"), 0)


@pytest.mark.parametrize("side", [3, 30, 200])
def test_strongest_images_have_gaps_titles_and_places(side: int) -> None:
    grey = torch.full((3, side, side), 100, dtype=torch.uint8)
    units = [
        UnitPatches(f"layer3.5, unit {unit}", [grey] * count, [grey] * count, [9.0] * count)
        for unit, count in ((10, 9), (100, 2))
    ]
    figure = strongest_figure(units)
    words = [text.get_text() for text in figure.texts]
    assert [w for w in words if w.startswith("layer")] == [
        "layer3.5, unit 10",
        "layer3.5, unit 100",
    ]
    assert words.count("projections") == words.count("patches of the images") == 2
    assert words.count("9: 9") == 2 and words.count("2: 9") == 4
    check_words_are_apart(figure)
    covered = ((drawn(figure) == 100).all(axis=2).sum(axis=0) > 80).tolist()
    runs = [(one, len(list(same))) for one, same in itertools.groupby(covered)]
    assert [one for one, _ in runs] == [False, True] * 6 + [False]  # six columns of pictures
    assert min(length for one, length in runs if not one) >= 8
    assert min(length for one, length in runs if one) >= 90
