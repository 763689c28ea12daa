"""LRN, residual and inception blocks against slow twins and the papers' arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore import LocalResponseNorm, create_model, summary
from cnncore.layers.alexnet_layers import caffe_lrn, overlapping_pool, paper_lrn
from cnncore.layers.inception import (
    AuxiliaryClassifier,
    ConvUnit,
    Inception,
    InceptionWidths,
    NaiveInception,
)
from cnncore.layers.residual import (
    BasicBlock,
    Bottleneck,
    PaddingShortcut,
    PreActBasicBlock,
    PreActBottleneck,
    make_shortcut,
)


def paper_formula(x: Tensor, *, n: int, alpha: float, beta: float, k: float) -> Tensor:
    """Krizhevsky et al. 2012, section 3.3, one activity after the other."""
    channels = x.shape[1]
    out = torch.empty_like(x)
    for i in range(channels):
        low, high = max(0, i - n // 2), min(channels - 1, i + n // 2)
        total = sum(x[:, j] ** 2 for j in range(low, high + 1))
        out[:, i] = x[:, i] / (k + alpha * total) ** beta
    return out


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9])
def test_lrn_is_the_papers_formula(n: int) -> None:
    torch.manual_seed(0)
    x = 500 * torch.randn(2, 7, 3, 4, dtype=torch.float64)
    layer = LocalResponseNorm(n, convention="paper")
    expected = paper_formula(x, n=n, alpha=1e-4, beta=0.75, k=2.0)
    torch.testing.assert_close(layer(x), expected)


def test_the_conventions_differ_by_the_window() -> None:
    torch.manual_seed(0)
    x = 500 * torch.randn(2, 16, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(
        caffe_lrn()(x), functional.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)
    )
    torch.testing.assert_close(
        paper_lrn()(x), functional.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)
    )
    caffe = LocalResponseNorm(5, convention="caffe")
    assert (caffe(x) - paper_lrn()(x)).abs().max() > 10


def test_lrn_refuses_what_it_cannot_mean() -> None:
    with pytest.raises(ValueError, match="window of 4 channels"):
        LocalResponseNorm(4, convention="caffe")
    with pytest.raises(ValueError, match="'tf' is unknown"):
        LocalResponseNorm(5, convention="tf")  # type: ignore[arg-type]
    assert "convention='paper'" in repr(paper_lrn())


def test_pooling_overlaps() -> None:
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 1.0
    assert overlapping_pool()(x).tolist() == [[[[1.0, 1.0], [1.0, 1.0]]]]


def test_the_padding_shortcut_subsamples_and_adds_zeros_on_both_sides() -> None:
    x = torch.arange(2 * 16, dtype=torch.float32).reshape(1, 2, 4, 4)
    out = PaddingShortcut(2, 5, stride=2)(x)
    assert out.shape == (1, 5, 2, 2)
    assert out[0, 0].abs().sum() == out[0, 3:].abs().sum() == 0
    assert torch.equal(out[0, 1:3], x[0, :, ::2, ::2])


def test_shortcut_options() -> None:
    def kinds(option: str) -> list[type | None]:
        shortcuts = [
            make_shortcut(option, 8, out, stride=s, norm=True)  # type: ignore[arg-type]
            for out, s in ((8, 1), (16, 2))
        ]
        return [None if s is None else type(s) for s in shortcuts]

    assert kinds("A") == [None, PaddingShortcut]
    assert kinds("B") == [None, nn.Sequential]
    assert kinds("C") == [nn.Sequential, nn.Sequential]
    with pytest.raises(ValueError, match="'D' is unknown"):
        kinds("D")


@pytest.mark.parametrize(("width", "stride"), [(4, 1), (6, 2)])
def test_a_basic_block_folds_its_normalisation(width: int, stride: int) -> None:
    torch.manual_seed(0)
    block = BasicBlock(4, width, stride=stride)
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    with torch.no_grad():
        block(torch.randn(8, 4, 9, 9))
        x = torch.randn(2, 4, 9, 9)
        folded = block.eval().folded()
        torch.testing.assert_close(folded(x), block(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(folded.folded()(x), folded(x))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())


def test_a_basic_block_without_residual_is_its_rectified_input() -> None:
    block = BasicBlock(4, 4).eval()
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x.relu())


@pytest.mark.parametrize("place", ["1x1", "3x3"])
def test_the_stride_stands_where_it_is_told(place: str) -> None:
    torch.manual_seed(0)
    block = Bottleneck(8, 4, stride=2, stride_in=place).eval()  # type: ignore[arg-type]
    x = torch.randn(2, 8, 8, 8)

    def step(x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d, stride: int) -> Tensor:
        y = functional.conv2d(x, conv.weight, stride=stride, padding=conv.kernel_size[0] // 2)
        return y / (1 + norm.eps) ** 0.5  # a new normalisation only divides by its deviation

    first, second = (2, 1) if place == "1x1" else (1, 2)
    y = step(x, block.conv1, block.bn1, first).relu()
    y = step(y, block.conv2, block.bn2, second).relu()
    y = step(y, block.conv3, block.bn3, 1)
    assert isinstance(block.downsample, nn.Sequential)
    expected = (y + step(x, block.downsample[0], block.downsample[1], 2)).relu()
    torch.testing.assert_close(block(x), expected)
    with pytest.raises(ValueError, match="'5x5' is unknown"):
        Bottleneck(8, 4, stride_in="5x5")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [PreActBasicBlock, PreActBottleneck])
def test_pre_activated_identities_let_the_input_through(
    kind: type[PreActBasicBlock] | type[PreActBottleneck],
) -> None:
    torch.manual_seed(0)
    width = 8 // kind.expansion
    block = kind(8, width).eval()
    last = block.conv3 if isinstance(block, PreActBottleneck) else block.conv2
    x = torch.randn(2, 8, 6, 6)
    assert not torch.equal(block(x), x)
    nn.init.zeros_(last.weight)
    assert torch.equal(block(x), x)  # not rectified
    block.bn1 = None
    assert torch.equal(block(x), x)
    assert x.min() < 0  # and has changed nothing in place


def test_a_pre_activated_projection_sees_the_activated_input() -> None:
    torch.manual_seed(0)
    block = PreActBasicBlock(4, 8, stride=2).eval()
    nn.init.zeros_(block.conv2.weight)
    assert block.bn1 is not None and block.downsample is not None
    x = torch.randn(2, 4, 6, 6)
    torch.testing.assert_close(block(x), block.downsample(block.bn1(x).relu()))
    padded = PreActBasicBlock(4, 8, stride=2, shortcut="A").eval()
    nn.init.zeros_(padded.conv2.weight)
    assert torch.equal(padded(x), PaddingShortcut(4, 8, stride=2)(x))


def test_inception_3a_costs_what_the_paper_saves() -> None:
    widths = InceptionWidths(64, 96, 128, 16, 32, 32)
    with torch.device("meta"):
        reduced = Inception(192, widths)
        naive = NaiveInception(192, one=64, three=128, five=32)
    costs = [summary(module, (192, 28, 28)) for module in (reduced, naive)]
    assert [cost.parameters for cost in costs] == [163_696, 387_296]
    assert [round(cost.macs / 1e6, 1) for cost in costs] == [128.0, 303.5]
    x = torch.zeros(1, 192, 28, 28, device="meta")
    assert reduced(x).shape[1] == widths.total == 256
    assert naive(x).shape[1] == 64 + 128 + 32 + 192


def test_inception_branches_stand_in_the_papers_order() -> None:
    torch.manual_seed(0)
    block = Inception(6, InceptionWidths(1, 2, 3, 2, 4, 5)).eval()
    x = torch.randn(2, 6, 7, 7)
    one, three, five, pool = block(x).split([1, 3, 4, 5], dim=1)
    assert torch.equal(one, block.branch1(x))
    assert torch.equal(three, block.branch2(x))
    assert torch.equal(five, block.branch3(x))
    conv = block.branch4[1]
    assert torch.equal(pool, conv(functional.max_pool2d(x, 3, stride=1, padding=1)))
    assert [m.kernel_size for m in block.branch3.modules() if isinstance(m, nn.Conv2d)] == [
        (1, 1),
        (5, 5),
    ]


def test_auxiliary_classifiers_pool_as_the_paper_or_as_torchvision() -> None:
    paper = AuxiliaryClassifier(512, 10).eval()
    other = AuxiliaryClassifier(512, 10, adaptive=True).eval()
    other.load_state_dict(paper.state_dict())
    x = torch.rand(2, 512, 14, 14)
    assert paper.pool(x).shape == (2, 512, 4, 4)
    assert paper(x).shape == (2, 10)
    assert not torch.allclose(paper(x), other(x))
    assert other(torch.rand(1, 512, 9, 9)).shape == (1, 10)


def test_folded_units_compute_the_same_function() -> None:
    torch.manual_seed(0)
    unit = ConvUnit(3, 5, kernel=3, stride=2, padding=1, norm=True)
    for _ in range(10):
        unit(2 * torch.randn(8, 3, 9, 9) + 1)
    unit = unit.eval().double()
    x = torch.randn(2, 3, 9, 9, dtype=torch.float64)
    folded = unit.folded()
    assert folded.bn is None
    torch.testing.assert_close(folded.double()(x), unit(x), rtol=1e-5, atol=1e-6)


def test_the_published_alexnets_normalise_before_they_pool() -> None:
    for name, constants in (
        ("alexnet-two-tower", ("paper", 2.0)),
        ("bvlc-alexnet", ("caffe", 1.0)),
    ):
        norm, pool = create_model(name, hidden=8).get_submodule("features")[2:4]
        assert (norm.convention, norm.k) == constants and isinstance(pool, nn.MaxPool2d)
    behind = create_model("alexnet", hidden=8).get_submodule("features")
    assert isinstance(behind[2], nn.MaxPool2d)
