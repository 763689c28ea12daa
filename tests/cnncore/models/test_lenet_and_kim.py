"""LeNet-5 of 1998 by the paper's own numbers, and Kim's sentence CNN by its habits."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnncore import create_model
from cnncore.models.classics.kim_cnn import KimCNN
from cnncore.models.classics.lenet import (
    C3_TABLE,
    CodeDistance,
    LeNet5Of1998,
    PartialConv2d,
    Subsampling,
    scaled_tanh,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1998)


def test_the_table_of_c3_has_the_papers_groups() -> None:
    assert [len(row) for row in C3_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert len(set(C3_TABLE)) == 16
    seen = [sum(i in row for row in C3_TABLE) for i in range(6)]
    assert seen == [10] * 6  # every map of S2 feeds equally many
    for row in C3_TABLE[:12]:  # neighbours on the circle of six
        steps = sorted((b - a) % 6 for a, b in zip(row, (*row[1:], row[0]), strict=True))
        assert steps == [1] * (len(row) - 1) + [7 - len(row)]


def test_trainable_parameters_and_connections_of_1998() -> None:
    model = create_model("lenet5-1998")
    assert isinstance(model, LeNet5Of1998)
    trainable = {
        name: sum(p.numel() for p in child.parameters()) for name, child in model.named_children()
    }
    assert trainable == {
        "c1": 156,
        "s2": 12,
        "c3": 1_516,
        "s4": 32,
        "c5": 48_120,
        "f6": 10_164,
        "output": 0,
    }
    connections = (
        28 * 28 * (25 + 1) * 6,
        14 * 14 * (4 + 1) * 6,
        10 * 10 * model.c3.weight.numel() + 10 * 10 * 16,
        5 * 5 * (4 + 1) * 16,
        (400 + 1) * 120,
        (120 + 1) * 84,
        84 * 10,
    )
    assert connections[:4] == (122_304, 5_880, 151_600, 2_000)
    assert sum(connections) == 340_908


def test_a_partial_convolution_is_a_full_one_with_zeros() -> None:
    layer = PartialConv2d(6, C3_TABLE, kernel=5)
    dense = torch.zeros(16, 6, 5, 5)
    pairs = [(o, i) for o, row in enumerate(C3_TABLE) for i in row]
    for weight, (o, i) in zip(layer.weight.detach(), pairs, strict=True):
        dense[o, i] = weight
    x = torch.randn(2, 6, 14, 14)
    torch.testing.assert_close(layer(x), functional.conv2d(x, dense, layer.bias))
    bound = 2.4 / (3 * 25)
    assert layer.weight[:18].abs().max() <= bound < 1.5 * layer.weight[:18].abs().max()


def test_subsampling_sums_four_points() -> None:
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([1.0, -2.0]))
        layer.bias.copy_(torch.tensor([0.5, 0.0]))
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]]])
    assert layer(x).flatten().tolist() == [10.5, -8.0]


def test_the_squashing_function_is_one_at_one() -> None:
    assert scaled_tanh(torch.tensor([1.0, -1.0, 50.0])).tolist() == pytest.approx(
        [1.0, -1.0, 1.7159], abs=1e-4
    )


def test_the_output_is_the_distance_to_each_digits_code() -> None:
    layer = CodeDistance(10)
    assert layer.codes.shape == (10, 84)
    assert set(layer.codes.unique().tolist()) == {-1.0, 1.0}
    apart = torch.cdist(layer.codes, layer.codes).square() / 4  # points that differ
    assert (apart + 84 * torch.eye(10)).min() >= 4
    assert torch.equal(layer(layer.codes).argmax(dim=1), torch.arange(10))
    assert layer(layer.codes).diagonal().abs().max() == 0
    x = torch.randn(3, 84)
    torch.testing.assert_close(layer(x), -torch.cdist(x, layer.codes).square())
    other = CodeDistance(26)
    assert other.codes.shape == (26, 84)
    assert torch.equal(other.codes, CodeDistance(26).codes)


def test_squashing_everywhere_is_another_function() -> None:
    model = create_model("lenet5-1998", squash="pooled").eval()
    other = create_model("lenet5-1998", squash="all").eval()
    other.load_state_dict(model.state_dict())
    x = torch.randn(1, 1, 32, 32)
    assert not torch.allclose(model(x), other(x))
    published = create_model("lenet5-1998").eval()
    published.load_state_dict(model.state_dict())
    assert torch.equal(published(x), other(x))


def test_28_points_and_padding_equal_32_points() -> None:
    wide = create_model("lenet5").eval()
    narrow = create_model("lenet5", image_size=28).eval()
    narrow.load_state_dict(wide.state_dict())
    x = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(narrow(x), wide(functional.pad(x, (2, 2, 2, 2))))


def kim(variant: str = "rand", **options: object) -> KimCNN:
    model = create_model(
        f"kim-{variant}", **{"vocabulary": 40, "dimension": 10, "maps": 6, **options}
    )
    assert isinstance(model, KimCNN)
    return model


@pytest.mark.parametrize("length", [0, 1, 2, 3, 60])
def test_kim_takes_sentences_of_any_length(length: int) -> None:
    out = kim()(torch.ones(3, length, dtype=torch.int64))
    assert out.shape == (3, 2) and out.isfinite().all()


@pytest.mark.parametrize("length", [1, 4, 9])
def test_kims_logits_do_not_depend_on_longer_sentences_in_the_batch(length: int) -> None:
    model = kim().eval()
    nn.init.normal_(model.convolutions[0].bias)
    nn.init.normal_(model.convolutions[2].bias)
    sentence = torch.randint(1, 40, (1, length))
    padded = functional.pad(sentence, (0, 50))
    torch.testing.assert_close(model(sentence), model(padded))


def test_kims_features_are_the_maxima_over_all_windows() -> None:
    model = kim(widths=(3,)).eval()
    nn.init.normal_(model.convolutions[0].weight)
    words = [5, 7, 9]
    line = [0, 0, *words, 0, 0, 0]
    vectors = model.embedding(torch.tensor(line))
    weight = model.convolutions[0].weight  # (maps, dimension, width)
    windows = torch.stack([vectors[i : i + 3].T for i in range(len(line) - 2)])
    expected = torch.einsum("ndw,mdw->nm", windows, weight).relu().amax(dim=0)
    torch.testing.assert_close(model.forward_features(torch.tensor([words]))[0], expected)


@pytest.mark.parametrize("variant", ["rand", "static", "non-static", "multichannel"])
def test_what_each_variant_trains(variant: str) -> None:
    vectors = torch.randn(40, 10)
    model = kim(variant, vectors=vectors, dropout=0.0)
    assert torch.equal(model.embedding.weight[1:], vectors[1:])
    assert model.embedding.weight[0].abs().sum() == 0
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=10.0)
    model(torch.tensor([[3, 4, 5]]))[0, 0].backward()
    optimiser.step()
    changed = (model.embedding.weight != vectors)[1:].any(dim=1).nonzero().flatten() + 1
    assert changed.tolist() == ([] if variant == "static" else [3, 4, 5])
    assert model.embedding.weight[0].abs().sum() == 0
    if variant == "multichannel":
        assert model.static is not None
        assert torch.equal(model.static.weight[1:], vectors[1:])
    else:
        assert model.static is None


def test_multichannel_filters_read_both_copies() -> None:
    model = kim("multichannel").eval()
    assert model.static is not None
    single = kim("static").eval()
    single.load_state_dict(
        {name: t for name, t in model.state_dict().items() if not name.startswith("static.")}
    )
    with torch.no_grad():
        single.embedding.weight.add_(model.static.weight)
    x = torch.randint(1, 40, (2, 7))
    torch.testing.assert_close(model(x), single(x))


def test_the_norm_of_each_class_is_held() -> None:
    model = kim(max_norm=3.0)
    assert isinstance(model.fc, nn.Linear)
    with torch.no_grad():
        model.fc.weight[0] = 10.0
        model.fc.weight[1] = 0.01
    model.constrain()
    norms = model.fc.weight.norm(dim=1)
    assert norms[0].item() == pytest.approx(3.0, rel=1e-5)
    assert model.fc.weight[1].tolist() == pytest.approx([0.01] * 18)


def test_vectors_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 10\) do not fit a vocabulary of 40 words in 10"):
        kim(vectors=torch.zeros(3, 10))
