"""Sheets of small pictures, and the filters of the first layer."""

from __future__ import annotations

import pytest
import torch

from cnncore import create_model
from cnncore.explain.tiled_pictures import around_grey, enlarged, first_filters, tiled
from tests.helpers.small_models import small


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


def test_sheets_of_pictures() -> None:
    dots = [torch.full((1, 2, 3), value, dtype=torch.uint8) for value in (10, 20, 30)]
    sheet = tiled(dots)
    assert sheet.shape == (1, 7, 9)
    assert sheet[0, 1:3, 1:4].unique().tolist() == [10]
    assert sheet[0, 4:6, 1:4].unique().tolist() == [30]
    assert sheet[0, 4:6, 5:8].unique().tolist() == [255]
    assert enlarged(sheet, 3).shape == (1, 21, 27)
    assert around_grey(torch.tensor([[[-2.0, 0.0, 2.0]]])).flatten().tolist() == [0, 128, 255]
    assert around_grey(torch.zeros(1, 1, 1)).item() == 128
    with pytest.raises(ValueError, match="no pictures"):
        tiled([])


def test_first_filters_of_one_three_and_other_numbers_of_channels() -> None:
    assert first_filters(small("lenet5")[0]).shape == (1, 2 * 6 + 1, 3 * 6 + 1)
    assert first_filters(small("resnet20-cifar")[0]).shape == (3, 4 * 4 + 1, 4 * 4 + 1)
    four = create_model("resnet20-cifar", in_channels=4)
    assert first_filters(four).shape == (1, 16 * 4 + 1, 4 * 4 + 1)
    with pytest.raises(ValueError, match="reads words"):
        first_filters(small("kim-rand")[0])
