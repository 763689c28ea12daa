"""What a unit looks at: receptive fields, and the images that excite it most."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnncore.explain.deconvnet import project
from cnncore.explain.layer_outputs import LayerError, seen_box
from cnncore.explain.top_images import strongest_images
from cnncore.models.shapes import ReceptiveField, receptive_fields


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


def test_receptive_fields_are_the_places_that_matter() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 1, 3, stride=2, padding=1), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3)
    )
    fields = receptive_fields(model, (1, 32, 32))
    assert fields["0"] == ReceptiveField(2, 3, -1)
    assert fields["1"] == ReceptiveField(4, 5, -1)
    assert fields["2"] == ReceptiveField(4, 13, -1)
    assert fields["2"].box(0, 2) == (-1, 7, 12, 20)
    image = torch.randn(1, 32, 32)
    assert seen_box(fields["2"], (0, 2), image) == (0, 7, 12, 20)
    assert seen_box(fields["2"], (5, 5), image) == (19, 19, 32, 32)
    assert seen_box(None, (0, 2), image) == (0, 0, 32, 32)
    with torch.no_grad():
        plain = model(image[None])
        for row in range(32):
            for column in range(6, 21):
                changed = image.clone()
                changed[0, row, column] += 100.0
                differs = bool(model(changed[None])[0, 0, 0, 2] != plain[0, 0, 0, 2])
                assert differs <= (row < 12 and 7 <= column < 20)


def test_strongest_images_and_their_crops() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, bias=False), nn.ReLU())
    with torch.no_grad():
        for unit, sign in enumerate((1.0, -1.0)):
            model[0].weight[unit] = sign
    images = [(f"{k}", torch.zeros(1, 9, 9)) for k in range(6)]
    for k, (_, image) in enumerate(images):
        image[0, 2:5, 4:7] = k if k % 2 else -k
    best = strongest_images(model, iter(images), "1", [0, 1], count=2, batch=4)
    assert [one.name for one in best[0]] == ["5", "3"]
    assert [one.name for one in best[1]] == ["4", "2"]
    twice = strongest_images(model, images, "1", [0, 0], count=2)
    assert [one.name for one in twice[0]] == ["5", "3"]
    top = best[0][0]
    assert (top.activation, top.place, top.box) == (45.0, (1, 2), (2, 4, 5, 7))
    assert (top.crop(top.image) == 5).all()
    assert project(model, top.image, "1", 0, place=top.place).pixels.nonzero().shape[0] == 9
    with pytest.raises(ValueError, match="no images"):
        strongest_images(model, [], "1", [0])
    with pytest.raises(LayerError, match="no unit 2"):
        strongest_images(model, images, "1", [2])
    with pytest.raises(ValueError, match="count 0"):
        strongest_images(model, images, "1", [0], count=0)
