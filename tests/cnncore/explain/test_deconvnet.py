"""The deconvnet: the paper's way back through switches, for every image model."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore import create_model, list_models
from cnncore.explain.deconvnet import project
from cnncore.explain.layer_outputs import LayerError, seen_box, watched
from cnncore.models.shapes import receptive_fields
from tests.helpers.small_models import small

# A layer before the head of one small model of every family.
LAYERS = {
    "lenet5": "features.4",
    "lenet5-1998": "s4",
    "resnet20-cifar": "layer3.2",
    "preact-resnet18": "layer2.0",
}
OTHER_LAYERS = {
    "alexnet": "features.12",
    "alexnet-two-tower": "features.12",
    "alexnet-caffe": "features.12",
    "alexnet-owt": "features.10",
    "zfnet": "features.12",
    "nin-imagenet": "features.10",
    "nin-cifar10": "features.10",
    "googlenet": "inception4a",
    "googlenet-torchvision": "inception4a",
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(2014)


def layer_of(name: str) -> str:
    known = {**LAYERS, **OTHER_LAYERS}
    if name in known:
        return known[name]
    if name.startswith("vgg"):
        return "features.12"
    return "layer3.0" if "cifar" in name else "layer2.1"


def gradient(model: nn.Module, image: Tensor, layer: str, unit: int) -> Tensor:
    """Return the plain gradient of half the square of a unit's strongest activity."""
    pixels = image.clone().requires_grad_()
    with watched(model, layer) as outputs:
        model(pixels[None])
    half_square = outputs[-1][0, unit].max().square() / 2
    return torch.autograd.grad(half_square, pixels)[0]


def test_without_relu_the_projection_is_the_gradient() -> None:
    model = create_model("lenet5", activation="tanh", pool="max").eval()
    image = torch.randn(1, 32, 32)
    found = project(model, image, "features.5", 3)
    torch.testing.assert_close(found.pixels, gradient(model, image, "features.5", 3))
    assert found.place is not None and found.activation > 0
    # With ReLU the two differ, but for a layer whose only ReLU stands behind it.
    model = create_model("lenet5").eval()
    found = project(model, image, "features.1", 3)
    torch.testing.assert_close(found.pixels, gradient(model, image, "features.1", 3))
    found = project(model, image, "features.3", 3)
    assert not torch.allclose(found.pixels, gradient(model, image, "features.3", 3))


def by_hand(image: Tensor, model: nn.Sequential, unit: int) -> Tensor:
    """Run convolution, ReLU, pooling, convolution, ReLU forwards and the paper's way back."""
    first, _, _, second, _ = model
    assert isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d)
    maps = functional.relu(first(image[None]))
    pooled, switches = functional.max_pool2d(maps, 2, return_indices=True)
    top = functional.relu(second(pooled))
    only = torch.zeros_like(top)
    place = top[0, unit].flatten().argmax()
    only[0, unit].view(-1)[place] = top[0, unit].flatten()[place]
    back = functional.conv_transpose2d(functional.relu(only), second.weight, padding=1)
    back = functional.max_unpool2d(back, switches, 2, output_size=maps.shape[2:])
    return functional.conv_transpose2d(functional.relu(back), first.weight)[0]


def test_the_projection_is_the_papers_deconvnet() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace=True),
    )
    image = torch.randn(3, 14, 14)
    with torch.no_grad():
        for unit in range(5):
            expected = by_hand(image, model, unit)
            torch.testing.assert_close(project(model, image, "4", unit).pixels, expected)


def test_switches_put_a_value_back_at_its_place() -> None:
    model = nn.Sequential(nn.MaxPool2d(4), nn.MaxPool2d(2))
    image = torch.rand(2, 16, 16)
    image[1, 13, 6] = 7.0
    found = project(model, image, "1", 1)
    assert (found.activation, found.place) == (7.0, (1, 0))
    assert found.pixels.nonzero().tolist() == [[1, 13, 6]] and found.pixels[1, 13, 6] == 7.0


def test_average_pooling_addition_and_normalisation_go_back_by_their_transpose() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(1)
            self.pool = nn.AvgPool2d(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.pool(torch.cat([x + self.norm(x), x], dim=1))

    block = Block().eval()
    block.norm.weight.data.fill_(3.0)
    image = torch.ones(1, 4, 4)
    twice = project(block, image, "pool", 0, place=(0, 1))
    scale = 1 + 3 / (1 + block.norm.eps) ** 0.5
    expected = torch.zeros(1, 4, 4)
    expected[0, :2, 2:] = scale * scale / 4
    torch.testing.assert_close(twice.pixels, expected)


def test_a_projection_leaves_the_model_as_it_was() -> None:
    model, x = small("resnet20-cifar")
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    project(model, x[0], "layer2.0", 1)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.layer1[0].conv1._forward_hooks


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in LAYERS else pytest.mark.slow)
        for n in list_models()
        if not n.startswith("kim")
    ],
)
def test_every_image_model_runs_through_the_deconvnet(name: str) -> None:
    model, x = small(name)
    layer = layer_of(name)
    found = project(model, x[0], layer)
    assert found.pixels.shape == x[0].shape and found.pixels.isfinite().all()
    top, left, bottom, right = seen_box(
        receptive_fields(model, tuple(x.shape[1:]))[layer], found.place, x[0]
    )
    inside = found.pixels[:, top:bottom, left:right]
    assert inside.abs().sum() > 0
    torch.testing.assert_close(inside.abs().sum(), found.pixels.abs().sum())
    logit = project(model, x[0], model.classifiers[0], 2)
    assert logit.pixels.shape == x[0].shape and logit.pixels.isfinite().all()


@pytest.mark.parametrize(
    ("layer", "unit", "place", "message"),
    [
        ("features.33", 0, None, r"no layer 'features.33'; did you mean features.3"),
        ("", 0, None, "cnncore info lists the layers"),
        ("features.3", 16, None, "no unit 16; its 16 units are 0 to 15"),
        ("features.3", 0, (10, 0), r"place \(10, 0\) is outside the 10x10 maps"),
    ],
)
def test_what_is_not_there_is_refused(
    layer: str, unit: int, place: tuple[int, int] | None, message: str
) -> None:
    model, x = small("lenet5")
    with pytest.raises(LayerError, match=message):
        project(model, x[0], layer, unit, place=place)


def test_a_layer_that_does_not_run_is_refused() -> None:
    model, x = small("googlenet-torchvision")
    with pytest.raises(LayerError, match="does not run 'aux1'"):
        project(model, x[0], "aux1", 0)
