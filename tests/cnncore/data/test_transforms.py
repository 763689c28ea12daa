"""cnncore.data.images.transforms: every operation against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image

from cnncore import create_model
from cnncore.data.images.transforms import (
    PCA_VALUES,
    PCA_VECTORS,
    center_crop,
    crop,
    evaluation_view,
    from_pillow,
    like_mnist,
    normalise,
    pad_to,
    pca_colour,
    random_crop,
    random_flip,
    random_resized_crop,
    random_shift,
    resize,
    scale,
    scale_jitter,
    ten_crop,
)
from cnncore.models.classifier import Preset


def counted(height: int, width: int) -> torch.Tensor:
    """A grey picture whose points are numbered 0, 1, 2, ... row by row."""
    return torch.arange(height * width, dtype=torch.uint8).reshape(1, height, width)


def test_the_shorter_side_is_scaled_and_the_aspect_stays() -> None:
    assert resize(torch.zeros(3, 30, 60, dtype=torch.uint8), 15).shape == (3, 15, 30)
    assert resize(torch.zeros(3, 100, 67, dtype=torch.uint8), 256).shape == (3, 382, 256)
    halves = torch.tensor([[[0, 0, 200, 200]] * 4], dtype=torch.uint8)
    assert scale(halves, (2, 2), interpolation="box").tolist() == [[[0, 200], [0, 200]]]
    assert scale(halves[None].repeat(2, 1, 1, 1), (2, 2), interpolation="box").shape == (2, 1, 2, 2)
    with pytest.raises(ValueError, match="interpolation 'sinc' is unknown; give one of nearest"):
        scale(halves, (2, 2), interpolation="sinc")


def test_the_middle_is_cut_out() -> None:
    assert center_crop(counted(4, 5), (2, 3))[0].tolist() == [[6, 7, 8], [11, 12, 13]]
    with pytest.raises(ValueError, match=r"a window of 5x2 at \(0, 1\) does not lie in .* 4x5"):
        crop(counted(4, 5), 0, 1, (5, 2))


def test_small_pictures_are_padded_in_the_middle() -> None:
    padded = pad_to(torch.full((1, 2, 3), 9, dtype=torch.uint8), (4, 4))
    assert padded[0].tolist() == [[0] * 4, [9, 9, 9, 0], [9, 9, 9, 0], [0] * 4]
    assert pad_to(counted(4, 4), (2, 2)).shape == (1, 4, 4)


def test_random_windows_reach_every_place(rng: np.random.Generator) -> None:
    corners = {int(random_crop(counted(3, 4), (2, 2), rng)[0, 0, 0]) for _ in range(200)}
    assert corners == {0, 1, 2, 4, 5, 6}
    with pytest.raises(ValueError, match="scale the picture up first"):
        random_crop(counted(3, 4), (4, 4), rng)


def test_resized_crops_keep_to_area_and_aspect(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def remember(picture: torch.Tensor, size: tuple[int, int], **_: str) -> torch.Tensor:
        seen.append(tuple(picture.shape[-2:]))
        return picture[..., :1, :1].expand(-1, *size)

    monkeypatch.setattr("cnncore.data.images.transforms.scale", remember)
    picture = torch.zeros(1, 200, 200, dtype=torch.uint8)
    for _ in range(300):
        random_resized_crop(picture, (8, 8), rng, area=(0.25, 1.0))
    shares = [height * width / 40_000 for height, width in seen]
    aspects = [width / height for height, width in seen]
    assert 0.24 < min(shares) < 0.3 and 0.9 < max(shares) <= 1.0
    assert 0.74 < min(aspects) < 0.8 and 1.25 < max(aspects) < 1.35
    seen.clear()
    random_resized_crop(torch.zeros(1, 10, 200, dtype=torch.uint8), (8, 8), rng, area=(0.9, 1.0))
    assert seen == [(10, 10)]  # no such window fits: the largest square


def test_scale_jitter_takes_every_side_of_its_range(rng: np.random.Generator) -> None:
    picture = torch.zeros(1, 20, 40, dtype=torch.uint8)
    shapes = {tuple(scale_jitter(picture, (10, 12), rng).shape[1:]) for _ in range(60)}
    assert shapes == {(10, 20), (11, 22), (12, 24)}


def test_ten_crops_are_corners_middle_and_their_mirrors() -> None:
    crops = ten_crop(counted(4, 6), (2, 2))
    assert crops[:5, 0, 0, 0].tolist() == [0, 4, 12, 16, 8]
    assert torch.equal(crops[5:], crops[:5].flip(-1))


def test_normalising_maps_to_the_unit_then_shifts_and_scales() -> None:
    picture = torch.tensor([0, 255, 51], dtype=torch.uint8).reshape(3, 1, 1)
    x = normalise(picture, (0.5, 0.25, 0.0), (0.5, 0.25, 0.1))
    assert x.flatten().tolist() == pytest.approx([-1.0, 3.0, 2.0])


def test_about_half_are_mirrored(rng: np.random.Generator) -> None:
    pictures = counted(1, 2)[None].repeat(400, 1, 1, 1)
    flipped = random_flip(pictures, rng)[:, 0, 0, 0]
    assert set(flipped.tolist()) == {0, 1}
    assert 160 < int(flipped.sum()) < 240


def test_each_picture_is_shifted_on_its_own(rng: np.random.Generator) -> None:
    pictures = torch.zeros(500, 2, 5, 5)
    pictures[:, 0, 2, 2], pictures[:, 1, 2, 2] = 1.0, 2.0
    moved = random_shift(pictures, 2, rng)
    places = moved[:, 0].flatten(1).argmax(dim=1)
    assert set(places.tolist()) == set(range(25))
    assert torch.equal(moved[:, 1], 2.0 * moved[:, 0])  # channels move together
    edge = random_shift(torch.ones(200, 1, 3, 3), 1, rng)
    assert set(edge.sum(dim=(1, 2, 3)).tolist()) == {4.0, 6.0, 9.0}  # black comes in


def test_colours_are_principal_components_times_normal_amounts() -> None:
    pictures = torch.zeros(4, 3, 2, 2)
    amounts = np.random.default_rng(5).normal(0.0, 0.1, (4, 3))
    by_hand = [
        [sum(PCA_VECTORS[c][k] * PCA_VALUES[k] * row[k] for k in range(3)) for c in range(3)]
        for row in amounts
    ]
    coloured = pca_colour(pictures, np.random.default_rng(5), deviation=0.1)
    assert coloured[:, :, 1, 0].tolist() == [pytest.approx(row, abs=1e-7) for row in by_hand]
    assert torch.equal(coloured[:, :, 0, 0], coloured[:, :, 1, 1])  # all points alike


def test_a_preset_decides_what_is_seen() -> None:
    preset = Preset((3, 4, 4), 8)
    picture = torch.zeros(3, 8, 12, dtype=torch.uint8)
    picture[:, 2:6, 4:8] = 100
    assert evaluation_view(picture, preset).unique().tolist() == [100]
    digit = torch.full((1, 28, 28), 7, dtype=torch.uint8)
    seen = evaluation_view(digit, create_model("lenet5").preset)
    assert seen.shape == (1, 32, 32) and int(seen.sum()) == 7 * 28 * 28
    assert seen[0, 2:30, 2:30].unique().tolist() == [7]
    large = torch.full((1, 64, 80), 7, dtype=torch.uint8)
    assert evaluation_view(large, create_model("lenet5").preset).unique().tolist() == [7]


@pytest.mark.parametrize(
    ("kind", "points"),
    [(np.uint16, [0, 257, 65535]), (np.int32, [0, 300, 65535]), (np.float32, [0.0, 0.004, 1.0])],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_more_than_8_bits_keep_their_greys(
    kind: type, points: list[float], channels: int
) -> None:
    image = Image.fromarray(np.array([points], dtype=kind))
    assert from_pillow(image, channels=channels)[:, 0].tolist() == [[0, 1, 255]] * channels


@pytest.mark.parametrize("points", [[0.0, 1.5], [-0.5, 1.0], [0.0, math.nan]])
def test_numbers_whose_white_is_unknown_are_refused(points: list[float]) -> None:
    image = Image.fromarray(np.array([points], dtype=np.float32))
    with pytest.raises(ValueError, match="not from 0 to 1; save it with 8 or 16 bits"):
        from_pillow(image, channels=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LA", "RGBA", "HSV"])
def test_every_mode_of_pillow_gives_the_same_greys(mode: str) -> None:
    image = Image.new("RGB", (2, 1), "white")
    image.putpixel((0, 0), (0, 0, 0))
    assert from_pillow(image.convert(mode), channels=3)[:, 0].tolist() == [[0, 255]] * 3


def test_what_is_transparent_lies_on_white() -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((0, 0), (10, 20, 30, 255))
    assert from_pillow(image, channels=3)[:, 0].T.tolist() == [[10, 20, 30], [255] * 3]
    assert from_pillow(image, channels=1).tolist() == [[[18, 255]]]
    with pytest.raises(ValueError, match="1 or 3 channels, not 2"):
        from_pillow(image, channels=2)


def test_drawn_digits_become_like_those_of_mnist() -> None:
    drawn = torch.full((1, 200, 300), 250, dtype=torch.uint8)
    drawn[0, 20:120, 30:70] = 10  # a black bar on white, off the middle
    digit = like_mnist(drawn)
    assert digit.shape == (1, 28, 28)
    rows, columns = (digit[0] > 128).nonzero().T
    assert (int(rows.min()), int(rows.max())) == (4, 23)  # 20 high, in the middle
    assert int(columns.max()) - int(columns.min()) + 1 == 8
    mass = digit[0].double()
    for axis in (0, 1):
        centre = float((mass.sum(dim=1 - axis) * torch.arange(28)).sum() / mass.sum())
        assert math.isclose(centre, 13.5, abs_tol=0.51)
    ready = torch.zeros(1, 28, 28, dtype=torch.uint8)
    ready[0, 5:9, 3] = 200
    assert torch.equal(like_mnist(ready), ready)
    assert int(like_mnist(torch.full((1, 50, 50), 255, dtype=torch.uint8)).sum()) == 0
