"""Output sizes, and summaries against the papers' own tables."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from cnncore import conv_output_size, create_model, summary


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (227, 11, 4, 0, 55),  # AlexNet, layer by layer
        (55, 3, 2, 0, 27),
        (27, 5, 1, 2, 27),
        (27, 3, 2, 0, 13),
        (13, 3, 1, 1, 13),
        (13, 3, 2, 0, 6),
        (32, 5, 1, 0, 28),  # LeNet-5
        (28, 2, 2, 0, 14),
        (7, 3, 1, 0, 5),  # CS231n's example of a filter on 7 points
        (7, 3, 2, 0, 3),
        (19, 5, 1, 2, 19),  # AlphaGo
    ],
)
def test_sizes_of_the_papers(
    size: int, kernel: int, stride: int, padding: int, expected: int
) -> None:
    assert conv_output_size(size, kernel, stride=stride, padding=padding) == expected


def test_uneven_sizes_are_refused_unless_rounding_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"\(224 \+ 2\*0 - 11\) / 4 \+ 1 is not a whole number"):
        conv_output_size(224, 11, stride=4)
    assert conv_output_size(224, 11, stride=4, rounding="floor") == 54
    assert conv_output_size(224, 11, stride=4, rounding="ceil") == 55
    assert conv_output_size(112, 3, stride=2, rounding="ceil") == 56
    assert conv_output_size(112, 3, stride=2, rounding="floor") == 55


@pytest.mark.parametrize(("size", "kernel", "stride"), [(4, 5, 1), (0, 1, 1), (5, 3, 0), (5, 0, 1)])
def test_windows_that_cannot_be_are_refused(size: int, kernel: int, stride: int) -> None:
    with pytest.raises(ValueError, match=rf"\b{kernel}\b"):
        conv_output_size(size, kernel, stride=stride)


@given(
    size=st.integers(1, 40),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 5),
    ceil=st.booleans(),
    data=st.data(),
)
def test_rounded_sizes_are_those_of_torch(
    size: int, kernel: int, stride: int, ceil: bool, data: st.DataObject
) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    x = torch.zeros(1, 1, size + kernel, 1)
    pooled = functional.max_pool2d(
        x, (kernel, 1), stride=(stride, 1), padding=(padding, 0), ceil_mode=ceil
    )
    expected = conv_output_size(
        size + kernel, kernel, stride=stride, padding=padding, rounding="ceil" if ceil else "floor"
    )
    assert pooled.shape[2] == expected


# Height of the maps behind each layer that changes it, as the papers draw them.
@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("lenet5", [28, 14, 10, 5]),
        ("lenet5-1998", [28, 14, 10, 5, 1]),
        ("alexnet", [55, 27, 13, 6]),
        ("alexnet-two-tower", [55, 27, 13, 6]),
        ("zfnet", [110, 55, 26, 13, 6]),
        ("vgg-d", [224, 112, 56, 28, 14, 7]),
        ("nin-cifar10", [32, 16, 8]),
        ("nin-imagenet", [54, 27, 13, 6]),
        ("googlenet", [112, 56, 28, 14, 7]),
        ("resnet50", [112, 56, 28, 14, 7]),
        ("resnet20-cifar", [32, 16, 8]),
    ],
)
def test_map_sizes_are_the_papers(name: str, sides: list[int]) -> None:
    with torch.device("meta"):
        model = create_model(name)
    seen: list[int] = []
    for row in summary(model).rows:
        if len(row.shape) == 3 and row.field is not None and (not seen or row.shape[1] < seen[-1]):
            seen.append(row.shape[1])
    assert seen == sides


def test_channels_and_receptive_fields_of_alexnet() -> None:
    with torch.device("meta"):
        rows = summary(create_model("alexnet")).rows
    convolutions = [row for row in rows if row.kind == "Conv2d"]
    assert [row.shape[0] for row in convolutions] == [96, 256, 384, 384, 256]
    assert [row.field for row in convolutions] == [11, 51, 99, 131, 163]
    assert convolutions[0].parameters == 11 * 11 * 3 * 96 + 96 == 34_944
    assert convolutions[0].macs == 55 * 55 * 34_848
    linears = [row for row in rows if row.kind == "Linear"]
    assert [row.shape for row in linears] == [(4096,), (4096,), (1000,)]
    assert all(row.field is None for row in linears)


def test_the_receptive_field_is_the_set_of_points_that_an_output_depends_on() -> None:
    torch.manual_seed(0)
    model = create_model("resnet20-cifar").eval().double()
    rows = {row.name: row for row in summary(model).rows}
    x = torch.randn(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    maps = model.get_submodule("layer1")(model.get_submodule("conv1")(x))
    maps[0, :, 16, 16].sum().backward()
    assert x.grad is not None
    touched = x.grad.abs().sum(dim=(0, 1)).nonzero()
    side = int((touched.amax(dim=0) - touched.amin(dim=0)).max()) + 1
    assert rows["layer1.2.conv2"].field == side == 15


def test_a_summary_is_a_table_and_leaves_the_model_alone() -> None:
    model = create_model("lenet5")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    text = str(summary(model))
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    lines = text.splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "MACs", "field"]
    assert lines[1].split() == ["features.0", "Conv2d", "6x28x28", "156", "117,600", "5"]
    assert lines[-1] == "61,706 parameters (61,706 trainable), 416,520 MACs"


def test_a_summary_takes_any_module_and_needs_a_size_for_it() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.AvgPool2d(2), nn.Conv2d(4, 2, 3))
    result = summary(model, (3, 17, 17))
    assert [row.shape for row in result.rows] == [(4, 8, 8), (4, 4, 4), (2, 2, 2)]
    assert [row.field for row in result.rows] == [3, 5, 13]
    assert result.macs == 8 * 8 * 4 * 27 + 2 * 2 * 2 * 36
    with pytest.raises(ValueError, match="channels, height, width"):
        summary(model, 17)


def test_feature_maps_tell_their_shapes() -> None:
    features = create_model("resnet18", features_only=True, out_indices=(1, -1))
    assert (features.channels, features.reductions) == ([64, 512], [4, 32])
    maps = features(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [(1, 64, 16, 16), (1, 512, 2, 2)]
    with pytest.raises(ValueError, match="stages 0 to 4, not 5"):
        create_model("resnet18", features_only=True, out_indices=(5,))
    with pytest.raises(ValueError, match="features_only=True as well"):
        create_model("resnet18", out_indices=(1,))
    with pytest.raises(ValueError, match="no feature maps"):
        create_model("kim-rand", features_only=True, vocabulary=10)
