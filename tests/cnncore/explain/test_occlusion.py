"""Occlusion maps: only what the network looks at matters, in pictures and in sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from cnncore import create_model
from cnncore.explain.matplotlib_figures import occlusion_figure, write_figure
from cnncore.explain.occlusion import grey, occlude, occlude_words
from cnncore.explain.tiled_pictures import as_seen
from cnncore.models.classifier import Preset


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


class Corner(nn.Module):
    """Two classes: the mean of the upper left quarter, and nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        corner = self.maps(x)[:, 0, :4, :4].mean(dim=(1, 2))
        return torch.stack([corner, torch.zeros_like(corner)], dim=1)


def test_only_what_the_network_looks_at_matters() -> None:
    image = torch.full((1, 8, 8), 2.0)
    maps = occlude(Corner(), image, square=2, stride=2)
    assert maps.target == 0 and maps.probability.shape == maps.answer.shape == (4, 4)
    untouched = torch.ones(4, 4, dtype=torch.bool)
    untouched[:2, :2] = False
    assert (maps.probability[untouched] == maps.plain).all()
    # A quarter of the corner is covered by zeros: the logit falls from 2 to 1.5.
    torch.testing.assert_close(maps.probability[:2, :2], torch.full((2, 2), 1.5).sigmoid())
    assert maps.activity is None and (maps.answer == 0).all()
    same = occlude(Corner(), image, fill=2.0, square=3, stride=2)
    assert same.probability.shape == (4, 4)  # the last one ends at the edge
    torch.testing.assert_close(same.probability, torch.full((4, 4), same.plain))


def test_the_strongest_map_is_watched() -> None:
    image = torch.stack([torch.ones(8, 8), torch.full((8, 8), 3.0)])
    maps = occlude(Corner(), image, square=4, stride=4, layer="maps", target=1)
    assert (maps.unit, maps.plain_activity) == (1, 3.0 * 64)
    torch.testing.assert_close(maps.activity, torch.full((2, 2), 3.0 * 48))
    assert maps.plain == pytest.approx(1 / (1 + np.e))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"square": 9}, "a square of 9"),
        ({"square": 2, "stride": 0}, "moves by 0"),
        ({"target": 2}, "class 2 is not one of 0 to 1"),
        ({"layer": "nowhere"}, "no layer 'nowhere'"),
        ({"layer": "maps", "unit": 4}, "no unit 4"),
    ],
)
def test_occlusions_that_cannot_be(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        occlude(Corner(), torch.zeros(1, 8, 8), **options)


def test_grey_is_the_middle_of_what_the_model_reads() -> None:
    preset = Preset()
    seen = as_seen(grey(preset).expand(3, 2, 2), preset)
    assert set(seen.flatten().tolist()) <= {127, 128}


def test_words_that_speak_for_the_answer() -> None:
    model = create_model("kim-rand", vocabulary=30, dimension=12, maps=4)
    with torch.no_grad():
        model.embedding.weight.zero_()
        model.embedding.weight[7] = 1.0
        model.convolutions[0].weight.fill_(0.1)
        model.fc.weight.zero_()
        model.fc.weight[1] = 1.0
    losses = occlude_words(model, torch.tensor([3, 7, 4]), target=1)
    assert losses[1] > 0.1 and losses[0] == losses[2] == 0
    against = occlude_words(model, torch.tensor([3, 7, 4]), target=0)
    torch.testing.assert_close(against, -losses)


class Breaks(Figure):
    """A figure whose writing breaks off in the middle."""

    def savefig(self, fname: Any, **options: Any) -> None:
        Path(fname).write_bytes(b"half")
        raise OSError("disk full")


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    maps = occlude(Corner(), torch.ones(1, 8, 8), square=4, stride=4)
    figure = occlusion_figure(torch.zeros(1, 8, 8, dtype=torch.uint8), maps, ("one",), None)
    write_figure(figure, tmp_path / "x.png")
    before = (tmp_path / "x.png").read_bytes()
    with pytest.raises(OSError, match="disk full"):
        write_figure(Breaks(), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
